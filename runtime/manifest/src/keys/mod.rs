//! Who has made a bundle: minisign signatures, the keys of a home, and the keys that it trusts.
//!
//! A home has one key of its own, made when it is first needed and not protected by a password: it only tells
//! apart what was made here from what was not. Others' public keys lie beside it. All are minisign's files, so
//! that its tools can make, show and check them.
//!
//! Signing is done here and not by the `minisign` crate, which draws its nonces at random: Ed25519 needs no
//! randomness to sign, and with it no two bundles would ever have the same bytes. Verifying is left to
//! `minisign-verify`.

mod encoding;
mod home;
mod public;

pub use encoding::KeyFormatError;
pub use home::{HOME_PUBLIC_KEY, HOME_SECRET_KEY, HomeKey, KeyError, TRUSTED_KEYS, trusted_keys};
pub use public::{KeyId, PublicKey, VerifyError, verify};

#[cfg(test)]
mod tests;
