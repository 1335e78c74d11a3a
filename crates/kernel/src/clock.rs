//! The clock that stamps everything: packets, calls, states.

use std::time::{Duration, SystemTime};

/// Since 1970, by CLOCK_REALTIME: the clock with which the kernel stamps packets.
pub fn now() -> Duration {
    // A clock before 1970 is set wrong; it stamps with 0 then.
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}
