//! The journal: all rooms' newest entries, one value for each batch of appends, until they are folded into chunks of their logs.
//!
//! An engine's cost is by the key, not by the byte (sled: 10 µs and some hundred bytes of disk for a small value). So a batch,
//! whichever logs it is for, is written as one **commit**; its entries stay in memory, from where they are read; and when a
//! log has gathered some hundred entries they become one chunk (`chunks`). A commit whose entries are all in chunks is no
//! longer needed, and its slot is written over later.
//!
//! ```text
//! key        'j' │ slot 4 = number mod SLOTS          a record; its further pieces: 'i' │ slot 4 │ piece 4
//! payload    number 8 │ begin 8 │ appends …
//! append     log 8 │ first revision 8 │ count 4 │ count × (length 4 │ entry)
//! ```
//!
//! Commits are numbered without gaps. `begin` is the first commit that was needed when this one was written. When the engine is
//! opened, the commit with the highest number says where the journal begins, and all from there on must be there: one that is
//! missing is damage, and told. Chunks are written along with one commit, and what they hold is still needed then; only the
//! next commit, with a sync between them, may say that it is not. So nothing depends on the order in which the disk writes
//! what one sync covers. What was purged is not to come back from the journal: a record says up to which commit a log's
//! entries are gone.

use std::collections::{HashMap, HashSet, VecDeque, hash_map::Entry};

use bytes::{Buf, Bytes};
use motet_protocol::ids::Revision;

use super::{
    super::{LogId, StoredEntry},
    engine::{Change, Engine},
    keys, record,
};

mod recover;

pub(crate) use self::recover::load;

/// How many commits the journal has at most.
pub(crate) const SLOTS: u64 = 4_096;

/// The longest value of a commit, in bytes. Records are written over and never removed, pieces are removed, so that this times
/// [`SLOTS`], 16 MiB, is what a journal takes of the disk when nothing in it is needed any more.
const VALUE_BYTES_MAX: usize = 4 * 1024;

/// More commits than this, and the logs in the oldest ones are folded, however little they have gathered.
const COMMITS_MAX: usize = SLOTS as usize / 2;

/// The same in bytes of entries, with what they cost beside: what the journal takes of memory, and what is read when the engine is opened.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A log with so many entries in the journal is folded: one chunk costs as much as a few entries would.
pub(crate) const CHUNK_ENTRIES: usize = 256;

/// The same in bytes.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// What one batch folds at least while there is something to fold, in bytes of entries: nobody waits long for it.
const TURN_BYTES: usize = 32 * 1024;

/// An entry counts this many bytes more than it has.
const ENTRY_OVERHEAD: usize = 64;

/// A log that comes into the journal counts this many bytes: its place in the table, and room for its first entries.
const LOG_OVERHEAD: usize = 256;

/// What is in the journal and needed, as it is in the engine and durable.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The next commit's number.
    next: u64,
    /// The commits before it that are needed.
    commits: VecDeque<Commit>,
    bytes: usize,
    logs: HashMap<LogId, Recent>,
    /// Logs with enough entries for a chunk.
    ripe: VecDeque<LogId>,
    /// Logs that were purged while the journal had entries of them, and the first commit after that.
    purged: HashMap<LogId, u64>,
}

/// A commit's logs, each with its last revision in it.
#[derive(Debug)]
struct Commit {
    ends: Vec<(LogId, Revision)>,
    bytes: usize,
    /// Further pieces of its record.
    pieces: usize,
}

/// A log's entries that are in no chunk.
#[derive(Debug)]
struct Recent {
    /// The first one's revision.
    first: Revision,
    entries: VecDeque<Bytes>,
    bytes: usize,
}

impl Recent {
    fn end(&self) -> Revision {
        self.first + self.entries.len() as u64 - 1
    }

    fn is_ripe(&self) -> bool {
        self.entries.len() >= CHUNK_ENTRIES || self.bytes >= CHUNK_BYTES
    }
}

/// Entries of a log that are to become a chunk.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) log: LogId,
    pub(crate) first: Revision,
    pub(crate) entries: Vec<Bytes>,
}

impl Fold {
    pub(crate) fn end(&self) -> Revision {
        self.first + self.entries.len() as u64 - 1
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.iter().map(Bytes::len).sum()
    }
}

/// What a batch appends to one log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) log: LogId,
    pub(crate) first: Revision,
    pub(crate) entries: &'a [Bytes],
}

impl Part<'_> {
    pub(crate) fn end(&self) -> Revision {
        self.first + self.entries.len() as u64 - 1
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.len() + ENTRY_OVERHEAD).sum()
    }
}

impl Journal {
    /// An empty journal whose next commit has this number.
    pub(crate) fn starting(next: u64) -> Self {
        Self {
            next,
            commits: VecDeque::new(),
            bytes: 0,
            logs: HashMap::new(),
            ripe: VecDeque::new(),
            purged: HashMap::new(),
        }
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    fn begin(&self) -> u64 {
        self.next - self.commits.len() as u64
    }

    /// A log's last revision, if it has entries here.
    pub(crate) fn end(&self, log: LogId) -> Option<Revision> {
        self.logs.get(&log).map(Recent::end)
    }

    /// The first revision of a log's entries here, and those from revision `from` on, as many as asked for.
    pub(crate) fn read(
        &self,
        log: LogId,
        from: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Option<(Revision, Vec<StoredEntry>)> {
        let recent = self.logs.get(&log)?;
        let skipped = usize::try_from(from.saturating_sub(recent.first)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let mut entries = Vec::new();
        for (index, entry) in recent.entries.iter().enumerate().skip(skipped).take(entries_max) {
            entries.push((recent.first + index as u64, entry.clone()));
            bytes += entry.len();
            if bytes >= bytes_max {
                break;
            }
        }
        Some((recent.first, entries))
    }

    /// The changes that write the next commit to an engine, its record last.
    pub(crate) fn put<E: Engine>(&self, parts: &[Part<'_>], changes: &mut Vec<Change>) {
        let begin = self.begin() + self.needless() as u64;
        let bytes = parts.iter().map(Part::bytes).sum::<usize>();
        let mut payload = Vec::with_capacity(16 + 20 * parts.len() + bytes);
        payload.extend_from_slice(&self.next.to_be_bytes());
        payload.extend_from_slice(&begin.to_be_bytes());
        for part in parts {
            payload.extend_from_slice(&part.log.0.to_be_bytes());
            payload.extend_from_slice(&part.first.to_be_bytes());
            put_entries(&mut payload, part.entries);
        }
        let slot = self.next % SLOTS;
        record::put(keys::slot(slot), &keys::slot_pieces(slot), &payload, value_bytes_max::<E>(), changes);
    }

    /// What the next batch, which appends so many bytes, is to fold: logs that have gathered enough, and when the journal
    /// is full, those in its oldest commits. Twice as much as is appended, so that it comes to an end.
    pub(crate) fn due(&self, bytes: usize) -> Vec<Fold> {
        let (mut folds, mut seen) = (Vec::new(), HashSet::new());
        let mut left = TURN_BYTES.max(2 * bytes);
        for log in &self.ripe {
            if left == 0 {
                return folds;
            }
            let Some(recent) = self.logs.get(log).filter(|recent| recent.is_ripe()) else { continue };
            seen.insert(*log);
            fold_into(&mut folds, *log, recent, &mut left);
        }
        let over = self.commits.len().saturating_sub(COMMITS_MAX);
        let mut over_bytes = self.bytes.saturating_sub(BYTES_MAX);
        for (index, commit) in self.commits.iter().enumerate() {
            if left == 0 || (index >= over && over_bytes == 0) {
                break;
            }
            over_bytes = over_bytes.saturating_sub(commit.bytes);
            for (log, end) in &commit.ends {
                if self.needs(*log, *end) && seen.insert(*log) {
                    fold_into(&mut folds, *log, &self.logs[log], &mut left);
                }
            }
        }
        folds
    }

    /// Everything, as chunks.
    pub(crate) fn all(&self) -> Vec<Fold> {
        let (mut folds, mut left) = (Vec::new(), usize::MAX);
        for (log, recent) in &self.logs {
            fold_into(&mut folds, *log, recent, &mut left);
        }
        folds
    }

    /// Whether the journal has no slot for a further commit until one says that older ones are not needed.
    pub(crate) fn is_full(&self) -> bool {
        self.commits.len() as u64 >= SLOTS - 1
    }

    /// Whether no commit has anything in it, needed or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.commits.iter().all(|commit| commit.ends.is_empty())
    }

    fn needs(&self, log: LogId, end: Revision) -> bool {
        self.logs.get(&log).is_some_and(|recent| recent.first <= end)
    }

    /// How many of the oldest commits are not needed.
    fn needless(&self) -> usize {
        let needed = |(log, end): &(LogId, Revision)| self.needs(*log, *end);
        self.commits.iter().take_while(|commit| !commit.ends.iter().any(needed)).count()
    }

    /// The next commit is durable: these appends, in a record with so many further pieces. Returns what is free by it.
    pub(crate) fn committed(&mut self, parts: &[Part<'_>], pieces: usize) -> Freed {
        let mut freed = Freed::default();
        for _ in 0..self.needless() {
            let slot = self.begin() % SLOTS;
            if let Some(commit) = self.commits.pop_front() {
                self.bytes -= commit.bytes;
                freed.slots.extend((commit.pieces > 0).then_some((slot, commit.pieces)));
            }
        }
        let begin = self.begin();
        freed.purged.extend(self.purged.extract_if(|_, number| *number <= begin).map(|(log, _)| log));

        let entries = parts.iter().map(|part| (part.log, part.first, part.entries.iter().cloned()));
        let bytes = parts.iter().map(Part::bytes).sum();
        let ends = parts.iter().map(|part| (part.log, part.end())).collect();
        self.push(entries, Commit { ends, bytes, pieces });
        freed
    }

    /// These are in chunks now, and durable: they are read from there.
    pub(crate) fn folded(&mut self, folds: &[Fold]) {
        for fold in folds {
            let Entry::Occupied(mut occupied) = self.logs.entry(fold.log) else { continue };
            let recent = occupied.get_mut();
            for entry in recent.entries.drain(..fold.entries.len()) {
                recent.bytes -= entry.len() + ENTRY_OVERHEAD;
            }
            recent.first = fold.end() + 1;
            if recent.entries.is_empty() {
                occupied.remove();
            }
        }
        let logs = &self.logs;
        self.ripe.retain(|log| logs.get(log).is_some_and(Recent::is_ripe));
    }

    fn push<I: Iterator<Item = Bytes>>(
        &mut self,
        parts: impl Iterator<Item = (LogId, Revision, I)>,
        mut commit: Commit,
    ) {
        for (log, first, entries) in parts {
            let recent = self.logs.entry(log).or_insert_with(|| {
                commit.bytes += LOG_OVERHEAD;
                // Many logs have one entry here and get no more for long.
                Recent { first, entries: VecDeque::with_capacity(1), bytes: 0 }
            });
            debug_assert_eq!(recent.first + recent.entries.len() as u64, first, "{log} has a gap");
            let was_ripe = recent.is_ripe();
            for entry in entries {
                recent.bytes += entry.len() + ENTRY_OVERHEAD;
                recent.entries.push_back(entry);
            }
            if !was_ripe && recent.is_ripe() {
                self.ripe.push_back(log);
            }
        }
        self.bytes += commit.bytes;
        self.commits.push_back(commit);
        self.next += 1;
    }

    /// Whether a purge of a log has to be remembered.
    pub(crate) fn has(&self, log: LogId) -> bool {
        self.commits.iter().any(|commit| commit.ends.iter().any(|(of, _)| *of == log))
    }

    /// A log is purged.
    pub(crate) fn forget(&mut self, log: LogId) {
        self.logs.remove(&log);
        if self.has(log) {
            self.purged.insert(log, self.next);
        }
    }
}

fn value_bytes_max<E: Engine>() -> usize {
    VALUE_BYTES_MAX.min(E::VALUE_BYTES_MAX)
}

/// What is no longer needed in the engine.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    /// Slots, each with how many further pieces its record has.
    pub(crate) slots: Vec<(u64, usize)>,
    /// Logs whose purge needs no more be remembered.
    pub(crate) purged: Vec<LogId>,
}

/// Cuts a log's entries into chunks, as long as `left` bytes are not used up.
fn fold_into(folds: &mut Vec<Fold>, log: LogId, recent: &Recent, left: &mut usize) {
    let mut fold = Fold { log, first: recent.first, entries: Vec::new() };
    let mut bytes = 0;
    for entry in &recent.entries {
        if fold.entries.len() >= CHUNK_ENTRIES || bytes >= CHUNK_BYTES {
            *left = left.saturating_sub(bytes);
            let next = Fold { log, first: fold.end() + 1, entries: Vec::new() };
            folds.push(std::mem::replace(&mut fold, next));
            bytes = 0;
            if *left == 0 {
                return;
            }
        }
        bytes += entry.len() + ENTRY_OVERHEAD;
        fold.entries.push(entry.clone());
    }
    *left = left.saturating_sub(bytes);
    folds.push(fold);
}

/// `count 4 │ count × (length 4 │ entry)`
pub(crate) fn put_entries(payload: &mut Vec<u8>, entries: &[Bytes]) {
    payload.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    for entry in entries {
        payload.extend_from_slice(&(entry.len() as u32).to_be_bytes());
        payload.extend_from_slice(entry);
    }
}

/// Reads entries, which share the payload's memory, and moves on to what comes after them.
pub(crate) fn take_entries(payload: &mut Bytes) -> Option<Vec<Bytes>> {
    let count = payload.try_get_u32().ok()?;
    // Each has a length; a damaged count is not believed.
    let mut entries = Vec::with_capacity((count as usize).min(payload.len() / 4));
    for _ in 0..count {
        let length = payload.try_get_u32().ok()? as usize;
        entries.push((length <= payload.len()).then(|| payload.split_to(length))?);
    }
    Some(entries)
}
