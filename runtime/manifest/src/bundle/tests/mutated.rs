//! Good bundles with damage: never a panic, and never other contents.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::keys::PublicKey;

struct Good {
    packed: Vec<u8>,
    bundle: Bundle,
    trusted: Vec<PublicKey>,
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let keys = tempdir().unwrap();
    let key = HomeKey::generate_or_load(keys.path()).unwrap();
    let packed = pack(&files(), &info(), Some(&key), Compression::Small).unwrap();
    Good {
        bundle: open(&packed).unwrap(),
        trusted: trusted_keys(keys.path()).unwrap(),
        packed,
    }
});

/// If it can be opened, it is the good bundle in all but the digest.
fn assert_good_or_refused(packed: &[u8]) {
    if let Ok(mut bundle) = open(packed) {
        bundle.digest.clone_from(&GOOD.bundle.digest);
        assert_eq!(bundle, GOOD.bundle);
    }
}

#[test]
fn cut_off_anywhere_it_is_refused() {
    for end in 0..GOOD.packed.len() {
        assert!(open(&GOOD.packed[..end]).is_err(), "{end} bytes");
    }
}

#[test]
fn no_flipped_bit_changes_what_is_read() {
    for at in 0..GOOD.packed.len() {
        let mut changed = GOOD.packed.clone();
        changed[at] ^= 1 << (at % 8);
        assert_good_or_refused(&changed);
    }
}

type Changes = Vec<(Index, u8)>;

fn apply(changes: Changes, bytes: &mut [u8]) {
    for (at, byte) in changes {
        bytes[at.index(bytes.len())] = byte;
    }
}

proptest! {
    #[test]
    fn damaged_files(
        changes in prop::collection::vec(any::<(Index, u8)>(), 1..8),
        cut in any::<Option<Index>>(),
    ) {
        let mut packed = GOOD.packed.clone();
        apply(changes, &mut packed);
        if let Some(cut) = cut {
            packed.truncate(cut.index(packed.len()));
        }
        assert_good_or_refused(&packed);
    }

    /// Below the compression, which has a checksum of its own. What no reader looks at may change, times and
    /// owners; what is listed may not; and with the list changed, the signature does not count.
    #[test]
    fn damaged_archives(changes in prop::collection::vec(any::<(Index, u8)>(), 1..4)) {
        let mut archive = archive_of(&GOOD.packed);
        apply(changes, &mut archive);
        let packed = zstd::encode_all(&archive[..], 1).unwrap();
        if let Ok(bundle) = open(&packed) {
            let is_signed = bundle.signer(&GOOD.trusted).is_ok();
            prop_assert!(!is_signed || bundle.info_text == GOOD.bundle.info_text);
            let is_same = bundle.files == GOOD.bundle.files;
            prop_assert!(is_same || bundle.info_text != GOOD.bundle.info_text);
        }
    }

    #[test]
    fn noise(bytes in any::<Vec<u8>>()) {
        prop_assert!(open(&bytes).is_err());
        let packed = zstd::encode_all(&bytes[..], 1).unwrap();
        prop_assert!(open(&packed).is_err());
    }
}
