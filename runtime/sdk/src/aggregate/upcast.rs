//! Events of an older revision, told as the next one.
//!
//! What is stored stays as it was written. A payload that has to change gets a new revision, and who reads the old one
//! is told what the new one would have said. That happens in [`EventSet::decode`](super::EventSet::decode), the only
//! place where stored events become values, so decisions, projections and whatever was put aside read alike.
//!
//! Absent on purpose: one event that becomes several, and steps that look anything up. What an event says must follow
//! from what was stored.

use serde_json::{Map, Value};

use super::{DecodeError, Event};

/// An event that is told as one of the next revision.
///
/// ```
/// use hecate_sdk::aggregate::*;
/// # use hecate_sdk::flags::StatusChange;
/// # use hecate_sdk::serde::{Deserialize, Serialize};
/// # use hecate_sdk::serde_json::{self, json};
/// # use hecate_sdk::store::NewEvent;
///
/// /// Revision 1 had a name in one piece. No type is left of it: its JSON is rewritten.
/// fn split_the_name(account: &mut serde_json::Map<String, serde_json::Value>) {
///     let owner = account.remove("owner").unwrap_or_default();
///     let (first, last) = owner.as_str().and_then(|name| name.split_once(' ')).unwrap_or_default();
///     account.insert("first_name".to_owned(), first.into());
///     account.insert("last_name".to_owned(), last.into());
/// }
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(crate = "hecate_sdk::serde")]
/// struct AccountOpenedV2 {
///     first_name: String,
///     last_name: String,
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(crate = "hecate_sdk::serde")]
/// struct AccountOpenedV3 {
///     first_name: String,
///     last_name: String,
///     currency: String,
/// }
///
/// impl Event for AccountOpenedV2 {
///     const NAME: &'static str = "account_opened";
///     const REVISION: u32 = 2;
/// }
///
/// impl Event for AccountOpenedV3 {
///     const NAME: &'static str = "account_opened";
///     const REVISION: u32 = 3;
/// }
///
/// impl Upcast for AccountOpenedV2 {
///     type Next = AccountOpenedV3;
///
///     fn upcast(self) -> AccountOpenedV3 {
///         // There was no other one.
///         let currency = "EUR".to_owned();
///         AccountOpenedV3 { first_name: self.first_name, last_name: self.last_name, currency }
///     }
/// }
///
/// #[derive(Debug, PartialEq)]
/// enum AccountEvent {
///     Opened(AccountOpenedV3),
/// }
///
/// impl EventSet for AccountEvent {
///     fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
///         match (event_type, revision) {
///             (AccountOpenedV3::NAME, 1) => {
///                 decode_rewritten::<AccountOpenedV2>(1, data, split_the_name).map(upcast).map(Self::Opened)
///             }
///             (AccountOpenedV3::NAME, 2) => {
///                 decode_payload::<AccountOpenedV2>(data).map(upcast).map(Self::Opened)
///             }
///             (AccountOpenedV3::NAME, 3) => decode_payload(data).map(Self::Opened),
///             _ => Err(DecodeError::unknown(event_type, revision)),
///         }
///     }
///     # fn encode(&self) -> Result<NewEvent, serde_json::Error> { let Self::Opened(event) = self; encode_payload(event) }
///     # fn status_change(&self) -> StatusChange { status_change::<AccountOpenedV3>() }
///     // …
/// }
///
/// let ada = AccountEvent::Opened(AccountOpenedV3 {
///     first_name: "Ada".to_owned(),
///     last_name: "Lovelace".to_owned(),
///     currency: "EUR".to_owned(),
/// });
/// let stored = br#"{"owner": "Ada Lovelace"}"#;
/// assert_eq!(AccountEvent::decode("account_opened", 1, stored)?, ada);
/// let stored = br#"{"first_name": "Ada", "last_name": "Lovelace"}"#;
/// assert_eq!(AccountEvent::decode("account_opened", 2, stored)?, ada);
/// // Written by a newer plugin than this one: nobody guesses.
/// assert!(matches!(AccountEvent::decode("account_opened", 4, stored), Err(DecodeError::UnknownType { .. })));
/// # Ok::<(), DecodeError>(())
/// ```
pub trait Upcast: Event {
    /// The next revision, or the event of another name that took its place.
    type Next: Event;

    /// What the next revision would have said. Never fails, and asks nobody: what is in the store has happened.
    fn upcast(self) -> Self::Next;
}

/// Events that can be told as an `E`, by as many steps as lie between. Written by nobody: it follows from [`Upcast`].
///
/// `Steps` is found by the compiler. A step of one name that leads to the same or an older revision does not compile:
///
/// ```compile_fail,E0080
/// # use hecate_sdk::aggregate::{Event, Upcast, upcast};
/// # use hecate_sdk::serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(crate = "hecate_sdk::serde")]
/// # struct Old {}
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(crate = "hecate_sdk::serde")]
/// # struct New {}
/// impl Event for Old {
///     const NAME: &'static str = "account_opened";
///     const REVISION: u32 = 1;
/// }
///
/// impl Event for New {
///     const NAME: &'static str = "account_opened";
///     const REVISION: u32 = 1; // was to be 2
/// }
///
/// # impl Upcast for Old {
/// #     type Next = New;
/// #     fn upcast(self) -> New { New {} }
/// # }
/// let new: New = upcast(Old {});
/// ```
pub trait UpcastTo<E, Steps>: Event {
    /// Takes all steps.
    fn upcast_to(self) -> E;
}

/// It is one already.
#[derive(Debug)]
pub struct Here;

/// One step, and then `Rest`.
#[derive(Debug)]
pub struct Then<Rest>(std::marker::PhantomData<Rest>);

impl<E: Event> UpcastTo<E, Here> for E {
    fn upcast_to(self) -> E {
        self
    }
}

impl<E, A, Rest> UpcastTo<E, Then<Rest>> for A
where
    A: Upcast,
    A::Next: UpcastTo<E, Rest>,
{
    fn upcast_to(self) -> E {
        const {
            assert!(
                A::REVISION < <A::Next as Event>::REVISION
                    || !equal(A::NAME, <A::Next as Event>::NAME),
                "an event is told as a later revision, and this one is not later"
            );
        }
        self.upcast().upcast_to()
    }
}

/// Tells an event as a later one, through every revision between; for [`EventSet::decode`](super::EventSet::decode),
/// behind [`decode_payload`](super::decode_payload) of the revision that was stored.
pub fn upcast<A, E, Steps>(event: A) -> E
where
    A: UpcastTo<E, Steps>,
{
    event.upcast_to()
}

/// Reads the payload of an `E` from that of an older revision for which there is no type any more, as JSON that
/// `rewrite` has made right. `revision` is the one that was stored. Whole numbers over 64 bits come as floating point.
///
/// # Errors
///
/// [`DecodeError::Payload`], with the stored revision, if it is no object, or no `E` when it is rewritten.
pub fn decode_rewritten<E: Event>(
    revision: u32,
    data: &[u8],
    rewrite: impl FnOnce(&mut Map<String, Value>),
) -> Result<E, DecodeError> {
    let read = || {
        let mut payload = serde_json::from_slice(data)?;
        rewrite(&mut payload);
        serde_json::from_value(Value::Object(payload))
    };
    read().map_err(|source| DecodeError::Payload {
        event_type: E::NAME.to_owned(),
        revision,
        source,
    })
}

const fn equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::equal;

    proptest! {
        #[test]
        fn texts_are_equal_if_they_are(one in "[ab]{0,3}", other in "[ab]{0,3}") {
            prop_assert_eq!(equal(&one, &other), one == other);
        }
    }
}
