//! Progress bars on standard error; invisible if that is not a terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

/// A style with a key `left` for the time that is left, which is not known before anything is done.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    style.with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
        if state.pos() > 0 {
            // A terminal that cannot be written is none of the bar's business.
            let _ = write!(out, ", {:#} left", HumanDuration(state.eta()));
        }
    })
}

/// A bar that counts comparisons; the total may be corrected as it becomes known.
#[derive(Debug)]
pub(super) struct ComparisonBar(ProgressBar);

impl ComparisonBar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style("{bar:40} {percent:>3}%  {human_pos} of {human_len} comparisons{left}"));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// The same for who is told how long it will still take.
    pub(super) fn told() -> Self {
        let bar = Self::new();
        bar.0.set_style(style("{bar:40} {percent:>3}%  {human_pos} of {human_len} comparisons{msg}"));
        bar
    }

    /// Says what stands behind the numbers.
    pub(super) fn tell(&self, what: String) {
        self.0.set_message(what);
    }

    /// Expects `total` comparisons in all.
    pub(super) fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// Counts `comparisons` more.
    pub(super) fn add(&self, comparisons: u64) {
        self.0.inc(comparisons);
    }

    /// Counts `comparisons` in all.
    pub(super) fn set(&self, comparisons: u64) {
        self.0.set_position(comparisons);
    }
}

/// A bar that counts bytes under way.
#[derive(Debug)]
pub(super) struct ByteBar(ProgressBar);

impl ByteBar {
    /// Expects `total` bytes in all.
    pub(super) fn new(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        bar.set_style(style("{bar:40} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}{left}"));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// Counts `bytes` more.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Prints a line beside the bar.
    pub(super) fn say(&self, line: &str) {
        self.0.suspend(|| errln!("{line}"));
    }
}

impl Drop for ByteBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for ComparisonBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
