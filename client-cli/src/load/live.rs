//! What one sees while a load runs.

use std::{collections::VecDeque, io::Write};

use super::figures::Sample;
use crate::cli::output::is_watched;

/// Rates in the sparkline.
const SPARKS_MAX: usize = 40;

/// One line a sample on standard error: overwritten on a terminal, one below the other otherwise, none with
/// --json.
pub(super) struct Live {
    silent: bool,
    watched: bool,
    rates: VecDeque<f64>,
}

impl Live {
    pub(super) fn new(silent: bool) -> Self {
        Self { silent, watched: is_watched(), rates: VecDeque::new() }
    }

    pub(super) fn show(&mut self, sample: &Sample) {
        if self.silent {
            return;
        }
        if self.rates.len() == SPARKS_MAX {
            self.rates.pop_front();
        }
        self.rates.push_back(sample.rate());
        let line = line(sample);
        let mut out = std::io::stderr().lock();
        // The load is right also if this cannot be shown.
        let _ = match self.watched {
            true => write!(out, "\r\x1b[2K{line} {}", sparkline(&self.rates)).and_then(|()| out.flush()),
            false => writeln!(out, "{line}"),
        };
    }

    /// The report follows.
    pub(super) fn end(&self) {
        if self.watched && !self.silent && !self.rates.is_empty() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line(sample: &Sample) -> String {
    let phase = if sample.at <= 0.0 { "warm-up" } else { "measure" };
    let at = sample.at.abs();
    let rate = sample.rate();
    let quantile = |quantile| sample.to_ack_us.0.value_at_quantile(quantile);
    let times = match sample.to_ack_us.0.is_empty() {
        true => String::new(),
        false => format!(", ack p50 {} µs, p99 {} µs", quantile(0.5), quantile(0.99)),
    };
    format!("{phase} {at:5.1} s  {rate:8.0} edits/s{times}")
}

fn sparkline(rates: &VecDeque<f64>) -> String {
    const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = rates.iter().copied().fold(1.0, f64::max);
    rates.iter().map(|rate| SPARKS[(rate / most * 7.0).round() as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sparkline_rises_with_the_rate() {
        assert_eq!(sparkline(&VecDeque::from([0.0, 50.0, 100.0])), "▁▅█");
        assert_eq!(sparkline(&VecDeque::from([0.0])), "▁");
    }
}
