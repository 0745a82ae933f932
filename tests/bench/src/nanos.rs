//! What every request and command of a plugin pays, whatever it does: counting, a log line that nobody wants, a rate
//! limit, and the reading of a body.
//!
//! Each is done a great many times in a row on one thread, whose own processor time is what counts: other work on the
//! machine is not in the figures. A body is read by the SDK and by plain serde in turns, and the
//! bar is about what lies between.

use std::hint::black_box;

use anyhow::{Context, Result};
use hecate_sdk::api::Command;
use hecate_sdk::axum::body::{Body, to_bytes};
use hecate_sdk::axum::extract::{FromRequest, Request};
use hecate_sdk::ratelimit::RateLimit;
use hecate_sdk::rust_decimal::Decimal;
use hecate_sdk::serde_json::{self, json};
use hecate_sdk::testing::logs;
use hecate_sdk::tracing::{self, Level};
use hecate_sdk::validate::{Invalid, Rules, Validate};
use hecate_sdk::{http, metrics};
use serde::Deserialize;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::progress;
use crate::report::{Bar, Report, nanos};
use crate::stats::Spread;

/// How often what takes a few nanoseconds is done in a round.
const MANY: u32 = 20_000_000;
/// How often a body is read in a round.
const BODIES: u32 = 200_000;
/// Callers that a rate limit tells apart.
const CALLERS: usize = 1000;

/// A command with ten fields, as it is generated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceOrder {
    customer: String,
    street: String,
    city: String,
    note: Option<String>,
    quantity: i64,
    weight: f64,
    gift: bool,
    total: Decimal,
    voucher: Uuid,
    size: Size,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    Large,
}

impl Validate for PlaceOrder {
    fn validate(&self) -> Result<(), Invalid> {
        Rules::new()
            .field("customer", &self.customer)
            .field("street", &self.street)
            .field("city", &self.city)
            .field("note", &self.note)
            .field("quantity", &self.quantity)
            .field("weight", &self.weight)
            .field("gift", &self.gift)
            .field("total", &self.total)
            .field("voucher", &self.voucher)
            .rule(
                "size",
                matches!(self.size, Size::Small | Size::Large),
                "must be a size",
            )
            .done()
    }
}

pub(crate) fn run(rounds: usize) -> Result<Report> {
    let how = format!(
        "Processor time of one thread; medians of {rounds} rounds [fastest–slowest]. Counter, log line and rate limit: {MANY} in a row. A \
         body with ten fields: {BODIES} in a row, from a request to a `Command` (limit, type, time, id and fingerprint \
         of the body, fields, rules) and from the same request to the same type by `to_bytes` and `serde_json`, in turns."
    );
    let mut report = Report::new("Nanoseconds", how, &["what", "takes"]);
    let mut add = |what: &str, spread: Spread, bar: Bar| {
        report.row(vec![what.to_owned(), nanos(spread)], spread.median, bar);
    };
    progress("nanos: counter, log line, rate limit");
    let counter = metrics::counter("bench_total");
    let counting = repeated(rounds, || counter.increment(black_box(1)))?;
    add(
        "counter, a handle that is held",
        counting,
        Bar::NanosAtMost(20.0),
    );

    // A host that wants no details, as most do.
    let _logs = logs("bench", Level::INFO);
    let silent = repeated(rounds, || {
        tracing::debug!(order = black_box(7), "a detail");
    })?;
    add("log line that nobody wants", silent, Bar::NanosAtMost(5.0));

    // A bucket that is never empty: what is measured is the asking.
    let limiter = RateLimit::per_second(1_000_000).burst(u32::MAX).limiter()?;
    let one = repeated(rounds, || {
        _ = black_box(limiter.check(black_box("Ada")));
    })?;
    add("rate limit, one caller", one, Bar::NanosAtMost(150.0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| format!("caller {number}"))
        .collect();
    let mut next = callers.iter().cycle();
    let many = repeated(rounds, || {
        _ = black_box(limiter.check(black_box(&next.next())));
    })?;
    add(
        "rate limit, a thousand callers",
        many,
        Bar::NanosAtMost(150.0),
    );

    bodies(rounds, &mut add)?;
    Ok(report)
}

/// A body read by the SDK, by serde, and what lies between.
fn bodies(rounds: usize, add: &mut impl FnMut(&str, Spread, Bar)) -> Result<()> {
    progress("nanos: bodies");
    let body = json!({
        "customer": "Ada Lovelace", "street": "St James\'s Square 12", "city": "London", "note": "at the back door",
        "quantity": 12, "weight": 2.5, "gift": true, "total": "149.95",
        "voucher": "0190a6e2-7c5f-7cc3-98c4-dc0c0c07398f", "size": "large",
    });
    let body = body.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let request = || {
        let request = http::Request::post("/orders").header("content-type", "application/json");
        request.body(Body::from(body.clone())).context("a request")
    };
    let (mut ours, mut plain, mut between) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let by_sdk = || each(&runtime, &request, by_sdk);
        let by_serde = || each(&runtime, &request, by_serde);
        let (sdk, serde) = if round % 2 == 0 {
            (by_sdk()?, by_serde()?)
        } else {
            let serde = by_serde()?;
            (by_sdk()?, serde)
        };
        ours.push(sdk);
        plain.push(serde);
        between.push(sdk - serde);
    }
    add(
        "a body of ten fields, by plain serde",
        Spread::of(plain),
        Bar::None,
    );
    add(
        "a body of ten fields, as a command",
        Spread::of(ours),
        Bar::None,
    );
    add(
        "what lies between",
        Spread::of(between),
        Bar::NanosAtMost(1000.0),
    );
    Ok(())
}

async fn by_sdk(request: Request) -> Result<()> {
    let command = Command::<PlaceOrder>::from_request(request, &()).await;
    let command = command.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    black_box(command.body);
    Ok(())
}

async fn by_serde(request: Request) -> Result<()> {
    let bytes = to_bytes(request.into_body(), 2 << 20).await?;
    black_box(serde_json::from_slice::<PlaceOrder>(&bytes)?);
    Ok(())
}

/// Nanoseconds that this thread has been at work.
fn on_processor() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = stat.split(' ').next().unwrap_or_default();
    Ok(nanos.parse::<u64>()? as f64)
}

/// Nanoseconds that `read` takes for a request.
fn each<R, F>(runtime: &Runtime, request: &R, read: F) -> Result<f64>
where
    R: Fn() -> Result<Request>,
    F: AsyncFn(Request) -> Result<()>,
{
    runtime.block_on(async {
        let begun = on_processor()?;
        for _ in 0..BODIES {
            read(request()?).await?;
        }
        Ok((on_processor()? - begun) / f64::from(BODIES))
    })
}

/// Nanoseconds that `what` takes once, of as many rounds.
fn repeated(rounds: usize, mut what: impl FnMut()) -> Result<Spread> {
    let mut round = |_| {
        let begun = on_processor()?;
        for _ in 0..MANY {
            what();
        }
        Ok((on_processor()? - begun) / f64::from(MANY))
    };
    let rounds: Result<Vec<f64>> = (0..rounds).map(&mut round).collect();
    Ok(Spread::of(rounds?))
}
