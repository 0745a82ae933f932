//! Bundles that somebody made by hand, byte by byte.

use super::*;

const FILE: u8 = b'0';

/// An entry of an archive: a ustar header with these raw fields, and contents filled up to whole blocks.
fn entry(path: &[u8], kind: u8, contents: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..path.len()].copy_from_slice(path);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    checksummed(header, contents)
}

fn checksummed(mut header: [u8; 512], contents: &[u8]) -> Vec<u8> {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut entry = [&header[..], contents].concat();
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn compressed(archive: &[u8]) -> Vec<u8> {
    zstd::encode_all(archive, 1).unwrap()
}

/// A bundle of these entries, in a proper archive.
fn bundle_of(entries: &[Vec<u8>]) -> Vec<u8> {
    compressed(&[&entries.concat()[..], &[0; 1024]].concat())
}

/// The entries of a good bundle whose `bundle.json` was changed before it was written.
fn entries_with(change: impl FnOnce(&mut BundleInfo)) -> Vec<Vec<u8>> {
    let mut info = info();
    let mut files = files();
    files.retain(|path, _| path.len() < 100);
    for (path, contents) in &files {
        info.files.insert(path.clone(), FileInfo::of(contents));
    }
    change(&mut info);
    files.insert(INFO.into(), info.to_text().into_bytes());
    files
        .iter()
        .map(|(path, contents)| entry(path.as_bytes(), FILE, contents))
        .collect()
}

fn entries() -> Vec<Vec<u8>> {
    entries_with(|_| {})
}

/// The error of a good bundle with one more entry at its end.
fn error_with(entry: Vec<u8>) -> BundleError {
    let mut entries = entries();
    entries.push(entry);
    open(&bundle_of(&entries)).unwrap_err()
}

fn error_of(entries: &[Vec<u8>]) -> String {
    open(&bundle_of(entries)).unwrap_err().to_string()
}

#[test]
fn made_by_hand_and_in_order_it_is_opened() {
    assert!(open(&bundle_of(&entries())).is_ok());
    let mut reversed = entries();
    reversed.reverse();
    assert!(open(&bundle_of(&reversed)).is_ok());
}

#[test]
fn paths_that_lead_elsewhere() {
    let table: [(&[u8], &str); 17] = [
        (b"/etc/passwd", "the path `/etc/passwd` is absolute"),
        (b"//x", "the path `//x` is absolute"),
        (b"../x", "the path `../x` leads out of the bundle"),
        (
            b"priv/static/../../../x",
            "the path `priv/static/../../../x` leads out of the bundle",
        ),
        (b"lib/..", "the path `lib/..` leads out of the bundle"),
        (
            b"priv/static//x",
            "the path `priv/static//x` has an empty component",
        ),
        (
            b"./manifest.json",
            "the path `./manifest.json` has an empty component",
        ),
        (
            b"priv/static/",
            "the path `priv/static/` has an empty component",
        ),
        (b"", "the path `` has an empty component"),
        (
            b"priv/static/..\\x",
            "the path `priv/static/..\\x` holds a backslash",
        ),
        (b"C:\\x", "the path `C:\\x` holds a backslash"),
        (
            b"priv/static/a\nb",
            "the path `priv/static/a\\nb` holds a control character",
        ),
        (
            b"manifest.json\0.evil",
            "the path `manifest.json\\0.evil` holds a control character",
        ),
        (
            b"priv/static/\xff",
            "the path `priv/static/\u{fffd}` is not UTF-8",
        ),
        (b"README.md", "`README.md` has no place in a bundle"),
        (b"lib", "`lib` has no place in a bundle"),
        (b"Manifest.json", "`Manifest.json` has no place in a bundle"),
    ];
    for (path, expected) in table {
        let error = error_with(entry(path, FILE, b"x"));
        assert!(matches!(error, BundleError::Path(_)), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_path_in_two_fields_is_one_path() {
    let with_prefix = |prefix: &[u8], name: &[u8]| {
        let mut header: [u8; 512] = entry(name, FILE, b"")[..512].try_into().unwrap();
        header[345..345 + prefix.len()].copy_from_slice(prefix);
        error_with(checksummed(header, b"")).to_string()
    };
    assert_eq!(
        with_prefix(b"/etc", b"passwd"),
        "the path `/etc/passwd` is absolute"
    );
    assert_eq!(
        with_prefix(b"priv/static/..", b"x"),
        "the path `priv/static/../x` leads out of the bundle"
    );
    assert_eq!(
        with_prefix(b"priv/static", b"index.html"),
        "`priv/static/index.html` stands in the bundle twice"
    );
    assert_eq!(
        with_prefix(b"priv\0x", b"y"),
        "the path `priv\\0x/y` holds a control character"
    );
}

#[test]
fn paths_that_meet_others() {
    let table = [
        (MANIFEST, "`manifest.json` stands in the bundle twice"),
        (
            "lib/LIBMY_PLUGIN.so",
            "`lib/LIBMY_PLUGIN.so` and `lib/libmy_plugin.so` differ only in case",
        ),
        (
            "priv/static/index.html/x",
            "`priv/static/index.html` is both a file and a directory",
        ),
        (
            "priv/static/Index.HTML/x",
            "`priv/static/index.html` is both a file and a directory",
        ),
    ];
    for (path, expected) in table {
        let error = error_with(entry(path.as_bytes(), FILE, b"x"));
        assert_eq!(error.to_string(), expected);
    }
    let file_after_directory = [
        entry(b"priv/static/a/b", FILE, b""),
        entry(b"priv/static/a", FILE, b""),
    ];
    assert_eq!(
        error_of(&file_after_directory),
        "`priv/static/a` is both a file and a directory"
    );
}

#[test]
fn entries_that_are_not_files() {
    let table = [
        (b'1', "`priv/static/x` is a link"),
        (b'2', "`priv/static/x` is a link"),
        (b'3', "`priv/static/x` is a device"),
        (b'4', "`priv/static/x` is a device"),
        (b'5', "`priv/static/x` is a directory"),
        (b'6', "`priv/static/x` is a device"),
        (b'7', "`priv/static/x` is an extended header"),
        (b'g', "`priv/static/x` is an extended header"),
        (b'x', "`priv/static/x` is an extended header"),
        (b'L', "`priv/static/x` is an extended header"),
        (b'K', "`priv/static/x` is an extended header"),
        (b'S', "`priv/static/x` is an extended header"),
        (b'Z', "`priv/static/x` is an extended header"),
    ];
    for (kind, expected) in table {
        let error = error_with(entry(b"priv/static/x", kind, b""));
        assert_eq!(error.to_string(), expected, "{}", char::from(kind));
    }
}

#[test]
fn headers_of_other_kinds_of_tar() {
    for magic in [b"ustar  \0", &[0; 8]] {
        let mut header: [u8; 512] = entry(b"priv/static/x", FILE, b"")[..512]
            .try_into()
            .unwrap();
        header[257..265].copy_from_slice(magic);
        let error = error_with(checksummed(header, b""));
        assert!(matches!(error, BundleError::NotUstar { path } if path == "priv/static/x"));
    }
    let mut damaged = entry(b"priv/static/x", FILE, b"");
    damaged[0] = b'q';
    assert!(matches!(error_with(damaged), BundleError::Archive(_)));
}

#[test]
fn contents_that_are_not_those_listed() {
    let change = |path: &'static str, listed: FileInfo| {
        let entries = entries_with(|info| {
            info.files.insert(path.into(), listed);
        });
        open(&bundle_of(&entries)).unwrap_err()
    };
    let page = FileInfo::of(b"<!doctype html>");

    let error = change(
        PAGE,
        FileInfo {
            size: 14,
            ..page.clone()
        },
    );
    assert!(matches!(&error, BundleError::Size { path, listed: 14, found: 15 } if path == PAGE));
    let error = change(
        PAGE,
        FileInfo {
            size: 15,
            ..FileInfo::of(b"<!DOCTYPE html>")
        },
    );
    assert!(matches!(&error, BundleError::Hash { path } if path == PAGE));
    let error = change("priv/static/more", page.clone());
    assert!(matches!(&error, BundleError::Absent { path } if path == "priv/static/more"));
    // The list cannot vouch for itself.
    let error = change(INFO, page);
    assert!(matches!(&error, BundleError::Absent { path } if path == INFO));

    let error = error_with(entry(b"priv/static/more", FILE, b""));
    assert!(matches!(&error, BundleError::Unlisted { path } if path == "priv/static/more"));
    let error = error_with(entry(b"lib/more.so", FILE, b""));
    assert!(matches!(&error, BundleError::Unlisted { path } if path == "lib/more.so"));
}

#[test]
fn parts_that_do_not_belong_together() {
    let error = |change: fn(&mut BundleInfo)| error_of(&entries_with(change));
    assert_eq!(
        error(|info| info.version = Version::new(9, 0, 0)),
        "`version` is `0.1.0` in `manifest.json`, and `9.0.0` in `bundle.json`"
    );
    assert_eq!(
        error(|info| info.name = PluginName::parse("other").unwrap()),
        "`name` is `my-plugin` in `manifest.json`, and `other` in `bundle.json`"
    );
    for library in ["lib/none.so", PAGE, "../../lib/libc.so", ""] {
        let entries = entries_with(|info| info.library = library.into());
        assert_eq!(
            error_of(&entries),
            format!("the bundle has no library `{library}`")
        );
    }
    assert_eq!(
        error(|info| info.format = 2),
        "the bundle has format 2, and this version of Hecate reads format 1"
    );
}

#[test]
fn parts_that_are_missing_or_not_what_they_should_be() {
    let without = |path: &str| {
        let mut entries = entries();
        entries.retain(|entry| !entry.starts_with(path.as_bytes()));
        entries
    };
    assert_eq!(
        error_of(&without("bundle.json")),
        "the bundle has no `bundle.json`"
    );
    assert_eq!(
        error_of(&without("manifest.json")),
        "`manifest.json` is listed in `bundle.json`, and is not in the bundle"
    );
    let mut unlisted = entries_with(|info| {
        info.files.remove(MANIFEST);
    });
    unlisted.retain(|entry| !entry.starts_with(b"manifest.json"));
    assert_eq!(error_of(&unlisted), "the bundle has no `manifest.json`");

    let with = |path: &str, contents: &[u8]| {
        let mut entries = entries_with(|info| {
            info.files.insert(path.into(), FileInfo::of(contents));
        });
        entries.retain(|entry| !entry.starts_with(format!("{path}\0").as_bytes()));
        entries.push(entry(path.as_bytes(), FILE, contents));
        open(&bundle_of(&entries)).unwrap_err()
    };
    assert!(matches!(
        with(INFO, b"{}"),
        BundleError::Info(InfoError::Json(_))
    ));
    assert!(matches!(
        with(INFO, &[0xff]),
        BundleError::NotText { path: INFO }
    ));
    assert!(matches!(
        with(MANIFEST, b"{}"),
        BundleError::Manifest(ManifestError::Missing { .. })
    ));
    assert!(matches!(
        with(MANIFEST, &[0xff]),
        BundleError::NotText { path: MANIFEST }
    ));
    assert!(matches!(
        error_with(entry(SIGNATURE.as_bytes(), FILE, &[0xff])),
        BundleError::NotText { path: SIGNATURE }
    ));
}

#[test]
fn a_bundle_ends_where_it_ends() {
    let good = entries().concat();
    let end = [0; 1024];
    let table: [(&str, Vec<u8>, bool); 7] = [
        ("no end", compressed(&good), true),
        (
            "half an end",
            compressed(&[&good[..], &end[..512]].concat()),
            true,
        ),
        (
            "most of an end",
            compressed(&[&good[..], &end[..1023]].concat()),
            true,
        ),
        (
            "more zeros",
            compressed(&[&good[..], &end, &end].concat()),
            false,
        ),
        (
            "an entry after the end",
            compressed(&[&good[..], &end, &entries()[0]].concat()),
            false,
        ),
        (
            "a second frame",
            [bundle_of(&entries()), compressed(b"more")].concat(),
            false,
        ),
        (
            "one more byte",
            [bundle_of(&entries()), vec![0]].concat(),
            false,
        ),
    ];
    for (what, packed, is_cut_off) in table {
        let error = open(&packed).unwrap_err();
        let is_expected = match error {
            BundleError::Truncated => is_cut_off,
            BundleError::TrailingData => !is_cut_off,
            _ => false,
        };
        assert!(is_expected, "{what}: {error:?}");
    }
    assert_eq!(error_of(&[]), "the bundle has no `bundle.json`");
    let nothing = open(b"").unwrap_err();
    assert!(matches!(nothing, BundleError::Truncated), "{nothing:?}");
    let not_zstd = open(b"PK\x03\x04 not a bundle").unwrap_err();
    assert!(matches!(not_zstd, BundleError::Archive(_)), "{not_zstd:?}");
}

#[test]
fn an_entry_that_claims_more_than_there_is() {
    let mut header: [u8; 512] = entry(b"priv/static/x", FILE, b"")[..512]
        .try_into()
        .unwrap();
    header[124..135].copy_from_slice(b"77777777777");
    let error = error_with(checksummed(header, b""));
    assert!(matches!(error, BundleError::Truncated), "{error:?}");
    // 2^63 bytes, in the binary form of large sizes.
    header[124..136].copy_from_slice(b"\x80\0\0\0\x80\0\0\0\0\0\0\0");
    let error = error_with(checksummed(header, b""));
    assert!(matches!(error, BundleError::Truncated), "{error:?}");
    header[124..136].copy_from_slice(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    let error = error_with(checksummed(header, b""));
    assert!(matches!(error, BundleError::Archive(_)), "{error:?}");
}

#[test]
fn more_than_the_limits_allow() {
    let limit = |packed: &[u8], limits: Limits| match Bundle::open(packed, &limits) {
        Err(BundleError::Limit(limit)) => limit,
        other => panic!("{other:?}"),
    };
    let good = bundle_of(&entries());
    let packed_bytes = good.len() as u64;
    let unpacked_bytes = archive_of(&good).len() as u64;
    let exact = Limits {
        packed_bytes,
        unpacked_bytes,
        files: 5,
        parsed_bytes: 1024,
        ..Limits::default()
    };
    Bundle::open(&good[..], &exact).unwrap();

    let less = packed_bytes - 1;
    let limits = Limits {
        packed_bytes: less,
        ..exact.clone()
    };
    assert_eq!(limit(&good, limits), LimitError::Packed { limit: less });
    let less = unpacked_bytes - 1;
    let limits = Limits {
        unpacked_bytes: less,
        ..exact.clone()
    };
    assert_eq!(limit(&good, limits), LimitError::Unpacked { limit: less });
    let limits = Limits {
        files: 4,
        ..exact.clone()
    };
    assert_eq!(limit(&good, limits), LimitError::Files { limit: 4 });
    let limits = Limits {
        parsed_bytes: 100,
        ..exact
    };
    let expected = LimitError::Parsed {
        path: INFO.into(),
        limit: 100,
    };
    assert_eq!(limit(&good, limits), expected);
    assert_eq!(
        expected.to_string(),
        "`bundle.json` is larger than 100 bytes"
    );
    let expected = LimitError::Packed {
        limit: 64 * 1024 * 1024,
    };
    assert_eq!(expected.to_string(), "the bundle is larger than 64 MiB");
}

#[test]
fn bombs_are_found_before_they_have_unpacked() {
    let zeros = entry(b"priv/static/zeros", FILE, &vec![0; 8 << 20]);
    assert!(matches!(
        error_with(zeros),
        BundleError::Limit(LimitError::Ratio { limit: 100 })
    ));
    // More entries than allowed, all of them empty.
    let many: Vec<_> = (0..5000)
        .map(|n| entry(format!("priv/static/{n}").as_bytes(), FILE, b""))
        .collect();
    let limits = Limits {
        ratio: u64::MAX,
        ..Limits::default()
    };
    let error = Bundle::open(&bundle_of(&many)[..], &limits).unwrap_err();
    assert!(matches!(
        error,
        BundleError::Limit(LimitError::Files { limit: 4096 })
    ));
    // A frame that wants a window of 128 MiB.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    std::io::Write::write_all(&mut encoder, &entries().concat()).unwrap();
    let error = open(&encoder.finish().unwrap()).unwrap_err();
    assert!(matches!(error, BundleError::Archive(_)), "{error:?}");
}

#[test]
fn a_reader_that_fails_is_not_a_bad_bundle() {
    struct Fails;
    impl std::io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::TimedOut.into())
        }
    }
    let error = Bundle::open(Fails, &Limits::default()).unwrap_err();
    assert!(matches!(error, BundleError::Read(_)));
}
