//! What an embedded engine must be able to do: keep one ordered map of small values, and sync it.

use std::{io, ops::ControlFlow};

use super::super::{Durability, StoreError};

/// One change of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a key's value.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; that it isn't there is no error.
    Remove(Vec<u8>),
}

impl Change {
    /// How many bytes it has, the key's included.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::Remove(key) => key.len(),
        }
    }
}

/// In which direction a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first key on.
    Up,
    /// From the last key on.
    Down,
}

/// Takes a scan's pairs one by one and says when it has enough.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// An ordered map of bytes on a disk. An engine may panic: its caller catches that.
///
/// After a failed `write` or `persist` nothing is known of the changes, except that those that are there after the engine was
/// opened again are the first of them, in their order.
pub trait Engine: Sized + Send + Sync + 'static {
    /// Its name, in messages and in the data directory.
    const NAME: &'static str;

    /// The longest value that it keeps in its own log, in bytes.
    const VALUE_BYTES_MAX: usize;

    /// A key's value.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the pairs from key `from` (inclusive) to key `to` (exclusive).
    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError>;

    /// Makes changes, in order. Need not be durable before `persist`.
    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError>;

    /// Makes all that was written durable.
    fn persist(&self, durability: Durability) -> Result<(), StoreError>;
}

/// An engine's error, in its words.
pub(crate) fn failed(engine: &'static str, what: impl ToString) -> StoreError {
    StoreError::Engine { engine, what: what.to_string() }
}

/// An error of a file: a full disk is told apart from everything else.
pub(crate) fn io_failed(engine: &'static str, doing: &str, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => failed(engine, format!("{doing}: {error}")),
    }
}
