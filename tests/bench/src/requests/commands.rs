//! Commands through the daemon into a generated plugin: from the request to the events on the disk, the rows in the read
//! model, and the answer.
//!
//! The plugin is what `hecate new plugin`, `hecate gen division` and `hecate gen desk` write: desks that bring an order
//! into being and confirm it, their events, its state, and a table that follows. A command is answered when its events are durable and its row can be
//! read, as every command is.

use std::path::Path;

use anyhow::{Result, ensure};

use super::load::{self, Answered, Answers, Order, Then};
use super::{hop, server::Server};
use crate::checkout::{Hecate, run as run_command};
use crate::fdatasync::{self, Fdatasync};
use crate::report::{Bar, Report, short, thousands};
use crate::stats::Spread;
use crate::{machine, progress};

const PLUGIN: &str = "bench-commands";
/// Where `hecate gen division order` lets orders be born.
const ORDERS: &str = "/plugin/bench-commands/api/orders";
const FIELDS: [&str; 3] = ["customer:string", "total:decimal", "note:string?"];
const ORDER: &str = r#"{"customer":"Ada Lovelace","total":"129.90","note":"leave it at the door"}"#;
const CONFIRMATION: &str = r#"{"remark":"by telephone"}"#;
/// Confirmations of one order: with its birth as many appends as a stream of `appends` gets.
const CONFIRMATIONS: usize = 9;

/// What a request says that does not wait for the read models.
const EVENTUAL: &str = "Hecate-Consistency: eventual\r\n";

/// How often the disk is asked in each round what a commit costs it.
const SYNCS: usize = 500;

/// One round: everything once, next to each other.
struct Round {
    disk: Fdatasync,
    many: Answered,
    eventual: Answered,
    lives: Answered,
    one: Answered,
}

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let server = hop::start(PLUGIN, with_orders)?;
    let home = hop::home()?;
    ensure!(
        machine::is_on_disk(&home)?,
        "`{}` lies in memory: nothing is durable there",
        home.display()
    );
    let mut done = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(format!("commanding, round {} of {rounds}", round + 1));
        done.push(Round {
            disk: Fdatasync::measure(&home, SYNCS)?,
            many: asked(&server, Answers::Visible, None, 64)?,
            eventual: asked(&server, Answers::Created, None, 64)?,
            lives: asked(&server, Answers::Visible, Some(CONFIRMATIONS), 64)?,
            one: asked(&server, Answers::Visible, None, 1)?,
        });
    }

    let how = format!(
        "`POST {ORDERS}/initiate` with {} bytes of JSON, each a new order, over keep-alive connections to the daemon \
         (`hecate serve`) with an installed bundle (`hop`) as it is generated: answered when the event is on the \
         disk and the row can be read. Load generator and CPU as above. {rounds} times {:.1} s on one store; \
         medians [lowest–highest].",
        ORDER.len(),
        load::MEASURED.as_secs_f64(),
    );
    let mut report = Report::new("Commands", how, &COLUMNS);
    let disks: Vec<_> = done.iter().map(|round| round.disk).collect();
    let bar = if fdatasync::is_fast(&disks) {
        Bar::SpeedAtLeast(12e3)
    } else {
        Bar::None
    };
    row(&mut report, "a birth, 64 connections", bar, || {
        done.iter().map(|round| &round.many)
    });
    let what = "the same, not waiting for the row (`eventual`)";
    row(&mut report, what, Bar::None, || {
        done.iter().map(|round| &round.eventual)
    });
    let what = format!("a birth and {CONFIRMATIONS} commands on what was born, 64 connections");
    row(&mut report, &what, Bar::None, || {
        done.iter().map(|round| &round.lives)
    });
    row(&mut report, "a birth, 1 connection", Bar::None, || {
        done.iter().map(|round| &round.one)
    });
    report.note(format!(
        "`fdatasync` on the same file system, {SYNCS} times before each round: {}.",
        fdatasync::summary(&disks)
    ));
    Ok(report)
}

const COLUMNS: [&str; 5] = ["command", "commands", "p50", "p99", "CPU"];

/// A division of orders, as it is generated.
fn with_orders(hecate: &Hecate, project: &Path) -> Result<()> {
    let args = ["gen", "division", "order"];
    run_command(&mut hecate.command(project, args.iter().chain(&FIELDS)))?;
    let args = ["gen", "desk", "cmd", "confirm", "order", "remark:string"];
    run_command(&mut hecate.command(project, args))
}

/// Births, each with so many confirmations behind it.
fn asked(
    server: &Server,
    answers: Answers,
    confirmations: Option<usize>,
    connections: usize,
) -> Result<Answered> {
    let headers = match answers {
        Answers::Created => EVENTUAL,
        _ => "",
    };
    let request = |path: &str, body: &str| {
        format!(
            "POST {ORDERS}/{path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            server.port,
            body.len()
        )
    };
    let order = Order {
        server: server.pid(),
        port: server.port,
        request: request("initiate", ORDER),
        then: confirmations.map(|times| Then {
            request: request("{id}/confirm", CONFIRMATION),
            times,
        }),
        answers,
        connections,
    };
    order.carry_out()
}

fn row<'r, I>(report: &mut Report, what: &str, bar: Bar, answered: impl Fn() -> I)
where
    I: Iterator<Item = &'r Answered>,
{
    let of = |part: fn(&Answered) -> f64| Spread::of(answered().map(part));
    let speed = of(Answered::per_second);
    let time = |spread: Spread| {
        let [low, median, high] = [spread.low, spread.median, spread.high]
            .map(|time| short(std::time::Duration::from_secs_f64(time)));
        format!("{median} [{low}–{high}]")
    };
    let cells = vec![
        what.to_owned(),
        format!(
            "{} [{}–{}]",
            thousands(speed.median),
            thousands(speed.low),
            thousands(speed.high)
        ),
        time(of(|one| one.p50.as_secs_f64())),
        time(of(|one| one.p99.as_secs_f64())),
        format!("{:.0} µs", of(Answered::cpu_micros).median),
    ];
    report.row(cells, speed.median, bar);
}
