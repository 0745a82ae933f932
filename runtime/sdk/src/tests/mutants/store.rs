//! A store in memory that does one thing wrong. Without a fault it is one more store that keeps what is promised.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, MutexGuard};

use tokio::sync::{Semaphore, watch};
use tokio::task::yield_now;
use uuid::Uuid;

use super::Fault;
use super::log::{Disk, Log};
use crate::store::{
    AppendError, AppendId, AppendRequest, BoxFuture, EventPage, EventStore, ExpectedVersion,
    MAX_APPEND_EVENTS, MAX_EVENT_BYTES, Metadata, Position, Query, ReadError, Receipt, Recorded,
    RecordedEvent, Snapshot, StreamId, StreamVersion, StreamWrite,
};

pub(super) struct Faulty {
    fault: Fault,
    disk: Arc<Disk>,
    head: watch::Sender<Option<Position>>,
    closed: AtomicBool,
    /// Events that reads see; all but for a fault.
    shown: Arc<AtomicUsize>,
    reads: Semaphore,
    clock: AtomicI64,
    read_once: AtomicUsize,
}

impl Faulty {
    pub(super) fn open(disk: Arc<Disk>, fault: Fault) -> Self {
        let opening = disk.openings.fetch_add(1, SeqCst) + 1;
        let mut log = disk.log.lock().unwrap();
        if opening > 1 {
            match fault {
                Fault::PositionsFromTheStart => log.last = 0,
                Fault::ForgetsAppendsWhenClosing => log.appends.clear(),
                Fault::ForgetsVersionsWhenClosing => {
                    let lengths = log.streams.iter();
                    log.forgotten = lengths
                        .map(|(stream, events)| (stream.clone(), events.len() as u64))
                        .collect();
                }
                Fault::ForgetsRepliesWhenClosing => log.replies.clear(),
                Fault::SnapshotsRotWhenClosing => {
                    let snapshots = log.snapshots.values_mut().flatten();
                    snapshots.for_each(|snapshot| snapshot.body.truncate(1));
                }
                Fault::LosesOneAtTheTenthOpening if opening == 10 => log.lose_the_last(),
                _ => {}
            }
        }
        let head = match fault {
            Fault::ForgetsTheHead => None,
            Fault::AHeadWithoutEvents if opening > 1 => Position::new(log.last.max(1)),
            _ => log.events.last().map(|event| event.position),
        };
        drop(log);
        Self {
            fault,
            disk,
            head: watch::Sender::new(head),
            closed: AtomicBool::new(false),
            shown: Arc::new(AtomicUsize::new(usize::MAX)),
            reads: Semaphore::new(4),
            clock: AtomicI64::new(0),
            read_once: AtomicUsize::new(0),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.disk.log.lock().unwrap()
    }

    async fn carry_out(&self, sent: AppendRequest) -> Result<Receipt, AppendError> {
        if self.closed.load(SeqCst) && !self.has(Fault::AppendsToTheClosed) {
            if self.has(Fault::HangsWhenClosed) {
                pending::<()>().await;
            }
            return Err(AppendError::Fenced);
        }
        if self.has(Fault::TakesNothingForAnAppend) && events_of(&sent) == 0 {
            return Ok(Receipt {
                first: Position::new(1),
                last: Position::new(1),
                versions: Vec::new(),
                replayed: false,
            });
        }
        self.check_limits(&sent)?;
        let request = self.as_stored(sent);
        if self.has(Fault::ConflictsBeforeRepetitions) {
            self.check_streams(&self.log(), &request.writes)?;
        }
        if let Some(answer) = self.repetition(&request) {
            return answer;
        }
        if self.has(Fault::LooksThenWrites) {
            yield_now().await;
        }
        let checked = self.check_streams(&self.log(), &request.writes);
        if let Err(conflict) = checked {
            self.leave_traces(&request);
            return Err(conflict);
        }
        if self.has(Fault::ChecksThenWrites) {
            yield_now().await;
        }
        if self.has(Fault::TheHeadIsAhead) {
            let ahead = Position::new(self.log().last + events_of(&request) as u64);
            self.head.send_replace(ahead);
            yield_now().await;
        }
        let receipt = self.write(&request).await;
        if self.has(Fault::TheHeadComesLate) {
            for _ in 0..receipt.last.map_or(0, Position::get) * 7 % 4 {
                yield_now().await;
            }
        }
        let moves = match self.fault {
            Fault::TheHeadStands => false,
            Fault::RepliesMoveTheHead => true,
            _ => receipt.last.is_some(),
        };
        if moves {
            let end = receipt.last.or(Position::new(self.log().last + 1));
            self.head.send_replace(end);
        }
        Ok(receipt)
    }

    fn check_limits(&self, request: &AppendRequest) -> Result<(), AppendError> {
        let events = events_of(request);
        match &request.reply {
            None if events == 0 => return Err(AppendError::Empty),
            Some(_) if events == 0 && self.has(Fault::RepliesNeedEvents) => {
                return Err(AppendError::Empty);
            }
            Some(reply) if reply.len() > MAX_EVENT_BYTES && !self.has(Fault::AnySizeOfReplies) => {
                let bytes = reply.len();
                return Err(AppendError::ReplyTooLarge { bytes });
            }
            _ => {}
        }
        let counted = match self.fault {
            Fault::AnyNumberOfEvents => 1,
            Fault::OneEventLess => events + 1,
            Fault::CountsEachWrite => {
                let writes = request.writes.iter().map(|write| write.events.len());
                writes.max().unwrap_or_default()
            }
            Fault::AtMostAHundredStreams if request.writes.len() > 100 => usize::MAX,
            _ => events,
        };
        if counted > MAX_APPEND_EVENTS {
            return Err(AppendError::TooMany { events });
        }
        for write in &request.writes {
            let name = write.stream.as_str();
            let bytes = match self.fault {
                Fault::CountsCharacters => name.chars().count(),
                Fault::AnyName => 1,
                _ => name.len(),
            };
            if !(1..=256).contains(&bytes) {
                return Err(AppendError::StreamName { bytes });
            }
            for event in &write.events {
                let bytes = event.data.len();
                if bytes > MAX_EVENT_BYTES && !self.has(Fault::AnySizeOfEvents) {
                    let event_type = event.event_type.clone().into_owned();
                    return Err(AppendError::TooLarge { event_type, bytes });
                }
            }
        }
        Ok(())
    }

    fn stream_as_stored(&self, stream: StreamId) -> StreamId {
        let name = stream.as_str();
        match self.fault {
            Fault::NamesAreTrimmed => StreamId::new(name.trim()),
            Fault::NamesAreCut => StreamId::new(name.chars().take(127).collect::<String>()),
            _ => stream,
        }
    }

    fn as_stored(&self, mut request: AppendRequest) -> AppendRequest {
        if self.has(Fault::OnlyTheFirstWrite) {
            request.writes.truncate(1);
        }
        for write in &mut request.writes {
            write.stream = self.stream_as_stored(write.stream.clone());
            for event in &mut write.events {
                match self.fault {
                    Fault::CutsPayloads => event.data.truncate(65_536),
                    Fault::PayloadsAreText => {
                        event.data = String::from_utf8_lossy(&event.data)
                            .into_owned()
                            .into_bytes();
                    }
                    Fault::NoMetadata => event.metadata = Metadata::default(),
                    Fault::EmptyIsAbsent => {
                        let command = event.metadata.command.take();
                        event.metadata.command = command.filter(|command| !command.is_empty());
                    }
                    Fault::TypesInLowerCase => {
                        event.event_type = event.event_type.to_lowercase().into();
                    }
                    Fault::TypesAreLost => event.event_type = "event".into(),
                    Fault::RevisionsOfSixteenBits => event.revision &= 0xffff,
                    _ => {}
                }
            }
        }
        request
    }

    /// The answer to what was carried out under this id before.
    fn repetition(&self, request: &AppendRequest) -> Option<Result<Receipt, AppendError>> {
        let log = self.log();
        if self.has(Fault::ForgetsAppends) {
            return None;
        }
        if self.has(Fault::ForgetsOldAppends) {
            let recent = log.order.iter().rev().take(100);
            if !recent.clone().any(|id| *id == request.id) {
                return None;
            }
        }
        let own = match self.fault {
            Fault::CountsOnFromIds => log.counted_on(request.id)?,
            _ => log.appends.get(&request.id)?.clone(),
        };
        let events: Vec<_> = own.iter().map(|nth| &log.events[*nth]).collect();
        let sent: Vec<_> = request
            .writes
            .iter()
            .flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)))
            .collect();
        let same = |((stream, event), is): (&(&StreamId, &_), &&RecordedEvent)| {
            let event: &crate::store::NewEvent = event;
            let data = event.data == is.data;
            let rest = **stream == is.stream
                && event.event_type == is.event_type.as_ref()
                && event.revision == is.revision;
            data && (rest || self.has(Fault::ComparesPayloadsOnly))
        };
        let same = sent.len() == events.len() && sent.iter().zip(&events).all(same);
        let reply = log.replies.get(&request.id);
        let other_reply = sent.is_empty()
            && request.reply.as_ref() != reply
            && !self.has(Fault::AnyReplyIsTheSame);
        if (!same && !self.has(Fault::TrustsIds)) || other_reply {
            return Some(Err(AppendError::IdempotencyMismatch { id: request.id }));
        }
        let end = Position::new(log.last);
        let anew = self.has(Fault::RepeatsWithNewPositions);
        let mut versions = Vec::new();
        let mut behind = 0;
        for write in request
            .writes
            .iter()
            .filter(|write| !write.events.is_empty())
        {
            behind += write.events.len();
            let last = match self.fault {
                Fault::RepeatsWithTheVersionsOfNow => StreamVersion::new(log.length(&write.stream)),
                _ => events.get(behind - 1).map(|event| event.version),
            };
            versions.extend(last);
        }
        let first = events.first().map(|event| event.position);
        let last = events.last().map(|event| event.position);
        if self.has(Fault::MovesTheHeadWhenRepeating) {
            self.head.send_replace(last);
        }
        drop(log);
        if self.has(Fault::TheLastReplyStays) {
            self.keep_reply(request);
        }
        Some(Ok(Receipt {
            first: if anew { end } else { first },
            last: if anew { end } else { last },
            versions,
            replayed: true,
        }))
    }

    fn keep_reply(&self, request: &AppendRequest) {
        let Some(mut reply) = request.reply.clone() else {
            return;
        };
        match self.fault {
            Fault::ForgetsReplies => return,
            Fault::CutsReplies => reply.truncate(65_536),
            _ => {}
        }
        self.log().replies.insert(request.id, reply);
    }

    fn check_streams(&self, log: &Log, writes: &[StreamWrite]) -> Result<(), AppendError> {
        let mut lengths: HashMap<&StreamId, u64> = HashMap::new();
        for write in writes {
            let unchecked = match self.fault {
                Fault::ChecksOnlyWhatIsWritten => write.events.is_empty(),
                Fault::RepliesAreKeptUnchecked => {
                    writes.iter().all(|write| write.events.is_empty())
                }
                _ => false,
            };
            if unchecked {
                continue;
            }
            let length = lengths
                .entry(&write.stream)
                .or_insert_with(|| log.length(&write.stream));
            let actual = StreamVersion::new(*length);
            let allowed = match (self.fault, write.expected) {
                (Fault::NoStreamIsAny, ExpectedVersion::NoStream)
                | (Fault::StreamExistsIsAny, ExpectedVersion::StreamExists) => true,
                (Fault::ExactIsAtLeast, ExpectedVersion::Exact(version)) => actual >= Some(version),
                _ => write.expected.allows(actual),
            };
            if !allowed {
                let told = actual.filter(|_| !self.has(Fault::ConflictsSayNothing));
                return Err(AppendError::WrongExpectedVersion {
                    stream: write.stream.clone(),
                    expected: write.expected,
                    actual: told,
                });
            }
            if !self.has(Fault::WritesDoNotSeeEachOther) {
                *length += write.events.len() as u64;
            }
        }
        Ok(())
    }

    /// What a refused append leaves, with a fault.
    fn leave_traces(&self, request: &AppendRequest) {
        let mut log = self.log();
        match self.fault {
            Fault::RemembersWhatWasRefused => {
                log.appends.insert(request.id, Vec::new());
            }
            Fault::MovesTheHeadWhenRefusing => {
                self.head.send_replace(Position::new(log.last + 1));
            }
            Fault::WritesBeforeTheConflict => {
                let first = request.writes[0].clone();
                if self
                    .check_streams(&log, std::slice::from_ref(&first))
                    .is_ok()
                {
                    for event in &first.events {
                        let position = log.last + 1;
                        self.push(&mut log, request.id, position, &first.stream, event);
                    }
                }
            }
            _ => {}
        }
    }

    async fn write(&self, request: &AppendRequest) -> Receipt {
        let count = events_of(request) as u64;
        let first = {
            let mut log = self.log();
            if self.has(Fault::AnswersBeforeItShows) {
                self.shown.store(log.events.len(), SeqCst);
                let shown = self.shown.clone();
                tokio::spawn(async move {
                    yield_now().await;
                    shown.store(usize::MAX, SeqCst);
                });
            }
            let first = log.last + 1;
            log.last += count;
            if count == 0 {
                log.appends.insert(request.id, Vec::new());
                log.order.push(request.id);
            }
            first
        };
        if self.has(Fault::PositionsBeforeTheCommit) {
            for _ in 0..first * 7 % 5 {
                yield_now().await;
            }
        }
        let mut versions = Vec::new();
        let mut position = first;
        for write in request
            .writes
            .iter()
            .filter(|write| !write.events.is_empty())
        {
            for event in &write.events {
                self.push(&mut self.log(), request.id, position, &write.stream, event);
                position += 1;
                if self.has(Fault::WritesAsItGoes) {
                    yield_now().await;
                }
            }
            let behind = self.log().length(&write.stream);
            let behind = behind - u64::from(self.has(Fault::ReceiptsAreOneBehind));
            versions.extend(StreamVersion::new(behind));
        }
        self.keep_reply(request);
        let log = self.log();
        let own = &log.appends[&request.id];
        let own = &own[own.len() - count as usize..];
        let place = |nth: &usize| log.events[*nth].position;
        Receipt {
            first: own.first().map(place),
            last: own.last().map(place),
            versions,
            replayed: false,
        }
    }

    fn push(
        &self,
        log: &mut Log,
        id: AppendId,
        position: u64,
        stream: &StreamId,
        event: &crate::store::NewEvent,
    ) {
        let nth = log.events.len();
        let version = log.length(stream) + 1;
        let own = log.appends.entry(id).or_default();
        if own.is_empty() {
            log.order.push(id);
        }
        let place = own.len() as u128;
        own.push(nth);
        log.streams.entry(stream.clone()).or_default().push(nth);
        let id = id.0.as_u128();
        let event_id = match self.fault {
            Fault::OneIdForAnAppend => id,
            Fault::CountsOnFromIds => id.wrapping_add(place),
            _ => id ^ (place << 64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        let position = match self.fault {
            Fault::PositionsOfEachStream => version,
            _ => position,
        };
        let version = match self.fault {
            Fault::VersionsFromTwo => version + 1,
            Fault::VersionsOfAllStreams => nth as u64 + 1,
            _ => version,
        };
        log.last = log.last.max(position);
        log.events.push(RecordedEvent {
            position: Position::new(position).unwrap(),
            stream: stream.clone(),
            version: StreamVersion::new(version).unwrap(),
            event_id: Uuid::from_u128(event_id),
            event_type: event.event_type.as_ref().into(),
            revision: event.revision,
            recorded_at: 1,
            data: event.data.clone(),
            metadata: event.metadata.clone(),
        });
    }

    /// Lets a read in, as a pool of connections does.
    async fn admit(&self) -> Result<(), ReadError> {
        if self.closed.load(SeqCst) && !self.has(Fault::ReadsFromTheClosed) {
            return Err(ReadError::Fenced);
        }
        let permit = self.reads.acquire().await.map_err(|_| ReadError::Fenced)?;
        if self.has(Fault::DroppedReadsHoldOn) {
            permit.forget();
            yield_now().await;
            self.reads.add_permits(1);
        }
        Ok(())
    }

    /// Events as they are told.
    fn told<'e>(&self, events: impl Iterator<Item = &'e RecordedEvent>) -> Vec<RecordedEvent> {
        let mut events: Vec<_> = events.cloned().collect();
        for event in &mut events {
            match self.fault {
                Fault::IdsMadeWhenReading => event.event_id = Uuid::now_v7(),
                Fault::TimesOfReading => event.recorded_at = self.clock.fetch_add(1, SeqCst),
                _ => {}
            }
        }
        events
    }

    fn limit(&self, limit: usize) -> usize {
        match (self.fault, limit) {
            (Fault::OneMoreThanTheLimit, _) => limit.saturating_add(1),
            (Fault::NoLimitIsNoEnd, 0) => usize::MAX,
            _ => limit,
        }
    }

    /// Whether `event` fits `query`.
    fn fits(&self, query: &Query, event: &RecordedEvent) -> bool {
        let stream = event.stream.as_str();
        let begins = || (0..=stream.len()).any(|end| query.takes_stream(&begin(stream, end)));
        let event_type = query.takes_type(&event.event_type);
        match self.fault {
            Fault::QueriesIgnoreTypes => query.takes_stream(stream),
            Fault::QueriesIgnoreKinds => event_type,
            Fault::KindsAreBeginnings => event_type && begins(),
            Fault::OneConditionIsEnough => event_type || query.takes_stream(stream),
            _ => event_type && query.takes_stream(stream),
        }
    }

    /// Whether `number` is behind `after`.
    fn is_behind(&self, number: u64, after: u64) -> bool {
        match self.fault {
            Fault::ReadsFromAndNotBehind => number >= after,
            Fault::GreatNumbersAreNegative => number.cast_signed() > after.cast_signed(),
            _ => number > after,
        }
    }
}

impl EventStore for Faulty {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<Receipt, AppendError>> {
        Box::pin(self.carry_out(request))
    }

    fn receipt(&self, id: AppendId) -> BoxFuture<'_, Result<Option<Recorded>, ReadError>> {
        Box::pin(async move {
            self.admit().await?;
            let log = self.log();
            let own = match self.fault {
                Fault::CountsOnFromIds => log.counted_on(id),
                Fault::ReceiptsForEverybody => {
                    Some(log.appends.get(&id).cloned().unwrap_or_default())
                }
                _ => log.appends.get(&id).cloned(),
            };
            let Some(mut own) = own else {
                return Ok(None);
            };
            if self.has(Fault::ReceiptsOfTheFirstStream) {
                let first = own.first().map(|nth| log.events[*nth].stream.clone());
                own.retain(|nth| Some(&log.events[*nth].stream) == first.as_ref());
            }
            Ok(Some(Recorded {
                events: self.told(own.iter().map(|nth| &log.events[*nth])),
                reply: match self.fault {
                    Fault::NoReplyIsAnEmptyOne => {
                        Some(log.replies.get(&id).cloned().unwrap_or_default())
                    }
                    _ => log.replies.get(&id).cloned(),
                },
            }))
        })
    }

    fn read_stream(
        &self,
        stream: StreamId,
        after: Option<StreamVersion>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, ReadError>> {
        Box::pin(async move {
            self.admit().await?;
            let stream = self.stream_as_stored(stream);
            let log = self.log();
            let alike = self.has(Fault::NamesThatBeginAlike);
            let mut own: Vec<usize> = log
                .streams
                .iter()
                .filter(|(name, _)| {
                    **name == stream || (alike && name.as_str().starts_with(stream.as_str()))
                })
                .flat_map(|(_, own)| own.iter().copied())
                .collect();
            if own.is_empty() && self.has(Fault::UnknownStreamsAreErrors) {
                return Err(ReadError::Fenced);
            }
            own.sort_unstable();
            let shown = self.shown.load(SeqCst);
            let after = after.map_or(0, StreamVersion::get);
            let events = own
                .iter()
                .filter(|nth| **nth < shown)
                .map(|nth| &log.events[*nth])
                .filter(|event| self.is_behind(event.version.get(), after))
                .take(self.limit(limit));
            let mut events = self.told(events);
            if self.has(Fault::StreamsHaveNoTimes) {
                events.iter_mut().for_each(|event| event.recorded_at = 0);
            }
            Ok(events)
        })
    }

    fn read_all(
        &self,
        after: Option<Position>,
        query: Query,
        limit: usize,
    ) -> BoxFuture<'_, Result<EventPage, ReadError>> {
        Box::pin(async move {
            self.admit().await?;
            let log = self.log();
            let from = after.map_or(0, Position::get);
            let shown = self.shown.load(SeqCst);
            let read = self.read_once.load(SeqCst);
            let mut events: Vec<_> = log
                .events
                .iter()
                .enumerate()
                .filter(|(nth, event)| {
                    *nth < shown && *nth >= read && self.is_behind(event.position.get(), from)
                })
                .map(|(_, event)| event)
                .collect();
            match self.fault {
                Fault::NewestFirst => events.sort_by_key(|event| u64::MAX - event.position.get()),
                Fault::StreamByStream => events.sort_by_key(|event| event.stream.clone()),
                _ => events.sort_by_key(|event| event.position),
            }
            let limit = self.limit(limit);
            let looked_at = if query == Query::all() {
                limit
            } else {
                limit.max(5000)
            };
            events.truncate(if limit == 0 { 0 } else { looked_at });
            let scanned = events.iter().map(|event| event.position).max();
            events.retain(|event| self.fits(&query, event));
            let found_all = events.len() <= limit;
            events.truncate(limit);
            if self.has(Fault::EachEventIsReadOnce) {
                self.read_once.store(read + events.len(), SeqCst);
            }
            let last = events.iter().map(|event| event.position).max();
            let scanned_to = match self.fault {
                Fault::ScansTooFar => last.and_then(|last| Position::new(last.get() + 1)),
                Fault::StandsStillWhereNothingFits => last,
                Fault::PassesOverWhatFits => scanned,
                Fault::FindsTheEndWhereNothingFits if events.is_empty() && limit > 0 => {
                    scanned.max(*self.head.borrow())
                }
                _ if found_all => scanned,
                _ => last,
            };
            Ok(EventPage {
                scanned_to: match self.fault {
                    Fault::ForgetsWhereItWas => scanned_to,
                    Fault::QueriesBeginAgain if query != Query::all() => scanned_to,
                    _ => scanned_to.or(after),
                },
                events: self.told(events.into_iter()),
            })
        })
    }

    fn snapshot(&self, stream: StreamId) -> BoxFuture<'_, Result<Option<Snapshot>, ReadError>> {
        Box::pin(async move {
            if !self.has(Fault::SnapshotsOfTheClosed) {
                self.admit().await?;
            }
            let log = self.log();
            let length = match self.fault {
                Fault::SnapshotsOfTheFuture => u64::MAX,
                _ => log.length(&stream),
            };
            let own = match self.fault {
                Fault::SnapshotsOfNamesThatBeginAlike => {
                    let alike = |name: &&StreamId| stream.as_str().starts_with(name.as_str());
                    let name = log.snapshots.keys().find(alike).unwrap_or(&stream);
                    log.snapshots.get(name)
                }
                _ => log.snapshots.get(&stream),
            };
            let kept = own.and_then(|own| match self.fault {
                // What was found by one reader is not what is found by the next.
                Fault::EarlierSnapshotsComeBack => {
                    own.get(self.clock.fetch_add(1, SeqCst) as usize % own.len())
                }
                _ => own.last(),
            });
            let kept = kept.filter(|kept| kept.version.get() <= length);
            Ok(kept.cloned())
        })
    }

    fn save_snapshot(&self, mut snapshot: Snapshot) {
        let closed = self.closed.load(SeqCst);
        let large = snapshot.body.len() > MAX_EVENT_BYTES && !self.has(Fault::AnySizeOfSnapshots);
        if closed || large {
            return;
        }
        match self.fault {
            Fault::FormsOfThirtyTwoBits => snapshot.fingerprint &= u64::from(u32::MAX),
            Fault::SnapshotsAreOfNow => {
                let length = StreamVersion::new(self.log().length(&snapshot.stream));
                snapshot.version = length.unwrap_or(snapshot.version);
            }
            _ => {}
        }
        let mut log = self.log();
        if self.has(Fault::SnapshotsInPlaceOfEvents) {
            let in_it = snapshot.version.get() as usize;
            if let Some(own) = log.streams.get_mut(&snapshot.stream) {
                own.drain(..in_it.min(own.len()));
            }
        }
        let own = log.snapshots.entry(snapshot.stream.clone()).or_default();
        own.push(snapshot);
    }

    fn head(&self) -> watch::Receiver<Option<Position>> {
        self.head.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if !self.closed.swap(true, SeqCst) && self.has(Fault::LosesTheLastWhenClosing) {
                self.log().lose_the_last();
            }
        })
    }
}

/// The first `end` characters of `name`, as the name of a thing of that kind.
fn begin(name: &str, end: usize) -> String {
    name.chars().take(end).chain(['-']).collect()
}

fn events_of(request: &AppendRequest) -> usize {
    request.writes.iter().map(|write| write.events.len()).sum()
}
