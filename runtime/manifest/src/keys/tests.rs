use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use tempfile::{TempDir, tempdir};

use super::*;

fn home() -> (TempDir, HomeKey) {
    let directory = tempdir().unwrap();
    let key = HomeKey::generate_or_load(directory.path()).unwrap();
    (directory, key)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(directory: &Path) -> BTreeSet<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let entries = directory.read_dir().unwrap();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

#[test]
fn a_key_is_made_once_and_kept_to_its_owner() {
    let root = tempdir().unwrap();
    let keys = root.path().join("home/keys");
    let first = HomeKey::generate_or_load(&keys).unwrap();
    let again = HomeKey::generate_or_load(&keys).unwrap();
    assert_eq!(first.id(), again.id());
    assert_eq!(first.sign(b"x"), again.sign(b"x"));
    assert_eq!(
        names(&keys),
        ["home.key", "home.pub"].map(Into::into).into()
    );
    assert_eq!(mode(&keys), 0o700);
    assert_eq!(mode(&keys.join(HOME_SECRET_KEY)), 0o600);
    assert_eq!(mode(&keys.join(HOME_PUBLIC_KEY)), 0o644);
}

#[test]
fn many_at_once_end_with_one_key() {
    const MANY: usize = 16;
    for _ in 0..20 {
        let directory = tempdir().unwrap();
        let start = Barrier::new(MANY);
        let ids: BTreeSet<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..MANY)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        HomeKey::generate_or_load(directory.path()).unwrap().id()
                    })
                })
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        assert_eq!(ids.len(), 1);
        let trusted = trusted_keys(directory.path()).unwrap();
        assert_eq!(ids.first(), Some(&trusted[0].id()));
        assert_eq!(
            names(directory.path()),
            ["home.key", "home.pub"].map(Into::into).into(),
            "no temporary file is left"
        );
    }
}

#[test]
fn a_signature_is_checked_with_the_trusted_keys() {
    let (directory, key) = home();
    let (_other_directory, other) = home();
    let trusted = trusted_keys(directory.path()).unwrap();
    let signature = key.sign(b"contents");

    assert_eq!(
        verify(Some(&signature), b"contents", &trusted).unwrap(),
        key.id()
    );

    let error = verify(None, b"contents", &trusted).unwrap_err();
    assert!(matches!(error, VerifyError::Unsigned));

    let error = verify(Some(&other.sign(b"contents")), b"contents", &trusted).unwrap_err();
    assert!(matches!(error, VerifyError::UnknownKey { id } if id == other.id()));
    assert_eq!(
        error.to_string(),
        format!(
            "signed with the key `{}`, which is not trusted here",
            other.id()
        )
    );

    let error = verify(Some(&signature), b"other contents", &trusted).unwrap_err();
    assert!(matches!(error, VerifyError::BadSignature { id } if id == key.id()));

    let other_comment = signature.replace("trusted comment: hecate", "trusted comment: h3cate");
    let error = verify(Some(&other_comment), b"contents", &trusted).unwrap_err();
    assert!(matches!(error, VerifyError::BadSignature { .. }));

    for malformed in [
        "",
        "x",
        "a\nb\nc\nd",
        "untrusted comment: x\nRUQ=\ntrusted comment: y\n\n",
    ] {
        let error = verify(Some(malformed), b"contents", &trusted).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed), "{malformed:?}");
    }
}

/// A key may take another's id, which is no secret.
#[test]
fn a_key_with_the_id_of_a_trusted_one_is_not_that_one() {
    let (directory, key) = home();
    let (impostors, impostor) = home();
    let text = fs::read_to_string(impostors.path().join(HOME_SECRET_KEY)).unwrap();
    let mut forged = encoding::SecretKey::parse(&text).unwrap();
    assert_ne!(impostor.id(), key.id());
    let own = fs::read_to_string(directory.path().join(HOME_SECRET_KEY)).unwrap();
    forged.id = encoding::SecretKey::parse(&own).unwrap().id;
    fs::write(
        impostors.path().join(HOME_SECRET_KEY),
        forged.to_text("forged"),
    )
    .unwrap();
    let impostor = HomeKey::generate_or_load(impostors.path()).unwrap();
    assert_eq!(impostor.id(), key.id());

    let signature = impostor.sign(b"contents");
    let honest = trusted_keys(directory.path()).unwrap();
    let error = verify(Some(&signature), b"contents", &honest).unwrap_err();
    assert!(matches!(error, VerifyError::BadSignature { .. }));

    let mut both = honest;
    both.extend(trusted_keys(impostors.path()).unwrap());
    assert_eq!(
        verify(Some(&signature), b"contents", &both).unwrap(),
        key.id()
    );
}

#[test]
fn minisign_reads_our_keys_and_signatures() {
    let (directory, key) = home();
    let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();

    let secret = minisign::SecretKeyBox::from_string(&read(HOME_SECRET_KEY)).unwrap();
    let secret = secret.into_unencrypted_secret_key().unwrap();
    let public = minisign::PublicKeyBox::from_string(&read(HOME_PUBLIC_KEY)).unwrap();
    let public = public.into_public_key().unwrap();
    assert_eq!(
        minisign::PublicKey::from_secret_key(&secret).unwrap(),
        public
    );

    let signature = minisign::SignatureBox::from_string(&key.sign(b"contents")).unwrap();
    let (quiet, to_stdout, allow_legacy) = (true, false, false);
    let contents = Cursor::new(b"contents");
    minisign::verify(
        &public,
        &signature,
        contents,
        quiet,
        to_stdout,
        allow_legacy,
    )
    .unwrap();
    assert_eq!(signature.trusted_comment().unwrap(), "hecate bundle");
}

#[test]
fn we_read_the_keys_and_signatures_of_minisign() {
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let directory = tempdir().unwrap();
    let secret = directory.path().join(HOME_SECRET_KEY);
    fs::write(&secret, pair.sk.to_box(None).unwrap().to_string()).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();

    let key = HomeKey::generate_or_load(directory.path()).unwrap();
    let trusted = trusted_keys(directory.path()).unwrap();
    assert_eq!(
        PublicKey::parse(&pair.pk.to_box().unwrap().to_string())
            .unwrap()
            .id(),
        key.id()
    );
    let signature = minisign::sign(None, &pair.sk, Cursor::new(b"contents"), None, None).unwrap();
    let id = verify(Some(&signature.to_string()), b"contents", &trusted).unwrap();
    assert_eq!(id, key.id());
    verify(Some(&key.sign(b"contents")), b"contents", &trusted).unwrap();
}

#[test]
fn a_secret_key_that_cannot_be_used_is_refused_and_kept() {
    let (directory, _) = home();
    let path = directory.path().join(HOME_SECRET_KEY);
    let good = fs::read_to_string(&path).unwrap();
    let bytes = encoding::decode(&good).unwrap();
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        format!("untrusted comment: x\n{}\n", encoding::base64(&bytes))
    };
    let table = [
        (String::new(), KeyFormatError::Lines),
        ("one line".into(), KeyFormatError::Lines),
        ("two\nli*es\n".into(), KeyFormatError::Lines),
        ("two\nbGluZXM=\n".into(), KeyFormatError::Bytes),
        (changed(0, b'X'), KeyFormatError::Bytes),
        (changed(2, b'S'), KeyFormatError::Password),
        (changed(54, bytes[54] ^ 1), KeyFormatError::Damaged),
        (changed(70, bytes[70] ^ 1), KeyFormatError::Damaged),
        (changed(100, bytes[100] ^ 1), KeyFormatError::Damaged),
        (changed(157, bytes[157] ^ 1), KeyFormatError::Damaged),
    ];
    for (text, expected) in table {
        fs::write(&path, &text).unwrap();
        let error = HomeKey::generate_or_load(directory.path()).unwrap_err();
        assert!(
            matches!(error, KeyError::Format { source, .. } if source == expected),
            "{text:?}: {error:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = HomeKey::generate_or_load(directory.path()).unwrap_err();
    assert!(matches!(error, KeyError::Open { mode: 0o640, .. }));
    assert!(error.to_string().ends_with("is open to others (mode 640)"));
}

#[test]
fn a_lost_or_changed_public_key_is_written_again() {
    let (directory, _) = home();
    let path = directory.path().join(HOME_PUBLIC_KEY);
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    HomeKey::generate_or_load(directory.path()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::write(&path, [0xff]).unwrap();
    HomeKey::generate_or_load(directory.path()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn trusted_keys_are_the_homes_own_and_those_beside_it() {
    let nothing = tempdir().unwrap();
    assert!(trusted_keys(nothing.path()).unwrap().is_empty());
    assert!(
        trusted_keys(&nothing.path().join("none"))
            .unwrap()
            .is_empty()
    );

    let (directory, own) = home();
    let trusted = directory.path().join(TRUSTED_KEYS);
    fs::create_dir(&trusted).unwrap();
    let mut expected = vec![own.id()];
    for name in ["a.pub", "b.pub"] {
        let (others, key) = home();
        fs::copy(others.path().join(HOME_PUBLIC_KEY), trusted.join(name)).unwrap();
        expected.push(key.id());
    }
    fs::write(trusted.join("README"), "not a key").unwrap();
    let ids = |keys: Vec<PublicKey>| keys.iter().map(PublicKey::id).collect::<Vec<_>>();
    assert_eq!(ids(trusted_keys(directory.path()).unwrap()), expected);

    fs::write(trusted.join("c.pub"), "not a key").unwrap();
    let error = trusted_keys(directory.path()).unwrap_err();
    assert!(matches!(error, KeyError::Format { path, .. } if path.ends_with("trusted/c.pub")));
}

#[test]
fn an_id_is_shown_as_minisign_shows_it() {
    let text = "untrusted comment: minisign public key E7620F1842B4E81F\n\
        RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";
    let key = PublicKey::parse(text).unwrap();
    assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
    // Made by minisign 0.10; verifies without a key of ours being involved.
    let signature = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1556193335\tfile:test\n\
        y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n";
    assert_eq!(
        verify(Some(signature), b"test", &[key])
            .unwrap()
            .to_string(),
        "E7620F1842B4E81F"
    );
}

#[test]
fn a_secret_is_not_shown() {
    let (_directory, key) = home();
    assert_eq!(
        format!("{key:?}"),
        format!("HomeKey {{ id: KeyId({}), .. }}", key.id())
    );
}
