//! Logs: whatever goes through `tracing` becomes one JSON line for the host.
//!
//! `{"ts":…,"level":…,"plugin":…,"target":…,"msg":…, fields…}`. Texts longer than 8 KiB are cut between characters.
//!
//! Spans are not logged. As long as nobody else wants them (a collector, with the feature `opentelemetry`) none is made.

use std::fmt::{self, Write};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Texts in a log line are cut here, in bytes.
const MAX_TEXT_BYTES: usize = 8 * 1024;

/// Takes finished lines.
pub(crate) trait LogSink: Send + Sync + 'static {
    fn log(&self, level: Level, line: &str);
    fn max_level(&self) -> Level;
}

/// Where lines go now, and for which plugin. One for the library: a reloaded plugin takes it over.
static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Who takes the lines, and the plugin that they are of.
type Sink = (Arc<dyn LogSink>, Arc<str>);

/// Sends the lines of this library to `sink` from now on, as those of `plugin`.
pub(crate) fn install(sink: Arc<dyn LogSink>, plugin: &str) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some((sink, plugin.into()));
    subscribe();
    // Which places log was decided by the level of the host before.
    tracing::callsite::rebuild_interest_cache();
}

/// Lets whatever goes through `tracing` come here. Says whether it does: a test may look at it itself.
pub(crate) fn subscribe() -> bool {
    static DONE: OnceLock<bool> = OnceLock::new();
    *DONE.get_or_init(|| {
        let subscriber = tracing_subscriber::registry().with(ToHost.with_filter(Wanted));
        #[cfg(feature = "opentelemetry")]
        let subscriber = subscriber.with(crate::telemetry::opentelemetry::layer());
        if tracing::subscriber::set_global_default(subscriber).is_err() {
            return false;
        }
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let message = panic
                .payload_as_str()
                .unwrap_or("a panic without a message");
            tracing::error!(place, "panicked: {message}");
        }));
        true
    })
}

/// What the host wants to read. A filter of this layer alone: what the host does not want, a collector may.
struct Wanted;

impl Wanted {
    fn is_wanted(metadata: &Metadata<'_>) -> bool {
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        metadata.is_event()
            && sink
                .as_ref()
                .is_some_and(|(sink, _)| *metadata.level() <= sink.max_level())
            && !is_indiscreet(metadata.target())
    }
}

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::is_wanted(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The same until `install` says otherwise, and that asks anew.
        if Self::is_wanted(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

struct ToHost;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ToHost {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((sink, plugin)) = sink else { return };
        let level = *event.metadata().level();
        sink.log(level, &line(event, &plugin));
    }
}

/// Whether what logs under this target repeats the answers of others, with keys and private questions in them. What
/// matters of it comes back as an error, which does not.
pub(crate) fn is_indiscreet(target: &str) -> bool {
    cfg!(feature = "llm") && target.starts_with("genai::")
}

fn line(event: &Event<'_>, plugin: &str) -> String {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let mut object = Map::new();
    object.insert("ts".to_owned(), format!("{:.6}", Timestamp::now()).into());
    object.insert(
        "level".to_owned(),
        event
            .metadata()
            .level()
            .as_str()
            .to_ascii_lowercase()
            .into(),
    );
    object.insert("plugin".to_owned(), plugin.into());
    object.insert("target".to_owned(), event.metadata().target().into());
    object.insert("msg".to_owned(), cut(fields.message).into());
    for (name, value) in fields.others {
        object.entry(name).or_insert(value);
    }
    Value::Object(object).to_string()
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            _ = write!(self.message, "{value:?}");
        } else {
            self.put(field, cut(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.put(field, cut(value.to_owned()));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

/// Cuts between characters, and says so.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Level;

    use super::{LogSink, MAX_TEXT_BYTES, cut, install};

    struct Lines(Mutex<Vec<String>>, Level);

    impl Lines {
        fn up_to(level: Level) -> Arc<Self> {
            Arc::new(Self(Mutex::default(), level))
        }

        /// What this module has logged.
        fn mine(&self) -> Vec<serde_json::Value> {
            let lines = self.0.lock().unwrap();
            let read = lines.iter().map(|line| serde_json::from_str(line).unwrap());
            read.filter(|line: &serde_json::Value| line["target"] == module_path!())
                .collect()
        }
    }

    impl LogSink for Lines {
        fn log(&self, _: Level, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }

        fn max_level(&self) -> Level {
            self.1
        }
    }

    #[test]
    fn one_json_line_for_each_event() {
        let lines = Lines::up_to(Level::INFO);
        install(lines.clone(), "my-plugin");
        let detail = || tracing::debug!("a detail");
        tracing::info!(order = "a1", total = 3, "it's \"confirmed\"\nnow");
        detail();
        let mine = lines.mine();
        assert_eq!(mine.len(), 1);
        assert_eq!(mine[0]["msg"], "it's \"confirmed\"\nnow");
        assert_eq!(
            (&mine[0]["order"], &mine[0]["total"]),
            (&"a1".into(), &3.into())
        );
        assert_eq!(
            (&mine[0]["plugin"], &mine[0]["level"]),
            (&"my-plugin".into(), &"info".into())
        );
        // Another host, which wants more from the same places.
        let more = Lines::up_to(Level::DEBUG);
        install(more.clone(), "my-plugin");
        detail();
        assert_eq!(more.mine()[0]["msg"], "a detail");
        assert_eq!(lines.mine().len(), 1);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = cut("é".repeat(MAX_TEXT_BYTES));
        assert!(long.len() <= MAX_TEXT_BYTES + 3 && long.ends_with("é…"));
    }
}
