//! Samples of stored events that are kept beside the code: what a revision looked like is what it looks like for ever.

use serde_json::Value;

use crate::aggregate::{Event, EventSet, decode_payload, encode_payload};

/// The event that `sample` is: `golden::<AccountOpenedV1>(include_str!("account_opened_v1.json"))`.
///
/// The sample must be read as an `E`, and an `E` must be written as the sample was: so a field that was added to the
/// type, dropped, renamed or turned into something else fails, and so does one that the sample has and the type
/// ignores. The order of fields does not matter.
///
/// ```
/// use hecate_sdk::aggregate::Event;
/// use hecate_sdk::serde::{Deserialize, Serialize};
/// use hecate_sdk::testing::golden;
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(crate = "hecate_sdk::serde")]
/// struct AccountOpened {
///     owner: String,
/// }
///
/// impl Event for AccountOpened {
///     const NAME: &'static str = "account_opened";
///     const REVISION: u32 = 1;
/// }
///
/// // As `include_str!` has it.
/// let sample = r#"{"owner": "Ada"}"#;
/// assert_eq!(golden::<AccountOpened>(sample), AccountOpened { owner: "Ada".to_owned() });
/// ```
///
/// # Panics
///
/// If it is not, with what differs.
#[track_caller]
pub fn golden<E: Event>(sample: &str) -> E {
    let (name, revision) = (E::NAME, E::REVISION);
    let kept: Value = serde_json::from_str(sample)
        .unwrap_or_else(|error| panic!("the sample of `{name}_v{revision}` is not JSON: {error}"));
    let event: E = decode_payload(sample.as_bytes())
        .unwrap_or_else(|error| panic!("the sample cannot be read: {}", crate::api::chain(&error)));
    let stored = encode_payload(&event)
        .unwrap_or_else(|error| panic!("`{name}_v{revision}` cannot be written: {error}"));
    let written: Value = serde_json::from_slice(&stored.data).unwrap_or_default();
    assert_eq!(
        written, kept,
        "`{name}_v{revision}` is written otherwise now (left) than it was (right): make a new revision"
    );
    event
}

/// The event that a plugin sees where `sample` is stored as `event_type` in this revision, older ones included:
/// `golden_of::<AccountEvent>("account_opened", 1, include_str!("account_opened_v1.json"))`.
///
/// # Panics
///
/// If it cannot be read.
#[track_caller]
pub fn golden_of<S: EventSet>(event_type: &str, revision: u32, sample: &str) -> S {
    S::decode(event_type, revision, sample.as_bytes())
        .unwrap_or_else(|error| panic!("the sample cannot be read: {}", crate::api::chain(&error)))
}
