//! What is known of logs' ends without asking the engine.

use std::collections::HashMap;

use motet_protocol::ids::Revision;

use super::super::LogId;

/// How many logs' heads are kept at hand, at most: 2 × 1,024, for the rooms that are being edited. Reading a
/// head again costs a few microseconds.
const HEADS_MAX: usize = 1_024;

/// The heads of logs written lately, durable.
#[derive(Default)]
pub(crate) struct Ends {
    /// Two generations: what is used moves to `young`; when that is full, `old` is dropped.
    young: HashMap<LogId, Revision>,
    old: HashMap<LogId, Revision>,
}

impl Ends {
    pub(crate) fn head(&mut self, log: LogId) -> Option<Revision> {
        if let Some(head) = self.young.get(&log) {
            return Some(*head);
        }
        let head = self.old.remove(&log)?;
        self.set_head(log, head);
        Some(head)
    }

    pub(crate) fn set_head(&mut self, log: LogId, head: Revision) {
        if self.young.len() >= HEADS_MAX && !self.young.contains_key(&log) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(log, head);
    }

    pub(crate) fn forget(&mut self, log: LogId) {
        self.young.remove(&log);
        self.old.remove(&log);
    }

    pub(crate) fn forget_all(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_written_once_do_not_pile_up_and_the_last_ones_are_known() {
        let mut ends = Ends::default();
        for log in 0..100_000 {
            ends.set_head(LogId(log), log + 1);
        }
        assert!(ends.young.len() + ends.old.len() <= 2 * HEADS_MAX);
        assert_eq!(ends.head(LogId(99_999)), Some(100_000));
        assert_eq!(ends.head(LogId(0)), None);
    }
}
