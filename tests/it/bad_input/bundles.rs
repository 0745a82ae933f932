//! Bundles that are none, that somebody has changed, or that are for somebody else: nothing of them is kept.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs::{self, File};

use hecate_daemon::admission::TARGET;
use hecate_manifest::bundle::{Bundle, Limits};
use hecate_manifest::keys::HomeKey;
use insta::assert_snapshot;

use super::{refused, typed};
use crate::support::{Daemon, Sandbox, Specimen};

/// Contents by path.
type Files = BTreeMap<String, Vec<u8>>;

/// Installs each of the files in a daemon of their own, and shows what is said. Nothing stays of any of them.
fn installed(sandbox: &Sandbox, files: &[(&str, Vec<u8>)], options: &str) -> String {
    let daemon = Daemon::start(sandbox);
    for (name, contents) in files {
        sandbox.write(format!("{name}.tar.zst"), contents);
    }
    let lines: Vec<_> = files
        .iter()
        .map(|(name, _)| format!("install {name}.tar.zst{options}"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let session = refused(sandbox, "", &lines);
    let listed = sandbox.hecate("ps").ok();
    assert_eq!(listed.stdout.trim(), "no plugins are installed", "{listed}");
    assert_eq!(daemon.stop(), 0);
    of_any_machine(&session)
}

/// The session, without what the machine is.
fn of_any_machine(session: &str) -> String {
    session.replace(TARGET, "[TARGET]").replace(ARCH, "[ARCH]")
}

/// An archive with exactly these files, in a form that bundles have.
fn archive(files: &Files) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = tar::Header::new_ustar();
        header.set_path(path).unwrap();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, contents.as_slice()).unwrap();
    }
    zstd::encode_all(archive.into_inner().unwrap().as_slice(), 1).unwrap()
}

/// The files of a packed bundle, with its description and its signature.
fn all_files(packed: &[u8]) -> Files {
    let bundle = Bundle::open(packed, &Limits::default()).unwrap();
    let mut files = bundle.files;
    files.insert("bundle.json".into(), bundle.info_text.into());
    files.extend(
        bundle
            .signature
            .map(|text| ("bundle.json.minisig".into(), text.into())),
    );
    files
}

#[test]
fn what_is_no_bundle_is_not_opened() {
    let sandbox = Sandbox::new();
    let whole = Specimen::built().signed(&sandbox.home());
    let middle = whole.len() / 2;
    // In the checksum: what is said of other places follows from what happens to lie there.
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let noise: Vec<u8> = (0_u32..100_000)
        .map(|nth| (nth.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let files = [
        ("empty", Vec::new()),
        ("text", b"Dear daemon,\n".to_vec()),
        ("noise", noise),
        ("half", whole[..middle].to_vec()),
        ("damaged", damaged),
        ("longer", [whole.as_slice(), b"more"].concat()),
    ];
    assert_snapshot!(installed(&sandbox, &files, ""), @"
    $ hecate install empty.tar.zst
    exit 1
    error: `empty.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle is cut off; get the file again, or make it anew with `hecate bundle`

    $ hecate install text.tar.zst
    exit 1
    error: `text.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle is damaged, or not a bundle: Unknown frame descriptor; get the file again, or make it anew with `hecate bundle`

    $ hecate install noise.tar.zst
    exit 1
    error: `noise.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle is damaged, or not a bundle: Unknown frame descriptor; get the file again, or make it anew with `hecate bundle`

    $ hecate install half.tar.zst
    exit 1
    error: `half.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle is cut off; get the file again, or make it anew with `hecate bundle`

    $ hecate install damaged.tar.zst
    exit 1
    error: `damaged.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle is damaged, or not a bundle: Restored data doesn't match checksum; get the file again, or make it anew with `hecate bundle`

    $ hecate install longer.tar.zst
    exit 1
    error: `longer.tar.zst` is not installed
      cause: the bundle cannot be opened: there is more in the file after the bundle's end; get the file again, or make it anew with `hecate bundle`
    ");
}

#[test]
fn what_was_changed_since_it_was_packed_is_not_opened() {
    let sandbox = Sandbox::new();
    let packed = Specimen::built().signed(&sandbox.home());
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = all_files(&packed);
        change(&mut files);
        archive(&files)
    };
    let page = "priv/static/index.html";
    let files = [
        (
            "changed",
            changed(&|files| files.get_mut(page).unwrap()[0] ^= 1),
        ),
        (
            "shortened",
            changed(&|files| files.get_mut(page).unwrap().truncate(9)),
        ),
        (
            "added",
            changed(&|files| _ = files.insert("priv/static/extra.js".into(), vec![0])),
        ),
        ("removed", changed(&|files| _ = files.remove(page))),
        (
            "undescribed",
            changed(&|files| _ = files.remove("bundle.json")),
        ),
        (
            "format-2",
            changed(&|files| {
                let description = files["bundle.json"].clone();
                let text = String::from_utf8(description).unwrap();
                files.insert(
                    "bundle.json".into(),
                    text.replace("\"format\": 1", "\"format\": 2").into(),
                );
            }),
        ),
    ];
    assert_snapshot!(installed(&sandbox, &files, ""), @"
    $ hecate install changed.tar.zst
    exit 1
    error: `changed.tar.zst` is not installed
      cause: the bundle cannot be opened: the contents of `priv/static/index.html` are not those listed in `bundle.json`; get the file again, or make it anew with `hecate bundle`

    $ hecate install shortened.tar.zst
    exit 1
    error: `shortened.tar.zst` is not installed
      cause: the bundle cannot be opened: `priv/static/index.html` has 9 bytes, and 546 are listed in `bundle.json`; get the file again, or make it anew with `hecate bundle`

    $ hecate install added.tar.zst
    exit 1
    error: `added.tar.zst` is not installed
      cause: the bundle cannot be opened: `priv/static/extra.js` is not listed in `bundle.json`; get the file again, or make it anew with `hecate bundle`

    $ hecate install removed.tar.zst
    exit 1
    error: `removed.tar.zst` is not installed
      cause: the bundle cannot be opened: `priv/static/index.html` is listed in `bundle.json`, and is not in the bundle; get the file again, or make it anew with `hecate bundle`

    $ hecate install undescribed.tar.zst
    exit 1
    error: `undescribed.tar.zst` is not installed
      cause: the bundle cannot be opened: the bundle has no `bundle.json`; get the file again, or make it anew with `hecate bundle`

    $ hecate install format-2.tar.zst
    exit 1
    error: `format-2.tar.zst` is not installed
      cause: the bundle has format 2, and this version of Hecate reads format 1: update Hecate, or bundle the plugin with this version
    ");
}

#[test]
fn what_nobody_trusted_has_signed_is_not_run() {
    let sandbox = Sandbox::new();
    let built = Specimen::built();
    let own = built.signed(&sandbox.home());
    let others = sandbox.path("others");
    let stranger = built.signed(&others);
    // A good signature, of another version.
    let mut moved = all_files(&own);
    let later = all_files(&built.clone().of_version("0.2.0").signed(&sandbox.home()));
    moved.insert(
        "bundle.json.minisig".into(),
        later["bundle.json.minisig"].clone(),
    );
    let mut garbled = all_files(&own);
    garbled.insert("bundle.json.minisig".into(), b"signed, me\n".to_vec());
    let files = [
        ("unsigned", built.unsigned()),
        ("stranger", stranger.clone()),
        ("moved", archive(&moved)),
        ("garbled", archive(&garbled)),
    ];
    let id = |home| HomeKey::generate_or_load(home).unwrap().id().to_string();
    let (own, other) = (id(&sandbox.home().join("keys")), id(&others.join("keys")));
    let neutral = |session: String| session.replace(&own, "[OWN KEY]").replace(&other, "[KEY]");
    assert_snapshot!(neutral(installed(&sandbox, &files, "")), @"
    $ hecate install unsigned.tar.zst
    exit 1
    error: `unsigned.tar.zst` is not installed
      cause: the bundle is not signed: let its author sign it, or allow it with `--allow-unsigned`

    $ hecate install stranger.tar.zst
    exit 1
    error: `stranger.tar.zst` is not installed
      cause: the bundle is signed with the key `[KEY]`, which is not trusted here: put that key's `.pub` file into `keys/trusted` of the home, or allow it with `--allow-unsigned`

    $ hecate install moved.tar.zst
    exit 1
    error: `moved.tar.zst` is not installed
      cause: the signature with the key `[OWN KEY]` is not one of these contents: the bundle is not what its author signed; get it again from there

    $ hecate install garbled.tar.zst
    exit 1
    error: `garbled.tar.zst` is not installed
      cause: the signature cannot be read: the bundle is not what its author signed; get it again from there
    ");
    // A signature that is not one of these contents is never allowed.
    let session = neutral(installed(&sandbox, &files[2..], " --allow-unsigned"));
    assert_snapshot!(session, @"
    $ hecate install moved.tar.zst --allow-unsigned
    exit 1
    error: `moved.tar.zst` is not installed
      cause: the signature with the key `[OWN KEY]` is not one of these contents: the bundle is not what its author signed; get it again from there

    $ hecate install garbled.tar.zst --allow-unsigned
    exit 1
    error: `garbled.tar.zst` is not installed
      cause: the signature cannot be read: the bundle is not what its author signed; get it again from there
    ");

    // What was wrong was who had signed: of somebody who is trusted it is welcome.
    let trusted = sandbox.home().join("keys/trusted");
    fs::create_dir_all(&trusted).unwrap();
    fs::copy(others.join("keys/home.pub"), trusted.join("stranger.pub")).unwrap();
    let _daemon = Daemon::start(&sandbox);
    let _ = sandbox.hecate("install stranger.tar.zst").ok();
    let _ = sandbox.hecate("uninstall it-specimen --data").ok();
    let _ = sandbox
        .hecate("install unsigned.tar.zst --allow-unsigned")
        .ok();
}

#[test]
fn what_is_for_another_host_is_not_run() {
    let sandbox = Sandbox::new();
    let built = Specimen::built();
    let mut target = built.clone();
    target.info.target = "aarch64-apple-darwin".to_owned();
    let container = built
        .clone()
        .with_manifest(r#""plugin_type": "in_vm""#, r#""plugin_type": "container""#);
    let newer = built.clone().with_manifest(
        r#""min_sdk_version": "0.1.0""#,
        r#""min_sdk_version": "9.0.0""#,
    );
    let wrong = built
        .clone()
        .with_manifest(r#""tag": "it-specimen""#, r#""tag": "Specimen""#);
    let mut renamed = built.with_manifest(r#""name": "it-specimen""#, r#""name": "it-other""#);
    renamed.info.name = hecate_manifest::PluginName::parse("it-other").unwrap();
    let files = [target, container, newer, wrong, renamed];
    let names = ["target", "container", "newer-sdk", "wrong-tag", "renamed"];
    let files = files.map(|specimen| specimen.signed(&sandbox.home()));
    let files: Vec<_> = names.into_iter().zip(files).collect();
    assert_snapshot!(installed(&sandbox, &files, ""), @"
    $ hecate install target.tar.zst
    exit 1
    error: `target.tar.zst` is not installed
      cause: the bundle is built for `aarch64-apple-darwin`, this machine is `[TARGET]`: bundle the plugin on such a machine

    $ hecate install container.tar.zst
    exit 1
    error: `container.tar.zst` is not installed
      cause: the plugin's `plugin_type` is `container`, and only `in_vm` plugins run here: `hecate new plugin` makes such

    $ hecate install newer-sdk.tar.zst
    exit 1
    error: `newer-sdk.tar.zst` is not installed
      cause: the plugin needs SDK 9.0.0, this host has 0.1.0: update Hecate, or lower `min_sdk_version` and rebuild

    $ hecate install wrong-tag.tar.zst
    exit 1
    error: `wrong-tag.tar.zst` is not installed
      cause: the manifest is not right: `Specimen` is not the name of a custom element: it must start with a lowercase letter (HKM009); mend it (`hecate check` shows where) and bundle anew

    $ hecate install renamed.tar.zst
    exit 1
    error: `renamed.tar.zst` is not installed
      cause: `it-other` did not start: the library says it is `it-specimen`, the manifest says `it-other`: build the bundle anew
    ");
}

#[test]
fn a_library_that_is_not_made_for_us_is_not_mapped() {
    let sandbox = Sandbox::new();
    let with_library = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut specimen = Specimen::built();
        change(specimen.library());
        specimen.signed(&sandbox.home())
    };
    let files = [
        (
            "text",
            with_library(&|library| *library = b"#!/bin/sh\n".to_vec()),
        ),
        ("half", with_library(&|library| library.truncate(4096))),
        (
            "shell",
            with_library(&|library| *library = fs::read("/bin/sh").unwrap()),
        ),
        // The machine is the ninth half-word of the header; 243 is RISC-V.
        (
            "riscv",
            with_library(&|library| library[18..20].copy_from_slice(&[243, 0])),
        ),
        (
            "abi",
            with_library(&|library| {
                let description = note(library);
                library[description] = 99;
            }),
        ),
        (
            "abort",
            with_library(&|library| {
                let description = note(library);
                library[description + 4] = 0;
            }),
        ),
    ];
    assert_snapshot!(installed(&sandbox, &files, ""), @r#"
    $ hecate install text.tar.zst
    exit 1
    error: `text.tar.zst` is not installed
      cause: the library is not an ELF shared object: Invalid ELF header size or alignment; bundle the plugin anew

    $ hecate install half.tar.zst
    exit 1
    error: `half.tar.zst` is not installed
      cause: the library is not an ELF shared object: Invalid ELF section header offset/size/alignment; bundle the plugin anew

    $ hecate install shell.tar.zst
    exit 1
    error: `shell.tar.zst` is not installed
      cause: the library has no Hecate note: is `hecate_sdk::export_plugin!` in the plugin's `src/lib.rs`?

    $ hecate install riscv.tar.zst
    exit 1
    error: `riscv.tar.zst` is not installed
      cause: the library is built for riscv, this machine is [ARCH]: bundle the plugin for this machine

    $ hecate install abi.tar.zst
    exit 1
    error: `abi.tar.zst` is not installed
      cause: the library speaks ABI 99 (SDK 0.1.0), this host speaks ABI 1: rebuild the plugin with the SDK of this host, or use the host of that SDK

    $ hecate install abort.tar.zst
    exit 1
    error: `abort.tar.zst` is not installed
      cause: the library is built with `panic = "abort"`, so a panic would end the host: remove that setting
    "#);
}

/// Where the description of the plugin's ELF note begins: its ABI number, then whether panics unwind.
fn note(library: &[u8]) -> usize {
    let mut head = [7_u32, 264, 1].map(u32::to_le_bytes).concat();
    head.extend(b"Hecate\0\0");
    let at = library.windows(head.len()).position(|bytes| bytes == head);
    at.expect("a plugin has a note") + head.len()
}

#[test]
fn what_cannot_be_read_is_named() {
    let sandbox = Sandbox::new();
    let _daemon = Daemon::start(&sandbox);
    fs::create_dir(sandbox.path("shop")).unwrap();
    let large = File::create(sandbox.path("large.tar.zst")).unwrap();
    large.set_len(64 * 1024 * 1024 + 1).unwrap();
    let lines = [
        "install nothing.tar.zst",
        "install shop",
        "install large.tar.zst",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate install nothing.tar.zst
    exit 1
    error: failed to read `nothing.tar.zst`
      cause: No such file or directory (os error 2)
    hint: `hecate bundle` makes one in `target/bundle`

    $ hecate install shop
    exit 1
    error: `shop` is a directory, not a bundle
    hint: a project is bundled first: `hecate bundle --project shop`

    $ hecate install large.tar.zst
    exit 1
    error: `large.tar.zst` has 67108865 bytes, and a bundle has at most 67108864
    hint: is it a bundle? `hecate bundle` makes one in `target/bundle`
    ");
}

/// `hecate serve BUNDLE` goes by the same rules.
#[test]
fn a_bundle_that_is_served_alone_is_looked_at_all_the_same() {
    let sandbox = Sandbox::new();
    let built = Specimen::built();
    let signed = built.signed(&sandbox.home());
    sandbox.write("half.tar.zst", &signed[..signed.len() / 2]);
    sandbox.write("unsigned.tar.zst", built.unsigned());
    let mut target = built;
    target.info.target = "riscv64gc-unknown-linux-gnu".to_owned();
    sandbox.write("target.tar.zst", target.signed(&sandbox.home()));
    let lines = [
        "serve nothing.tar.zst",
        "serve half.tar.zst",
        "serve unsigned.tar.zst",
        "serve target.tar.zst --allow-unsigned",
    ];
    assert_snapshot!(of_any_machine(&refused(&sandbox, "", &lines)), @"
    $ hecate serve nothing.tar.zst
    exit 1
    error: failed to read `nothing.tar.zst`
      cause: No such file or directory (os error 2)
    hint: `hecate bundle` makes one in `target/bundle`

    $ hecate serve half.tar.zst
    exit 1
    error: `half.tar.zst` is not served
      cause: the bundle cannot be opened: the bundle is cut off; get the file again, or make it anew with `hecate bundle`

    $ hecate serve unsigned.tar.zst
    exit 1
    error: `unsigned.tar.zst` is not served
      cause: the bundle is not signed: let its author sign it, or allow it with `--allow-unsigned`

    $ hecate serve target.tar.zst --allow-unsigned
    exit 1
    error: `target.tar.zst` is not served
      cause: the bundle is built for `riscv64gc-unknown-linux-gnu`, this machine is `[TARGET]`: bundle the plugin on such a machine
    ");
}

/// What served before serves on, whatever is tried in its place.
#[test]
fn what_served_before_serves_on() {
    let sandbox = Sandbox::new();
    let built = Specimen::built();
    sandbox.write("good.tar.zst", built.signed(&sandbox.home()));
    let mut other = built.of_version("0.2.0");
    *other.library() = b"#!/bin/sh\n".to_vec();
    sandbox.write("bad.tar.zst", other.signed(&sandbox.home()));
    let _daemon = Daemon::start(&sandbox);
    let _ = sandbox.hecate("install good.tar.zst").ok();
    let listed = sandbox.hecate("ps --json").ok().json();
    let session = refused(&sandbox, "", &["install bad.tar.zst"]);
    assert_snapshot!(session, @"
    $ hecate install bad.tar.zst
    exit 1
    error: `bad.tar.zst` is not installed
      cause: the library is not an ELF shared object: Invalid ELF header size or alignment; bundle the plugin anew
    ");
    assert_eq!(sandbox.hecate("ps --json").ok().json(), listed);
    let health = typed(&sandbox, "", "ps").ok();
    assert!(
        health.stdout.starts_with("it-specimen  0.1.0  ready"),
        "{health}"
    );
}
