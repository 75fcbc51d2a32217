//! How often one connection may do something: a token bucket. A connection that sends messages faster is read slower; what others
//! would have to receive is refused.

use motet_protocol::ids::UnixMs;

/// A bucket that holds as many tokens as one second allows.
#[derive(Clone, Copy, Debug)]
pub struct RateLimiter {
    per_second: f64,
    tokens: f64,
    last_ms: UnixMs,
}

impl RateLimiter {
    /// A full bucket for this many messages a second.
    pub fn new(per_second: u32, now: UnixMs) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, tokens: per_second, last_ms: now }
    }

    /// Takes tokens for messages that were read, and goes into debt for them. Returns how long to wait before reading on, in
    /// milliseconds, if it is in debt.
    pub fn spend(&mut self, messages: usize, now: UnixMs) -> Option<u64> {
        self.refill(now);
        self.tokens -= messages as f64;
        (self.tokens < 0.0).then(|| self.wait_ms(0.0))
    }

    /// Takes one token, if there is one. Otherwise the error says after how many milliseconds there is.
    pub fn take(&mut self, now: UnixMs) -> Result<(), u64> {
        self.refill(now);
        if self.tokens < 1.0 {
            return Err(self.wait_ms(1.0));
        }
        self.tokens -= 1.0;
        Ok(())
    }

    fn refill(&mut self, now: UnixMs) {
        let passed_ms = now.saturating_sub(self.last_ms) as f64;
        self.last_ms = now;
        self.tokens = (self.tokens + passed_ms * self.per_second / 1_000.0).min(self.per_second);
    }

    /// Milliseconds until there are so many tokens.
    fn wait_ms(&self, tokens: f64) -> u64 {
        ((tokens - self.tokens) * 1_000.0 / self.per_second).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_sends_faster_is_read_at_the_allowed_rate() {
        let mut now = 1_000;
        let mut limiter = RateLimiter::new(100, now);
        assert_eq!(limiter.spend(100, now), None);
        for _ in 0..10 {
            let wait = limiter.spend(10, now).expect("the bucket is empty");
            assert_eq!(wait, 100);
            now += wait;
        }
        assert_eq!(limiter.spend(50, now + 10_000), None);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let mut limiter = RateLimiter::new(10, 1_000);
        let taken = (0..100).filter(|_| limiter.take(1_000).is_ok()).count();
        assert_eq!(taken, 10);
        assert_eq!(limiter.take(1_000), Err(100));
        assert_eq!(limiter.take(1_100), Ok(()));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_a_connection_for_long() {
        let mut limiter = RateLimiter::new(100, 1_000_000);
        assert_eq!(limiter.spend(1, 5), None);
        assert_eq!(limiter.spend(100, 6), Some(10));
    }
}
