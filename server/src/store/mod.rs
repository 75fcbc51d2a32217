//! Where logs, snapshots and the room registry are kept: one trait, one conformance suite, several engines.
//!
//! - [`embedded`]: what the engines below have in common.
//! - [`memory`]: nothing survives; for tests.
//! - [`sled`]: the embedded default.
//! - [`fjall`]: embedded, for much history.
//!
//! A store is synchronous: it is called from the log writer's own thread and from blocking tasks, never from the runtime.
//! What goes in comes out as it was or as a [`StoreError`]: every value carries a checksum of its own, since no engine
//! tells all damage by itself.

use std::fmt;

use bytes::Bytes;
use motet_protocol::{
    error::ErrorCode,
    ids::{LogIdentity, Revision},
};
use uuid::Uuid;

use crate::refusal::{RETRY_AFTER_MS, Refusal};

pub mod conformance;
pub mod embedded;
pub mod fjall;
pub mod memory;
mod open;
pub mod sled;

pub use self::open::{StoreKind, UnknownStoreKind, open};

/// A room's log in the store. A room that is deleted and made again gets another log, so that nothing of the old one can
/// come back. Written in keys as eight bytes, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub u64);

impl LogId {
    /// How clients know the log.
    pub fn identity(self) -> LogIdentity {
        LogIdentity(Uuid::from_u64_pair(0, self.0))
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The end of a log: our revision, and the engine's own position where it has one (a sequence of JetStream's; embedded
/// engines say 0 and pass it over).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// The last revision; 0 for an empty log.
    pub revision: Revision,
    /// Opaque.
    pub position: u64,
}

/// Entries to put at the end of one log, if the end is still where it is thought to be.
#[derive(Clone, Debug)]
pub struct Append {
    /// The log.
    pub log: LogId,
    /// The condition: the log's end.
    pub expected: Head,
    /// Encoded entries of the revisions after `expected.revision`, in order. Never empty.
    pub entries: Vec<Bytes>,
}

/// How an append ended.
#[derive(Debug)]
pub enum AppendOutcome {
    /// The entries are in the log and as durable as the store was opened to make them. Also the answer to an append that
    /// is sent again and finds its own entries, byte for byte, where it wanted to put them.
    Appended(Head),
    /// Others were first: the log's end is here. Read what is in between, fold it, propose again.
    Conflict(Head),
    /// Nobody knows whether the entries are in the log: send the identical append again, until the answer is one of the
    /// two above.
    Unknown(StoreError),
}

/// An entry as the store gives it back: its revision and its encoded bytes, checksum checked.
pub type StoredEntry = (Revision, Bytes);

/// A room's state at a revision, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The revision that it is of.
    pub revision: Revision,
    /// The encoded state. May be as large as a text may be; a store cuts it into pieces as its engine likes.
    pub state: Bytes,
}

/// A change of a key's value, if that is as expected: see [`Store::compare_and_swap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The key.
    pub key: String,
    /// Its value now.
    pub expected: Option<Bytes>,
    /// Its value then.
    pub new: Option<Bytes>,
}

/// What went wrong in a store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What is on the disk is not what was written.
    #[error("log {log} is damaged at revision {revision}: {what}")]
    Damaged {
        /// The log.
        log: LogId,
        /// The first revision that cannot be had.
        revision: Revision,
        /// What was found.
        what: String,
    },
    /// A value of the registry or another key-value pair is damaged.
    #[error("the value of key {key:?} is damaged: {what}")]
    DamagedValue {
        /// The key.
        key: String,
        /// What was found.
        what: String,
    },
    /// The disk is full. Reads go on; writes work again when there is space.
    #[error("the disk is full")]
    Full,
    /// The engine does not work for now.
    #[error("the storage engine {engine} failed: {what}")]
    Engine {
        /// Its name.
        engine: &'static str,
        /// What it said, or how it panicked.
        what: String,
    },
    /// The directory holds a format that this version does not know. It is left as it is.
    #[error("the data directory holds {found}; this version of Motet reads {expected}")]
    Format {
        /// What was found.
        found: String,
        /// What this version reads and writes.
        expected: String,
    },
    /// Another process has the directory open.
    #[error("the data directory is in use by another process")]
    InUse,
}

/// What a client is told of a failure in the store: never a path, a key or the engine's own message.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { revision, what, .. } => Refusal::new(
                ErrorCode::RoomDamaged,
                format!(
                    "the room's log is damaged at revision {revision} ({what}); its operator can restore it from a copy"
                ),
            ),
            StoreError::DamagedValue { what, .. } => {
                Refusal::new(ErrorCode::RoomDamaged, format!("what the server keeps of the room is damaged ({what})"))
            }
            StoreError::Full => Refusal::for_now(
                ErrorCode::StorageFull,
                "the server's disk is full; rooms can be read, edits are taken again when there is space",
                RETRY_AFTER_MS,
            ),
            StoreError::Engine { .. } | StoreError::Format { .. } | StoreError::InUse => Refusal::for_now(
                ErrorCode::StorageUnavailable,
                "the server's storage does not work for now; its log says why",
                RETRY_AFTER_MS,
            ),
        }
    }
}

/// How far a write goes before it is called done.
pub use motet_protocol::message::Durability;

/// What keeps the logs. Every method may be called from any thread; `append` is called by one at a time.
pub trait Store: Send + Sync + 'static {
    /// The engine's name.
    fn engine(&self) -> &'static str;

    /// Appends to several logs with one sync: group commit. One outcome for each append, in order; one log occurs at most
    /// once in a batch. When this returns `Appended` the entries are durable.
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome>;

    /// The end of a log; revision 0 for one that was never written.
    fn head(&self, log: LogId) -> Result<Head, StoreError>;

    /// Entries from revision `from` (at least 1) on, in order and without gaps: at most `entries_max` (at least one if
    /// there is one), and no more once `bytes_max` is reached. Empty at the end of the log. A gap, a wrong checksum, a
    /// value that is cut off: [`StoreError::Damaged`], and nothing in place of what is missing.
    fn read(
        &self,
        log: LogId,
        from: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError>;

    /// Keeps a snapshot beside the log. It need not be durable when this returns: it can be made again from the log.
    fn put_snapshot(&self, log: LogId, snapshot: &StoredSnapshot) -> Result<(), StoreError>;

    /// The newest intact snapshot at or before a revision. A damaged one is passed over in favour of an older one.
    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError>;

    /// Removes a log and its snapshots. Done again after a crash if it was cut off; removing nothing is no error.
    fn purge(&self, log: LogId) -> Result<(), StoreError>;

    /// The value of a key.
    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Sets (`Some`) or removes (`None`) the value of a key if it is `expected` now; returns whether it was. Durable, as
    /// far as the store was opened to be, when it returns. Keys are at most 256 bytes, values at most 64 KiB.
    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError>;

    /// Several such swaps of different keys: all of them if each key has what is expected, else none, and `false`. With one
    /// sync where the engine can; what a failure leaves of them are the first ones, in order. Where an engine cannot make
    /// several changes at once, they are made one by one until one of them is not as expected.
    fn swap_all(&self, swaps: &[Swap]) -> Result<bool, StoreError> {
        for Swap { key, expected, new } in swaps {
            if !self.compare_and_swap(key, expected.as_deref(), new.as_deref())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes all pairs whose keys begin with `prefix`, whatever is in them: those that are damaged go too. Nobody sets one of
    /// them meanwhile. It is durable at the latest when the next change of a pair is. A store that cannot do so without reading
    /// them answers damage with an error.
    fn remove_pairs(&self, prefix: &str) -> Result<(), StoreError> {
        const TOGETHER: usize = 256;
        loop {
            let pairs = self.scan(prefix, None, TOGETHER)?;
            if pairs.is_empty() {
                return Ok(());
            }
            let remove = |(key, value)| Swap { key, expected: Some(value), new: None };
            self.swap_all(&pairs.into_iter().map(remove).collect::<Vec<_>>())?;
        }
    }

    /// At most `limit` pairs whose keys begin with `prefix` and come after `after`, by key (bytewise).
    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError>;

    /// Makes everything durable, whatever the store was opened to do; called on a clean end.
    fn flush(&self) -> Result<(), StoreError>;
}
