//! How long a request may take, and how its tries are spread over that time.

use std::time::{Duration, Instant};

use super::error::StoreError;

/// The moment after which no further try is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment `duration` from now.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn earlier(self, duration: Duration) -> Self {
        Self(self.0.checked_sub(duration).unwrap_or(self.0))
    }

    /// The moment when half of the time that is left is over.
    #[must_use]
    pub fn halfway(self) -> Self {
        self.earlier(self.remaining() / 2)
    }

    /// How much time is left.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Pauses between retries after a conflict or a throttle: exponential backoff with full jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    deadline: Deadline,
    max_pause: Duration,
}

impl Backoff {
    pub(super) fn new(deadline: Deadline) -> Self {
        Self { deadline, max_pause: FIRST_PAUSE }
    }

    /// Sleeps before the next attempt. Returns `Unavailable`, with the `cause` of the last failure, if
    /// the deadline would pass meanwhile.
    pub(super) async fn wait(&mut self, cause: &str) -> Result<(), StoreError> {
        let pause = self.max_pause.mul_f64(fastrand::f64());
        if pause >= self.deadline.remaining() {
            return Err(StoreError::Unavailable(cause.into()));
        }
        self.max_pause = LONGEST_PAUSE.min(self.max_pause * 2);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
