//! The clock of all that is seen.

use std::time::{Duration, SystemTime};

/// How often the pipes are emptied when no call does it, and how long a source
/// waits at a time.
pub(crate) const AT_LEAST_EVERY: Duration = Duration::from_millis(10);
/// News is collected for so long: to wake up for each piece of it would take time
/// away from the programs.
pub(crate) const NAP: Duration = Duration::from_millis(1);

/// Since 1970, by CLOCK_REALTIME: the kernel stamps packets with it, and the
/// tracer calls.
pub(crate) fn clock() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
