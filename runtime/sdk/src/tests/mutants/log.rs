//! What a faulty store has kept: all of it in memory, and there again when it is opened again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use uuid::Uuid;

use crate::store::{AppendId, RecordedEvent, Snapshot, StreamId};

/// What is there again when the store is opened again.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) log: Mutex<Log>,
    pub(super) openings: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Log {
    /// In the order of their commits.
    pub(super) events: Vec<RecordedEvent>,
    /// Which of them are each stream's.
    pub(super) streams: HashMap<StreamId, Vec<usize>>,
    /// Which of them are each append's, and the order of the appends.
    pub(super) appends: HashMap<AppendId, Vec<usize>>,
    pub(super) order: Vec<AppendId>,
    /// The replies of those appends that have one.
    pub(super) replies: HashMap<AppendId, Vec<u8>>,
    /// The snapshots of each stream, in the order of saving. All but the last are there for a fault.
    pub(super) snapshots: HashMap<StreamId, Vec<Snapshot>>,
    /// Versions start behind what is here; only a fault puts something in.
    pub(super) forgotten: HashMap<StreamId, u64>,
    pub(super) last: u64,
}

impl Log {
    pub(super) fn length(&self, stream: &StreamId) -> u64 {
        let forgotten = self.forgotten.get(stream).copied().unwrap_or_default();
        let events = self.streams.get(stream).map_or(0, Vec::len) as u64;
        events - forgotten
    }

    /// The events whose ids count on from this one.
    pub(super) fn counted_on(&self, id: AppendId) -> Option<Vec<usize>> {
        let mut own = Vec::new();
        loop {
            let next = Uuid::from_u128(id.0.as_u128().wrapping_add(own.len() as u128));
            match self.events.iter().position(|event| event.event_id == next) {
                Some(nth) => own.push(nth),
                None => return (!own.is_empty()).then_some(own),
            }
        }
    }

    pub(super) fn lose_the_last(&mut self) {
        if self.events.pop().is_some() {
            let there = self.events.len();
            for own in self.streams.values_mut().chain(self.appends.values_mut()) {
                own.retain(|nth| *nth < there);
            }
            self.appends.retain(|_, own| !own.is_empty());
            self.streams.retain(|_, own| !own.is_empty());
        }
    }
}
