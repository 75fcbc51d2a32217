//! The wall clock. Pure code takes the time as an argument; everything else reads it here.

use std::time::{SystemTime, UNIX_EPOCH};

use motet_protocol::ids::UnixMs;

/// The time of the wall clock, in milliseconds since 1970; 0 if the clock is set before that.
pub fn now_ms() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
