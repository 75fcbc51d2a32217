//! How a log whose newest entries are gone is found out, when all that is left of it looks whole.
//!
//! Damage in the middle of an engine's files can take back the newest changes of a few keys and nothing else: sled passes over
//! the rest of a segment (512 KiB of its file) that it can't read, with nothing said, and a log that misses its end looks like
//! a shorter one. So how far each log's chunks reach is written down a second time, in a record of its own that no longer stands next
//! to the entries: at least [`EPOCH_BYTES`] of other entries later, or when the store is closed. A log that ends before its
//! record is refused. Only what is durable is written down, so that what a crash cut off is never missed.
//!
//! It costs one small record for each log in each epoch. What it can miss is the end of a log folded in the last two epochs
//! before a crash, if just that is damaged too. Entries that are only in the journal need none: its commits have no gaps.
//!
//! A store that does not sync writes none: it may lose the end of a log by a power cut.

use std::collections::HashMap;

use motet_protocol::ids::Revision;

use super::super::LogId;

/// How many bytes of entries are folded before the ends of the logs that they are of become due. Twice what sled may pass
/// over at once.
const EPOCH_BYTES: usize = 1024 * 1024;

/// How many bytes an entry counts at least, so that the logs of one epoch are some thousand at most.
const ENTRY_BYTES_MIN: usize = 64;

/// How many ends are written along with a batch of appends, for each of these: more than become due, and few enough that
/// nobody waits.
const ENDS_PER_APPEND: usize = 2;

/// The ends of logs folded lately that are not yet written down.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    /// Of this epoch, and how many bytes it has so far.
    young: HashMap<LogId, Revision>,
    bytes: usize,
    /// Of the epoch before: to be written down, the last first.
    due: Vec<(LogId, Revision)>,
}

impl Tails {
    /// Entries of so many bytes of a log were folded, are durable, and end here.
    pub(crate) fn reached(&mut self, log: LogId, end: Revision, entries: usize, bytes: usize) {
        self.young.insert(log, end);
        self.bytes += bytes.max(entries * ENTRY_BYTES_MIN);
        if self.bytes >= EPOCH_BYTES && self.due.is_empty() {
            self.due.extend(self.young.drain());
            self.bytes = 0;
        }
    }

    /// The ends to write down along with so many appends. They stay due until [`written`](Self::written) says otherwise.
    pub(crate) fn due(&self, appends: usize) -> &[(LogId, Revision)] {
        &self.due[self.due.len() - self.due.len().min(appends * ENDS_PER_APPEND)..]
    }

    /// Makes all ends due, since the store is about to be closed.
    pub(crate) fn all(&mut self) -> &[(LogId, Revision)] {
        // One that is in both is written twice, the older first.
        self.due.extend(self.young.drain());
        self.bytes = 0;
        &self.due
    }

    /// So many of what was due are written down.
    pub(crate) fn written(&mut self, count: usize) {
        self.due.truncate(self.due.len() - count);
    }

    pub(crate) fn forget(&mut self, log: LogId) {
        self.young.remove(&log);
        self.due.retain(|(due, _)| *due != log);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_due_when_other_entries_lie_between_it_and_its_log() {
        let mut tails = Tails::default();
        tails.reached(LogId(1), 7, 1, 100);
        assert!(tails.due(100).is_empty());
        tails.reached(LogId(2), 1, 1, EPOCH_BYTES);
        assert_eq!(tails.due(100).len(), 2);
        assert_eq!(tails.due(0).len(), 0);
        tails.written(1);
        assert_eq!(tails.due(100).len(), 1);
    }

    #[test]
    fn logs_written_once_do_not_pile_up() {
        let mut tails = Tails::default();
        for log in 0..1_000_000 {
            tails.reached(LogId(log), 1, 1, 1);
            let count = tails.due(1).len();
            tails.written(count);
            assert!(tails.young.len() + tails.due.len() <= 2 * EPOCH_BYTES / ENTRY_BYTES_MIN);
        }
        tails.all();
        tails.forget(LogId(999_999));
        assert!(tails.due.len() > 1_000 && tails.due.iter().all(|(log, _)| *log != LogId(999_999)));
    }
}
