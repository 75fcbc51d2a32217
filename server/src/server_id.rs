//! The server's identity: made at the first start of a data directory, and kept in its store.

use bytes::Bytes;
use motet_protocol::ids::ServerId;
use uuid::Uuid;

use crate::store::{Store, StoreError};

const KEY: &str = "server/id";

/// The identity that the store holds, or a new one that it holds from here on. Waits for the disk.
///
/// Servers that share a store have one identity. So does a copy of a data directory: whoever serves a copy beside its original
/// removes the key first.
pub(crate) fn of(store: &dyn Store) -> Result<ServerId, StoreError> {
    loop {
        if let Some(value) = store.get(KEY)? {
            return decode(&value);
        }
        let id = Uuid::new_v4();
        if store.compare_and_swap(KEY, None, Some(id.as_bytes()))? {
            return Ok(ServerId(id));
        }
        // Another server made one in between.
    }
}

fn decode(value: &Bytes) -> Result<ServerId, StoreError> {
    Uuid::from_slice(value)
        .map(ServerId)
        .map_err(|error| StoreError::DamagedValue { key: KEY.to_owned(), what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use motet_protocol::message::Durability;

    use super::*;
    use crate::store::{self, StoreKind, memory::MemoryStore};

    #[test]
    fn a_data_directory_keeps_its_identity_and_each_has_another() {
        let directory = tempfile::tempdir().unwrap();
        let opened = || {
            let store = store::open(StoreKind::Sled, directory.path(), Durability::Sync).unwrap();
            of(store.as_ref()).unwrap()
        };
        let first = opened();
        assert_eq!(opened(), first);
        let [one, other] = [MemoryStore::default(), MemoryStore::default()].map(|store| of(&store).unwrap());
        assert!(one != other && one != first);
    }

    #[test]
    fn a_damaged_identity_is_an_error() {
        let store = MemoryStore::default();
        assert!(store.compare_and_swap(KEY, None, Some(b"short")).unwrap());
        assert!(matches!(of(&store), Err(StoreError::DamagedValue { .. })));
    }
}
