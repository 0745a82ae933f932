//! What a division does with its store: loading, projecting, telling.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hecate_sdk::aggregate::EventSet;
use hecate_sdk::division::Division;
use hecate_sdk::store::{Position, Store};
use hecate_sdk::testing::TestPlugin;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::filled;
use super::order::{self, Order, OrderEvent, Orders};
use crate::fdatasync::Probe;
use crate::stats::percentile;

/// Loads of one round.
const LOADS: usize = 2000;
/// Appends of one round that are told of.
const NOTICES: usize = 500;
/// Appends of one round, one after the other.
const APPENDS: usize = 500;
/// How long a projection may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The division of a plugin of orders with its files in `dir`, and the plugin.
pub(super) async fn start<const PROJECTS: bool>(dir: &Path) -> Result<(TestPlugin, Division)> {
    let plugin = TestPlugin::start_in::<Orders<PROJECTS>>(dir).await;
    let division = order::context()?.division("order");
    Ok((plugin, division.context("the plugin has the division")?))
}

/// Orders as if drawn, the same in each run.
pub(super) fn drawn(orders: usize) -> impl Iterator<Item = Uuid> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        filled::id((state % orders as u64) as usize)
    })
}

/// How long half of the loads of an order take at most, in microseconds.
pub(super) async fn load(division: &Division, orders: usize) -> Result<f64> {
    let mut taken = Vec::with_capacity(LOADS);
    for id in drawn(orders).take(LOADS) {
        let (id, begun) = (id.to_string(), Instant::now());
        let loaded = division.load::<Order>(&id).await?;
        taken.push(begun.elapsed());
        ensure!(loaded.version.is_some(), "the order {id} is there");
        std::hint::black_box(loaded);
    }
    Ok(median(taken))
}

/// The same by a query, on the thread that asks.
pub(super) fn bare_load(path: &Path, orders: usize) -> Result<f64> {
    use hecate_sdk::aggregate::Aggregate;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut find = connection.prepare("SELECT id FROM stream WHERE name = ?1")?;
    let mut events =
        connection.prepare("SELECT data FROM event WHERE stream = ?1 ORDER BY version")?;
    let mut taken = Vec::with_capacity(LOADS);
    for id in drawn(orders).take(LOADS) {
        let (name, begun) = (format!("order-{id}"), Instant::now());
        let stream: i64 = find.query_row([name], |row| row.get(0))?;
        let mut order = Order::default();
        let mut rows = events.query([stream])?;
        while let Some(row) = rows.next()? {
            let data = row.get_ref(0)?.as_blob()?;
            order.apply(&OrderEvent::decode("order_line_added", 1, data)?);
        }
        taken.push(begun.elapsed());
        std::hint::black_box(order);
    }
    Ok(median(taken))
}

/// Events a second of a projection that begins at the first, with its rows and checkpoints.
pub(super) async fn project(dir: &Path, events: usize) -> Result<f64> {
    let model = dir.join("data/sqlite");
    if model.exists() {
        std::fs::remove_dir_all(model)?;
    }
    let last = Position::new(events as u64).context("there are events")?;
    let begun = Instant::now();
    let (plugin, division) = start::<true>(dir).await?;
    let done = division.caught_up(last, PATIENCE).await;
    let taken = begun.elapsed();
    plugin.stop().await;
    ensure!(done, "the projection did not come to its end");
    Ok(events as f64 / taken.as_secs_f64())
}

/// From the answer to an append to the notice of it, when its rows are there: half, and 99 of 100, take no longer.
pub(super) async fn notices(dir: &Path) -> Result<(Duration, Duration)> {
    let (plugin, division) = start::<true>(dir).await?;
    let mut live = order::context()?.live().listen();
    let hears = tokio::spawn(async move {
        let mut heard = Vec::with_capacity(NOTICES);
        while heard.len() < NOTICES {
            let notice = live.recv().await?;
            heard.push((notice.position, Instant::now()));
        }
        anyhow::Ok(heard)
    });
    let mut answered = Vec::with_capacity(NOTICES);
    for _ in 0..NOTICES {
        let request = order::lines(Uuid::now_v7(), 1)?;
        let receipt = division.store().append_request(request).await?;
        answered.push((receipt.last, Instant::now()));
        // So that the projection does not take several at once.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let heard = hears.await??;
    plugin.stop().await;
    let mut taken = Vec::with_capacity(NOTICES);
    for ((last, answered), (position, heard)) in answered.into_iter().zip(heard) {
        ensure!(last == Some(position), "a notice is missing");
        taken.push(heard.saturating_duration_since(answered));
    }
    taken.sort();
    Ok((percentile(&taken, 0.5), percentile(&taken, 0.99)))
}

/// How long half of the appends take at most that one task makes to new orders, and how much longer that is than what the
/// disk takes for a write of its own after each of them: both in microseconds.
pub(super) async fn alone(dir: &Path) -> Result<(f64, f64)> {
    let (plugin, division) = start::<false>(dir).await?;
    let mut disk = Probe::open(dir)?;
    let (mut appends, mut syncs) = (Vec::new(), Vec::new());
    for _ in 0..APPENDS {
        appends.push(timed(division.store(), Uuid::now_v7()).await?);
        syncs.push(disk.once()?);
    }
    disk.remove()?;
    plugin.stop().await;
    let append = median(appends);
    Ok((append, append - median(syncs)))
}

/// How long half of the appends take at most that one task makes to these `orders`, in microseconds.
pub(super) async fn appends(store: &Store, orders: impl Iterator<Item = Uuid>) -> Result<f64> {
    let mut taken = Vec::with_capacity(APPENDS);
    for id in orders.take(APPENDS) {
        taken.push(timed(store, id).await?);
    }
    Ok(median(taken))
}

/// How long one append to the order takes.
async fn timed(store: &Store, order: Uuid) -> Result<Duration> {
    let request = order::lines(order, 1)?;
    let begun = Instant::now();
    store.append_request(request).await?;
    Ok(begun.elapsed())
}

fn median(mut taken: Vec<Duration>) -> f64 {
    taken.sort();
    percentile(&taken, 0.5).as_secs_f64() * 1e6
}
