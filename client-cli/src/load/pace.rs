//! When a writer edits.

use std::time::{Duration, Instant};

use rand::{RngExt, rngs::StdRng};

/// When a writer edits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// After the acknowledgement of the edit before, and a pause that varies by half.
    Closed {
        /// The pause on average.
        think: Duration,
    },
    /// At fixed times, whatever the server does. What comes late still counts from the time when it was due, so that a
    /// server that stalls cannot hide it by stalling the load ("coordinated omission", Gil Tene, HdrHistogram).
    Open {
        /// The time between two edits of this writer.
        every: Duration,
    },
}

impl Pace {
    /// When the first edit is due for a writer that begins then.
    pub(super) fn first(self, begin: Instant, random: &mut StdRng) -> Instant {
        match self {
            Self::Closed { .. } => begin,
            Self::Open { every } => begin + every.mul_f64(random.random()),
        }
    }

    /// When the edit after one that was due then is due, where no acknowledgement is waited for.
    pub(super) fn after_edit(self, due: Instant) -> Option<Instant> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { every } => Some(due + every),
        }
    }

    /// When the next edit is due after an acknowledgement, where that decides.
    pub(super) fn after_ack(self, now: Instant, random: &mut StdRng) -> Option<Instant> {
        match self {
            Self::Closed { think } if think.is_zero() => Some(now),
            Self::Closed { think } => Some(now + think.mul_f64(random.random_range(0.5..1.5))),
            Self::Open { .. } => None,
        }
    }
}
