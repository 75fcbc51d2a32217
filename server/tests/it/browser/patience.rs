//! How long a test waits for a browser.

use std::time::{Duration, Instant};

/// For one step. Nothing is asserted on it: a browser on a busy machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again; `None` if there is no answer in time.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || started.elapsed() > PATIENCE {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
