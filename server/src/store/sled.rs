//! The embedded default: sled 0.34.7, in one tree.
//!
//! - **`flush()` is not durable**: sled's log writer ends in `sync_file_range`, which syncs neither the file's size nor the
//!   disk's cache. So each sync is `flush()` and then an `fdatasync` of `<path>/db`, the one file of its log, by ourselves.
//! - **Values stay small**: a message of more than 131,052 bytes (a quarter of a segment less its header:
//!   `pagecache/logger.rs`, `reserve_inner`) goes to a file in `blobs/`, which is never synced. Messages are not only
//!   values: a page is written whole when it gathered ten changes, splits or merges. A leaf splits above 16 items and
//!   takes up to three more by a merge (`node.rs`, `should_split` and `should_merge`), so that with one writer 20 values
//!   and their keys must fit: [`SledEngine::VALUE_BYTES_MAX`].
//! - An error of the disk stays with an open database for good. It is opened again by our caller.
//! - No transactions on any path: 72 µs each, against 10 µs for an insertion.

use std::{fs::File, ops::ControlFlow, path::Path, time::Duration};

use super::{
    Durability, StoreError,
    embedded::{
        Embedded, OnDisk,
        engine::{Change, Direction, Engine, Visit, failed, io_failed},
    },
};

/// How much sled keeps in memory, in bytes. Its own default is 1 GiB.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// A store over sled: [`SledStore::open`](Embedded::open).
pub type SledStore = Embedded<SledEngine>;

/// An open sled database.
#[derive(Debug)]
pub struct SledEngine {
    db: ::sled::Db,
    /// The file of sled's log, for syncing.
    file: File,
}

impl OnDisk for SledEngine {
    fn open(path: &Path, creating: bool, _: Durability) -> Result<Self, StoreError> {
        // sled makes anew what it doesn't find.
        let all_there = || path.join("db").is_file() && path.join("conf").is_file();
        if !(creating || all_there()) {
            return Err(failed(Self::NAME, format!("files are missing in {}: restore a backup", path.display())));
        }
        let db = open_unlocked(path)?;
        let file = File::open(path.join("db")).map_err(|error| io_failed(Self::NAME, "opening db", &error))?;
        Ok(Self { db, file })
    }
}

/// Opens the database. One that this process had open before lets go of its lock a moment after it was dropped, when sled's
/// own threads have ended (after a long moment, when the machine is busy); that nobody else has it our own lock says.
fn open_unlocked(path: &Path) -> Result<::sled::Db, StoreError> {
    const TRIES: u32 = 3_000;
    const PAUSE: Duration = Duration::from_millis(10);
    let config = ::sled::Config::default().path(path).cache_capacity(CACHE_BYTES);
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
            match change {
                Change::Put(key, value) => drop(self.db.insert(key, value).map_err(error)?),
                Change::Remove(key) => drop(self.db.remove(key).map_err(error)?),
            }
        }
        Ok(())
    }

    fn persist(&self, durability: Durability) -> Result<(), StoreError> {
        if durability != Durability::None {
            self.db.flush().map_err(error)?;
        }
        if durability == Durability::Sync {
            self.file.sync_data().map_err(|error| io_failed(Self::NAME, "syncing db", &error))?;
        }
        Ok(())
    }
}

fn error(error: ::sled::Error) -> StoreError {
    match &error {
        ::sled::Error::Io(io) => io_failed(SledEngine::NAME, "its files", io),
        _ => failed(SledEngine::NAME, error),
    }
}
