//! Numbers for links that a process has taken from the counter.

use std::ops::Range;

use tokio::sync::Mutex;

/// The numbers this process has leased and not used.
#[derive(Debug, Default)]
pub(super) struct LeasedNumbers {
    pub(super) block: Mutex<Range<u64>>,
}
