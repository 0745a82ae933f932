//! Fingerprints that are stored, and so must be the same whichever compiler builds the plugin. (The hasher of the
//! standard library may change with each of its releases.)

use uuid::Uuid;

/// 64 bits that tell `bytes` from others: the end of their UUID of version 5, which is made by SHA-1.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    let (_, low) = Uuid::new_v5(&Uuid::NAMESPACE_OID, bytes).as_u64_pair();
    low
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn fingerprints_never_change() {
        assert_eq!(fingerprint(b""), 0x9e9d_27f8_5e68_af4f);
        assert_eq!(fingerprint(b"{\"note\":\"yes\"}"), 0xa84d_87e3_b8e8_3cd6);
    }
}
