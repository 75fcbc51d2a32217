//! One switch chooses the engine.

use std::{fmt, path::Path, str::FromStr, sync::Arc};

use super::{Durability, Store, StoreError, fjall::FjallStore, memory::MemoryStore, sled::SledStore};

/// The engines to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StoreKind {
    /// Nothing survives; for tests.
    Memory,
    /// The embedded default.
    #[default]
    Sled,
    /// Embedded, for much history.
    Fjall,
}

/// A text that names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no storage engine: choose sled, fjall or memory")]
pub struct UnknownStoreKind(String);

impl FromStr for StoreKind {
    type Err = UnknownStoreKind;

    fn from_str(name: &str) -> Result<Self, UnknownStoreKind> {
        match name {
            "memory" => Ok(Self::Memory),
            "sled" => Ok(Self::Sled),
            "fjall" => Ok(Self::Fjall),
            _ => Err(UnknownStoreKind(name.to_owned())),
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Sled => "sled",
            Self::Fjall => "fjall",
        })
    }
}

/// Opens a store in a directory, made if there is none ([`StoreKind::Memory`] passes over both arguments).
///
/// # Errors
///
/// Those of [`Embedded::open`](super::embedded::Embedded::open).
pub fn open(kind: StoreKind, path: &Path, durability: Durability) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match kind {
        StoreKind::Memory => Arc::new(MemoryStore::new()),
        StoreKind::Sled => Arc::new(SledStore::open(path, durability)?),
        StoreKind::Fjall => Arc::new(FjallStore::open(path, durability)?),
    })
}
