//! Requests through the daemon into a plugin, beside the same axum router linked into a bare server.
//!
//! The daemon is the one that users run: `hecate new plugin`, the routes put in, `hecate bundle`, `hecate serve`,
//! `hecate install`. The bare server is hyper with the router nested at the same path, on a runtime with as many
//! workers as the daemon's. Both get the same bytes from a load generator in a third process, so that what a server
//! takes can be told apart.

mod ask;
mod bare;
mod commands;
mod hop;
mod load;
#[path = "plugin/routes.rs"]
mod routes;
mod server;

use anyhow::{Result, ensure};

pub(crate) use self::bare::serve as serve_bare;
pub(crate) use self::commands::run as run_commands;
pub(crate) use self::load::generate as load;
use self::load::{Answered, Answers, Order};
use self::server::Server;
use crate::progress;
use crate::report::{Bar, Report, ratio, short, thousands};
use crate::stats::Spread;

/// Name of the plugin.
const PLUGIN: &str = "bench-requests";
/// Where its routes are, in both servers.
const API: &str = "/plugin/bench-requests/api";

/// What a page in a browser sends besides `Host`.
const OF_A_BROWSER: &str = "Accept: */*\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Cache-Control: no-cache\r\n\
    Pragma: no-cache\r\n\
    Referer: http://localhost/plugin/bench-requests/\r\n\
    Sec-Fetch-Dest: empty\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0\r\n";

/// One kind of request.
struct Kind {
    what: &'static str,
    headers: &'static str,
    connections: usize,
    bar: Bar,
}

const KINDS: [Kind; 3] = [
    Kind {
        what: "`GET`, 64 connections",
        headers: "",
        connections: 64,
        bar: Bar::RatioAtLeast(0.60, 0.60),
    },
    Kind {
        what: "the same with the 11 headers of a browser",
        headers: OF_A_BROWSER,
        connections: 64,
        bar: Bar::None,
    },
    Kind {
        what: "`GET`, 1 connection",
        headers: "",
        connections: 1,
        bar: Bar::None,
    },
];

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let (bare, hop) = (bare::start()?, hop::start(PLUGIN, hop::with_routes)?);
    let path = format!("{API}/small");
    let (expected, answer) = (ask::get(bare.port, &path)?, ask::get(hop.port, &path)?);
    ensure!(
        expected == answer,
        "the servers answer differently:\n{expected}\n{answer}"
    );

    let mut report = Report::new("Requests", how(rounds, &expected), &COLUMNS);
    for kind in KINDS {
        let mut pairs = Vec::with_capacity(rounds);
        for round in 0..rounds {
            progress(format!(
                "asking, {}, round {} of {rounds}",
                kind.what,
                round + 1
            ));
            pairs.push(pair(&bare, &hop, &kind, &path, round)?);
        }
        report_kind(&mut report, &kind, &pairs);
    }
    Ok(report)
}

const COLUMNS: [&str; 8] = [
    "request",
    "bare",
    "`hop`",
    "ratio",
    "CPU bare",
    "CPU `hop`",
    "CPU ratio",
    "p50 bare, `hop`",
];

/// Both servers, next to each other; which goes first changes with `round`.
fn pair(
    bare: &Server,
    hop: &Server,
    kind: &Kind,
    path: &str,
    round: usize,
) -> Result<(Answered, Answered)> {
    let order = |server: &Server| Order {
        server: server.pid(),
        port: server.port,
        request: format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n{}\r\n",
            server.port, kind.headers
        ),
        then: None,
        answers: Answers::Same,
        connections: kind.connections,
    };
    Ok(if round.is_multiple_of(2) {
        let of_bare = order(bare).carry_out()?;
        (of_bare, order(hop).carry_out()?)
    } else {
        let of_hop = order(hop).carry_out()?;
        (order(bare).carry_out()?, of_hop)
    })
}

fn report_kind(report: &mut Report, kind: &Kind, pairs: &[(Answered, Answered)]) {
    let spread =
        |of: fn(&(Answered, Answered)) -> f64| -> Spread { Spread::of(pairs.iter().map(of)) };
    let ratios = spread(|(bare, hop)| hop.per_second() / bare.per_second());
    let cpu = spread(|(bare, hop)| hop.cpu_micros() / bare.cpu_micros());
    let p50 = |of: fn(&(Answered, Answered)) -> f64| {
        short(std::time::Duration::from_secs_f64(spread(of).median))
    };
    let cells = vec![
        kind.what.to_owned(),
        thousands(spread(|(bare, _)| bare.per_second()).median),
        thousands(spread(|(_, hop)| hop.per_second()).median),
        ratio(ratios),
        format!("{:.1} µs", spread(|(bare, _)| bare.cpu_micros()).median),
        format!("{:.1} µs", spread(|(_, hop)| hop.cpu_micros()).median),
        format!("×{}", ratio(cpu)),
        format!(
            "{}, {}",
            p50(|(bare, _)| bare.p50.as_secs_f64()),
            p50(|(_, hop)| hop.p50.as_secs_f64())
        ),
    ];
    report.row(cells, ratios.median, kind.bar);
}

fn how(rounds: usize, answer: &str) -> String {
    let body = answer.rsplit("\r\n").next().unwrap_or_default();
    format!(
        "`GET {API}/small` ({} bytes of JSON) over keep-alive connections. `hop`: the daemon (`hecate serve`) with an \
         installed bundle, loaded through the ABI, on the plugin's own runtime (1 worker). Bare: hyper, and the same \
         axum router nested at the same path. The load generator is a process of its own with one thread and asks \
         again on a connection when it is answered; nothing is pinned to a core. CPU is user and system time of the \
         server's process (`/proc/PID/stat`) for each request. {rounds} adjacent pairs of {:.1} s, the order changing; \
         medians [lowest–highest].",
        body.len(),
        load::MEASURED.as_secs_f64(),
    )
}
