//! Commands through the daemon into a generated plugin: from the request to the events on the disk, the rows in the read
//! model, and the answer.
//!
//! The plugin is what `hecate new plugin` and `hecate gen division` write: a desk that brings an order into being, its
//! events, its state, and a table that follows. A command is answered when its events are durable and its row can be
//! read, as every command is.

use std::path::Path;

use anyhow::{Result, ensure};

use super::load::{self, Answered, Answers, Order};
use super::{hop, server::Server};
use crate::checkout::{Hecate, run as run_command};
use crate::fdatasync::{self, Fdatasync};
use crate::report::{Bar, Report, short, thousands};
use crate::stats::Spread;
use crate::{machine, progress};

const PLUGIN: &str = "bench-commands";
/// The desk that `hecate gen division order` makes for births.
const PATH: &str = "/plugin/bench-commands/api/orders/initiate";
const FIELDS: [&str; 3] = ["customer:string", "total:decimal", "note:string?"];
const BODY: &str = r#"{"customer":"Ada Lovelace","total":"129.90","note":"leave it at the door"}"#;

/// What a request says that does not wait for the read models.
const EVENTUAL: &str = "Hecate-Consistency: eventual\r\n";

/// How often the disk is asked in each round what a commit costs it.
const SYNCS: usize = 500;

/// One round: everything once, next to each other.
struct Round {
    disk: Fdatasync,
    many: Answered,
    eventual: Answered,
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
            many: births(&server, "", Answers::Visible, 64)?,
            eventual: births(&server, EVENTUAL, Answers::Created, 64)?,
            one: births(&server, "", Answers::Visible, 1)?,
        });
    }

    let how = format!(
        "`POST {PATH}` with {} bytes of JSON, each a new order, over keep-alive connections to the daemon \
         (`hecate serve`) with an installed bundle (`hop`) as `hecate gen division` writes it: answered when the event \
         is on the disk and the row can be read. Load generator and CPU as above. {rounds} times {:.1} s on one store; \
         medians [lowest–highest].",
        BODY.len(),
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
    run_command(&mut hecate.command(project, args.iter().chain(&FIELDS)))
}

fn births(
    server: &Server,
    headers: &str,
    answers: Answers,
    connections: usize,
) -> Result<Answered> {
    let order = Order {
        server: server.pid(),
        port: server.port,
        request: format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}\r\n{BODY}",
            server.port,
            BODY.len()
        ),
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
