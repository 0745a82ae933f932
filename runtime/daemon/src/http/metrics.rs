//! `/metrics`: Prometheus text, of the daemon's own counts and of what the plugins pushed last.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hecate_manifest::control::{Reading, Sample};
use http::header;
use jiff::Timestamp;

use crate::{Daemon, State as PluginState};

pub(super) async fn show(State(daemon): State<Arc<Daemon>>) -> Response {
    let mut families = Families::default();
    families.gauge(
        "hecate_daemon_uptime_seconds",
        &[],
        daemon.uptime().as_secs_f64(),
    );
    families.gauge("hecate_daemon_memory_bytes", &[], resident_bytes());
    for route in daemon.bus().routes() {
        let labels = [
            ("emitter", route.emitter.as_str()),
            ("plugin", &route.plugin),
            ("listener", &route.listener),
        ];
        families.gauge("hecate_facts_behind", &labels, route.behind() as f64);
        families.counter(
            "hecate_facts_delivered_total",
            &labels,
            route.delivered as f64,
        );
        families.counter("hecate_facts_refused_total", &labels, route.refused as f64);
    }
    for slot in daemon.slots() {
        let name = slot.name.as_str();
        let plugin = [("plugin", name)];
        let up = slot.current().is_some() && slot.status().state != PluginState::Stopped;
        families.gauge("hecate_plugin_up", &plugin, f64::from(u8::from(up)));
        if let Some(current) = slot.current() {
            families.gauge(
                "hecate_plugin_requests_in_flight",
                &plugin,
                current.instance().working() as f64,
            );
            families.gauge(
                "hecate_plugin_sockets_open",
                &plugin,
                current.instance().sockets() as f64,
            );
        }
        let Some((pushed, samples)) = slot.metrics() else {
            continue;
        };
        let age = (Timestamp::now().as_microsecond() - pushed.as_microsecond()) as f64 / 1e6;
        families.gauge("hecate_plugin_metrics_age_seconds", &plugin, age);
        for sample in samples {
            families.sample(name, sample);
        }
    }
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        families.text(),
    )
        .into_response()
}

/// Metrics by name: the format wants all of one name together, behind one line that says their type.
#[derive(Default)]
struct Families(BTreeMap<String, (&'static str, String)>);

impl Families {
    fn gauge(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.line(name, "gauge", "", labels, value);
    }

    fn counter(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.line(name, "counter", "", labels, value);
    }

    fn sample(&mut self, plugin: &str, sample: Sample) {
        let name = format!("hecate_plugin_{}", clean(&sample.name));
        let mut labels = vec![("plugin", plugin)];
        let cleaned: Vec<_> = sample
            .labels
            .iter()
            .map(|(name, value)| (clean(name), value.as_str()))
            .collect();
        // Neither the label that names the plugin nor that of buckets can be given by a plugin.
        labels.extend(
            cleaned
                .iter()
                .filter(|(name, _)| name != "plugin" && name != "le")
                .map(|(name, value)| (name.as_str(), *value)),
        );
        match sample.value {
            Reading::Counter(value) => self.line(&name, "counter", "", &labels, value as f64),
            Reading::Gauge(value) => self.line(&name, "gauge", "", &labels, value),
            Reading::Histogram {
                buckets,
                sum,
                count,
            } => {
                for (bound, value) in buckets {
                    let bound = bound.to_string();
                    let labels = [labels.as_slice(), &[("le", &bound)]].concat();
                    self.line(&name, "histogram", "_bucket", &labels, value as f64);
                }
                let all = [labels.as_slice(), &[("le", "+Inf")]].concat();
                self.line(&name, "histogram", "_bucket", &all, count as f64);
                self.line(&name, "histogram", "_sum", &labels, sum);
                self.line(&name, "histogram", "_count", &labels, count as f64);
            }
        }
    }

    fn line(
        &mut self,
        name: &str,
        kind: &'static str,
        suffix: &str,
        labels: &[(&str, &str)],
        value: f64,
    ) {
        let (known, lines) = self
            .0
            .entry(name.to_owned())
            .or_insert_with(|| (kind, String::new()));
        // Two plugins that use one name for two kinds: the first one wins.
        if *known != kind {
            return;
        }
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        // Writing to a string does not fail.
        _ = writeln!(lines, "{name}{suffix}{labels} {value}");
    }

    fn text(&self) -> String {
        self.0
            .iter()
            .map(|(name, (kind, lines))| format!("# TYPE {name} {kind}\n{lines}"))
            .collect()
    }
}

/// A name of Prometheus' alphabet.
fn clean(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Resident memory of this process: the second number of `statm`, in pages of 4 KiB.
fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or_default() * 4096.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hecate_manifest::control::{Reading, Sample};

    use super::Families;

    #[test]
    fn samples_of_two_plugins_are_one_family() {
        let mut families = Families::default();
        let labels = BTreeMap::from([
            ("a".to_owned(), "x\"\n\\".to_owned()),
            ("plugin".to_owned(), "liar".to_owned()),
        ]);
        let sample = |value| Sample {
            name: "orders-total".to_owned(),
            labels: labels.clone(),
            value,
        };
        families.sample("one", sample(Reading::Counter(2)));
        families.sample("two", sample(Reading::Counter(3)));
        families.sample("two", sample(Reading::Gauge(1.5)));
        assert_eq!(
            families.text(),
            "# TYPE hecate_plugin_orders_total counter\n\
             hecate_plugin_orders_total{plugin=\"one\",a=\"x\\\"\\n\\\\\"} 2\n\
             hecate_plugin_orders_total{plugin=\"two\",a=\"x\\\"\\n\\\\\"} 3\n"
        );
    }

    #[test]
    fn histograms_have_buckets_sum_and_count() {
        let mut families = Families::default();
        let value = Reading::Histogram {
            buckets: vec![(0.5, 1)],
            sum: 2.5,
            count: 3,
        };
        families.sample(
            "one",
            Sample {
                name: "seconds".to_owned(),
                labels: BTreeMap::new(),
                value,
            },
        );
        assert_eq!(
            families.text(),
            "# TYPE hecate_plugin_seconds histogram\n\
             hecate_plugin_seconds_bucket{plugin=\"one\",le=\"0.5\"} 1\n\
             hecate_plugin_seconds_bucket{plugin=\"one\",le=\"+Inf\"} 3\n\
             hecate_plugin_seconds_sum{plugin=\"one\"} 2.5\n\
             hecate_plugin_seconds_count{plugin=\"one\"} 3\n"
        );
    }
}
