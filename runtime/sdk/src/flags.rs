//! Status as bit flags: each event sets or clears bits, and a flag map says what they mean.
//!
//! A bit is a power of two and is never used for anything else, not even after its event is gone.
//!
//! ```
//! use hecate_sdk::flags::{FlagMap, StatusChange, has};
//!
//! const OPEN: u64 = 1;
//! const ARCHIVED: u64 = 1 << 52;
//!
//! let archived = StatusChange { sets: ARCHIVED, clears: OPEN };
//! let status = archived.apply(OPEN | 2);
//! assert!(has(status, ARCHIVED) && !has(status, OPEN));
//! assert!(has(status, ARCHIVED | 2), "all of them");
//! assert!(!has(status, 0), "nothing is never had");
//!
//! let map = FlagMap::new([(OPEN, "Open"), (2, "Paid"), (ARCHIVED, "Archived")]);
//! assert_eq!(map.labels(status), ["Paid", "Archived"]);
//! ```

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What an event does to the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusChange {
    /// Bits to set.
    pub sets: u64,
    /// Bits to clear.
    pub clears: u64,
}

impl StatusChange {
    /// The status behind the change.
    pub const fn apply(self, status: u64) -> u64 {
        (status & !self.clears) | self.sets
    }
}

/// Whether `status` has all bits of `flags`. No flags at all are never had.
pub const fn has(status: u64, flags: u64) -> bool {
    flags != 0 && status & flags == flags
}

/// What the bits of one aggregate's status mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlagMap(BTreeMap<u64, String>);

impl FlagMap {
    /// A map of bits and labels.
    pub fn new<'a>(flags: impl IntoIterator<Item = (u64, &'a str)>) -> Self {
        Self(
            flags
                .into_iter()
                .map(|(bit, label)| (bit, label.to_owned()))
                .collect(),
        )
    }

    /// The labels of the bits that are set, from the least up.
    pub fn labels(&self, status: u64) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(bit, _)| has(status, **bit))
            .map(|(_, label)| label.as_str())
            .collect()
    }

    /// The first entry that is not a single bit.
    pub(crate) fn not_a_bit(&self) -> Option<u64> {
        self.0.keys().copied().find(|bit| !bit.is_power_of_two())
    }
}

impl Serialize for FlagMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (bit, label) in &self.0 {
            map.serialize_entry(&bit.to_string(), label)?;
        }
        map.end()
    }
}

/// Flag maps by aggregate.
pub type FlagMaps = BTreeMap<String, FlagMap>;

#[cfg(test)]
mod tests {
    use super::{FlagMap, StatusChange, has};

    #[test]
    fn high_bits_work_and_zero_is_never_had() {
        let high = 1 << 52;
        let status = StatusChange {
            sets: high,
            clears: 1,
        }
        .apply(3);
        assert_eq!(status, high | 2);
        assert!(has(status, high) && has(status, 2) && !has(status, 1));
        assert!(!has(status, 0));
        let map = FlagMap::new([(1, "Initiated"), (2, "Archived"), (high, "High")]);
        assert_eq!(map.labels(status), ["Archived", "High"]);
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            r#"{"1":"Initiated","2":"Archived","4503599627370496":"High"}"#
        );
        assert_eq!(FlagMap::new([(1, ""), (6, "")]).not_a_bit(), Some(6));
    }
}
