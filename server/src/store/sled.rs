//! The embedded default: sled 0.34.7, in one tree.
//!
//! - **`flush()` is not durable**: sled's log writer ends in `sync_file_range`, which syncs neither the file's size nor the
//!   disk's cache. So each sync is `flush()` and then an `fdatasync` of `<path>/db`, the one file of its log, by ourselves.
//! - **What was durable can be written over.** sled moves pages out of a segment of its file (512 KiB) and uses it again as soon
//!   as it takes the moved ones for durable; after a power cut, the old place may be overwritten and the new one empty, and
//!   the database is corrupt. It does so when at least a whole segment was written after the one that has the moved pages. So
//!   with [`Durability::Sync`] nothing is written but by our calls (no thread of sled's own, which cleans up for as long as
//!   250 ms), and never more between two syncs than a part of a segment: [`UNSYNCED_BYTES_MAX`].
//! - **Values stay small**: a message of more than 131,052 bytes (a quarter of a segment less its header:
//!   `pagecache/logger.rs`, `reserve_inner`) goes to a file in `blobs/`, which is never synced. Messages are not only
//!   values: a page is written whole when it gathered ten changes, splits or merges. A leaf splits above 16 items and
//!   takes up to three more by a merge (`node.rs`, `should_split` and `should_merge`), so that with one writer 20 values
//!   and their keys must fit: [`SledEngine::VALUE_BYTES_MAX`].
//! - An error of the disk stays with an open database for good. It is opened again by our caller.
//! - No transactions on any path: 72 µs each, against 10 µs for an insertion.

use std::{
    fs::File,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    Durability, StoreError,
    embedded::{
        Embedded, OnDisk,
        engine::{Change, Direction, Engine, Visit, failed, io_failed},
    },
};

/// How much sled keeps in memory, in bytes. Its own default is 1 GiB.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// How many bytes of changes are made between two syncs. sled writes a changed value, about twice as much again since a page
/// is written whole after ten changes, and as much for each page that it moves then: some 250 KiB, half a segment.
const UNSYNCED_BYTES_MAX: usize = 48 * 1024;

/// A change counts at least so many bytes: what stands beside a small value in its page may be large.
const CHANGE_BYTES_MIN: usize = 1024;

/// How often sled writes and cleans up on its own where it may, in milliseconds: its default.
const FLUSH_PAUSE_MS: u64 = 500;

/// A store over sled: [`SledStore::open`](Embedded::open).
pub type SledStore = Embedded<SledEngine>;

/// An open sled database.
#[derive(Debug)]
pub struct SledEngine {
    db: ::sled::Db,
    /// The file of sled's log, for syncing.
    file: File,
    durability: Durability,
    /// How many bytes of changes were made since the last sync.
    unsynced: AtomicUsize,
}

impl SledEngine {
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(error)?;
        self.file.sync_data().map_err(|error| io_failed(Self::NAME, "syncing db", &error))?;
        self.unsynced.store(0, Ordering::Relaxed);
        Ok(())
    }
}

impl OnDisk for SledEngine {
    fn open(path: &Path, creating: bool, durability: Durability) -> Result<Self, StoreError> {
        // sled makes anew what it doesn't find.
        let all_there = || path.join("db").is_file() && path.join("conf").is_file();
        if !(creating || all_there()) {
            return Err(failed(Self::NAME, format!("files are missing in {}: restore a backup", path.display())));
        }
        let db = open_unlocked(path, durability)?;
        let file = File::open(path.join("db")).map_err(|error| io_failed(Self::NAME, "opening db", &error))?;
        Ok(Self { db, file, durability, unsynced: AtomicUsize::new(0) })
    }
}

/// Opens the database. One that this process had open before lets go of its lock a moment after it was dropped, when sled's
/// own threads have ended (after a long moment, when the machine is busy); that nobody else has it our own lock says.
fn open_unlocked(path: &Path, durability: Durability) -> Result<::sled::Db, StoreError> {
    const TRIES: u32 = 3_000;
    const PAUSE: Duration = Duration::from_millis(10);
    let config = ::sled::Config::default()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms((durability != Durability::Sync).then_some(FLUSH_PAUSE_MS));
    for _ in 1..TRIES {
        match config.open() {
            Err(::sled::Error::Io(locked)) if locked.to_string().contains("could not acquire lock") => {
                std::thread::sleep(PAUSE);
            }
            opened => return opened.map_err(error),
        }
    }
    config.open().map_err(error)
}

impl Engine for SledEngine {
    const NAME: &'static str = "sled";
    const VALUE_BYTES_MAX: usize = 4 * 1024;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(key).map_err(error)?.map(|value| value.to_vec()))
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut pairs = self.db.range(from..to);
        while let Some(pair) = match direction {
            Direction::Up => pairs.next(),
            Direction::Down => pairs.next_back(),
        } {
            let (key, value) = pair.map_err(error)?;
            if visit(&key, &value) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        for change in changes {
            let bytes = change.bytes().max(CHANGE_BYTES_MIN);
            match change {
                Change::Put(key, value) => drop(self.db.insert(key, value).map_err(error)?),
                Change::Remove(key) => drop(self.db.remove(key).map_err(error)?),
            }
            let unsynced = self.unsynced.fetch_add(bytes, Ordering::Relaxed) + bytes;
            if self.durability == Durability::Sync && unsynced >= UNSYNCED_BYTES_MAX {
                self.sync()?;
            }
        }
        Ok(())
    }

    fn persist(&self, durability: Durability) -> Result<(), StoreError> {
        match durability {
            Durability::Sync => self.sync(),
            Durability::Os => self.db.flush().map(drop).map_err(error),
            Durability::None => Ok(()),
        }
    }
}

fn error(error: ::sled::Error) -> StoreError {
    match &error {
        ::sled::Error::Io(io) => io_failed(SledEngine::NAME, "its files", io),
        _ => failed(SledEngine::NAME, error),
    }
}
