//! A store in memory, for tests: nothing survives it.

use std::{collections::BTreeMap, ops::ControlFlow};

use parking_lot::RwLock;

use super::{
    Durability, StoreError,
    embedded::{
        Embedded,
        engine::{Change, Direction, Engine, Visit},
    },
};

/// A store in memory. It lives as long as its value does.
pub type MemoryStore = Embedded<MemoryEngine>;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::of(MemoryEngine::default())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// An ordered map in memory.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Engine for MemoryEngine {
    const NAME: &'static str = "memory";
    const VALUE_BYTES_MAX: usize = 64 * 1024;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.map.read().get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        let map = self.map.read();
        let mut pairs = map.range(from.to_vec()..to.to_vec());
        while let Some((key, value)) = match direction {
            Direction::Up => pairs.next(),
            Direction::Down => pairs.next_back(),
        } {
            if visit(key, value) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut map = self.map.write();
        for change in changes {
            match change {
                Change::Put(key, value) => map.insert(key, value),
                Change::Remove(key) => map.remove(&key),
            };
        }
        Ok(())
    }

    fn persist(&self, _: Durability) -> Result<(), StoreError> {
        Ok(())
    }
}
