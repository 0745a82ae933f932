//! `hecate list`: what the plugin consists of.

use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::flow::{Flow, Found, integrations_in, mermaid, svg};
use crate::generate::{self, DivisionTree, divisions_in, read_division};

/// List divisions, desks, routes and events, and which table takes which event
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Print the flow from commands to events, tables and process managers instead: as Mermaid or as SVG
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, default_missing_value = "mermaid")]
    graph: Option<Graph>,
}

/// How the flow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Graph {
    /// For Markdown, in a block of its own
    Mermaid,
    /// A picture
    Svg,
}

pub(crate) fn run(args: &ListArgs, cx: &Context) -> Result<(), CliError> {
    let view = generate::open(cx)?.view()?;
    let divisions = divisions_in(&view);
    let divisions = divisions
        .iter()
        .map(|subject| read_division(&view, subject))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(graph) = args.graph {
        let flow = Flow::of(&divisions, &view)?;
        let (form, text) = match graph {
            Graph::Mermaid => ("mermaid", mermaid(&flow)),
            Graph::Svg => ("svg", svg(&flow)),
        };
        cx.printer().result(text.trim_end());
        cx.printer()
            .json("graph", json!({"form": form, "text": text}));
        return Ok(());
    }
    if divisions.is_empty() {
        cx.printer()
            .result("there is no division yet: `hecate gen division SUBJECT` makes one");
    }
    for division in &divisions {
        cx.printer().result(&shown(division));
    }
    let integrations = integrations_in(&view)?;
    if !integrations.is_empty() {
        cx.printer().result(&exchanged(&integrations));
    }
    let divisions: Vec<_> = divisions.iter().map(of_division).collect();
    let integrations: Vec<_> = integrations.iter().map(of_integration).collect();
    cx.printer().json(
        "list",
        json!({"divisions": divisions, "integrations": integrations}),
    );
    Ok(())
}

/// One line of the tree: department, desk, route, and what it leads to.
type Row = [String; 4];

fn shown(division: &DivisionTree) -> String {
    let rows = rows(division);
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (desk, route) = (width(1), width(2));
    let mut text = format!("{}  divisions/{}", division.subject, division.dir());
    for [department, its_desk, its_route, leads_to] in &rows {
        let line = format!("\n  {department}  {its_desk:desk$}  {its_route:route$}  {leads_to}");
        text.push_str(line.trim_end());
    }
    text
}

/// What the plugin tells, hears and answers, and what follows from what.
fn exchanged(integrations: &[Found]) -> String {
    let mut text = "integrations".to_owned();
    for found in integrations {
        let commands = found.commands.iter().map(|(_, command)| command.as_str());
        let (from, to) = match found.role.word() {
            "emitter" => (found.events.join(", "), found.topic.clone()),
            "process-manager" => (
                found.events.join(", "),
                commands.collect::<Vec<_>>().join(", "),
            ),
            "requester" => ("asks".to_owned(), found.topic.clone()),
            _ => (found.topic.clone(), commands.collect::<Vec<_>>().join(", ")),
        };
        let (role, name) = (found.role.word(), &found.name);
        text.push_str(&format!("\n  {role}  {name}  {from} → {to}"));
    }
    text
}

fn of_integration(found: &Found) -> Value {
    let commands = found.commands.iter();
    let commands = commands.map(|(division, command)| format!("{division}/{command}"));
    let is_process = found.role.word() == "process-manager";
    json!({
        "kind": found.role.word(),
        "name": found.name,
        "division": found.division,
        "topic": (!is_process).then_some(&found.topic),
        "events": found.events,
        "commands": commands.collect::<Vec<_>>(),
    })
}

fn rows(division: &DivisionTree) -> Vec<Row> {
    let mut rows = Vec::new();
    for desk in &division.commands {
        let events: Vec<_> = desk
            .events
            .iter()
            .map(|event| event.versioned.to_string())
            .collect();
        rows.push([
            "cmd".to_owned(),
            desk.folder.name.to_string(),
            verb("POST", desk.route.as_deref()),
            leads_to(&events),
        ]);
    }
    for desk in &division.projections {
        let table = desk.table.clone().unwrap_or_default();
        rows.push([
            "prj".to_owned(),
            desk.folder.name.to_string(),
            String::new(),
            format!("{} → table {table}", desk.events.join(", ")),
        ]);
    }
    for desk in &division.queries {
        rows.push([
            "qry".to_owned(),
            desk.folder.name.to_string(),
            verb("GET", desk.route.as_deref()),
            String::new(),
        ]);
    }
    rows
}

fn verb(verb: &str, route: Option<&str>) -> String {
    route.map_or_else(String::new, |route| format!("{verb} {route}"))
}

fn leads_to(events: &[String]) -> String {
    if events.is_empty() {
        String::new()
    } else {
        format!("→ {}", events.join(", "))
    }
}

fn of_division(division: &DivisionTree) -> Value {
    let commands = division.commands.iter().map(|desk| {
        let events = desk.events.iter().map(|event| {
            let fields = event.fields.iter().map(ToString::to_string);
            json!({
                "event": event.versioned.to_string(),
                "status_bit": event.sets,
                "fields": fields.collect::<Vec<_>>(),
            })
        });
        json!({
            "desk": desk.folder.name.to_string(),
            "birth": desk.is_birth,
            "route": desk.route,
            "events": events.collect::<Vec<_>>(),
        })
    });
    let projections = division.projections.iter().map(|desk| {
        json!({
            "desk": desk.folder.name.to_string(),
            "table": desk.table,
            "events": desk.events,
        })
    });
    let queries = division
        .queries
        .iter()
        .map(|desk| json!({"desk": desk.folder.name.to_string(), "route": desk.route}));
    json!({
        "division": division.subject.to_string(),
        "directory": format!("divisions/{}", division.dir()),
        "commands": commands.collect::<Vec<_>>(),
        "projections": projections.collect::<Vec<_>>(),
        "queries": queries.collect::<Vec<_>>(),
    })
}
