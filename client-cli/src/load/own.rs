//! What this process takes of the machine itself.

use rustix::time::{ClockId, clock_gettime};

/// Processor time that this process has used so far, in seconds.
pub(super) fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}
