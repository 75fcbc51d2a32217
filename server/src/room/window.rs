//! The recent end of a room's log, in memory.

use std::collections::VecDeque;

use motet_protocol::{ids::Revision, message::Entry};

use super::limits::{WINDOW_BYTES_MAX, WINDOW_QUIET_BYTES, WINDOW_QUIET_ENTRIES};
use crate::wire::Encoded;

/// An entry with its encoded forms.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The entry.
    pub entry: Entry,
    /// Its encoded forms.
    pub encoded: Encoded,
}

/// Recent committed entries, without gaps, up to the room's revision.
#[derive(Debug)]
pub struct Window {
    entries: VecDeque<Logged>,
    bytes: usize,
    entries_max: usize,
}

impl Window {
    /// A window for this many entries, at least one.
    pub fn new(entries_max: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, entries_max: entries_max.max(1) }
    }

    /// Takes the next entry. Where the window is over its limits then, oldest ones must go.
    pub fn push(&mut self, logged: Logged) {
        debug_assert!(self.entries.back().is_none_or(|last| last.entry.revision + 1 == logged.entry.revision));
        self.bytes += logged.encoded.bytes().len();
        self.entries.push_back(logged);
    }

    /// The oldest entry's revision, if there is more here than may.
    pub fn surplus(&self) -> Option<Revision> {
        let over = self.entries.len() > self.entries_max || (self.bytes > WINDOW_BYTES_MAX && self.entries.len() > 1);
        if over { self.first() } else { None }
    }

    /// Lets go of nearly everything, of all if its last entry is long: a room where nothing happens costs little. Who needs
    /// an entry that is not here reads the log.
    pub fn shrink(&mut self) {
        while self.entries.len() > WINDOW_QUIET_ENTRIES || self.bytes > WINDOW_QUIET_BYTES {
            self.drop_oldest();
        }
        self.entries.shrink_to_fit();
    }

    /// Lets go of the oldest entry.
    pub fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= oldest.encoded.bytes().len();
        }
    }

    /// The first revision that is here, if any.
    pub fn first(&self) -> Option<Revision> {
        self.entries.front().map(|logged| logged.entry.revision)
    }

    /// The entry of a revision, if it is here.
    pub fn get_mut(&mut self, revision: Revision) -> Option<&mut Logged> {
        let index = revision.checked_sub(self.first()?)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    /// The entries after a revision. Those of them that are no longer here are not among them.
    pub fn after(&self, revision: Revision) -> impl Iterator<Item = &Entry> {
        let skip = self.first().map_or(0, |first| (revision + 1).saturating_sub(first));
        self.entries.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).map(|logged| &logged.entry)
    }
}
