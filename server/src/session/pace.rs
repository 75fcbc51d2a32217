//! How fast one connection is read: a token bucket. Who sends faster is read slower; nothing is refused.

use motet_protocol::ids::UnixMs;

/// A bucket that holds a second's worth of messages.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    per_second: f64,
    tokens: f64,
    last_ms: UnixMs,
}

impl Pace {
    /// A full bucket for this many messages a second.
    pub fn new(per_second: u32, now: UnixMs) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, tokens: per_second, last_ms: now }
    }

    /// Counts messages that were read. Returns how long to wait before reading on, in milliseconds.
    pub fn spend(&mut self, messages: usize, now: UnixMs) -> Option<u64> {
        let passed_ms = now.saturating_sub(self.last_ms) as f64;
        self.last_ms = now;
        self.tokens = (self.tokens + passed_ms * self.per_second / 1_000.0).min(self.per_second) - messages as f64;
        (self.tokens < 0.0).then(|| (-self.tokens * 1_000.0 / self.per_second).ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_faster_than_allowed_is_read_at_the_allowed_rate() {
        let mut now = 1_000;
        let mut pace = Pace::new(100, now);
        assert_eq!(pace.spend(100, now), None);
        for _ in 0..10 {
            let wait = pace.spend(10, now).expect("the bucket is empty");
            assert_eq!(wait, 100);
            now += wait;
        }
        assert_eq!(pace.spend(50, now + 10_000), None);
    }

    #[test]
    fn a_clock_set_back_stops_nobody_for_long() {
        let mut pace = Pace::new(100, 1_000_000);
        assert_eq!(pace.spend(1, 5), None);
        assert_eq!(pace.spend(100, 6), Some(10));
    }
}
