//! What projections keep over a store. The functions are the promises; [`RULES`] lists them.

mod effects;
mod failures;
mod follower;

pub use effects::*;
pub use failures::*;

use super::{Rule, Subject};

/// One test for each promise that projections keep over a store: see [`conformance`](crate::conformance).
///
/// `$subject` is an expression of a [`Subject`](crate::conformance::Subject), evaluated for each test. The read models
/// are made in temporary directories.
#[macro_export]
macro_rules! projection_suite {
    ($subject:expr) => {
        $crate::projection_suite! { @each @tests $subject }
    };
    (@each $($then:tt)*) => {
        $crate::projection_suite! { $($then)*;
            every_event_has_its_effect_once,
            stopping_and_starting_repeats_nothing,
            rows_and_checkpoint_are_one,
            events_of_a_stream_are_projected_in_order,
            a_changed_projection_is_made_anew,
            a_projection_that_comes_late_takes_everything_in,
            what_is_told_is_there,
            a_failing_event_takes_nothing_with_it,
            a_panic_takes_nothing_with_it,
            a_failing_projection_holds_up_no_other,
        }
    };
    (@tests $subject:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            let check = $crate::conformance::projection::$name($subject);
            $crate::conformance::test(stringify!($name), check);
        })*
    };
    (@rules; $($name:ident,)*) => {
        &[$($crate::conformance::Rule::new(stringify!($name), |subject| Box::pin($name(subject)))),*]
    };
}

/// What projections keep over every store.
pub const RULES: &[Rule<Subject>] = crate::projection_suite! { @each @rules };
