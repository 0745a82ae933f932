//! What a benchmark found: a table in Markdown, with the bars and whether they are met.

use std::fmt;
use std::time::Duration;

use crate::stats::Spread;

/// The outcome of one benchmark.
pub(crate) struct Report {
    title: &'static str,
    how: String,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    notes: Vec<String>,
    missed: bool,
}

struct Row {
    cells: Vec<String>,
    bar: String,
    verdict: String,
}

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// A ratio that may not be less. The second is what we aim at.
    RatioAtLeast(f64, f64),
    /// A speed that may not be less, in events a second.
    SpeedAtLeast(f64),
    /// A duration that may not be more, in milliseconds.
    MillisAtMost(f64),
    /// A duration that may not be more, in microseconds.
    MicrosAtMost(f64),
    /// A ratio that may not be more.
    RatioAtMost(f64),
    /// A duration that may not be more, in nanoseconds.
    NanosAtMost(f64),
    /// Nothing: the figure is told for what it says about the others.
    None,
}

impl Report {
    /// A report without rows. Where there are bars, their columns follow `columns`.
    pub(crate) fn new(title: &'static str, how: String, columns: &[&'static str]) -> Self {
        Self {
            title,
            how,
            columns: columns.to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
            missed: false,
        }
    }

    /// Adds a row; `value` is what the bar is about.
    pub(crate) fn row(&mut self, cells: Vec<String>, value: f64, bar: Bar) {
        let (text, met) = bar.judge(value);
        self.missed |= met == Some(false);
        let verdict = match (met, bar) {
            (None, _) => String::new(),
            (Some(true), Bar::RatioAtLeast(least, aim)) if aim > least && value < aim => {
                "yes, not the aim".to_owned()
            }
            (Some(true), _) => "yes".to_owned(),
            (Some(false), _) => "**no**".to_owned(),
        };
        self.rows.push(Row {
            cells,
            bar: text,
            verdict,
        });
    }

    /// Adds a line below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Whether a figure lies below its bar.
    pub(crate) const fn missed_a_bar(&self) -> bool {
        self.missed
    }
}

impl Bar {
    fn judge(self, value: f64) -> (String, Option<bool>) {
        match self {
            Self::RatioAtLeast(least, aim) if aim > least => {
                (format!("≥ {least:.2}, aim {aim:.2}"), Some(value >= least))
            }
            Self::RatioAtLeast(least, _) => (format!("≥ {least:.2}"), Some(value >= least)),
            Self::SpeedAtLeast(least) => (format!("≥ {}", thousands(least)), Some(value >= least)),
            Self::MillisAtMost(most) => (format!("≤ {most:.0} ms"), Some(value <= most)),
            Self::MicrosAtMost(most) => (format!("≤ {most:.0} µs"), Some(value <= most)),
            Self::RatioAtMost(most) => (format!("≤ {most:.2}"), Some(value <= most)),
            Self::NanosAtMost(most) => (format!("≤ {most:.0} ns"), Some(value <= most)),
            Self::None => (String::new(), None),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.how)?;
        let barred = self.rows.iter().any(|row| !row.bar.is_empty());
        let (more, columns) = if barred {
            (" bar | met |", self.columns.len() + 2)
        } else {
            ("", self.columns.len())
        };
        writeln!(f, "| {} |{more}", self.columns.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(columns))?;
        for row in &self.rows {
            write!(f, "| {} |", row.cells.join(" | "))?;
            if barred {
                write!(f, " {} | {} |", row.bar, row.verdict)?;
            }
            writeln!(f)?;
        }
        for note in &self.notes {
            write!(f, "\n{note}\n")?;
        }
        Ok(())
    }
}

/// A ratio with its lowest and highest pair.
pub(crate) fn ratio(spread: Spread) -> String {
    format!(
        "{:.2} [{:.2}–{:.2}]",
        spread.median, spread.low, spread.high
    )
}

/// Milliseconds with the fastest and the slowest run.
pub(crate) fn millis(spread: Spread) -> String {
    format!(
        "{:.0} ms [{:.0}–{:.0}]",
        spread.median, spread.low, spread.high
    )
}

/// Nanoseconds with the fastest and the slowest run.
pub(crate) fn nanos(spread: Spread) -> String {
    format!(
        "{:.1} ns [{:.1}–{:.1}]",
        spread.median, spread.low, spread.high
    )
}

/// So many thousand a second.
pub(crate) fn thousands(per_second: f64) -> String {
    format!("{:.1} k/s", per_second / 1000.0)
}

/// Microseconds with the fastest and the slowest run.
pub(crate) fn micros(spread: Spread) -> String {
    format!(
        "{:.0} µs [{:.0}–{:.0}]",
        spread.median, spread.low, spread.high
    )
}

/// A short time.
pub(crate) fn short(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Report};

    #[test]
    fn a_missed_bar_is_said_and_remembered() {
        let mut report = Report::new("t", "how".to_owned(), &["what"]);
        report.row(vec!["a".to_owned()], 0.7, Bar::RatioAtLeast(0.6, 0.8));
        report.row(vec!["b".to_owned()], 99.0, Bar::None);
        assert!(!report.missed_a_bar());
        report.row(vec!["c".to_owned()], 151.0, Bar::MillisAtMost(150.0));
        assert!(report.missed_a_bar());
        let text = report.to_string();
        for line in [
            "| a | ≥ 0.60, aim 0.80 | yes, not the aim |",
            "| b |  |  |",
            "| c | ≤ 150 ms | **no** |",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
