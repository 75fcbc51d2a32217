//! What all embedded engines have in common: everything of a store but the map itself.
//!
//! - [`engine`]: what an engine must be able to do. [`keys`], [`record`]: what stands where in it, and its checksums.
//! - [`directory`]: the data directory. [`cell`]: an engine that fails is opened again. [`ends`]: heads at hand. [`tip`]: how
//!   a lost end of the data is found out. [`tails`]: and one of a log.
//! - [`journal`]: the newest entries of all logs, a value a batch. [`chunks`]: older ones, a value for some hundred of a log.
//! - [`log`], [`snapshots`], [`pairs`]: the three parts of the trait, one file each.
//!
//! ```text
//! append ─▶ journal: one commit a batch ─ sync ─▶ in its memory, shown ─ when a log has enough ─▶ chunk of the log
//! read   ◀─ chunks, then the journal's memory
//! open   ─▶ the journal's commits are read into its memory again
//! ```
//!
//! **What is not durable is not shown.** `head` and `read` see what is in the journal's memory, where entries come after their
//! sync, and what was folded from there. When an engine is opened, all its files are synced first: what a killed process had
//! left in the page cache is durable then, or gone.

use std::{fs, io, path::Path};

use bytes::Bytes;
use motet_protocol::ids::Revision;
use parking_lot::{Mutex, MutexGuard};

use self::{
    cell::{Cell, Never, Reopen, caught},
    directory::{Directory, FORMAT_VERSION},
    ends::Ends,
    engine::{Change, Direction, Engine, failed, io_failed},
    journal::Journal,
    tails::Tails,
    tip::Tip,
};
use super::{Append, AppendOutcome, Durability, Head, LogId, Store, StoreError, StoredEntry, StoredSnapshot, Swap};

mod cell;
mod chunks;
mod directory;
mod ends;
pub mod engine;
#[cfg(test)]
mod failures;
mod journal;
mod keys;
mod log;
mod pairs;
mod record;
mod snapshots;
mod tails;
#[cfg(test)]
mod tests;
mod tip;

/// An engine that lives in a directory.
pub trait OnDisk: Engine {
    /// Opens its files below `path`. Only when `creating` may it make a database that is not there.
    fn open(path: &Path, creating: bool, durability: Durability) -> Result<Self, StoreError>;
}

/// A store over an embedded engine.
pub struct Embedded<E: Engine> {
    cell: Cell<E>,
    durability: Durability,
    ends: Mutex<Ends>,
    journal: Mutex<Journal>,
    /// One writes at a time, for one batch, pair or piece of a snapshot: engines gain nothing from more, and sled's pages
    /// stay small by it (see `sled`).
    writer: Mutex<Writer>,
}

/// What only the one writer may touch.
#[derive(Default)]
struct Writer {
    /// None in a store that does not sync.
    tip: Option<Tip>,
    /// Written down where there is a tip.
    tails: Tails,
    /// Keys that nobody needs, to be removed with what is written next.
    garbage: Vec<Vec<u8>>,
}

impl Writer {
    fn take_garbage(&mut self) -> Vec<Change> {
        self.garbage.drain(..).map(Change::Remove).collect()
    }
}

impl<E: Engine> Embedded<E> {
    /// A store over an engine that is not opened from anywhere.
    pub(crate) fn of(engine: E) -> Self {
        Self::over(engine, Box::new(Never), Durability::None, None, Journal::starting(1))
    }

    fn over(engine: E, reopen: Box<dyn Reopen<E>>, durability: Durability, tip: Option<Tip>, journal: Journal) -> Self {
        let writer = Writer { tip, ..Writer::default() };
        Self {
            cell: Cell::new(engine, reopen),
            durability,
            ends: Mutex::default(),
            journal: Mutex::new(journal),
            writer: Mutex::new(writer),
        }
    }

    fn read_engine<T>(&self, operation: impl FnOnce(&E) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.cell.read(|engine| self.reload(engine), operation)
    }

    /// Becomes the one writer, with an engine that works as far as is known.
    fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let writer = self.writer.lock();
        self.cell.mend(|engine| self.reload(engine))?;
        Ok(writer)
    }

    /// The engine was opened again, with all that it holds synced: only the disk knows now, and what it holds is durable.
    fn reload(&self, engine: &E) -> Result<(), StoreError> {
        let journal = journal::load(engine, mark_of(engine)?.next, self.durability == Durability::Sync)?;
        *self.journal.lock() = journal;
        self.ends.lock().forget_all();
        Ok(())
    }

    /// Makes changes and has them as durable as the store was opened to make them.
    fn write_through(&self, writer: &mut Writer, changes: Vec<Change>) -> Result<(), StoreError> {
        let mark = writer.tip.as_mut().and_then(Tip::next);
        self.write_marked(writer, changes, mark, self.durability)
    }

    /// Folds the journal, makes everything durable that was written, and sets a mark to it.
    fn write_out(&self, writer: &mut Writer) -> Result<(), StoreError> {
        self.fold_all(writer, Durability::Sync)?;
        let mark = writer.tip.as_mut().and_then(Tip::last);
        let mut changes = writer.take_garbage();
        let ends = put_tails::<E>(writer.tails.all(), &mut changes);
        // A commit without entries, which says that those before it are not needed.
        let needed = !self.journal.lock().is_empty();
        let pieces = needed.then(|| self.put_commit(&[], &mut changes));
        self.write_marked(writer, changes, mark, Durability::Sync)?;
        writer.tails.written(ends);
        if let Some(pieces) = pieces {
            self.committed(writer, &[], pieces);
        }
        let synced = writer.tip.as_mut().map_or(Ok(()), Tip::sync);
        synced.map_err(|error| io_failed(E::NAME, "syncing TIP", &error))
    }

    /// Makes changes, and sets a mark to them.
    fn write_marked(
        &self,
        writer: &mut Writer,
        mut changes: Vec<Change>,
        mark: Option<u64>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        if let Some(mark) = mark {
            // What is durable already: a commit among the changes may be lost, by a power cut now, and the mark not.
            let next = self.journal.lock().next();
            Mark { mark, next }.put(E::VALUE_BYTES_MAX, &mut changes);
        }
        self.cell.write(|engine| {
            if !changes.is_empty() {
                engine.write(changes)?;
            }
            engine.persist(durability)
        })?;
        if let (Some(tip), Some(mark)) = (&mut writer.tip, mark)
            && let Err(error) = tip.reached(mark)
        {
            // The data are durable; only the check on them is as old as the mark before.
            tracing::warn!(%error, "the file TIP cannot be written");
        }
        Ok(())
    }

    /// Gathers a record that is there; the inner error says how it is damaged.
    fn gather(&self, opened: record::Opened, key: &[u8], pieces: &[u8]) -> Result<Result<Vec<u8>, String>, StoreError> {
        self.read_engine(|engine| opened.gather(key, pieces, |piece| engine.get(piece)))
    }
}

impl<E: OnDisk> Embedded<E> {
    /// Opens the store in a directory, made if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process has it open, [`StoreError::Format`] if it holds another engine's data or
    /// another version's format (it is left as it is), [`StoreError::Full`], and [`StoreError::Engine`] when the
    /// engine can't open its files, most likely because they are damaged.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Self, StoreError> {
        let (directory, creating) = Directory::open(path.as_ref(), E::NAME)?;
        let full = |error| if directory.is_full() { StoreError::Full } else { error };
        let engine = if creating {
            let engine = open_engine::<E>(&directory, true, durability).map_err(full)?;
            directory.created()?;
            engine
        } else {
            directory.sync_all()?;
            open_engine::<E>(&directory, false, durability).map_err(full)?
        };
        // Without TIP, whoever removed it goes on with what is left.
        let strict = Tip::read(&directory.tip_path()).is_ok_and(|mark| mark > 0) && durability == Durability::Sync;
        let loaded = caught::<E, Journal>(|| journal::load(&engine, mark_of(&engine)?.next, strict));
        let journal = loaded.map_err(full)?;
        let tip = open_tip(&directory, &engine, durability).map_err(full)?;
        Ok(Self::over(engine, Box::new(InDirectory { directory, durability }), durability, tip, journal))
    }
}

impl<E: Engine> Drop for Embedded<E> {
    /// Sets the last mark, if the store was not flushed before.
    fn drop(&mut self) {
        let mut writer = self.writer.lock();
        if writer.tip.as_mut().is_some_and(|tip| tip.is_behind())
            && let Err(error) = self.write_out(&mut writer)
        {
            tracing::warn!(%error, "the store is closed without its last mark");
        }
    }
}

/// The marks of a store that syncs; one that does not has none, and leaves none behind.
fn open_tip<E: Engine>(directory: &Directory, engine: &E, durability: Durability) -> Result<Option<Tip>, StoreError> {
    let failed = |error: io::Error| io_failed(E::NAME, "the file TIP", &error);
    if durability != Durability::Sync {
        return match fs::remove_file(directory.tip_path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(None),
        };
    }
    let mark = caught::<E, u64>(|| Ok(mark_of(engine)?.mark))?;
    Tip::open(&directory.tip_path(), mark).map(Some).map_err(failed)
}

/// Opens an engine's files and checks two records in them: that of the format, which is the first thing written there
/// (without it, the engine has lost everything and calls itself empty), and the last mark.
fn open_engine<E: OnDisk>(directory: &Directory, creating: bool, durability: Durability) -> Result<E, StoreError> {
    caught::<E, E>(|| {
        let engine = E::open(&directory.engine_path(), creating, durability)?;
        if creating {
            let (mut changes, format) = (Vec::new(), FORMAT_VERSION.to_be_bytes());
            record::put(keys::FORMAT.to_vec(), &[], &format, E::VALUE_BYTES_MAX, &mut changes);
            engine.write(changes)?;
            engine.persist(Durability::Sync)?;
            return Ok(engine);
        }
        check_format(&engine)?;
        let tip = Tip::read(&directory.tip_path()).map_err(|error| io_failed(E::NAME, "reading TIP", &error))?;
        let mark = mark_of(&engine)?.mark;
        match mark < tip {
            true => Err(failed(
                E::NAME,
                format!(
                    "the end of its data is lost: they reach to mark {mark}, and mark {tip} \
                was durable. Restore a backup; or remove the file {} to go on with what is left, where the newest \
                entries of some rooms are missing",
                    directory.tip_path().display()
                ),
            )),
            false => Ok(engine),
        }
    })
}

fn check_format<E: Engine>(engine: &E) -> Result<(), StoreError> {
    let expected = FORMAT_VERSION.to_be_bytes();
    match get_small(engine, keys::FORMAT)? {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(StoreError::Format {
            found: format!("{} data of format {found:?}", E::NAME),
            expected: format!("{expected:?}"),
        }),
        None => Err(failed(E::NAME, "its data are gone: the record of their format, the first of all, is missing")),
    }
}

/// The changes that write down how far logs reached; returns how many logs.
fn put_tails<E: Engine>(tails: &[(LogId, Revision)], changes: &mut Vec<Change>) -> usize {
    for (log, end) in tails {
        record::put(keys::tail(*log), &[], &end.to_be_bytes(), E::VALUE_BYTES_MAX, changes);
    }
    tails.len()
}

/// The last mark that is in an engine: `mark 8 │ next commit 8`.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    mark: u64,
    /// The journal's commits before this one were durable then.
    next: u64,
}

impl Mark {
    fn put(self, value_bytes_max: usize, changes: &mut Vec<Change>) {
        let payload = [self.mark.to_be_bytes(), self.next.to_be_bytes()].concat();
        record::put(keys::TIP.to_vec(), &[], &payload, value_bytes_max, changes);
    }
}

fn mark_of<E: Engine>(engine: &E) -> Result<Mark, StoreError> {
    let Some(payload) = get_small(engine, keys::TIP)? else { return Ok(Mark::default()) };
    let number = |at: usize| payload.get(at..).and_then(|rest| rest.first_chunk()).copied().map(u64::from_be_bytes);
    Ok(Mark { mark: number(0).unwrap_or(0), next: number(8).unwrap_or(0) })
}

/// The number in a record; 0 if there is none.
fn number_at<E: Engine>(engine: &E, key: &[u8]) -> Result<u64, StoreError> {
    let number = get_small(engine, key)?;
    Ok(number.and_then(|number| number.try_into().ok()).map_or(0, u64::from_be_bytes))
}

/// A record without pieces.
fn get_small<E: Engine>(engine: &E, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let damaged = |what| failed(E::NAME, format!("its record {:?} is damaged: {what}", key.escape_ascii().to_string()));
    let Some(value) = engine.get(key)? else { return Ok(None) };
    let opened = record::open(&value).map_err(damaged)?;
    opened.gather(key, &[], |_| Ok(None))?.map(Some).map_err(damaged)
}

/// How an engine in a directory is opened again.
struct InDirectory {
    directory: Directory,
    durability: Durability,
}

impl<E: OnDisk> Reopen<E> for InDirectory {
    fn reopen(&self) -> Result<E, StoreError> {
        self.directory.drop_caches()?;
        self.directory.sync_all()?;
        open_engine::<E>(&self.directory, false, self.durability)
    }

    fn is_full(&self) -> bool {
        self.directory.is_full()
    }
}

impl<E: Engine> Store for Embedded<E> {
    fn engine(&self) -> &'static str {
        E::NAME
    }

    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        self.append_batch(batch)
    }

    fn head(&self, log: LogId) -> Result<Head, StoreError> {
        self.shown_head(log)
    }

    fn read(
        &self,
        log: LogId,
        from: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        self.read_entries(log, from, entries_max, bytes_max)
    }

    fn put_snapshot(&self, log: LogId, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.write_snapshot(log, snapshot)
    }

    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        self.newest_snapshot(log, at_most)
    }

    fn purge(&self, log: LogId) -> Result<(), StoreError> {
        self.purge_log(log)
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.pair(key)
    }

    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError> {
        self.swap_pairs([(key, expected, new)])
    }

    fn swap_all(&self, swaps: &[Swap]) -> Result<bool, StoreError> {
        self.swap_pairs(swaps.iter().map(|swap| (swap.key.as_str(), swap.expected.as_deref(), swap.new.as_deref())))
    }

    fn remove_pairs(&self, prefix: &str) -> Result<(), StoreError> {
        self.remove_pairs_unread(prefix)
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.scan_pairs(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        self.write_out(&mut writer)
    }
}
