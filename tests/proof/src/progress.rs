//! A bar that shows, on a terminal, how far a proof is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A proof that takes so long.
    pub(crate) fn over(length: Duration) -> Self {
        Self::with(ProgressBar::new(length.as_secs()), "{elapsed_precise} {wide_bar} {eta} left")
    }

    /// A proof of so many parts.
    pub(crate) fn of(parts: u64) -> Self {
        Self::with(ProgressBar::new(parts), "{elapsed_precise} {wide_bar} {pos} of {len}")
    }

    fn with(bar: ProgressBar, template: &str) -> Self {
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Self(bar)
    }

    /// How much time has passed.
    pub(crate) fn show(&self, elapsed: Duration) {
        self.0.set_position(elapsed.as_secs());
    }

    /// One part is done.
    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
