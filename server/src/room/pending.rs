//! What has its place in a room's order and is not durable yet.

use std::collections::VecDeque;

use bytes::Bytes;
use motet_protocol::{
    codec,
    ids::Revision,
    message::{Command, Entry},
};

use super::{
    Submitter,
    decided::Decided,
    limits::{APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, PENDING_BYTES_MAX, PENDING_ENTRIES_MAX},
    window::Logged,
};
use crate::wire::Encoded;

/// An entry that waits to be durable.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) logged: Logged,
    /// Who asked for it, and is to hear if it comes to nothing after all.
    pub(super) submitter: Submitter,
    /// What it was made from, should somebody else's entry come before it.
    pub(super) base: Revision,
    /// The command as submitted, where the entry's is another.
    pub(super) submitted: Option<Command>,
}

impl Ordered {
    fn decides(&self) -> bool {
        Decided::is_changed_by(&self.logged.entry.command)
    }

    fn bytes(&self) -> usize {
        self.logged.encoded.bytes().len()
    }
}

/// The entries behind the committed revision, the first of them in flight to the log.
#[derive(Debug, Default)]
pub(super) struct Pending {
    entries: VecDeque<Ordered>,
    bytes: usize,
    /// How many of them change what was decided.
    decisions: usize,
    in_flight: usize,
}

impl Pending {
    pub(super) fn push(&mut self, entry: Entry, submitter: Submitter, base: Revision, submitted: Option<Command>) {
        let encoded = Encoded::new(codec::encode(&entry));
        let ordered = Ordered { logged: Logged { entry, encoded }, submitter, base, submitted };
        self.bytes += ordered.bytes();
        self.decisions += usize::from(ordered.decides());
        self.entries.push_back(ordered);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= PENDING_ENTRIES_MAX || self.bytes >= PENDING_BYTES_MAX
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether something here changes what was decided.
    pub(super) fn decides(&self) -> bool {
        self.decisions > 0
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + Clone {
        self.entries.iter().map(|ordered| &ordered.logged.entry)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Ordered> {
        self.entries.get_mut(index)
    }

    /// Whether there is something to append now.
    pub(super) fn has_append(&self) -> bool {
        self.in_flight == 0 && !self.entries.is_empty()
    }

    /// The next ones to append, encoded, if nothing is in flight; they are in flight then.
    pub(super) fn take_append(&mut self) -> Option<Vec<Bytes>> {
        if !self.has_append() {
            return None;
        }
        let mut bytes = 0;
        let entries: Vec<Bytes> = self
            .entries
            .iter()
            .map(|ordered| ordered.logged.encoded.bytes())
            .take(APPEND_ENTRIES_MAX)
            .take_while(|entry| {
                bytes += entry.len();
                bytes <= APPEND_BYTES_MAX || bytes == entry.len()
            })
            .cloned()
            .collect();
        self.in_flight = entries.len();
        Some(entries)
    }

    /// What was in flight is durable: takes it out, one after the other.
    pub(super) fn take_appended(&mut self) -> Option<Logged> {
        self.in_flight = self.in_flight.checked_sub(1)?;
        let ordered = self.entries.pop_front()?;
        self.bytes -= ordered.bytes();
        self.decisions -= usize::from(ordered.decides());
        Some(ordered.logged)
    }

    /// Takes everything out, in flight or not.
    pub(super) fn take_all(&mut self) -> VecDeque<Ordered> {
        std::mem::take(self).entries
    }

    /// Lets go of room for more.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }
}
