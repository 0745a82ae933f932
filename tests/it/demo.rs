//! The whole line in one command.

use crate::support::{Daemon, Sandbox, get};

#[test]
fn the_demo_does_all_and_stops() {
    let sandbox = Sandbox::new();
    let run = sandbox.hecate("demo --once").ok();
    for step in [
        "1/7 make    hecate new plugin hecate-demo",
        "2/7 grow    hecate gen division order",
        "3/7 check   hecate check",
        "4/7 bundle  hecate bundle",
        "5/7 serve   hecate serve",
        "6/7 install hecate install",
        "7/7 use     POST and GET over HTTP",
    ] {
        assert!(run.stderr.contains(step), "{step}: {run}");
    }
    assert!(
        run.stdout
            .contains("Its page:  http://localhost:[PORT]/plugin/hecate-demo/"),
        "{run}"
    );
    for row in [
        "Ada       lamp",
        "Grace     desk",
        "initiated, confirmed, shipped",
    ] {
        assert!(run.stdout.contains(row), "{row}: {run}");
    }

    // What it made is a plugin like any other, and still there; the path it names for the next steps works.
    let daemon = Daemon::start(&sandbox);
    let orders = get(daemon.port, "/plugin/hecate-demo/api/orders").json();
    assert_eq!(orders["items"].as_array().map(Vec::len), Some(3));
    let next = run
        .stdout
        .lines()
        .find(|line| line.contains("gen desk cmd praise order stars:int"));
    let program = next.unwrap().split_whitespace().next().unwrap();
    let program = program.replace(
        "[CHECKOUT]",
        &crate::support::checkout().display().to_string(),
    );
    assert!(std::path::Path::new(&program).is_file(), "{program}");
    let _made = sandbox
        .hecate_in("hecate-demo", "gen desk cmd praise order stars:int")
        .ok();
}

#[test]
fn a_step_that_fails_says_which_and_how_to_go_on() {
    let sandbox = Sandbox::new();
    sandbox.write("hecate-demo/mine.txt", "not a plugin");
    let run = sandbox.hecate("demo --once");
    insta::assert_snapshot!(run, @"
    exit 1
    1/7 make    hecate new plugin hecate-demo
    error: step 1 of the demo (`make`) failed: `[ROOT]/hecate-demo` is there already
    hint: take another name, another place with `--dir DIR`, or move it away
    hint: what is done is not done twice: run `hecate demo` again when this is mended
    ");
}
