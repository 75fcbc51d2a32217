//! What all embedded engines have in common: everything of a store but the map itself.
//!
//! - [`engine`]: what an engine must be able to do. [`keys`], [`record`]: what stands where in it, and its checksums.
//! - [`directory`]: the data directory. [`cell`]: an engine that fails is opened again. [`ends`]: heads at hand.
//! - [`log`], [`snapshots`], [`pairs`]: the three parts of the trait, one file each.
//!
//! **What is not durable is not shown.** From an append's first change until its sync, and after one that failed until the
//! engine was opened again, `head` and `read` end at the log's last durable revision. When an engine is opened, all its files
//! are synced first: what a killed process had left in the page cache is durable then, or gone.

use std::path::Path;

use bytes::Bytes;
use motet_protocol::ids::Revision;
use parking_lot::{Mutex, MutexGuard};

use self::{
    cell::{Cell, Never, Reopen, caught},
    directory::{Directory, FORMAT_VERSION},
    ends::Ends,
    engine::{Change, Direction, Engine, failed},
};
use super::{Append, AppendOutcome, Durability, Head, LogId, Store, StoreError, StoredEntry, StoredSnapshot};

mod cell;
mod directory;
mod ends;
pub mod engine;
mod keys;
mod log;
mod pairs;
mod record;
mod snapshots;
#[cfg(test)]
mod tests;

/// An engine that lives in a directory.
pub trait OnDisk: Engine {
    /// Opens its files below `path`. Only when `creating` may it make a database that is not there.
    fn open(path: &Path, creating: bool, durability: Durability) -> Result<Self, StoreError>;
}

/// A store over an embedded engine.
pub struct Embedded<E> {
    cell: Cell<E>,
    durability: Durability,
    ends: Mutex<Ends>,
    /// One writes at a time, for one batch, pair or piece of a snapshot: engines gain nothing from more, and sled's pages
    /// stay small by it (see `sled`).
    writer: Mutex<()>,
}

impl<E: Engine> Embedded<E> {
    /// A store over an engine that is not opened from anywhere.
    pub(crate) fn of(engine: E) -> Self {
        Self::over(engine, Box::new(Never), Durability::None)
    }

    fn over(engine: E, reopen: Box<dyn Reopen<E>>, durability: Durability) -> Self {
        Self { cell: Cell::new(engine, reopen), durability, ends: Mutex::default(), writer: Mutex::default() }
    }

    fn read_engine<T>(&self, operation: impl FnOnce(&E) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.cell.read(|| self.ends.lock().forget_all(), operation)
    }

    /// Becomes the one writer, with an engine that works as far as is known.
    fn writer(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let writer = self.writer.lock();
        self.cell.mend(|| self.ends.lock().forget_all())?;
        Ok(writer)
    }

    /// Makes changes and has them as durable as the store was opened to make them.
    fn write_through(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.cell.write(|engine| {
            engine.write(changes)?;
            engine.persist(self.durability)
        })
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
        Ok(Self::over(engine, Box::new(InDirectory { directory, durability }), durability))
    }
}

/// Opens an engine's files and checks the format record in them, which is the first thing written there: without it, the
/// engine has lost everything and calls itself empty.
fn open_engine<E: OnDisk>(directory: &Directory, creating: bool, durability: Durability) -> Result<E, StoreError> {
    caught::<E, E>(|| {
        let engine = E::open(&directory.engine_path(), creating, durability)?;
        let expected = FORMAT_VERSION.to_be_bytes();
        if creating {
            let mut changes = Vec::new();
            record::put(keys::FORMAT.to_vec(), &[], &expected, E::VALUE_BYTES_MAX, &mut changes);
            engine.write(changes)?;
            engine.persist(Durability::Sync)?;
            return Ok(engine);
        }
        let Some(value) = engine.get(keys::FORMAT)? else {
            return Err(failed(E::NAME, "its data are gone: the record of their format, the first of all, is missing"));
        };
        match record::open(&value) {
            Ok(opened) => match opened.gather(keys::FORMAT, &[], |key| engine.get(key))? {
                Ok(found) if found == expected => Ok(engine),
                Ok(found) => Err(StoreError::Format {
                    found: format!("{} data of format {found:?}", E::NAME),
                    expected: format!("{expected:?}"),
                }),
                Err(what) => Err(failed(E::NAME, format!("the record of its format is damaged: {what}"))),
            },
            Err(what) => Err(failed(E::NAME, format!("the record of its format is damaged: {what}"))),
        }
    })
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
        self.swap_pair(key, expected, new)
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.scan_pairs(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        let _writer = self.writer()?;
        self.cell.write(|engine| engine.persist(Durability::Sync))
    }
}
