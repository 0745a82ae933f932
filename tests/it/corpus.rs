//! Real desks of real Hecate plugins, all in one plugin: every subject a division, every row a desk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::support::{Daemon, Project, Sandbox, checkout, get, post};

const NAME: &str = "it-corpus";

/// Events that no rule derives from their commands: who wrote them said them.
const SAID: [(&str, &str); 3] = [
    ("join_game", "player_joined"),
    (
        "prepare_venture_knowledge",
        "venture_knowledge_preparation_started",
    ),
    ("record_turn", "turn_taken"),
];

#[test]
fn every_real_desk_is_generated_built_tested_installed_and_used() {
    let rows = rows();
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, NAME);
    generate(&plugin, &rows);
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");

    let tested = plugin.cargo("test --workspace --locked --quiet").ok();
    let passed = tested.stdout.matches("test result: ok").count();
    assert!(passed > 30, "every division has tests: {tested}");
    let bundle = plugin.bundle();

    let daemon = Daemon::start(&sandbox);
    let _ = sandbox
        .hecate(&format!("install {}", bundle.display()))
        .ok();
    let commands = commands(daemon.port);
    for row in &rows {
        use_desk(&sandbox, &daemon, row, &commands[&row.desk]);
    }
}

/// One line of the corpus.
struct Row {
    desk: String,
    command: String,
    event: String,
    verb: String,
    subject: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(checkout().join("tests/fixtures/corpus/desks.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [desk, command, event, verb, subject, ..] = columns.as_slice() else {
            panic!("a row has at least five columns: {line}");
        };
        Row {
            // A desk in another one's folder is known by its leaf.
            desk: desk.rsplit('/').next().unwrap_or(desk).to_owned(),
            command: command.clone(),
            event: event.clone(),
            verb: verb.clone(),
            subject: subject.clone(),
        }
    });
    rows.collect()
}

/// Generates every subject, then every row, and looks for the files that carry the names of the corpus.
fn generate(plugin: &Project<'_>, rows: &[Row]) {
    let subjects: BTreeSet<_> = rows.iter().map(|row| &row.subject).collect();
    for subject in subjects {
        let _ = plugin.hecate(&format!("gen division {subject}")).ok();
    }
    let mut seen = BTreeSet::new();
    for row in rows {
        let there = is_skeleton(row) || !seen.insert(&row.desk);
        let field = if is_skeleton(row) { "" } else { "note:string" };
        let event = SAID.iter().find(|(desk, _)| *desk == row.desk);
        let event = event
            .map(|(_, event)| format!("--event {event}"))
            .unwrap_or_default();
        let made = plugin.hecate(&format!(
            "gen desk cmd {} {} {field} {event}",
            row.verb, row.subject
        ));
        let made = made.ok();
        let is_empty = made.stdout.starts_with("nothing to do");
        assert_eq!(is_empty, there, "{}: {made}", row.desk);

        let desk = plugin.path(&format!(
            "divisions/{0}/src/guide_{0}_lifecycle/{1}",
            row.subject, row.desk
        ));
        for file in [&row.command, &row.event] {
            let file = desk.join(format!("{file}.rs"));
            assert!(file.is_file(), "{}", file.display());
        }
    }
}

/// What `gen division` makes of itself.
fn is_skeleton(row: &Row) -> bool {
    matches!(row.verb.as_str(), "initiate" | "archive")
}

/// Every command desk by its name: its division and its path, as the plugin's own document has them.
fn commands(port: u16) -> BTreeMap<String, (String, String)> {
    let document = get(port, &format!("/plugin/{NAME}/api/openapi.json")).json();
    let mut commands = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let desk = &methods["post"]["x-hecate"];
        if desk.is_object() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            commands.insert(text(&desk["desk"]), (text(&desk["division"]), path.clone()));
        }
    }
    commands
}

/// Posts the command of a row to something new, and finds its event in the store and what it said in the row.
fn use_desk(sandbox: &Sandbox, daemon: &Daemon, row: &Row, (division, path): &(String, String)) {
    assert_eq!(*division, row.subject);
    let api = format!("/plugin/{NAME}/api");
    let (plural, _) = path.trim_start_matches('/').split_once('/').unwrap();
    let born = post(daemon.port, &format!("{api}/{plural}/initiate"), &json!({}));
    assert_eq!(born.status, 201, "{}: {}", row.desk, born.text());
    let id = born.json()[format!("{division}_id")]
        .as_str()
        .unwrap()
        .to_owned();
    if row.verb != "initiate" {
        let path = path.replace("{id}", &id);
        let body = if is_skeleton(row) {
            json!({})
        } else {
            json!({"note": row.desk})
        };
        let done = post(daemon.port, &format!("{api}{path}"), &body);
        assert_eq!(done.status, 201, "{}: {}", row.desk, done.text());
    }
    let event = row.event.strip_suffix("_v1").unwrap();
    assert_eq!(last_event(sandbox, division, &id), event, "{}", row.desk);

    let shown = get(daemon.port, &format!("{api}/{plural}/{id}")).json();
    assert_eq!(shown[format!("{division}_id")], id);
    let note = if is_skeleton(row) {
        Value::Null
    } else {
        json!(row.desk)
    };
    assert_eq!(shown["note"], note, "{}: {shown}", row.desk);
    let bits = shown["status"].as_u64().unwrap().count_ones();
    assert_eq!(
        bits,
        if row.verb == "initiate" { 1 } else { 2 },
        "{}: {shown}",
        row.desk
    );
}

/// The type of the newest event about `id`, read from outside as the file has it.
fn last_event(sandbox: &Sandbox, division: &str, id: &str) -> String {
    let file = sandbox
        .home()
        .join(format!("plugins/{NAME}/data/events/{division}.db"));
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT event_type.name FROM event JOIN stream ON stream.id = event.stream \
               JOIN event_type ON event_type.id = event.type WHERE stream.name = ?1 \
               ORDER BY event.version DESC LIMIT 1";
    let stream = format!("{division}-{id}");
    store.query_row(sql, [stream], |row| row.get(0)).unwrap()
}
