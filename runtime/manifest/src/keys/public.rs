//! Public keys, and what they say about a signature.

use std::fmt;

use super::encoding::{COMMENT, KEY_ALGORITHM, KeyFormatError, base64, decode};

/// What tells keys apart in print: 16 hexadecimal digits, as minisign shows them. Not a secret, and no proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// A key that signatures can be checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: minisign_verify::PublicKey,
}

/// A signature that does not count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is none.
    #[error("not signed")]
    Unsigned,
    /// Not a signature of minisign, or of its old kind that does not hash first.
    #[error("the signature cannot be read")]
    Malformed,
    /// Made with a key that is not among the trusted ones.
    #[error("signed with the key `{id}`, which is not trusted here")]
    UnknownKey {
        /// The key, by the signature's own account.
        id: KeyId,
    },
    /// Not the signature of these bytes by the trusted key that it names.
    #[error("the signature with the key `{id}` is not one of these contents")]
    BadSignature {
        /// The key.
        id: KeyId,
    },
}

/// Which of the `trusted` keys has signed `bytes`, by `signature`, the text of a minisign signature.
///
/// # Errors
///
/// [`VerifyError`], by what is the matter: no signature, none that can be read, not a trusted key's, or not of
/// these bytes.
pub fn verify(
    signature: Option<&str>,
    bytes: &[u8],
    trusted: &[PublicKey],
) -> Result<KeyId, VerifyError> {
    let text = signature.ok_or(VerifyError::Unsigned)?;
    let signature = minisign_verify::Signature::decode(text).map_err(|_| VerifyError::Malformed)?;
    let id = KeyId::in_text(text).map_err(|_| VerifyError::Malformed)?;

    let named: Vec<_> = trusted.iter().filter(|trusted| trusted.id == id).collect();
    if named.is_empty() {
        return Err(VerifyError::UnknownKey { id });
    }
    let allow_legacy = false;
    let has_signed =
        |trusted: &&PublicKey| trusted.key.verify(bytes, &signature, allow_legacy).is_ok();
    if !named.iter().any(has_signed) {
        return Err(VerifyError::BadSignature { id });
    }
    Ok(id)
}

impl KeyId {
    pub(super) const fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The id in a public key or a signature: after the algorithm.
    fn in_text(text: &str) -> Result<Self, KeyFormatError> {
        let bytes = decode(text)?;
        let (_, rest) = bytes
            .split_first_chunk::<{ KEY_ALGORITHM.len() }>()
            .ok_or(KeyFormatError::Bytes)?;
        let id = rest.first_chunk().ok_or(KeyFormatError::Bytes)?;
        Ok(Self(*id))
    }
}

impl PublicKey {
    /// Reads the text of a `.pub` file of minisign.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, KeyFormatError> {
        let id = KeyId::in_text(text)?;
        let key = minisign_verify::PublicKey::decode(text).map_err(|_| KeyFormatError::Bytes)?;
        Ok(Self { id, key })
    }

    /// The key's id.
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

/// The text of a `.pub` file.
pub(super) fn to_text(id: KeyId, key: &[u8; 32]) -> String {
    let bytes = [&KEY_ALGORITHM[..], &id.0, key].concat();
    format!("{COMMENT}minisign public key {id}\n{}\n", base64(&bytes))
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
