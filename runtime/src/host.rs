//! The host's function table: where a plugin's logs and metrics arrive.
#![expect(unsafe_code, reason = "functions that the plugin calls")]

use std::ffi::c_void;
use std::time::{SystemTime, UNIX_EPOCH};

use hecate_abi::{Host, Slice, level, version};

/// Level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Where a plugin's logs and metrics go. Called on the plugin's threads; must not block.
pub trait HostSink: Send + Sync + 'static {
    /// Takes one JSON object of a log event.
    fn log(&self, level: Level, line: &str);
    /// Takes a JSON array of [`hecate_manifest::control::Sample`]: all metrics of the plugin.
    fn metrics(&self, snapshot: &str);
    /// The least important level that [`HostSink::log`] wants.
    fn max_level(&self) -> Level {
        Level::Info
    }
}

/// Makes the table for one plugin instance. It is never freed: a thread that a plugin left behind may still log,
/// and a table is some hundred bytes for each start.
pub(crate) fn table(sink: Box<dyn HostSink>) -> &'static Host {
    let max_level = match sink.max_level() {
        Level::Error => level::ERROR,
        Level::Warn => level::WARN,
        Level::Info => level::INFO,
        Level::Debug => level::DEBUG,
        Level::Trace => level::TRACE,
    };
    Box::leak(Box::new(Host {
        abi: version::CURRENT,
        size: size_of::<Host>() as u32,
        data: Box::into_raw(Box::new(sink)).cast(),
        max_level,
        log,
        metrics,
        now,
    }))
}

unsafe extern "C" fn log(data: *mut c_void, level: u32, line: Slice) {
    // SAFETY: `data` is the leaked sink; the line is borrowed for this call.
    let (sink, line) = unsafe { (&*data.cast::<Box<dyn HostSink>>(), line.bytes()) };
    let level = match level {
        level::ERROR => Level::Error,
        level::WARN => Level::Warn,
        level::INFO => Level::Info,
        level::DEBUG => Level::Debug,
        _ => Level::Trace,
    };
    sink.log(level, &String::from_utf8_lossy(line));
}

unsafe extern "C" fn metrics(data: *mut c_void, snapshot: Slice) {
    // SAFETY: `data` is the leaked sink; the snapshot is borrowed for this call.
    let (sink, snapshot) = unsafe { (&*data.cast::<Box<dyn HostSink>>(), snapshot.bytes()) };
    sink.metrics(&String::from_utf8_lossy(snapshot));
}

unsafe extern "C" fn now(_: *mut c_void) -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as i64)
}
