//! How long things took.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is recorded exactly, in microseconds: a minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// A histogram of microseconds, three digits each; what takes longer than a minute counts as a minute.
pub(crate) fn latency_histogram_us() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds and the digits are constants that it takes")
}

/// Percentiles, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50} µs, p90 {p90} µs, p99 {p99} µs, p99.9 {p999} µs, max {max} µs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_tell_short_and_long_times_apart() {
        let mut histogram = latency_histogram_us();
        for us in [1, 50, 50, 4_000, 30_000_000, u64::MAX] {
            histogram.saturating_record(us);
        }
        let latency = Latency::of(&histogram);
        assert_eq!(latency.p50, 50);
        assert!((30_000_000..LATENCY_US_MAX).contains(&histogram.value_at_quantile(0.8)));
        assert!(latency.max >= LATENCY_US_MAX);
    }
}
