//! Counters, gauges and histograms. Held handles are lock-free; the host gets a snapshot of all every second.
//!
//! ```
//! let orders = hecate_sdk::metrics::counter("orders_total");
//! orders.increment(1);
//! ```
//!
//! Names are of Prometheus' alphabet; the host shows them as `hecate_plugin_{name}{plugin="…"}`. The macros of the
//! `metrics` crate, re-exported as [`crate::metrics_crate`], end up in the same place.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use hecate_manifest::control::{Reading, Sample};
pub use metrics::{Counter, Gauge, Histogram};
use metrics::{Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry};

/// Upper bounds of every histogram, in seconds: half a millisecond to ten seconds.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

const METADATA: Metadata<'static> = Metadata::new("hecate", metrics::Level::INFO, None);

/// A count that only rises. Keep the handle: finding it again by name costs more than counting.
pub fn counter(name: &'static str) -> Counter {
    store().register_counter(&Key::from_static_name(name), &METADATA)
}

/// A value that rises and falls.
pub fn gauge(name: &'static str) -> Gauge {
    store().register_gauge(&Key::from_static_name(name), &METADATA)
}

/// A distribution of durations in seconds.
pub fn histogram(name: &'static str) -> Histogram {
    store().register_histogram(&Key::from_static_name(name), &METADATA)
}

/// A counter for each value of a label: `labelled("commands_total", "outcome", "rejected")`.
pub fn labelled_counter(name: &'static str, label: &'static str, value: &str) -> Counter {
    counter_with(name, &[(label, value)])
}

/// A counter for each combination of label values. Each is kept for as long as the plugin runs, so ids are no values.
pub fn counter_with(name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
    store().register_counter(&key(name, labels), &METADATA)
}

/// A gauge for each combination of label values.
pub fn gauge_with(name: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
    store().register_gauge(&key(name, labels), &METADATA)
}

/// A histogram of durations in seconds for each combination of label values.
pub fn histogram_with(name: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
    store().register_histogram(&key(name, labels), &METADATA)
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels
        .iter()
        .map(|(label, value)| Label::new(*label, (*value).to_owned()));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}

/// All metrics of this library. One for the whole library: two instances of one plugin are one plugin.
pub(crate) fn store() -> &'static Metrics {
    static STORE: OnceLock<Metrics> = OnceLock::new();
    STORE.get_or_init(|| Metrics {
        registry: Registry::atomic(),
        seen: Mutex::default(),
    })
}

/// Makes the macros of the `metrics` crate end up here. A recorder that a test installed first stays.
pub(crate) fn install() {
    _ = metrics::set_global_recorder(store());
}

pub(crate) struct Metrics {
    registry: Registry<Key, AtomicStorage>,
    /// What the histograms had when they were last emptied.
    seen: Mutex<HashMap<Key, Distribution>>,
}

#[derive(Debug, Clone, Default)]
struct Distribution {
    buckets: [u64; BOUNDS.len()],
    sum: f64,
    count: u64,
}

impl Metrics {
    /// Every metric as it is now.
    pub(crate) fn snapshot(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        self.registry.visit_counters(|key, counter| {
            let value = Reading::Counter(counter.load(std::sync::atomic::Ordering::Relaxed));
            samples.push(sample(key, value));
        });
        self.registry.visit_gauges(|key, gauge| {
            let value = f64::from_bits(gauge.load(std::sync::atomic::Ordering::Relaxed));
            samples.push(sample(key, Reading::Gauge(value)));
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.registry.visit_histograms(|key, histogram| {
            let known = seen.entry(key.clone()).or_default();
            histogram.clear_with(|values| {
                for value in values {
                    known.take(*value);
                }
            });
            let buckets = BOUNDS.iter().copied().zip(known.buckets).collect();
            samples.push(sample(
                key,
                Reading::Histogram {
                    buckets,
                    sum: known.sum,
                    count: known.count,
                },
            ));
        });
        samples.sort_by(|one, other| (&one.name, &one.labels).cmp(&(&other.name, &other.labels)));
        samples
    }
}

impl Distribution {
    fn take(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
        for (bucket, bound) in self.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(value <= bound);
        }
    }
}

fn sample(key: &Key, value: Reading) -> Sample {
    let labels = key
        .labels()
        .map(|label| (label.key().to_owned(), label.value().to_owned()));
    Sample {
        name: key.name().to_owned(),
        labels: labels.collect::<BTreeMap<_, _>>(),
        value,
    }
}

impl Recorder for &'static Metrics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry
            .get_or_create_counter(key, |counter| Counter::from_arc(counter.clone()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry
            .get_or_create_gauge(key, |gauge| Gauge::from_arc(gauge.clone()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry
            .get_or_create_histogram(key, |histogram| Histogram::from_arc(histogram.clone()))
    }
}

#[cfg(test)]
mod tests {
    use hecate_manifest::control::Reading;

    use super::{counter, histogram, labelled_counter, store};

    #[test]
    fn a_snapshot_has_every_metric_and_keeps_what_histograms_had() {
        counter("test_things_total").increment(2);
        labelled_counter("test_commands_total", "outcome", "rejected").increment(1);
        let seconds = histogram("test_seconds");
        seconds.record(0.002);
        let find = |name: &str| {
            store()
                .snapshot()
                .into_iter()
                .find(|sample| sample.name == name)
                .unwrap()
        };
        assert_eq!(find("test_things_total").value, Reading::Counter(2));
        assert_eq!(find("test_commands_total").labels["outcome"], "rejected");
        seconds.record(20.0);
        let Reading::Histogram {
            buckets,
            sum,
            count,
        } = find("test_seconds").value
        else {
            panic!("a histogram")
        };
        assert_eq!((count, sum), (2, 20.002));
        assert_eq!(buckets[1], (0.001, 0));
        assert_eq!(buckets[2], (0.0025, 1));
        assert_eq!(
            buckets.last(),
            Some(&(10.0, 1)),
            "what is above every bound is only in the count"
        );
    }
}
