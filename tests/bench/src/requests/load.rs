//! The load generator: one thread, keep-alive connections, and on each the next request when the last is answered.

use std::net::Ipv4Addr;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::stats::percentile;

/// How long it asks before it is counted, and how long it is counted.
const WARM_UP: Duration = Duration::from_millis(300);
pub(super) const MEASURED: Duration = Duration::from_millis(2000);
/// Units in which the kernel tells times of processes: a hundredth of a second, on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What is to be asked, and of whom.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Process of the server.
    pub(super) server: u32,
    pub(super) port: u16,
    /// The whole request.
    pub(super) request: String,
    pub(super) then: Option<Then>,
    pub(super) answers: Answers,
    pub(super) connections: usize,
}

/// What is asked behind each answer to the first request, before that is asked again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Then {
    /// The whole request, with `{id}` for the id of what the first one brought into being.
    pub(super) request: String,
    pub(super) times: usize,
}

/// What is asked for, and how its answers are told to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answers {
    /// 200; every answer is as long as the first, and is only read through there.
    Same,
    /// 201, each of its own length.
    Created,
    /// The same, and the read models have followed.
    Visible,
}

/// What was answered while it was counted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    requests: usize,
    /// User and system time of the server.
    cpu: Duration,
    /// Half of the answers took no longer.
    pub(super) p50: Duration,
    /// One in a hundred took longer.
    pub(super) p99: Duration,
}

impl Order {
    /// Starts the process that carries this order out, and waits for it.
    pub(super) fn carry_out(&self) -> Result<Answered> {
        let order = serde_json::to_string(self)?;
        let said = Command::new(std::env::current_exe()?)
            .args(["load", &order])
            .output()?;
        ensure!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        Ok(serde_json::from_slice(&said.stdout)?)
    }
}

impl Answers {
    fn are_like(self, answer: &[u8]) -> bool {
        match self {
            Self::Same => answer.starts_with(b"HTTP/1.1 200 "),
            Self::Created => answer.starts_with(b"HTTP/1.1 201 "),
            // A command whose rows are not there yet says so at the end.
            Self::Visible => {
                Self::Created.are_like(answer) && !answer.ends_with(b"\"visible\":false}")
            }
        }
    }
}

impl Answered {
    pub(super) fn per_second(&self) -> f64 {
        self.requests as f64 / MEASURED.as_secs_f64()
    }

    /// Microseconds of the server's CPU for each request.
    pub(super) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests as f64
    }
}

/// Carries out an order; gives what was answered, as JSON. This is what the process does.
pub(crate) fn generate(order: &str) -> Result<String> {
    let order: Order = serde_json::from_str(order)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let answered = LocalSet::new().block_on(&runtime, ask(order))?;
    Ok(serde_json::to_string(&answered)?)
}

async fn ask(order: Order) -> Result<Answered> {
    let (server, connections) = (order.server, order.connections);
    let order = Rc::new(order);
    let begin = Instant::now() + WARM_UP;
    let end = begin + MEASURED;
    let asking: Vec<_> = (0..connections)
        .map(|_| tokio::task::spawn_local(connection(order.clone(), begin, end)))
        .collect();
    tokio::time::sleep_until(begin.into()).await;
    let cpu_before = cpu_time(server)?;
    tokio::time::sleep_until(end.into()).await;
    let cpu = cpu_time(server)?.saturating_sub(cpu_before);
    let mut taken = Vec::new();
    for asked in asking {
        taken.extend(asked.await??);
    }
    taken.sort();
    Ok(Answered {
        requests: taken.len(),
        cpu,
        p50: percentile(&taken, 0.5),
        p99: percentile(&taken, 0.99),
    })
}

/// Asks on one connection until the time is over; gives what each answer took that came in the time that counts.
async fn connection(order: Rc<Order>, begin: Instant, end: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, order.port)).await?;
    stream.set_nodelay(true)?;
    let (mut buffer, mut known, mut taken) = ([0; 4096], None, Vec::new());
    // What is asked next instead of the first request, and how often.
    let mut next = (String::new(), 0);
    loop {
        let request = if next.1 > 0 { &next.0 } else { &order.request };
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let (mut len, mut expected) = (0, known);
        while expected.is_none_or(|expected| len < expected) {
            let read = stream.read(&mut buffer[len..]).await?;
            ensure!(read > 0, "the server ended the connection");
            len += read;
            if expected.is_none() {
                expected = whole_len(&buffer[..len])?;
            }
        }
        ensure!(
            Some(len) == expected && order.answers.are_like(&buffer[..len]),
            "an answer that is not as it should be: {}",
            String::from_utf8_lossy(&buffer[..len])
        );
        if order.answers == Answers::Same {
            known = expected;
        }
        let ended = Instant::now();
        if ended > end {
            return Ok(taken);
        }
        if ended > begin {
            taken.push(ended - begun);
        }
        next.1 = match &order.then {
            Some(then) if next.1 == 0 => {
                let id = id(&buffer[..len]).context("an answer without an id")?;
                next.0 = then.request.replace("{id}", &id);
                then.times
            }
            _ => next.1.saturating_sub(1),
        };
    }
}

/// The id in the answer to a birth: the first text of a field that is named after it.
fn id(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let (_, value) = text.split_once("_id\":\"")?;
    Some(value.split_once('"')?.0.to_owned())
}

/// Length of an answer with its body, once its head is there.
fn whole_len(answer: &[u8]) -> Result<Option<usize>> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return Ok(None);
    };
    for line in head.lines() {
        if let Some(len) = line.strip_prefix("content-length: ") {
            return Ok(Some(head.len() + 4 + len.parse::<usize>()?));
        }
    }
    bail!("an answer without a length: {head}")
}

/// User and system time that the process has taken since its start.
fn cpu_time(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = ticks(&stat).context("`/proc/PID/stat` is of another form")?;
    Ok(TICK * ticks)
}

/// Fields 14 and 15. The second may hold anything, blanks too, and ends at the last parenthesis.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::{Answers, id, ticks, whole_len};

    #[test]
    fn a_command_counts_when_its_rows_are_there() {
        let answer = |status: &str, body: &str| {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 9\r\n\r\n{body}");
            Answers::Visible.are_like(answer.as_bytes())
        };
        assert!(answer("201 Created", r#"{"ok":true,"position":7}"#));
        assert!(!answer(
            "201 Created",
            r#"{"ok":true,"position":7,"visible":false}"#
        ));
        assert!(!answer("503 Service Unavailable", r#"{"ok":false}"#));
    }

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(whole_len(answer).unwrap(), Some(answer.len()));
        assert_eq!(whole_len(&answer[..30]).unwrap(), None);
        assert!(whole_len(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn what_was_born_is_named_in_the_answer() {
        let answer =
            b"HTTP/1.1 201 Created\r\n\r\n{\"ok\":true,\"order_id\":\"0193-2\",\"version\":1}";
        assert_eq!(id(answer).as_deref(), Some("0193-2"));
        assert_eq!(id(b"{\"ok\":true}"), None);
    }

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4 9 0 0 0 120 30 5 6 20 0";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("7 (a"), None);
    }
}
