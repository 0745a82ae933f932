//! Progress of long work: bars on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::Printer;

/// A phase of long work.
pub(crate) struct Phase {
    bar: ProgressBar,
    printer: Printer,
    name: &'static str,
}

impl Phase {
    /// A phase of unknown length.
    pub(crate) fn begin(printer: Printer, name: &'static str) -> Self {
        let target = if printer.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {prefix:<9} {elapsed:>4}  {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, printer, name }
    }

    /// What is being done.
    pub(crate) fn says(&self, message: String) {
        self.bar.set_message(message);
    }

    /// So much is done of so much.
    pub(crate) fn count(&self, done: usize, total: usize, message: String) {
        if self.bar.length().is_none()
            && let Ok(style) = ProgressStyle::with_template(
                "{spinner} {prefix:<9} {elapsed:>4}  {bar:24} {pos}/{len}  {wide_msg}",
            )
        {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(message);
    }

    /// The phase has ended well; says so to those who want to know.
    pub(crate) fn done(self, what: &str) {
        let elapsed = self.bar.elapsed();
        self.bar.finish_and_clear();
        self.printer.detail(&format!(
            "{}: {what} ({:.1} s)",
            self.name,
            elapsed.as_secs_f32()
        ));
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
