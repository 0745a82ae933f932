//! A division of accounts: several tasks send commands with ids, some of them twice, while read models follow.
//!
//! Lines: `sent {id} {account} {amounts}`, then `done {id} {version} {position} {replayed}`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::harness::{READY, Random, Scenario, Work, Wreck, copy_of, say};
use crate::aggregate::{Cx, EventSet, Rejection};
use crate::api::Command;
use crate::division::Division;
use crate::live::Live;
use crate::paths::Paths;
use crate::projection::{ProjectError, Projection};
use crate::store::{AppendId, Care, Position, Query, RecordedEvent, StoreConfig, StreamId};
use crate::tests::account::{self, Account, AccountEvent, Paid};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "accounts",
    work: |work| Box::pin(self::work(work)),
    check: |wreck| Box::pin(check(wreck)),
};

/// Times that the division is opened and closed, if nobody kills it.
const ROUNDS: u64 = 3;
const TASKS: u64 = 6;
const COMMANDS: u64 = 12;
const ACCOUNTS: u64 = 8;
const FOLLOWED: Duration = Duration::from_secs(30);

/// Pays several amounts in, one event each, into an account that is opened by its first deposit.
#[derive(Debug, Clone, PartialEq)]
struct Deposit {
    id: Uuid,
    account: String,
    amounts: Vec<u32>,
}

impl Deposit {
    fn of(random: &mut Random) -> Self {
        let id = (u128::from(random.next()) << 64) | u128::from(random.next());
        Self {
            id: Uuid::from_u128(id),
            account: format!("a{}", random.below(ACCOUNTS)),
            amounts: (0..=random.below(5))
                .map(|_| random.next() as u32)
                .collect(),
        }
    }

    fn line(&self) -> String {
        let amounts: Vec<_> = self.amounts.iter().map(u32::to_string).collect();
        format!("sent {} {} {}", self.id, self.account, amounts.join(","))
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("sent ")?.split(' ');
        Some(Self {
            id: words.next()?.parse().ok()?,
            account: words.next()?.to_owned(),
            amounts: words
                .next()?
                .split(',')
                .map(|amount| amount.parse().unwrap())
                .collect(),
        })
    }

    fn command(&self) -> Command<Self> {
        Command {
            id: self.id,
            may_repeat: true,
            digest: self.id.as_u128() as u64,
            ..Command::new(self.clone())
        }
    }

    async fn send(&self, division: &Division) -> Acknowledged {
        let done = division
            .dispatch(&self.account, self.command(), deposit)
            .await;
        let done = done.unwrap_or_else(|error| panic!("{self:?} is refused: {error}"));
        Acknowledged {
            id: self.id,
            version: done.version.unwrap().get(),
            position: done.position.unwrap().get(),
            replayed: done.replayed,
        }
    }
}

fn deposit(state: &Account, command: Deposit, cx: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
    let owner = serde_json::from_value(json!({"owner": command.account})).unwrap();
    // The first deposit opens it; later ones find it open.
    let mut events = account::open(state, owner, cx).unwrap_or_default();
    let paid = |amount: &u32| {
        AccountEvent::Paid(Paid {
            amount: (*amount).into(),
        })
    };
    events.extend(command.amounts.iter().map(paid));
    Ok(events)
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Acknowledged {
    id: Uuid,
    version: u64,
    position: u64,
    replayed: bool,
}

impl Acknowledged {
    fn line(self) -> String {
        let Self {
            id,
            version,
            position,
            replayed,
        } = self;
        format!("done {id} {version} {position} {replayed}")
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("done ")?.split(' ');
        Some(Self {
            id: words.next()?.parse().ok()?,
            version: words.next()?.parse().ok()?,
            position: words.next()?.parse().ok()?,
            replayed: words.next()?.parse().ok()?,
        })
    }
}

/// Counts and adds up: an event that is taken in twice is seen.
struct Tally;

impl Projection for Tally {
    fn name(&self) -> &str {
        "tally"
    }

    fn revision(&self) -> u64 {
        1
    }

    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS tally (stream TEXT PRIMARY KEY, events INTEGER, places INTEGER)",
        )
    }

    fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("DROP TABLE tally")
    }

    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        connection.execute(
            "INSERT INTO tally VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE \
             SET events = events + 1, places = places + excluded.places",
            (event.stream.as_str(), event.position.get().cast_signed()),
        )?;
        Ok(())
    }
}

fn projections() -> Vec<Box<dyn Projection>> {
    let mut projections = account::projections();
    projections.push(Box::new(Tally));
    projections
}

async fn open(dir: &Path, epoch: u64) -> Division {
    let config = StoreConfig::new("accounts");
    let division = Division::closed("accounts", config, projections, Live::default());
    let acquired = division.acquire(&Paths::new(dir, dir), epoch).await;
    acquired.unwrap_or_else(|error| panic!("it does not open: {error:?}"));
    division
}

async fn work(mut work: Work) {
    for round in 0..ROUNDS {
        let division = open(&work.dir, work.epoch + round).await;
        say(READY);
        let mut tasks = Vec::new();
        for _ in 0..TASKS {
            let (division, mut random) = (division.clone(), work.random.branch());
            tasks.push(tokio::spawn(async move {
                for _ in 0..COMMANDS {
                    let deposit = Deposit::of(&mut random);
                    say(&deposit.line());
                    if random.below(4) == 0 {
                        // A sender that is not sure sends twice.
                        let (one, other) =
                            tokio::join!(deposit.send(&division), deposit.send(&division));
                        say(&one.line());
                        say(&other.line());
                    } else {
                        say(&deposit.send(&division).await.line());
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        division.release().await;
    }
}

async fn check(wreck: &mut Wreck) {
    let sent: HashMap<Uuid, Deposit> = wreck
        .said
        .iter()
        .filter_map(|line| Deposit::read(line))
        .map(|deposit| (deposit.id, deposit))
        .collect();
    let done: Vec<_> = wreck
        .said
        .iter()
        .filter_map(|line| Acknowledged::read(line))
        .collect();
    let as_left = ReadModel::left_in(&Paths::new(&wreck.dir, &wreck.dir).read_model("accounts"));

    let division = open(&wreck.dir, wreck.epoch).await;
    let events = everything(&division).await;
    let effects = assert_log_is_sound(&events, &sent);
    for acknowledged in &done {
        let own = effects.get(&acknowledged.id);
        let own = own.unwrap_or_else(|| panic!("{acknowledged:?} is lost"));
        assert_answer_is_right(acknowledged, own);
    }
    for (id, own) in &effects {
        let receipt = division.store().receipt(AppendId(*id)).await.unwrap();
        let receipt = receipt.unwrap_or_else(|| panic!("{id} has no receipt"));
        assert!(
            receipt.events.iter().eq(own.iter().copied()),
            "the receipt of {id}"
        );
    }
    if let Some(as_left) = as_left {
        as_left.assert_is_replay_of(&events);
    }

    // Whoever was not answered sends again, and so does somebody who was.
    let answered: HashSet<_> = done.iter().map(|done| done.id).collect();
    let again = sent.values().filter(|deposit| {
        !answered.contains(&deposit.id) || deposit.id.as_u128().is_multiple_of(5)
    });
    for deposit in again {
        let one = deposit.send(&division).await;
        assert_eq!(one.replayed, effects.contains_key(&deposit.id), "{one:?}");
        let other = deposit.send(&division).await;
        assert!(other.replayed);
        assert_eq!((one.version, one.position), (other.version, other.position));
        wreck.said.push(one.line());
    }
    let events = everything(&division).await;
    let effects = assert_log_is_sound(&events, &sent);
    assert_eq!(
        effects.len(),
        sent.len(),
        "not every command has its effect"
    );
    if let Some(last) = events.last() {
        assert!(division.caught_up(last.position, FOLLOWED).await);
    }
    let verified = division.store().get().unwrap().care(Care::Verify).await;
    assert_eq!(verified.unwrap()["sound"], true);
    division.release().await;
    let model = ReadModel::left_in(&Paths::new(&wreck.dir, &wreck.dir).read_model("accounts"));
    let model = model.expect("a read model");
    let end = events.last().map(|event| event.position.get());
    assert!(model.checkpoints.values().all(|at| *at == end.unwrap_or(0)));
    model.assert_is_replay_of(&events);
}

async fn everything(division: &Division) -> Vec<RecordedEvent> {
    let (mut events, mut after) = (Vec::new(), None::<Position>);
    loop {
        let page = division
            .store()
            .read_all(after, Query::all(), 1000)
            .await
            .unwrap();
        if page.events.is_empty() {
            return events;
        }
        after = page.scanned_to;
        events.extend(page.events);
    }
}

/// Order, density, and that every event is of a command that was sent, with all that belongs to it.
fn assert_log_is_sound<'e>(
    events: &'e [RecordedEvent],
    sent: &HashMap<Uuid, Deposit>,
) -> HashMap<Uuid, Vec<&'e RecordedEvent>> {
    assert!(events.is_sorted_by(|one, next| one.position < next.position));
    let mut versions: HashMap<&StreamId, u64> = HashMap::new();
    let mut ids = HashSet::new();
    let mut effects: HashMap<Uuid, Vec<&RecordedEvent>> = HashMap::new();
    for event in events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(
            event.version.get(),
            *version,
            "a hole in `{}`",
            event.stream
        );
        assert!(ids.insert(event.event_id), "{} comes twice", event.event_id);
        let command = event.metadata.causation_id.expect("an event of a command");
        effects.entry(command).or_default().push(event);
    }
    for (id, own) in &effects {
        let deposit = sent
            .get(id)
            .unwrap_or_else(|| panic!("{id} was never sent"));
        let stream = StreamId::of("account", &deposit.account);
        assert!(
            own.iter().all(|event| event.stream == stream),
            "{deposit:?}"
        );
        let follow = |one: &&RecordedEvent, next: &&RecordedEvent| {
            one.version.get() + 1 == next.version.get()
        };
        assert!(own.is_sorted_by(follow), "{deposit:?} in pieces");
        let opened = own[0].version.get() == 1;
        let amounts =
            own.iter().skip(usize::from(opened)).map(|event| {
                match AccountEvent::decode(&event.event_type, event.revision, &event.data) {
                    Ok(AccountEvent::Paid(paid)) => paid.amount,
                    other => panic!("{other:?} of {deposit:?}"),
                }
            });
        let wanted = deposit.amounts.iter().map(|amount| Decimal::from(*amount));
        assert!(wanted.eq(amounts), "{deposit:?} is {own:?}");
    }
    effects
}

fn assert_answer_is_right(acknowledged: &Acknowledged, own: &[&RecordedEvent]) {
    let last = own.last().unwrap();
    let (version, position) = (last.version.get(), last.position.get());
    assert_eq!(
        (acknowledged.version, acknowledged.position),
        (version, position)
    );
}

/// The tables of the read model, and up to which position each of them has taken everything in.
struct ReadModel {
    checkpoints: BTreeMap<String, u64>,
    rows: BTreeMap<String, Vec<Vec<Value>>>,
}

impl ReadModel {
    /// What lies there; nothing if nobody came so far as to write it.
    fn left_in(path: &Path) -> Option<Self> {
        let (_files, copy) = copy_of(path)?;
        let connection = Connection::open(copy).unwrap();
        let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'projection'";
        connection
            .query_row(sql, (), |_| Ok(()))
            .optional()
            .unwrap()?;
        let mut statement = connection
            .prepare("SELECT name, position FROM projection")
            .unwrap();
        let checkpoints: BTreeMap<String, u64> = statement
            .query_map((), |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
            })
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let rows = checkpoints
            .keys()
            .map(|name| (name.clone(), rows(&connection, name)));
        Some(Self {
            rows: rows.collect(),
            checkpoints,
        })
    }

    /// Each table is what a projection from the first event to its checkpoint makes.
    fn assert_is_replay_of(&self, events: &[RecordedEvent]) {
        for mut projection in projections() {
            let name = projection.name().to_owned();
            let Some(checkpoint) = self.checkpoints.get(&name) else {
                continue;
            };
            let fresh = Connection::open_in_memory().unwrap();
            projection.ensure(&fresh).unwrap();
            let taken = events
                .iter()
                .take_while(|event| event.position.get() <= *checkpoint);
            for event in taken {
                projection.project(&fresh, event).unwrap();
            }
            let replayed = rows(&fresh, &name);
            assert_eq!(self.rows[&name], replayed, "`{name}` at {checkpoint}");
        }
    }
}

fn rows(connection: &Connection, table: &str) -> Vec<Vec<Value>> {
    let sql = format!("SELECT * FROM {table} ORDER BY 1");
    let mut statement = connection.prepare(&sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    statement
        .query_map((), row)
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}
