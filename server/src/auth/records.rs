//! What is kept of accounts and links: one record a key, changed by compare-and-swap. Every call waits for the disk.
//!
//! ```text
//! auth/key               32 bytes     what signs the server's tokens
//! auth/account/<name>    Kept         an account with its sessions, or that there was one
//! auth/links/<target>    Links        the links to a room (room/<id>) or a project (project/<id>)
//! ```

use std::{fmt, sync::Arc};

use bincode::{Decode, Encode};
use bytes::Bytes;
use motet_protocol::{codec, error::ErrorCode};

use super::{secret::random, token::TokenKey};
use crate::{
    refusal::{RETRY_AFTER_MS, Refusal},
    store::{Store, StoreError},
};

const KEY: &str = "auth/key";

/// How often a change is tried against others who change the same record. Each failure means that one of them got on.
const TRIES_MAX: usize = 1_000;

/// The records in a store.
#[derive(Clone)]
pub(super) struct Records {
    store: Arc<dyn Store>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("engine", &self.store.engine()).finish()
    }
}

impl Records {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The key that signs tokens, made when there is none.
    pub(super) fn key(&self) -> Result<TokenKey, StoreError> {
        if self.store.get(KEY)?.is_none() {
            self.store.compare_and_swap(KEY, None, Some(&random::<32>()))?;
        }
        let bytes = self.store.get(KEY)?.and_then(|bytes| <[u8; 32]>::try_from(&*bytes).ok());
        bytes.map(TokenKey::new).ok_or_else(|| damaged(KEY, "it is no key".to_owned()))
    }

    pub(super) fn get<T: Decode<()>>(&self, key: &str) -> Result<Option<T>, Refusal> {
        self.find(key).map(|found| found.map(|(record, _)| record)).map_err(told)
    }

    /// Changes a record. `change` gets what there is, may be called more than once, and gives what there should be and
    /// what to answer; what it leaves as it was is not written.
    pub(super) fn update<T: Encode + Decode<()>, R>(
        &self,
        key: &str,
        mut change: impl FnMut(Option<T>) -> Result<(Option<T>, R), Refusal>,
    ) -> Result<R, Refusal> {
        for _ in 0..TRIES_MAX {
            let (record, old) = self.find(key).map_err(told)?.unzip();
            let (new, answer) = change(record)?;
            let new = new.map(|new| codec::encode(&new));
            if new == old || self.store.compare_and_swap(key, old.as_deref(), new.as_deref()).map_err(told)? {
                return Ok(answer);
            }
        }
        Err(Refusal::for_now(ErrorCode::Overloaded, "too many change this at once; try again", RETRY_AFTER_MS))
    }

    /// At most `limit` records whose keys begin with `prefix`, after that of `after`: the rest of each key, and the record.
    pub(super) fn list<T: Decode<()>>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, Refusal> {
        let after = after.map(|after| format!("{prefix}{after}"));
        let pairs = self.store.scan(prefix, after.as_deref(), limit).map_err(told)?;
        let records = pairs.into_iter().map(|(key, value)| {
            let record = codec::decode(&value).map_err(|error| damaged(&key, error.to_string()))?;
            Ok((key[prefix.len()..].to_owned(), record))
        });
        records.collect::<Result<_, StoreError>>().map_err(told)
    }

    /// A record, and its value in the store.
    pub(super) fn find<T: Decode<()>>(&self, key: &str) -> Result<Option<(T, Bytes)>, StoreError> {
        let Some(value) = self.store.get(key)? else { return Ok(None) };
        let record = codec::decode(&value).map_err(|error| damaged(key, error.to_string()))?;
        Ok(Some((record, value)))
    }
}

fn damaged(key: &str, what: String) -> StoreError {
    StoreError::DamagedValue { key: key.to_owned(), what }
}

/// What a client hears of trouble in the store. Damage is the operator's to hear of in full.
fn told(error: StoreError) -> Refusal {
    match error {
        StoreError::DamagedValue { .. } | StoreError::Damaged { .. } => {
            tracing::error!(%error, "what is kept of accounts is damaged");
            Refusal::new(
                ErrorCode::Internal,
                "what the server keeps of this is damaged; its operator can restore a copy",
            )
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn the_key_stays_the_same() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        let token = super::super::token::LinkToken {
            target: super::super::Target::Room("abc".parse().unwrap()),
            link: super::super::TokenId::random(),
        };
        let signed = records.key().unwrap().sign(&token);
        assert_eq!(records.key().unwrap().open(signed.expose()), Some(token));
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let add = |old: Option<u64>| Ok((Some(old.unwrap_or(0) + 1), ()));
                        records.update("auth/test", add).unwrap();
                    }
                });
            }
        });
        assert_eq!(records.get::<u64>("auth/test").unwrap(), Some(200));
    }

    #[test]
    fn a_damaged_record_is_told_as_a_mistake_of_the_servers() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        records.store.compare_and_swap("auth/test", None, Some(b"\xff\xff\xff")).unwrap();
        assert_eq!(records.get::<u64>("auth/test").unwrap_err().code, ErrorCode::Internal);
    }
}
