//! Logs: one file for each plugin, and what the daemon says of itself, as JSON lines.
//!
//! Lines are written by one thread. A plugin that logs faster than the disk takes it loses lines, and a line says how
//! many: logging never slows a plugin down, nor any other.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hecate_runtime::{HostSink, Level};
use jiff::Timestamp;
use serde_json::json;

/// Lines that may wait for the disk.
const WAITING: usize = 8192;
/// A log file is put aside at this size; one older file is kept.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Where log lines go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logs {
    lines: SyncSender<Line>,
}

struct Line {
    file: Arc<Path>,
    text: String,
}

impl Logs {
    /// Starts the writing thread.
    ///
    /// # Errors
    ///
    /// If no thread can be made.
    pub(crate) fn start() -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || write_all(&waiting))?;
        Ok(Self { lines })
    }

    /// A sink for the plugin whose log is `file`.
    pub(crate) fn sink(
        &self,
        file: PathBuf,
        metrics: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> PluginSink {
        PluginSink {
            logs: self.clone(),
            file: file.into(),
            dropped: AtomicU64::new(0),
            metrics,
        }
    }

    /// Adds one line to `file`; `false` if too many wait.
    fn add(&self, file: &Arc<Path>, text: String) -> bool {
        self.lines
            .try_send(Line {
                file: file.clone(),
                text,
            })
            .is_ok()
    }
}

/// Where one plugin's logs and metrics go.
pub(crate) struct PluginSink {
    logs: Logs,
    file: Arc<Path>,
    dropped: AtomicU64,
    metrics: Arc<dyn Fn(&str) + Send + Sync>,
}

impl HostSink for PluginSink {
    fn log(&self, _: Level, line: &str) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            let said = json!({"ts": Timestamp::now(), "level": "warn", "msg": "log lines were dropped", "dropped": dropped});
            if self.logs.add(&self.file, said.to_string()) {
                self.dropped.fetch_sub(dropped, Ordering::Relaxed);
            }
        }
        // One event is one line, whatever a plugin puts into it.
        if !self.logs.add(&self.file, line.replace('\n', " ")) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn metrics(&self, snapshot: &str) {
        (self.metrics)(snapshot);
    }
}

fn write_all(waiting: &Receiver<Line>) {
    let mut files: HashMap<Arc<Path>, File> = HashMap::new();
    while let Ok(line) = waiting.recv() {
        if let Err(error) = write(&mut files, &line) {
            // A full disk takes logs last; the next line tries anew.
            files.remove(&line.file);
            daemon(
                "warn",
                "a log line could not be written",
                &json!({"file": line.file.as_ref(), "error": error.to_string()}),
            );
        }
    }
}

fn write(files: &mut HashMap<Arc<Path>, File>, line: &Line) -> io::Result<()> {
    let full = files
        .get(&line.file)
        .map(File::metadata)
        .transpose()?
        .is_some_and(|data| data.len() > MAX_FILE_BYTES);
    if full {
        files.remove(&line.file);
        fs::rename(&line.file, older(&line.file))?;
    }
    if !files.contains_key(&line.file) {
        if let Some(dir) = line.file.parent() {
            fs::create_dir_all(dir)?;
        }
        let file = File::options().create(true).append(true).open(&line.file)?;
        files.insert(line.file.clone(), file);
    }
    let Some(file) = files.get_mut(&line.file) else {
        return Ok(());
    };
    file.write_all(format!("{}\n", line.text).as_bytes())
}

fn older(file: &Path) -> PathBuf {
    file.with_extension("log.1")
}

/// The end of a log: text from `after` on, or the last `lines`; and where to read on.
///
/// # Errors
///
/// The system's. A log that is not there is empty.
pub(crate) fn tail(file: &Path, lines: usize, after: Option<u64>) -> io::Result<(String, u64)> {
    let mut log = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((String::new(), 0)),
        other => other?,
    };
    let len = log.metadata()?.len();
    // A position behind the end: the log has been put aside since.
    let from = match after {
        Some(after) if after <= len => after,
        Some(_) => 0,
        None => len.saturating_sub(MAX_FILE_BYTES.min(lines as u64 * 4096)),
    };
    log.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    log.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    // Only whole lines: the rest comes with the next call.
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    bytes.truncate(whole);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let next = from + whole as u64;
    if after.is_some() {
        return Ok((text, next));
    }
    let start = text.lines().count().saturating_sub(lines);
    let last: String = text
        .lines()
        .skip(start)
        .map(|line| format!("{line}\n"))
        .collect();
    Ok((last, next))
}

/// Where the daemon's own lines go instead of stderr.
static OWN_LOG: OnceLock<Mutex<File>> = OnceLock::new();

/// Sends the daemon's own log lines to the end of `file` from now on, for a program that speaks to somebody on stderr.
///
/// # Errors
///
/// If the file cannot be opened.
pub fn log_to(file: &Path) -> io::Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    let log = File::options().create(true).append(true).open(file)?;
    // Set already: the first file stays.
    _ = OWN_LOG.set(Mutex::new(log));
    Ok(())
}

/// Says something of the daemon itself: one JSON line.
pub(crate) fn daemon(level: &str, message: &str, fields: &serde_json::Value) {
    let mut line = json!({"ts": Timestamp::now(), "level": level, "msg": message});
    if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
        for (name, value) in fields {
            line.entry(name).or_insert_with(|| value.clone());
        }
    }
    // A full disk or a closed stderr is no reason to stop.
    _ = match OWN_LOG.get() {
        Some(log) => writeln!(log.lock().unwrap_or_else(PoisonError::into_inner), "{line}"),
        None => writeln!(io::stderr().lock(), "{line}"),
    };
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::tail;

    #[test]
    fn tails_give_whole_lines_and_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plugin.log");
        assert_eq!(tail(&file, 10, None).unwrap(), (String::new(), 0));
        fs::write(&file, "one\ntwo\nthree\nfo").unwrap();
        let (text, next) = tail(&file, 2, None).unwrap();
        assert_eq!(text, "two\nthree\n");
        fs::write(&file, "one\ntwo\nthree\nfour\n").unwrap();
        assert_eq!(
            tail(&file, 2, Some(next)).unwrap(),
            ("four\n".to_owned(), 19)
        );
        fs::write(&file, "new\n").unwrap();
        assert_eq!(
            tail(&file, 2, Some(19)).unwrap(),
            ("new\n".to_owned(), 4),
            "a log that was put aside"
        );
    }
}
