//! Daemons that are not there, or are there already, and plugins that they do not have.

use std::net::TcpListener;

use insta::assert_snapshot;

use super::refused;
use crate::support::{Daemon, Run, Sandbox, Specimen};

#[test]
fn without_a_daemon_its_verbs_say_how_to_start_one() {
    let sandbox = Sandbox::new();
    sandbox.write("any.tar.zst", "any");
    let lines = [
        "install any.tar.zst",
        "ps",
        "reload shop",
        "logs shop",
        "uninstall shop",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate install any.tar.zst
    exit 1
    error: `any.tar.zst` is not installed
      cause: no daemon is running for the home `[ROOT]/home`
    hint: start one with `hecate serve`

    $ hecate ps
    exit 1
    error: no daemon is running for the home `[ROOT]/home`
    hint: start one with `hecate serve`

    $ hecate reload shop
    exit 1
    error: no daemon is running for the home `[ROOT]/home`
    hint: start one with `hecate serve`

    $ hecate logs shop
    exit 1
    error: no daemon is running for the home `[ROOT]/home`
    hint: start one with `hecate serve`

    $ hecate uninstall shop
    exit 1
    error: no daemon is running for the home `[ROOT]/home`
    hint: start one with `hecate serve`
    ");
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    let _daemon = Daemon::start(&sandbox);
    let lines = [
        "reload shop",
        "logs shop",
        "uninstall shop",
        "reload My_Shop",
        "logs ../../etc/passwd",
        "uninstall 'a b'",
        "reload ''",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate reload shop
    exit 1
    error: there is no plugin `shop` here: `hecate ps` lists those that are

    $ hecate logs shop
    exit 1
    error: there is no plugin `shop` here: `hecate ps` lists those that are

    $ hecate uninstall shop
    exit 1
    error: there is no plugin `shop` here: `hecate ps` lists those that are

    $ hecate reload My_Shop
    exit 2
    error: `My_Shop` is not a plugin name: it starts with `M`, and must start with a lowercase letter
    hint: did you mean `my-shop`?

    $ hecate logs ../../etc/passwd
    exit 2
    error: `../../etc/passwd` is not a plugin name: it starts with `.`, and must start with a lowercase letter
    hint: did you mean `etc-passwd`?

    $ hecate uninstall 'a b'
    exit 2
    error: `a b` is not a plugin name: it holds ` `, and may hold only lowercase letters, digits and hyphens
    hint: did you mean `a-b`?

    $ hecate reload ''
    exit 2
    error: `` is not a plugin name: it is empty
    hint: `hecate ps` lists the plugins that there are
    ");
}

#[test]
fn a_home_has_one_daemon() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    sandbox.write(
        "specimen.tar.zst",
        Specimen::built().signed(&sandbox.home()),
    );
    let pid = daemon.pid().to_string();
    let named = |session: String| session.replace(&pid, "[PID]");
    let session = refused(&sandbox, "", &["serve"]);
    assert_snapshot!(named(session), @"
    $ hecate serve
    exit 1
    error: a daemon is running for this home already (process [PID])
    hint: use it (`hecate ps`), end it (`kill [PID]`), or name another home with `--home DIR`
    ");
    // Nor may a bundle be served beside it: two processes would have its database open.
    let another = Sandbox::new();
    let home = sandbox.home().display().to_string();
    let bundle = sandbox.path("specimen.tar.zst").display().to_string();
    let line = format!("serve {bundle} --home {home}");
    let session = refused(&another, "", &[&line]);
    assert_snapshot!(sandbox.neutral(&named(session)), @"
    $ hecate serve [ROOT]/specimen.tar.zst --home [ROOT]/home
    exit 1
    error: `[ROOT]/specimen.tar.zst` is not served
      cause: a daemon is running for this home already (process [PID])
    hint: use it (`hecate ps`), end it (`kill [PID]`), or name another home with `--home DIR`
    ");
}

#[test]
fn a_port_that_is_taken_is_named_with_who_has_it() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    sandbox.write(
        "specimen.tar.zst",
        Specimen::built().signed(&sandbox.home()),
    );
    let port = (sandbox.port() + 1).to_string();
    let named = |session: String| {
        session
            .replace(&daemon.pid().to_string(), "[PID]")
            .replace(&port, "[NEXT PORT]")
    };
    // Another home, so that only the port is in the way.
    let run = sandbox.hecate("serve --home elsewhere").code(1);
    assert_snapshot!(named(run.to_string()), @"
    exit 1
    error: port [PORT] is taken by `hecate` (process [PID])
    hint: free it, or take another one: `--port [NEXT PORT]`
    ");
    let run = sandbox.hecate("serve specimen.tar.zst").code(1);
    assert_snapshot!(named(run.to_string()), @"
    exit 1
    error: port [PORT] is taken by `hecate` (process [PID])
    hint: free it, or take another one: `--port [NEXT PORT]`
    ");

    // Anybody else's, this very process's for instance.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut serve = sandbox.program(env!("CARGO_BIN_EXE_hecate"));
    serve.args(["serve", "--home", "elsewhere", "--port", &port.to_string()]);
    let run = Run::of(&mut serve, &sandbox).code(1);
    let holder = format!("(process {})", std::process::id());
    assert!(
        run.stderr.contains(&format!("port {port} is taken by `")),
        "{run}"
    );
    assert!(run.stderr.contains(&holder), "{run}");
}

#[test]
fn a_home_that_cannot_be_made_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "mine");
    let lines = [
        "serve --home file",
        "serve --home file/below",
        "serve --allow-unsigned",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate serve --home file
    exit 1
    error: failed to make `[ROOT]/file`
      cause: File exists (os error 17)
    hint: a file stands where a directory is needed: move it away, or take another place

    $ hecate serve --home file/below
    exit 1
    error: failed to make `[ROOT]/file/below`
      cause: Not a directory (os error 20)
    hint: a file stands where a directory is needed: move it away, or take another place

    $ hecate serve --allow-unsigned
    exit 2
    error: the following required arguments were not provided:
      <BUNDLE>

    Usage: hecate serve --allow-unsigned --port <PORT> --home <DIR> <BUNDLE>

    For more information, try '--help'.
    ");
}

/// A power cut leaves the socket and the lock file, and neither is in the next daemon's way.
#[test]
fn what_a_killed_daemon_left_is_in_nobodys_way() {
    let sandbox = Sandbox::new();
    Daemon::start(&sandbox).kill();
    let left = sandbox.hecate("ps").code(1);
    assert!(
        left.stderr.contains("hint: start one with `hecate serve`"),
        "{left}"
    );
    let daemon = Daemon::start(&sandbox);
    let _ = sandbox.hecate("ps").ok();
    assert_eq!(daemon.stop(), 0);
}
