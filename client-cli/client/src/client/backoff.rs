//! How long to wait before connecting again.

use std::time::Duration;

/// Exponential backoff with full jitter: a wait is drawn between nothing and a bound that doubles, so that the clients of
/// a server that was lost do not all come back at once ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first bound.
    pub first: Duration,
    /// The largest bound.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), most: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The wait before the attempt with this number, from 0, given a random number from 0 to 1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let bound = self.first.saturating_mul(2_u32.saturating_pow(attempt)).min(self.most);
        bound.mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_are_spread_below_it() {
        let backoff = Backoff { first: Duration::from_millis(50), most: Duration::from_secs(1) };
        let bounds: Vec<u128> = (0..7).map(|attempt| backoff.wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(bounds, [50, 100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff.wait(u32::MAX, 1.0), backoff.most);
        assert_eq!(backoff.wait(3, 0.5), Duration::from_millis(200));
        assert_eq!(backoff.wait(3, 0.0), Duration::ZERO);
    }
}
