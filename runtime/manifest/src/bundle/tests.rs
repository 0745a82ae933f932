use std::collections::BTreeMap;

use semver::Version;
use tempfile::tempdir;

use super::*;
use crate::keys::{HomeKey, VerifyError, trusted_keys};
use crate::{ManifestError, PluginName};

mod hostile;
mod mutated;

const LIBRARY: &str = "lib/libmy_plugin.so";
const PAGE: &str = "priv/static/index.html";

type Files = BTreeMap<String, Vec<u8>>;

fn manifest() -> String {
    r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#.to_owned()
}

fn files() -> Files {
    let deep = format!("priv/static/{}/{}.js", "d".repeat(100), "f".repeat(90));
    BTreeMap::from([
        (MANIFEST.to_owned(), manifest().into_bytes()),
        (LIBRARY.to_owned(), (0..=255).cycle().take(5000).collect()),
        (PAGE.to_owned(), b"<!doctype html>".to_vec()),
        ("priv/static/empty.txt".to_owned(), vec![]),
        (deep, b"export {}".to_vec()),
    ])
}

fn info() -> BundleInfo {
    BundleInfo {
        format: BundleInfo::FORMAT,
        name: PluginName::parse("my-plugin").unwrap(),
        version: Version::new(0, 1, 0),
        target: "x86_64-unknown-linux-gnu".into(),
        sdk: Version::new(0, 1, 0),
        abi: 1,
        rustc: "rustc 1.95.0".into(),
        commit: Some("0123abc".into()),
        dirty: false,
        profile: Profile::Release,
        library: LIBRARY.into(),
        files: BTreeMap::new(),
    }
}

fn packed() -> Vec<u8> {
    pack(&files(), &info(), None, Compression::Fast).unwrap()
}

fn open(packed: &[u8]) -> Result<Bundle, BundleError> {
    Bundle::open(packed, &Limits::default())
}

/// The archive in a bundle.
fn archive_of(packed: &[u8]) -> Vec<u8> {
    zstd::decode_all(packed).unwrap()
}

#[test]
fn what_is_packed_is_opened() {
    let packed = packed();
    let bundle = open(&packed).unwrap();
    assert_eq!(bundle.files, files());
    assert_eq!(bundle.manifest.name.as_str(), "my-plugin");
    assert_eq!(bundle.manifest_text, manifest());
    assert_eq!(bundle.library(), files()[LIBRARY]);
    assert_eq!(bundle.signature, None);
    assert_eq!(bundle.digest, blake3::hash(&packed).to_string());
    assert_eq!(bundle.info_text, bundle.info.to_text());
    let listed: Vec<_> = bundle.info.files.keys().collect();
    assert_eq!(listed, files().keys().collect::<Vec<_>>());
    assert_eq!(bundle.info.files[PAGE], FileInfo::of(b"<!doctype html>"));
    let described = BundleInfo {
        files: BTreeMap::new(),
        ..bundle.info
    };
    assert_eq!(described, info());
}

#[test]
fn a_bundle_is_named_after_what_it_is() {
    let BundleInfo {
        name,
        version,
        target,
        ..
    } = info();
    assert_eq!(
        file_name(&name, &version, &target),
        "my-plugin-0.1.0-x86_64-unknown-linux-gnu.tar.zst"
    );
}

#[test]
fn the_same_input_has_the_same_bytes() {
    let keys = tempdir().unwrap();
    let key = HomeKey::generate_or_load(keys.path()).unwrap();
    for compression in [Compression::Fast, Compression::Small] {
        let pack = || pack(&files(), &info(), Some(&key), compression).unwrap();
        assert_eq!(pack(), pack());
    }
    // Packing what was opened gives what was opened.
    let first = pack(&files(), &info(), Some(&key), Compression::Small).unwrap();
    let Bundle { files, info, .. } = open(&first).unwrap();
    assert_eq!(
        pack(&files, &info, Some(&key), Compression::Small).unwrap(),
        first
    );
}

#[test]
fn nothing_of_the_surroundings_is_in_the_archive() {
    let keys = tempdir().unwrap();
    let key = HomeKey::generate_or_load(keys.path()).unwrap();
    let packed = pack(&files(), &info(), Some(&key), Compression::Small).unwrap();
    let bytes = archive_of(&packed);
    let contents = open(&packed).unwrap();
    let sizes = contents.files.values().map(Vec::as_slice).chain([
        contents.info_text.as_bytes(),
        contents.signature.as_ref().unwrap().as_bytes(),
    ]);
    assert_eq!(bytes.len() as u64, archive::size(sizes));

    let mut archive = tar::Archive::new(&bytes[..]);
    let mut paths = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert!(header.as_ustar().is_some());
        assert_eq!(header.mode().unwrap(), 0o644);
        assert_eq!(header.mtime().unwrap(), 0);
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.username().unwrap(), Some(""));
        paths.push(entry.path().unwrap().to_str().unwrap().to_owned());
    }
    assert!(paths.is_sorted());
    assert_eq!(paths[..2], [INFO, SIGNATURE], "what decides comes first");
}

#[test]
fn the_description_is_readable_and_stable() {
    let mut info = info();
    info.files
        .insert(PAGE.into(), FileInfo::of(b"<!doctype html>"));
    assert_eq!(
        info.to_text(),
        r#"{
  "format": 1,
  "name": "my-plugin",
  "version": "0.1.0",
  "target": "x86_64-unknown-linux-gnu",
  "sdk": "0.1.0",
  "abi": 1,
  "rustc": "rustc 1.95.0",
  "commit": "0123abc",
  "dirty": false,
  "profile": "release",
  "library": "lib/libmy_plugin.so",
  "files": {
    "priv/static/index.html": {
      "size": 15,
      "blake3": "ef21ec989d950c2d94e359f7735805c9ccd6f9852077c94e76177f1499258211"
    }
  }
}
"#
    );
    assert_eq!(BundleInfo::parse(&info.to_text()).unwrap(), info);
}

#[test]
fn another_format_is_named_before_anything_else_is_read() {
    let error = BundleInfo::parse(r#"{"format": 2, "name": {"new": true}}"#).unwrap_err();
    assert!(matches!(error, InfoError::Format { found: 2, known: 1 }));
    assert_eq!(
        error.to_string(),
        "the bundle has format 2, and this version of Hecate reads format 1"
    );
    let newer = info()
        .to_text()
        .replace(r#""format": 1,"#, r#""format": 1, "signed_by": "x","#);
    assert_eq!(BundleInfo::parse(&newer).unwrap(), info());
    for text in ["", "[]", "{}", r#"{"format": 1}"#, r#"{"format": -1}"#] {
        let error = BundleInfo::parse(text).unwrap_err();
        assert!(matches!(error, InfoError::Json(_)), "{text}");
    }
}

#[test]
fn a_bundle_that_could_not_be_opened_is_not_made() {
    let fails = |change: &dyn Fn(&mut Files, &mut BundleInfo)| {
        let (mut files, mut info) = (files(), info());
        change(&mut files, &mut info);
        let error = pack(&files, &info, None, Compression::Fast).unwrap_err();
        error.to_string()
    };
    let insert = |path: &str, contents: &[u8]| {
        fails(&|files, _| {
            files.insert(path.into(), contents.into());
        })
    };
    assert_eq!(
        insert(INFO, b"{}"),
        "`bundle.json` is made by packing, and cannot be given"
    );
    assert_eq!(
        insert(SIGNATURE, b""),
        "`bundle.json.minisig` is made by packing, and cannot be given"
    );
    assert_eq!(
        insert("README.md", b""),
        "`README.md` has no place in a bundle"
    );
    assert_eq!(
        insert("lib/a/b.so", b""),
        "`lib/a/b.so` has no place in a bundle"
    );
    assert_eq!(
        insert("priv/static/../x", b""),
        "the path `priv/static/../x` leads out of the bundle"
    );
    let long = format!("priv/static/{}", "x".repeat(101));
    assert_eq!(insert(&long, b""), format!("the path `{long}` is too long"));
    assert_eq!(
        insert("priv/static/INDEX.html", b""),
        "`priv/static/index.html` and `priv/static/INDEX.html` differ only in case"
    );
    assert_eq!(
        insert("priv/static/index.html/x", b""),
        "`priv/static/index.html` is both a file and a directory"
    );
    assert_eq!(insert(MANIFEST, b"{}"), "the manifest has no `name`");
    assert_eq!(insert(MANIFEST, &[0xff]), "`manifest.json` is not UTF-8");
    let large = manifest() + &" ".repeat(4 * 1024 * 1024);
    assert_eq!(
        insert(MANIFEST, large.as_bytes()),
        "`manifest.json` is larger than 4 MiB"
    );
    assert_eq!(
        fails(&|files, _| {
            files.remove(MANIFEST);
        }),
        "the bundle has no `manifest.json`"
    );
    assert_eq!(
        fails(&|_, info| info.version = Version::new(0, 2, 0)),
        "`version` is `0.1.0` in `manifest.json`, and `0.2.0` in `bundle.json`"
    );
    assert_eq!(
        fails(&|_, info| info.name = PluginName::parse("other").unwrap()),
        "`name` is `my-plugin` in `manifest.json`, and `other` in `bundle.json`"
    );
    assert_eq!(
        fails(&|_, info| info.library = PAGE.into()),
        "the bundle has no library `priv/static/index.html`"
    );
    assert_eq!(
        fails(&|files, _| {
            files.insert("priv/static/zeros".into(), vec![0; 4 * 1024 * 1024]);
        }),
        "the bundle unpacks to more than 100 times its size"
    );
    assert_eq!(
        fails(&|files, _| {
            files.extend((0..4096).map(|n| (format!("priv/static/{n}"), vec![])));
        }),
        "the bundle holds more than 4096 files"
    );
}

#[test]
fn a_signed_bundle_says_who_signed_it() {
    let keys = tempdir().unwrap();
    let key = HomeKey::generate_or_load(keys.path()).unwrap();
    let trusted = trusted_keys(keys.path()).unwrap();
    let signed = pack(&files(), &info(), Some(&key), Compression::Fast).unwrap();
    let bundle = open(&signed).unwrap();
    assert_eq!(bundle.signer(&trusted).unwrap(), key.id());
    assert!(matches!(
        bundle.signer(&[]),
        Err(VerifyError::UnknownKey { id }) if id == key.id()
    ));
    assert!(matches!(
        open(&packed()).unwrap().signer(&trusted),
        Err(VerifyError::Unsigned)
    ));

    // A good signature, moved to a bundle with another library.
    let mut changed = files();
    changed.insert(LIBRARY.into(), b"other code".to_vec());
    let mut moved = open(&pack(&changed, &info(), None, Compression::Fast).unwrap()).unwrap();
    moved.signature = bundle.signature;
    assert!(matches!(
        moved.signer(&trusted),
        Err(VerifyError::BadSignature { id }) if id == key.id()
    ));
}

#[test]
fn a_bundle_is_unpacked_into_a_new_directory() {
    let root = tempdir().unwrap();
    let key = HomeKey::generate_or_load(&root.path().join("keys")).unwrap();
    let packed = pack(&files(), &info(), Some(&key), Compression::Fast).unwrap();
    let bundle = open(&packed).unwrap();
    let directory = root.path().join("unpacked");
    bundle.unpack(&directory).unwrap();
    for (path, contents) in &bundle.files {
        assert_eq!(std::fs::read(directory.join(path)).unwrap(), *contents);
    }
    let read = |path| std::fs::read_to_string(directory.join(path)).unwrap();
    assert_eq!(read(INFO), bundle.info_text);
    assert_eq!(read(SIGNATURE), bundle.signature.clone().unwrap());

    let error = bundle.unpack(&directory).unwrap_err();
    assert_eq!(error.path, directory);
}
