//! What the conformance suites are worth: each rule is broken by a store with one fault, and finds it.

mod bus;
mod log;
mod store;

use std::collections::BTreeSet;
use std::sync::{Arc, Once};

use crate::conformance::{Rule, Subject, broken, projection, store as rules};
use log::Disk;
use store::Faulty;

/// The faults, and for each the rules that must find it. Others may find it too.
macro_rules! faults {
    ($($fault:ident: $($rule:ident),+;)+) => {
        /// One thing that a store does wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Fault {
            Honest,
            $($fault,)+
        }

        const FAULTS: &[(Fault, &[&str])] = &[$((Fault::$fault, &[$(stringify!($rule)),+]),)+];
    };
}

faults! {
    VersionsFromTwo: appends_are_numbered;
    ReceiptsAreOneBehind: appends_are_numbered;
    PositionsOfEachStream: positions_rise_from_append_to_append;
    VersionsOfAllStreams: streams_are_numbered_each_by_itself;
    OnlyTheFirstWrite: several_streams_are_one_append, as_many_streams_as_events_are_allowed;
    WritesDoNotSeeEachOther: one_append_may_come_back_to_a_stream;
    ChecksOnlyWhatIsWritten: a_write_without_events_only_checks;
    AtMostAHundredStreams: as_many_streams_as_events_are_allowed;
    NoStreamIsAny: expected_versions_hold, racing_appends_have_one_winner, a_conflict_says_what_was_found;
    StreamExistsIsAny: expected_versions_hold, a_conflict_writes_nothing;
    ExactIsAtLeast: expected_versions_hold, no_update_is_lost;
    ConflictsSayNothing: a_conflict_says_what_was_found;
    WritesBeforeTheConflict: a_conflict_writes_nothing;
    RemembersWhatWasRefused: what_was_refused_leaves_no_trace;
    MovesTheHeadWhenRefusing: what_was_refused_leaves_no_trace;
    CutsPayloads: payloads_come_back_as_they_were, the_size_of_an_event_is_limited;
    PayloadsAreText: payloads_come_back_as_they_were;
    NoMetadata: metadata_comes_back_as_it_was;
    EmptyIsAbsent: metadata_comes_back_as_it_was;
    TypesInLowerCase: types_and_revisions_come_back_as_they_were;
    RevisionsOfSixteenBits: types_and_revisions_come_back_as_they_were;
    NamesAreTrimmed: any_name_is_a_stream_of_its_own;
    NamesAreCut: any_name_is_a_stream_of_its_own;
    OneIdForAnAppend: event_ids_are_unique_and_stay;
    IdsMadeWhenReading: event_ids_are_unique_and_stay, reading_changes_nothing, events_survive_a_reopening;
    ForgetsAppends: the_same_append_happens_once, a_repetition_is_answered_whatever_happened_since;
    RepeatsWithNewPositions: the_same_append_happens_once, racing_repetitions_are_one_append;
    MovesTheHeadWhenRepeating: the_same_append_happens_once;
    ConflictsBeforeRepetitions: a_repetition_is_answered_whatever_happened_since;
    ForgetsOldAppends: a_repetition_is_answered_whatever_happened_since;
    TrustsIds: another_append_under_one_id_is_refused;
    ComparesPayloadsOnly: another_append_under_one_id_is_refused;
    LooksThenWrites: racing_repetitions_are_one_append;
    CountsOnFromIds: neighbouring_ids_do_not_meet;
    ReceiptsOfTheFirstStream: what_happened_under_an_id_is_told;
    ReceiptsForEverybody: what_happened_under_an_id_is_told, what_is_not_there_is_not_an_error;
    WritesAsItGoes: a_dropped_append_is_whole_or_not_at_all, appends_in_flight_are_never_seen_in_part,
        dropped_appends_are_decided_by_a_reopening;
    RepeatsWithTheVersionsOfNow: one_append_may_come_back_to_a_stream,
        every_write_has_its_version_in_the_receipt_again;
    ForgetsReplies: a_reply_is_given_back_for_ever, an_append_may_have_nothing_but_a_reply;
    TheLastReplyStays: a_reply_is_given_back_for_ever;
    NoReplyIsAnEmptyOne: a_reply_is_given_back_for_ever;
    CutsReplies: the_length_of_a_reply_is_limited;
    AnySizeOfReplies: the_length_of_a_reply_is_limited;
    RepliesNeedEvents: an_append_may_have_nothing_but_a_reply;
    RepliesMoveTheHead: an_append_may_have_nothing_but_a_reply;
    AnyReplyIsTheSame: the_id_of_a_reply_is_taken;
    RepliesAreKeptUnchecked: a_reply_is_kept_only_if_its_streams_are_as_expected;
    TakesNothingForAnAppend: an_append_has_at_least_one_event;
    AnyNumberOfEvents: the_number_of_events_is_limited;
    OneEventLess: the_number_of_events_is_limited;
    CountsEachWrite: the_number_of_events_is_limited;
    AnySizeOfEvents: the_size_of_an_event_is_limited;
    CountsCharacters: the_length_of_a_name_is_limited;
    AnyName: the_length_of_a_name_is_limited;
    OneMoreThanTheLimit: streams_are_read_in_parts, parts_of_any_size_are_the_whole;
    ReadsFromAndNotBehind: streams_are_read_in_parts, everything_is_read_in_commit_order, nothing_is_behind_the_end,
        what_is_told_is_there;
    NamesThatBeginAlike: streams_do_not_mix;
    NewestFirst: everything_is_read_in_commit_order, events_of_a_stream_are_projected_in_order,
        a_failing_projection_holds_up_no_other;
    StreamByStream: everything_is_read_in_commit_order;
    ScansTooFar: parts_of_any_size_are_the_whole, every_event_has_its_effect_once, rows_and_checkpoint_are_one,
        stopping_and_starting_repeats_nothing;
    NoLimitIsNoEnd: a_limit_of_nothing_reads_nothing;
    GreatNumbersAreNegative: nothing_is_behind_the_end;
    ForgetsWhereItWas: nothing_is_behind_the_end;
    StreamsHaveNoTimes: both_ways_of_reading_agree;
    TimesOfReading: reading_changes_nothing;
    EachEventIsReadOnce: reading_changes_nothing, a_changed_projection_is_made_anew,
        a_projection_that_comes_late_takes_everything_in;
    UnknownStreamsAreErrors: what_is_not_there_is_not_an_error;
    DroppedReadsHoldOn: dropped_reads_do_no_harm;
    QueriesIgnoreTypes: events_are_found_by_type, a_query_gives_what_fits_all_its_conditions;
    QueriesIgnoreKinds: events_are_found_by_kind, a_query_gives_what_fits_all_its_conditions;
    KindsAreBeginnings: events_are_found_by_kind;
    OneConditionIsEnough: a_query_gives_what_fits_all_its_conditions;
    StandsStillWhereNothingFits: what_few_events_fit_is_found, events_are_found_by_type;
    PassesOverWhatFits: what_few_events_fit_is_found, events_are_found_by_kind;
    FindsTheEndWhereNothingFits: what_few_events_fit_is_found;
    QueriesBeginAgain: a_query_never_sends_a_reader_elsewhere;
    SnapshotsOfNamesThatBeginAlike: a_snapshot_is_given_as_it_was_saved;
    FormsOfThirtyTwoBits: a_snapshot_is_given_as_it_was_saved;
    SnapshotsAreOfNow: a_snapshot_is_given_as_it_was_saved;
    EarlierSnapshotsComeBack: a_snapshot_takes_the_place_of_the_one_before;
    SnapshotsOfTheFuture: a_snapshot_is_never_ahead_of_its_stream;
    AnySizeOfSnapshots: the_size_of_a_snapshot_is_limited;
    SnapshotsInPlaceOfEvents: a_snapshot_is_never_the_only_copy;
    SnapshotsOfTheClosed: a_closed_store_has_no_snapshots;
    AnswersBeforeItShows: what_was_answered_can_be_read;
    ChecksThenWrites: racing_appends_have_one_winner, no_update_is_lost;
    PositionsBeforeTheCommit: a_reader_never_misses_a_position;
    TheHeadStands: the_head_is_watched, the_head_only_rises;
    TheHeadComesLate: the_head_only_rises;
    TheHeadIsAhead: the_head_is_never_ahead_of_what_can_be_read;
    TypesAreLost: a_failing_event_takes_nothing_with_it, a_panic_takes_nothing_with_it;
    AppendsToTheClosed: a_closed_store_is_fenced;
    ReadsFromTheClosed: a_closed_store_is_fenced;
    HangsWhenClosed: closing_decides_what_is_in_flight, a_closed_store_is_fenced;
    LosesTheLastWhenClosing: events_survive_a_reopening, what_was_answered_while_closing_is_there;
    AHeadWithoutEvents: an_empty_store_is_empty_again;
    ForgetsTheHead: the_head_is_there_again;
    PositionsFromTheStart: versions_and_positions_go_on;
    ForgetsAppendsWhenClosing: appends_are_remembered_across_reopenings;
    ForgetsRepliesWhenClosing: replies_are_remembered_across_reopenings;
    SnapshotsRotWhenClosing: snapshots_are_the_same_or_gone_after_a_reopening;
    ForgetsVersionsWhenClosing: expected_versions_hold_across_reopenings;
    LosesOneAtTheTenthOpening: many_reopenings_lose_nothing;
}

fn every_rule() -> impl Iterator<Item = &'static Rule<Subject>> {
    [rules::RULES, rules::PERSISTENT, projection::RULES]
        .into_iter()
        .flatten()
}

/// What these rules find in a store with this fault.
fn found(fault: Fault, rules: Vec<&'static Rule<Subject>>) -> Vec<(&'static str, String)> {
    let subject = move || {
        let disk = Arc::new(Disk::default());
        Subject::new(move || {
            let store = Faulty::open(disk.clone(), fault);
            async move { Arc::new(store) as _ }
        })
    };
    quietly_broken(rules, subject)
}

/// Which of `rules` do not hold of what `subject` makes.
fn quietly_broken<S: Send + 'static>(
    rules: Vec<&'static Rule<S>>,
    subject: impl FnMut() -> S + Send + 'static,
) -> Vec<(&'static str, String)> {
    // A clock that goes on when there is nothing else to do: whoever waits in vain waits no minute. And one thread, so
    // that the races are the same each time.
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .thread_name(QUIET)
            .enable_all()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(broken(rules, subject))
    };
    let thread = std::thread::Builder::new().name(QUIET.to_owned());
    thread.spawn(work).unwrap().join().unwrap()
}

/// Panics of threads with this name are answers and not printed.
const QUIET: &str = "mutant";

fn hold_your_tongue() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(QUIET) {
                tell(panic);
            }
        }));
    });
}

#[test]
fn an_honest_store_breaks_no_rule() {
    hold_your_tongue();
    let found = found(Fault::Honest, every_rule().collect());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_fault_is_found_by_its_rules() {
    hold_your_tongue();
    for (fault, rules) in FAULTS {
        let is_named = |rule: &&Rule<Subject>| rules.contains(&rule.name());
        let found = found(*fault, every_rule().filter(is_named).collect());
        let found: BTreeSet<_> = found.iter().map(|(name, _)| *name).collect();
        let blind: Vec<_> = rules.iter().filter(|rule| !found.contains(*rule)).collect();
        assert!(blind.is_empty(), "{fault:?} is not found by {blind:?}");
    }
}

#[test]
fn every_rule_finds_a_fault() {
    let finds: BTreeSet<_> = FAULTS
        .iter()
        .flat_map(|(_, rules)| *rules)
        .copied()
        .collect();
    let all: BTreeSet<_> = every_rule().map(Rule::name).collect();
    let idle: Vec<_> = all.difference(&finds).collect();
    assert!(idle.is_empty(), "no fault is there for {idle:?}");
    let unknown: Vec<_> = finds.difference(&all).collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");
}
