//! Which ids cannot have been used: an append of the moment need not be looked up.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

/// How far ahead of this clock an id's time may be, in milliseconds, to count as one of the moment.
const AHEAD: u128 = 60_000;

/// A gap between two ids of the store. No id in it has been used.
///
/// Ids are ordered by time, so those of new appends lie behind all that were used: in the gap that begins at the last of
/// them. Ids that were made otherwise, from a hash for instance, may lie anywhere. They end the gap where they lie in
/// front of it, and that is all: whatever is not in the gap is looked up.
#[derive(Debug)]
pub(super) struct Unseen {
    behind: Option<u128>,
    before: Option<u128>,
}

impl Unseen {
    /// The gap around the present.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let now = Uuid::from_u128((millis() + AHEAD) << 80);
        let find = |sql| -> rusqlite::Result<Option<u128>> {
            let id: Option<Option<[u8; 16]>> = connection
                .query_row(sql, [now.as_bytes()], |row| row.get(0))
                .optional()?;
            Ok(id.flatten().map(u128::from_be_bytes))
        };
        let behind = [
            find("SELECT max(event_id) FROM event WHERE event_id < ?1")?,
            find("SELECT max(append_id) FROM reply WHERE append_id < ?1")?,
        ];
        let before = [
            find("SELECT min(event_id) FROM event WHERE event_id >= ?1")?,
            find("SELECT min(append_id) FROM reply WHERE append_id >= ?1")?,
        ];
        Ok(Self {
            behind: behind.into_iter().max().flatten(),
            before: before.into_iter().flatten().min(),
        })
    }

    /// Whether none of the ids from `first` to `last` can have been used.
    pub(super) fn has(&self, first: Uuid, last: Uuid) -> bool {
        let (first, last) = (first.as_u128(), last.as_u128());
        self.behind < Some(first) && first <= last && self.before.is_none_or(|before| last < before)
    }

    /// The ids from `first` to `last` are used now.
    pub(super) fn take(&mut self, first: Uuid, last: Uuid) {
        if !self.has(first, last) {
            return;
        }
        if last.as_u128() >> 80 <= millis() + AHEAD {
            self.behind = Some(last.as_u128());
        } else {
            self.before = Some(first.as_u128());
        }
    }
}

fn millis() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use uuid::Uuid;

    use super::Unseen;

    fn file(events: &[Uuid], replies: &[Uuid]) -> Connection {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch("CREATE TABLE event (event_id BLOB UNIQUE); CREATE TABLE reply (append_id BLOB PRIMARY KEY)")
            .unwrap();
        for (table, ids) in [("event", events), ("reply", replies)] {
            for id in ids {
                let sql = format!("INSERT INTO {table} VALUES (?1)");
                file.execute(&sql, [id.as_bytes()]).unwrap();
            }
        }
        file
    }

    #[test]
    fn whatever_was_used_is_not_in_the_gap() {
        let (old, newer, now) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let hashed = Uuid::from_u128(0x9abc << 112);
        for (events, replies) in [
            (&[old, newer, hashed][..], &[][..]),
            (&[][..], &[old, newer, hashed][..]),
            (&[newer][..], &[hashed, old][..]),
            (&[old, hashed][..], &[newer][..]),
        ] {
            let unseen = Unseen::of(&file(events, replies)).unwrap();
            for used in [old, newer, hashed, Uuid::nil(), Uuid::max()] {
                assert!(!unseen.has(used, used), "{used}");
            }
            assert!(unseen.has(now, now));
            assert!(!unseen.has(now, hashed), "one of them is used");
        }
    }

    #[test]
    fn an_empty_store_has_seen_nothing() {
        let unseen = Unseen::of(&file(&[], &[])).unwrap();
        for id in [Uuid::nil(), Uuid::now_v7(), Uuid::max()] {
            assert!(unseen.has(id, id));
        }
        assert!(
            !unseen.has(Uuid::max(), Uuid::nil()),
            "the numbers went round"
        );
    }

    #[test]
    fn what_is_taken_has_been_seen_and_ids_of_the_moment_stay_in_the_gap() {
        let mut unseen = Unseen::of(&file(&[], &[])).unwrap();
        let first = Uuid::now_v7();
        let third = Uuid::from_u128(first.as_u128() + 2);
        unseen.take(first, third);
        for used in [first, Uuid::from_u128(first.as_u128() + 1), third] {
            assert!(!unseen.has(used, used));
        }
        let hashed = Uuid::from_u128(0x9abc << 112);
        unseen.take(hashed, hashed);
        assert!(!unseen.has(hashed, hashed));
        let next = Uuid::now_v7();
        assert!(
            unseen.has(next, next),
            "a hash does not end the gap behind it"
        );
        // An id of long ago is looked up, and changes nothing.
        let old = Uuid::from_u128(1 << 80);
        assert!(!unseen.has(old, old));
        unseen.take(old, old);
        assert!(unseen.has(next, next));
    }
}
