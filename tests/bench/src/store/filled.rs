//! Stores with many events, made quickly, where a plugin of orders finds them.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use hecate_sdk::futures_util::future::try_join_all;
use hecate_sdk::store::{
    AppendId, AppendRequest, Durability, EventStore, SqliteOptions, SqliteStore,
};
use uuid::Uuid;

use super::order;

/// Events of each order.
pub(super) const EVENTS: usize = 100;
/// Orders in one append: it has as many events as it may.
const ORDERS: usize = 10;
/// Appends that are under way at the same time.
const APPENDS: usize = 16;

/// The database of a plugin of orders that has its files in `dir`.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("data/events/order.db")
}

/// The `nth` order.
pub(super) fn id(nth: usize) -> Uuid {
    Uuid::from_u128((0x0193_0000_0000_7000_u128 << 64) | (nth as u128) << 16)
}

/// Makes a store with `events` events in `dir`.
pub(super) async fn fill(dir: &Path, events: usize) -> Result<()> {
    let mut options = SqliteOptions::in_epoch(1);
    // It is made anew if the power fails.
    options.durability = Durability::ProcessSafe;
    let store = SqliteStore::open(&path(dir), options)?;
    let orders = events / EVENTS;
    for first in (0..orders).step_by(ORDERS * APPENDS) {
        let appends = (first..orders.min(first + ORDERS * APPENDS)).step_by(ORDERS);
        let appends = appends.map(|first| append(&store, first..orders.min(first + ORDERS)));
        try_join_all(appends).await?;
    }
    store.close().await;
    Ok(())
}

async fn append(store: &SqliteStore, orders: std::ops::Range<usize>) -> Result<()> {
    let mut writes = Vec::with_capacity(ORDERS);
    for nth in orders {
        writes.extend(order::lines(id(nth), EVENTS)?.writes);
    }
    let (id, reply) = (AppendId::fresh(), None);
    let receipt = store.append(AppendRequest { id, writes, reply }).await?;
    ensure!(!receipt.replayed, "an id came twice");
    Ok(())
}
