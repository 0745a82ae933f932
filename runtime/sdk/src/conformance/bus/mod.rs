//! What whoever carries facts and hopes between peers keeps. The functions are the promises; [`RULES`] lists them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hecate_bus::Bus;
//! use hecate_sdk::conformance::bus::Subject;
//!
//! hecate_sdk::bus_suite!(Subject::new(|| async { Arc::new(Bus::new()) as _ }));
//! # fn main() {}
//! ```

mod facts;
mod hopes;
mod peer;

use std::fmt;
use std::sync::Arc;

use hecate_bus::Carrier;

pub use facts::*;
pub use hopes::*;

use super::Rule;
use crate::store::BoxFuture;

type Make = dyn Fn() -> BoxFuture<'static, Arc<dyn Carrier>> + Send + Sync;

/// The carrier that is checked, as the way to make one that nobody has joined. Each check makes one of its own.
///
/// A network of several nodes is one carrier here: it lets peers join at any of its nodes, in turn for instance.
#[derive(Clone)]
pub struct Subject {
    make: Arc<Make>,
}

impl Subject {
    /// A carrier that `make` makes, in a tokio runtime. What `make` holds is dropped when the check is over.
    pub fn new<F, M>(make: F) -> Self
    where
        F: Fn() -> M + Send + Sync + 'static,
        M: Future<Output = Arc<dyn Carrier>> + Send + 'static,
    {
        Self {
            make: Arc::new(move || Box::pin(make())),
        }
    }

    /// Makes a carrier.
    pub async fn make(&self) -> Arc<dyn Carrier> {
        (self.make)().await
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject")
    }
}

/// One test for each promise that every carrier must keep: see [`conformance`](crate::conformance).
///
/// `$subject` is an expression of a [`bus::Subject`](crate::conformance::bus::Subject), evaluated for each test.
#[macro_export]
macro_rules! bus_suite {
    ($subject:expr) => {
        $crate::bus_suite! { @each @tests $subject }
    };
    (@each $($then:tt)*) => {
        $crate::bus_suite! { $($then)*;
            facts_of_a_topic_arrive_in_order,
            a_thousand_facts_arrive,
            a_listener_that_was_away_misses_nothing,
            an_emitter_that_was_away_is_heard_again,
            who_takes_the_place_of_another_goes_on,
            a_delivery_that_failed_comes_again,
            a_listener_may_ask_again,
            a_listener_that_comes_late_hears_everything,
            a_listener_says_where_it_begins,
            a_hanging_listener_slows_nobody_else,
            a_hanging_emitter_slows_nobody_else,
            wildcards_deliver_just_what_they_match,
            what_may_not_be_published_is_not_carried,
            routes_show_how_far_listeners_are,
            a_hope_is_answered_once_by_one_responder,
            a_hope_says_who_asks,
            a_hope_that_nobody_answers_is_said_to_be,
            a_hope_that_is_not_allowed_is_not_carried,
            a_hope_that_hangs_is_out_of_time,
            a_hope_is_tried_until_it_is_answered,
            a_hanging_responder_slows_no_other,
            lost_feedback_does_no_harm,
            a_hundred_hopes_at_once_are_answered,
        }
    };
    (@tests $subject:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::conformance::test(stringify!($name), $crate::conformance::bus::$name($subject));
        })*
    };
    (@rules; $($name:ident,)*) => {
        &[$($crate::conformance::Rule::new(stringify!($name), |subject| Box::pin($name(subject)))),*]
    };
}

/// What every carrier keeps.
pub const RULES: &[Rule<Subject>] = crate::bus_suite! { @each @rules };
