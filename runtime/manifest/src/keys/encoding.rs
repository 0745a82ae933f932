//! minisign's files: a comment, and bytes in Base64.

use std::ops::Range;

use blake2b_simd::Params;
use ct_codecs::{Base64, Decoder, Encoder};
use ed25519_compact::{KeyPair, Seed};

/// `Ed`, which starts keys.
pub(super) const KEY_ALGORITHM: [u8; 2] = *b"Ed";
/// `ED`, which starts signatures of a BLAKE2b hash: the only kind that is made and accepted.
pub(super) const SIGNATURE_ALGORITHM: [u8; 2] = *b"ED";
/// What a comment that nobody vouches for starts with.
pub(super) const COMMENT: &str = "untrusted comment: ";

/// A key file that is not what minisign writes, or not one that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFormatError {
    /// Not a comment and a line in Base64.
    #[error("not a key file of minisign")]
    Lines,
    /// Not the bytes of such a key.
    #[error("not a key of the kind that is expected")]
    Bytes,
    /// A secret key with a password, which nobody is there to give.
    #[error("the secret key is protected by a password")]
    Password,
    /// A secret key that does not agree with itself.
    #[error("the secret key is damaged")]
    Damaged,
}

/// The bytes on the second line.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, KeyFormatError> {
    let line = text.lines().nth(1).ok_or(KeyFormatError::Lines)?;
    Base64::decode_to_vec(line, None).map_err(|_| KeyFormatError::Lines)
}

pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_to_string(bytes).expect("the encoder sizes its own buffer")
}

/// A secret key as it lies in its file.
///
/// The file holds, with nothing between: algorithms of key, derivation and checksum; 48 bytes for the
/// derivation from a password, zero without one; the key's id; seed and public key; the checksum.
pub(super) struct SecretKey {
    pub(super) id: [u8; 8],
    pub(super) pair: KeyPair,
}

impl SecretKey {
    const ALGORITHMS: Range<usize> = 0..6;
    /// No derivation: not protected by a password.
    const PLAIN: [u8; 6] = *b"Ed\0\0B2";
    const DERIVATION: Range<usize> = 2..4;
    const ID: Range<usize> = 54..62;
    const SEED: Range<usize> = 62..94;
    const PAIR: Range<usize> = 62..126;
    const CHECKSUM: Range<usize> = 126..158;

    /// The key with this id and seed.
    pub(super) fn new(id: [u8; 8], seed: [u8; 32]) -> Self {
        let pair = KeyPair::from_seed(Seed::new(seed));
        Self { id, pair }
    }

    pub(super) fn parse(text: &str) -> Result<Self, KeyFormatError> {
        let bytes = decode(text)?;
        if bytes.len() != Self::CHECKSUM.end {
            return Err(KeyFormatError::Bytes);
        }
        if bytes[Self::DERIVATION] != Self::PLAIN[Self::DERIVATION] {
            return Err(KeyFormatError::Password);
        }
        if bytes[Self::ALGORITHMS] != Self::PLAIN {
            return Err(KeyFormatError::Bytes);
        }
        let mut id = [0; 8];
        id.copy_from_slice(&bytes[Self::ID]);
        let mut seed = [0; 32];
        seed.copy_from_slice(&bytes[Self::SEED]);
        let key = Self::new(id, seed);
        // Signing with a public key that is not the seed's would give the seed away.
        if key.to_bytes()[..] != bytes[..] {
            return Err(KeyFormatError::Damaged);
        }
        Ok(key)
    }

    pub(super) fn to_text(&self, comment: &str) -> String {
        format!("{COMMENT}{comment}\n{}\n", base64(&self.to_bytes()))
    }

    fn to_bytes(&self) -> [u8; Self::CHECKSUM.end] {
        let checksum = Params::new()
            .hash_length(Self::CHECKSUM.len())
            .to_state()
            .update(&KEY_ALGORITHM)
            .update(&self.id)
            .update(&self.pair.sk[..])
            .finalize();
        let mut bytes = [0; Self::CHECKSUM.end];
        bytes[Self::ALGORITHMS].copy_from_slice(&Self::PLAIN);
        bytes[Self::ID].copy_from_slice(&self.id);
        bytes[Self::PAIR].copy_from_slice(&self.pair.sk[..]);
        bytes[Self::CHECKSUM].copy_from_slice(checksum.as_bytes());
        bytes
    }
}
