//! The embedded choice for much history: fjall 3, in one keyspace.
//!
//! - A batch is atomic; `persist(SyncData)` makes its journal durable.
//! - After an error of the disk it is poisoned for good. It is opened again by our caller.

use std::{ops::ControlFlow, path::Path};

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{
    Durability, StoreError,
    embedded::{
        Embedded, OnDisk,
        engine::{Change, Direction, Engine, Visit, failed, io_failed},
    },
};

/// How much fjall keeps of its tables' blocks in memory, in bytes: as much as is kept with sled. The system keeps their files' pages.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// How much it gathers in memory before it writes a table, in bytes. Its own default is 64 MiB; with this an entry costs the same.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;

/// How long its journals get before they become tables, in bytes: what is read again when it opens.
const JOURNAL_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// A store over fjall: [`FjallStore::open`](Embedded::open).
pub type FjallStore = Embedded<FjallEngine>;

/// An open fjall database.
pub struct FjallEngine {
    // Dropped before the database that it is part of.
    keyspace: Keyspace,
    db: Database,
}

impl OnDisk for FjallEngine {
    fn open(path: &Path, creating: bool, durability: Durability) -> Result<Self, StoreError> {
        // fjall makes anew what it doesn't find.
        if !creating && !path.join("version").is_file() {
            return Err(failed(Self::NAME, format!("files are missing in {}: restore a backup", path.display())));
        }
        let db = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .worker_threads(1)
            .manual_journal_persist(durability == Durability::None)
            .open()
            .map_err(error)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = db.keyspace("motet", options).map_err(error)?;
        Ok(Self { keyspace, db })
    }
}

impl Engine for FjallEngine {
    const NAME: &'static str = "fjall";
    const VALUE_BYTES_MAX: usize = 64 * 1024;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.keyspace.get(key).map_err(error)?.map(|value| value.to_vec()))
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut pairs = self.keyspace.range(from..to);
        while let Some(pair) = match direction {
            Direction::Up => pairs.next(),
            Direction::Down => pairs.next_back(),
        } {
            let (key, value) = pair.into_inner().map_err(error)?;
            if visit(&key, &value) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut batch = self.db.batch();
        for change in changes {
            match change {
                Change::Put(key, value) => batch.insert(&self.keyspace, key, value),
                Change::Remove(key) => batch.remove(&self.keyspace, key),
            }
        }
        batch.commit().map_err(error)
    }

    fn persist(&self, durability: Durability) -> Result<(), StoreError> {
        match durability {
            Durability::Sync => self.db.persist(PersistMode::SyncData).map_err(error),
            Durability::Os => self.db.persist(PersistMode::Buffer).map_err(error),
            Durability::None => Ok(()),
        }
    }
}

fn error(error: ::fjall::Error) -> StoreError {
    match &error {
        ::fjall::Error::Io(io) => io_failed(FjallEngine::NAME, "its files", io),
        _ => failed(FjallEngine::NAME, error),
    }
}
