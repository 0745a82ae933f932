//! What a plugin logs, as its host gets it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing::Level;

use crate::logger::{self, LogSink};

/// Lines that are logged from now on, up to `level`, as those of `plugin`. One for the whole process: the one that was
/// made last gets them, of other tests too.
///
/// ```
/// use hecate_sdk::testing::logs;
/// use hecate_sdk::tracing::{self, Level};
///
/// let logs = logs("my-plugin", Level::INFO);
/// tracing::info!(parcel = "p1", grams = 1250, "a parcel was sent");
/// tracing::debug!("not wanted");
/// let lines = logs.lines();
/// let line = lines.iter().find(|line| line["msg"] == "a parcel was sent").unwrap();
/// assert_eq!(line["level"], "info");
/// assert_eq!(line["plugin"], "my-plugin");
/// assert_eq!(line["grams"], 1250);
/// assert!(lines.iter().all(|line| line["msg"] != "not wanted"));
/// ```
pub fn logs(plugin: &str, level: Level) -> Logs {
    let lines = Arc::new(Lines {
        lines: Mutex::default(),
        level,
    });
    logger::install(lines.clone(), plugin);
    Logs(lines)
}

/// Lines that were logged.
pub struct Logs(Arc<Lines>);

impl Logs {
    /// Those so far.
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

struct Lines {
    lines: Mutex<Vec<Value>>,
    level: Level,
}

impl LogSink for Lines {
    fn log(&self, _: Level, line: &str) {
        let line = serde_json::from_str(line).unwrap_or_else(|_| line.into());
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    fn max_level(&self) -> Level {
        self.level
    }
}
