//! What is measured, and how it goes from one process to another.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cli::latency::latency_histogram_us;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Times in microseconds. Sent as what was counted, bucket by bucket, so that merging loses nothing.
#[derive(Clone, Debug)]
pub(super) struct Times(pub(super) Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(latency_histogram_us())
    }
}

impl Times {
    pub(super) fn record(&mut self, us: u64) {
        self.0.saturating_record(us);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0 += &other.0;
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut times = Self::default();
        for (us, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            times.0.saturating_record_n(us, count);
        }
        Ok(times)
    }
}

/// What is counted and timed in the measured time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Figures {
    /// Edits acknowledged in the measured time.
    pub(super) edits: u64,
    /// Edits that were due in the measured time and acknowledged after it.
    pub(super) edits_late: u64,
    /// Edits that were due and that the client itself never came to.
    pub(super) edits_missed: u64,
    /// From when an edit was due (open loop) or sent (closed) to its acknowledgement.
    pub(super) to_ack_us: Times,
    /// The same, to its arrival at each other connection in the room that is not slow on purpose.
    pub(super) to_screen_us: Times,
    /// From when an edit was due to when this process came to it: the client's own lateness.
    pub(super) late_us: Times,
    /// From connecting to holding the text, of newcomers in storms.
    pub(super) to_join_us: Times,
    /// From when a message of the chat was due to its acknowledgement.
    pub(super) chat_to_ack_us: Times,
    /// Carets that writers showed.
    pub(super) carets: u64,
    /// Messages of presence that came to connections.
    pub(super) presence_messages: u64,
    /// Places of people that these told.
    pub(super) carets_seen: u64,
    /// Refusals and failures, by code.
    pub(super) errors: BTreeMap<String, u64>,
    /// Connections cut on purpose, which all resumed.
    pub(super) cuts: u64,
}

impl Figures {
    pub(super) fn merge(&mut self, other: &Self) {
        self.edits += other.edits;
        self.edits_late += other.edits_late;
        self.edits_missed += other.edits_missed;
        self.to_ack_us.merge(&other.to_ack_us);
        self.to_screen_us.merge(&other.to_screen_us);
        self.late_us.merge(&other.late_us);
        self.to_join_us.merge(&other.to_join_us);
        self.chat_to_ack_us.merge(&other.chat_to_ack_us);
        self.carets += other.carets;
        self.presence_messages += other.presence_messages;
        self.carets_seen += other.carets_seen;
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
        self.cuts += other.cuts;
    }

    pub(super) fn error(&mut self, code: &str) {
        *self.errors.entry(code.to_owned()).or_default() += 1;
    }
}

/// What happened since the sample before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Seconds since the measured time began; negative while warming up.
    pub(super) at: f64,
    /// How long the sample took, in seconds.
    pub(super) seconds: f64,
    pub(super) edits: u64,
    pub(super) to_ack_us: Times,
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
}

impl Sample {
    pub(super) fn merge(&mut self, other: &Self) {
        self.edits += other.edits;
        self.to_ack_us.merge(&other.to_ack_us);
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
    }

    pub(super) fn rate(&self) -> f64 {
        self.edits as f64 / self.seconds.max(1e-9)
    }
}

/// What one process found out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) figures: Figures,
    pub(super) samples: Vec<Sample>,
    /// The measured time.
    pub(super) seconds: f64,
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
    /// Rooms in which all replicas and the server hold the same text.
    pub(super) rooms_equal: u32,
    /// Processor time of each process of the load in the measured time.
    pub(super) cpu_seconds: Vec<f64>,
}

impl Outcome {
    pub(super) fn merge(&mut self, other: Self) {
        self.figures.merge(&other.figures);
        for (index, sample) in other.samples.into_iter().enumerate() {
            match self.samples.get_mut(index) {
                Some(mine) => mine.merge(&sample),
                None => self.samples.push(sample),
            }
        }
        self.seconds = self.seconds.max(other.seconds);
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
        self.rooms_equal += other.rooms_equal;
        self.cpu_seconds.extend(other.cpu_seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_went_through_a_pipe_are_the_same_times() {
        let mut times = Times::default();
        for us in [1, 7, 7, 1_234, 999_999, u64::MAX] {
            times.record(us);
        }
        let there: Times = serde_json::from_str(&serde_json::to_string(&times).unwrap()).unwrap();
        assert_eq!(there.0, times.0);
        let mut both = there;
        both.merge(&times);
        assert_eq!(both.0.len(), 12);
    }
}
