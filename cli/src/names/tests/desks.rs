//! Desks and their events; the real ones are those of the Erlang original.

use super::super::table::{lines, rows};
use super::super::*;
use super::{DESKS, PAST_PARTICIPLES, desk, name, names};

fn event(verb: &str, subject: &str) -> String {
    let event = desk(verb, subject).event(&Overrides::default()).unwrap();
    assert_eq!(event.revision(), 1);
    event.name().to_string()
}

/// Verb and subject of a desk in one piece.
fn split(text: &str, subjects: &[&str]) -> (String, String) {
    let desk = Desk::split(&name(text), &names(subjects)).unwrap();
    assert_eq!(desk.name(), text);
    (desk.verb().to_string(), desk.subject().to_string())
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn real_desks_have_their_events_but_for_three() {
    let mut needing = Vec::new();
    for [verb, subject, expected] in rows(DESKS) {
        let expected = Versioned::parse(expected).unwrap();
        let desk = desk(verb, subject);
        assert_eq!(desk.name(), *format!("{verb}_{subject}"));
        assert_eq!(desk.command().to_string(), format!("{verb}_{subject}_v1"));
        assert_eq!(Desk::split(&desk.name(), &[]).as_ref(), Ok(&desk));
        assert_eq!(
            Desk::split(&desk.name(), &names(&[subject])).as_ref(),
            Ok(&desk)
        );

        if desk.event(&Overrides::default()).as_ref() != Ok(&expected) {
            needing.push(desk.name().to_string());
            let overrides = Overrides::parse(None, Some(&expected.to_string())).unwrap();
            assert_eq!(desk.event(&overrides), Ok(expected));
        }
    }
    assert_eq!(
        needing,
        ["join_game", "prepare_venture_knowledge", "record_turn"]
    );
}

#[test]
fn events_tell_what_was_done() {
    for (verb, subject, expected) in [
        ("initiate", "order", "order_initiated"),
        ("initiate", "agent_to_team", "agent_to_team_initiated"),
        ("archive", "agent_to_team", "agent_to_team_archived"),
        ("pick_up", "passenger", "passenger_picked_up"),
        ("pick", "up_passenger", "passenger_picked_up"),
        ("check_in", "guest", "guest_checked_in"),
        ("checkout", "cart", "cart_checked_out"),
        ("soft_delete", "account", "account_soft_deleted"),
        ("mark_as_paid", "invoice", "invoice_marked_as_paid"),
        // What is said beside the noun goes after the verb.
        ("assign", "agent_to_team", "agent_assigned_to_team"),
        ("remove", "item_from_cart", "item_removed_from_cart"),
        ("dock", "vehicle_at_facility", "vehicle_docked_at_facility"),
        ("mark", "order_as_paid", "order_marked_as_paid"),
        (
            "transfer",
            "funds_between_accounts",
            "funds_transferred_between_accounts",
        ),
        (
            "hand_over",
            "parcel_to_courier",
            "parcel_handed_over_to_courier",
        ),
        (
            "send",
            "parcel_back_to_sender",
            "parcel_sent_back_to_sender",
        ),
        ("take", "card_out_of_reader", "card_taken_out_of_reader"),
        ("confirm", "container_down", "container_confirmed_down"),
        ("turn", "lights_off", "lights_turned_off"),
        // Nouns that stay whole.
        ("approve", "bill_of_materials", "bill_of_materials_approved"),
        ("open", "point_of_sale", "point_of_sale_opened"),
        (
            "submit",
            "request_for_proposal",
            "request_for_proposal_submitted",
        ),
        ("plan", "work_in_progress", "work_in_progress_planned"),
        ("test", "point_to_point_link", "point_to_point_link_tested"),
        ("start", "sign_up", "sign_up_started"),
        ("start", "check_in", "check_in_started"),
        ("record", "down_payment", "down_payment_recorded"),
        ("place", "back_order", "back_order_placed"),
        (
            "publish",
            "check_in_desk_plan",
            "check_in_desk_plan_published",
        ),
        // Words that no noun begins with are the verb's.
        ("subscribe", "to_channel", "channel_subscribed_to"),
        ("opt", "in_to_newsletter", "newsletter_opted_in_to"),
    ] {
        assert_eq!(event(verb, subject), expected);
    }
}

#[test]
fn overrides_are_followed() {
    let with = |verb, subject, past, event| {
        let overrides = Overrides::parse(past, event).unwrap();
        desk(verb, subject).event(&overrides).unwrap().to_string()
    };
    assert_eq!(
        with("join", "game", Some("entered"), None),
        "game_entered_v1"
    );
    assert_eq!(
        with("join", "game", None, Some("player_joined")),
        "player_joined_v1"
    );
    assert_eq!(
        with("join", "game", None, Some("player_joined_v1")),
        "player_joined_v1"
    );
    assert_eq!(
        with(
            "prepare",
            "venture_knowledge",
            Some("preparation_started"),
            None
        ),
        "venture_knowledge_preparation_started_v1"
    );
    assert_eq!(
        with("assign", "agent_to_team", Some("allotted"), None),
        "agent_allotted_to_team_v1"
    );
    assert_eq!(
        with("join", "game", Some("joined"), Some("player_joined")),
        "player_joined_v1"
    );
    for (past, event, error) in [
        (
            Some("Joined"),
            None,
            "`Joined` is not a name: `J` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
        ),
        (
            None,
            Some("PlayerJoinedV1"),
            "`PlayerJoinedV1` is not a name: `P` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
        ),
        (
            None,
            Some("player_joined_v2"),
            "`player_joined_v2` is not the first revision of its event, which a new one has to be",
        ),
        (
            Some("entered"),
            Some("player_joined"),
            "the past is given as `entered`, but the event `player_joined` does not have it",
        ),
    ] {
        assert_eq!(
            Overrides::parse(past, event).unwrap_err().to_string(),
            error
        );
    }
}

#[test]
fn an_event_is_not_called_as_its_command() {
    let error = desk("run", "run").event(&Overrides::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`run_run` would be the name of both the command and its event"
    );
    let overrides = Overrides::parse(None, Some("join_game")).unwrap();
    assert!(desk("join", "game").event(&overrides).is_err());
}

#[test]
fn a_desk_needs_a_verb_and_a_subject() {
    for (verb, subject) in [
        ("check", "in"),
        ("pick", "up"),
        ("opt", "in_to"),
        ("roll", "back"),
    ] {
        let error = Desk::new(&name(verb), &name(subject), &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{verb}_{subject}` is a verb, and has no subject")
        );
    }
    let error = Desk::split(&name("add_2_factor"), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`2_factor` is not a name: it starts with `2`, not with a letter from `a` to `z`"
    );
    let error = Desk::split(&name("order"), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`order` is one word, and a desk is named by a verb and a subject"
    );
}

#[test]
fn a_desk_in_one_piece_is_taken_apart() {
    for (text, subjects, verb, subject) in [
        ("initiate_order", &[][..], "initiate", "order"),
        ("initiate_order", &["order"], "initiate", "order"),
        (
            "pick_kanban_card",
            &["card", "kanban_card"],
            "pick",
            "kanban_card",
        ),
        ("pick_kanban_card", &["card"], "pick", "kanban_card"),
        ("pick_up_passenger", &[], "pick_up", "passenger"),
        ("pick_up_passenger", &["passenger"], "pick_up", "passenger"),
        ("assign_agent_to_team", &[], "assign", "agent_to_team"),
        ("assign_agent_to_team", &["team"], "assign", "agent_to_team"),
        (
            "assign_agent_to_team",
            &["agent", "team"],
            "assign",
            "agent_to_team",
        ),
        ("soft_delete_account", &[], "soft_delete", "account"),
        (
            "review_and_approve_invoice",
            &[],
            "review_and_approve",
            "invoice",
        ),
        ("call_back_order", &[], "call", "back_order"),
        ("call_back_customer", &[], "call_back", "customer"),
        // Only a known subject tells that this is a verb.
        ("set_up_sell", &["up_sell"], "set", "up_sell"),
        ("beam_down_crew", &["crew"], "beam_down", "crew"),
        ("beam_down_crew", &[], "beam", "down_crew"),
    ] {
        assert_eq!(
            split(text, subjects),
            pair(verb, subject),
            "{text} {subjects:?}"
        );
    }
}

/// Whatever the verb and the subject: no panic, well-formed names, and the same desk from its name.
#[test]
fn desks_hold_together_for_any_words() {
    let verbs = lines(PAST_PARTICIPLES)
        .step_by(40)
        .filter_map(|line| line.split('\t').next());
    let subjects = [
        "order",
        "agent_to_team",
        "container_down",
        "up",
        "of",
        "to_do",
        "in_1",
        "and",
        "x_and_y",
        "by_by",
    ];
    for verb in verbs.chain(["up", "to", "and", "re", "soft"]) {
        for subject in subjects {
            let Ok(desk) = Desk::new(&name(verb), &name(subject), &[]) else {
                continue;
            };
            assert_eq!(desk.name(), *format!("{verb}_{subject}"));
            let known = [desk.subject().clone()];
            let again = Desk::split(&desk.name(), &known).unwrap();
            assert_eq!(again.name(), desk.name());
            for derived in [plural(desk.subject()), past(desk.verb())] {
                assert!(Name::parse(derived.snake()).is_ok(), "{derived}");
            }
            if let Ok(event) = desk.event(&Overrides::default()) {
                assert_eq!(Versioned::parse(&event.to_string()), Ok(event));
            }
        }
    }
}
