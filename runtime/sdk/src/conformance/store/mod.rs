//! What every event store keeps. The functions are the promises; [`RULES`] and [`PERSISTENT`] list them.

mod appends;
mod fixtures;
mod idempotency;
mod life;
mod limits;
mod order;
mod persistence;
mod queries;
mod reads;
mod replies;
mod snapshots;

pub use appends::*;
pub use idempotency::*;
pub use life::*;
pub use limits::*;
pub use order::*;
pub use persistence::*;
pub use queries::*;
pub use reads::*;
pub use replies::*;
pub use snapshots::*;

pub(super) use fixtures::{Store, all, append, event, last, request};

use super::{Rule, Subject};

/// One test for each promise that every event store must keep: see [`conformance`](crate::conformance).
///
/// `$subject` is an expression of a [`Subject`](crate::conformance::Subject), evaluated for each test.
#[macro_export]
macro_rules! store_suite {
    ($subject:expr) => {
        $crate::store_suite! { @each @tests $subject }
    };
    (@each $($then:tt)*) => {
        $crate::store_suite! { $($then)*;
            appends_are_numbered,
            positions_rise_from_append_to_append,
            streams_are_numbered_each_by_itself,
            several_streams_are_one_append,
            one_append_may_come_back_to_a_stream,
            a_write_without_events_only_checks,
            as_many_streams_as_events_are_allowed,
            expected_versions_hold,
            a_conflict_says_what_was_found,
            a_conflict_writes_nothing,
            what_was_refused_leaves_no_trace,
            payloads_come_back_as_they_were,
            metadata_comes_back_as_it_was,
            types_and_revisions_come_back_as_they_were,
            any_name_is_a_stream_of_its_own,
            event_ids_are_unique_and_stay,
            the_same_append_happens_once,
            a_repetition_is_answered_whatever_happened_since,
            another_append_under_one_id_is_refused,
            racing_repetitions_are_one_append,
            neighbouring_ids_do_not_meet,
            what_happened_under_an_id_is_told,
            a_dropped_append_is_whole_or_not_at_all,
            a_reply_is_given_back_for_ever,
            an_append_may_have_nothing_but_a_reply,
            the_id_of_a_reply_is_taken,
            a_reply_is_kept_only_if_its_streams_are_as_expected,
            the_length_of_a_reply_is_limited,
            every_write_has_its_version_in_the_receipt_again,
            an_append_has_at_least_one_event,
            the_number_of_events_is_limited,
            the_size_of_an_event_is_limited,
            the_length_of_a_name_is_limited,
            streams_are_read_in_parts,
            streams_do_not_mix,
            everything_is_read_in_commit_order,
            parts_of_any_size_are_the_whole,
            a_limit_of_nothing_reads_nothing,
            nothing_is_behind_the_end,
            both_ways_of_reading_agree,
            reading_changes_nothing,
            what_is_not_there_is_not_an_error,
            dropped_reads_do_no_harm,
            events_are_found_by_type,
            events_are_found_by_kind,
            a_query_gives_what_fits_all_its_conditions,
            what_few_events_fit_is_found,
            a_query_never_sends_a_reader_elsewhere,
            what_was_answered_can_be_read,
            racing_appends_have_one_winner,
            no_update_is_lost,
            a_reader_never_misses_a_position,
            appends_in_flight_are_never_seen_in_part,
            the_head_is_watched,
            the_head_only_rises,
            the_head_is_never_ahead_of_what_can_be_read,
            a_snapshot_is_given_as_it_was_saved,
            a_snapshot_takes_the_place_of_the_one_before,
            a_snapshot_is_never_ahead_of_its_stream,
            the_size_of_a_snapshot_is_limited,
            a_snapshot_is_never_the_only_copy,
            a_closed_store_has_no_snapshots,
            a_closed_store_is_fenced,
            closing_decides_what_is_in_flight,
        }
    };
    (@tests $subject:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::conformance::test(stringify!($name), $crate::conformance::store::$name($subject));
        })*
    };
    (@rules; $($name:ident,)*) => {
        &[$($crate::conformance::Rule::new(stringify!($name), |subject| Box::pin($name(subject)))),*]
    };
}

/// One test for each promise that a store must keep when it is opened again: see [`conformance`](crate::conformance).
///
/// `$subject` is an expression of a [`Subject`](crate::conformance::Subject), evaluated for each test.
#[macro_export]
macro_rules! persistent_store_suite {
    ($subject:expr) => {
        $crate::persistent_store_suite! { @each @tests $subject }
    };
    (@each $($then:tt)*) => {
        $crate::persistent_store_suite! { $($then)*;
            events_survive_a_reopening,
            an_empty_store_is_empty_again,
            the_head_is_there_again,
            versions_and_positions_go_on,
            appends_are_remembered_across_reopenings,
            expected_versions_hold_across_reopenings,
            replies_are_remembered_across_reopenings,
            snapshots_are_the_same_or_gone_after_a_reopening,
            what_was_answered_while_closing_is_there,
            dropped_appends_are_decided_by_a_reopening,
            many_reopenings_lose_nothing,
        }
    };
    (@tests $subject:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::conformance::test(stringify!($name), $crate::conformance::store::$name($subject));
        })*
    };
    (@rules; $($name:ident,)*) => {
        &[$($crate::conformance::Rule::new(stringify!($name), |subject| Box::pin($name(subject)))),*]
    };
}

/// What every store keeps.
pub const RULES: &[Rule<Subject>] = crate::store_suite! { @each @rules };

/// What a store keeps, beside [`RULES`], whose events are there again when it is opened again.
pub const PERSISTENT: &[Rule<Subject>] = crate::persistent_store_suite! { @each @rules };
