//! What host and plugin tell each other beside requests: the JSON payloads of the ABI's control operations and
//! of its metrics push. Defined once, here, because both sides read them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::exchange::Exchange;

/// What the host tells a plugin when it starts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartConfig {
    /// Where the plugin keeps its data: `events/`, `sqlite/`, `files/` below it. Created by the plugin as needed.
    pub data_dir: PathBuf,
    /// Where its bundle lies, read-only.
    pub bundle_dir: PathBuf,
}

/// What a plugin tells the host once it has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Name in its manifest.
    pub name: String,
    /// Version in its manifest.
    pub version: String,
    /// Static files, relative to the bundle, if it has any.
    pub static_dir: Option<String>,
    /// Whether it keeps a store or has jobs, so that it needs `acquire_store` before it can serve.
    pub has_store: bool,
    /// What it has to do with other plugins.
    #[serde(default, skip_serializing_if = "Exchange::is_empty")]
    pub exchange: Exchange,
}

/// Which epoch the plugin writes in: the payload of `acquire_store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquire {
    /// Rises with each change of writer; a store refuses writes of an older one.
    pub epoch: u64,
}

/// How a plugin says no to a control operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason, with its causes.
    pub error: String,
}

/// A plugin's own health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether all is well.
    pub status: HealthStatus,
    /// Why not, or what an operator may want to know; one entry for each thing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// The word for a plugin's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All is well.
    Ok,
    /// It serves, but not all of it works.
    Degraded,
}

/// What an operator asks of a plugin's stores. They are the plugin's to open, so it is the plugin that looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAsk {
    /// Which store: the name of its file. Without it: all of them, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub task: StoreTask,
}

/// What can be done with a store while it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum StoreTask {
    /// Count what is in it.
    Stats,
    /// Read all of it and look for damage.
    Verify,
    /// Write a copy that can be opened as it is, below `backups/` of the plugin's data.
    Backup,
    /// Write every event as a line of JSON, below `exports/` of the plugin's data.
    Export,
    /// Take the events of a file below `imports/` of the plugin's data into a store that is empty.
    Import {
        /// Name of the file.
        file: String,
    },
    /// Build rows anew from the first event on, beside those that serve meanwhile. The answer comes when it has begun;
    /// `Stats` say how far it is.
    Replay {
        /// Which projection. Without it: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        projection: Option<String>,
    },
    /// List the events that projections could not take in.
    DeadLetters,
    /// Try those events again, in order.
    Retry {
        /// Which projection. Without it: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        projection: Option<String>,
    },
    /// Give one of those events up, so that what is held behind it goes on.
    Discard {
        /// Which projection.
        projection: String,
        /// Which event: the first of its key that could not be taken in.
        position: u64,
    },
}

/// One metric at one moment; a push is a JSON array of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Name without prefix, in Prometheus' alphabet.
    pub name: String,
    /// Label names and values, without the plugin's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The reading.
    pub value: Reading,
}

/// The reading of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A count that only rises.
    Counter(u64),
    /// A value that rises and falls.
    Gauge(f64),
    /// A distribution: how many values were at most each bound, their sum and their count.
    Histogram {
        /// Upper bound and how many values were at most that.
        buckets: Vec<(f64, u64)>,
        /// Sum of all values.
        sum: f64,
        /// Number of all values.
        count: u64,
    },
}
