//! Statistics that were asked for lately: the next question reads only what came since.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::{history::stats::Stats, store::LogId};

/// Rooms whose statistics are kept.
const SUMS_MAX: usize = 64;

/// People in statistics that are kept: larger ones are made anew each time.
const SUMS_PEOPLE_MAX: usize = 1_000;

/// The statistics of some rooms.
#[derive(Debug, Default)]
pub struct Sums(Mutex<HashMap<LogId, Stats>>);

impl Sums {
    /// What is known of a log; nothing, up to revision 0, otherwise.
    pub fn get(&self, log: LogId) -> Stats {
        self.0.lock().get(&log).cloned().unwrap_or_default()
    }

    /// Keeps statistics, in place of any others when there are too many.
    pub fn keep(&self, log: LogId, stats: &Stats) {
        if stats.person_count() > SUMS_PEOPLE_MAX {
            return;
        }
        let mut kept = self.0.lock();
        if kept.len() >= SUMS_MAX
            && !kept.contains_key(&log)
            && let Some(out) = kept.keys().next().copied()
        {
            kept.remove(&out);
        }
        kept.insert(log, stats.clone());
    }
}
