//! Which rooms there are: one key each in the store.
//!
//! ```text
//! room/<name>      RoomRecord                 the room and its log
//! card/<log>       Card                       what lists tell of the room
//! activity/<log>   Activity                   who came and went
//! purge/<log>      the room's name            a log that is being made or removed
//! ```
//!
//! **A removal is of a log, and is decided by the removal of the room's record.** Whatever is changed before that can be left
//! as it is: a mark beside a record that is there means nothing, and is taken away at the next start. All that comes after it is
//! done again until it is done.

use std::{collections::HashSet, sync::Arc};

use bincode::{Decode, Encode};
use bytes::Bytes;
use motet_protocol::{
    access::AccountId,
    codec,
    error::ErrorCode,
    ids::{RoomId, UnixMs},
};
use parking_lot::Mutex;
use uuid::Uuid;

use super::{activity, card};
use crate::{
    refusal::Refusal,
    rooms::open::chat_pages,
    store::{LogId, Store, StoreError, Swap},
};

/// What the registry says of a room.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoomRecord {
    /// Its log; another one each time that a room of this name is made.
    pub log: u64,
    /// When it was made.
    pub created_ms: UnixMs,
    /// Who made it, where that was an account.
    pub owner: Option<AccountId>,
}

impl RoomRecord {
    /// The log's id.
    pub fn log(&self) -> LogId {
        LogId(self.log)
    }
}

const ROOM: &str = "room/";
const PURGE: &str = "purge/";

/// The registry. Every call waits for the disk.
#[derive(Clone)]
pub struct Registry {
    store: Arc<dyn Store>,
    /// The logs of rooms whose removal failed, of which nobody knows whether their records are there. Locked while that is
    /// changed, so that a room which was removed after all is not put back.
    in_doubt: Arc<Mutex<HashSet<LogId>>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("engine", &self.store.engine()).finish()
    }
}

impl Registry {
    /// The registry in a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, in_doubt: Arc::default() }
    }

    /// Makes a room.
    pub fn create(&self, room: &RoomId, owner: Option<AccountId>, now: UnixMs) -> Result<RoomRecord, Refusal> {
        let record = RoomRecord { log: new_log(now), created_ms: now, owner };
        let made = self.store.compare_and_swap(&key(room), None, Some(&codec::encode(&record)))?;
        if made { Ok(record) } else { Err(exists(room)) }
    }

    /// A room's record.
    pub fn get(&self, room: &RoomId) -> Result<RoomRecord, Refusal> {
        let found = self.find(room)?;
        found.ok_or_else(|| Refusal::new(ErrorCode::RoomNotFound, format!("there is no room {room}; make it first")))
    }

    fn find(&self, room: &RoomId) -> Result<Option<RoomRecord>, StoreError> {
        let key = key(room);
        self.store.get(&key)?.map(|value| decode(&key, &value)).transpose()
    }

    /// At most `limit` rooms whose names come after `after`, by name.
    pub fn list(&self, after: Option<&RoomId>, limit: usize) -> Result<Vec<(RoomId, RoomRecord)>, Refusal> {
        let after = after.map(key);
        let pairs = self.store.scan(ROOM, after.as_deref(), limit)?;
        let rooms = pairs.iter().map(|(key, value)| {
            let name = key.strip_prefix(ROOM).and_then(|name| RoomId::new(name).ok());
            let room = name.ok_or_else(|| damaged(key, "it names no room"))?;
            Ok((room, decode(key, value)?))
        });
        rooms.collect::<Result<_, StoreError>>().map_err(Refusal::from)
    }

    /// A record for a room that is to be made of another one's log, under a name that is free now.
    pub fn begin_import(&self, room: &RoomId, owner: Option<AccountId>, now: UnixMs) -> Result<RoomRecord, Refusal> {
        if self.find(room)?.is_some() {
            return Err(exists(room));
        }
        let record = RoomRecord { log: new_log(now), created_ms: now, owner };
        let mark = Some(room.as_str().as_bytes());
        let marked = self.store.compare_and_swap(&purge_key(record.log()), None, mark);
        marked?;
        Ok(record)
    }

    /// Lets there be a room of a record.
    pub fn finish_import(&self, room: &RoomId, record: &RoomRecord) -> Result<(), Refusal> {
        // In this order: with the record there, the mark counts for nothing.
        let swaps = [
            Swap { key: key(room), expected: None, new: Some(codec::encode(record)) },
            Swap { key: purge_key(record.log()), expected: Some(mark_of(room)), new: None },
        ];
        match self.store.swap_all(&swaps)? {
            true => Ok(()),
            false => Err(exists(room)),
        }
    }

    /// Sees to it that there is no room of a record, which was to be made of another one's log.
    pub fn give_up_import(&self, room: &RoomId, record: &RoomRecord) -> Result<(), StoreError> {
        self.store.compare_and_swap(&key(room), Some(&codec::encode(record)), None).map(drop)
    }

    /// Removes a room's record, and `along` with it: from here on there is no such room. What is kept under its log is removed
    /// by [`finish_removal`](Self::finish_removal). Returns whether all was as expected; nothing is changed otherwise.
    ///
    /// # Errors
    ///
    /// Those of the store; nobody knows then whether the record is there, until [`restore`](Self::restore) has said so.
    pub fn remove(&self, room: &RoomId, record: &RoomRecord, along: Option<Swap>) -> Result<bool, StoreError> {
        let mut in_doubt = self.in_doubt.lock();
        let marked = self.store.get(&purge_key(record.log()))?;
        // In this order, should the store make only the first of these changes: nothing counts without the last one.
        let mark = Swap { key: purge_key(record.log()), expected: marked, new: Some(mark_of(room)) };
        let mut swaps = vec![mark];
        swaps.extend(along);
        swaps.push(Swap { new: None, ..stands(room, record) });
        let removed = self.store.swap_all(&swaps);
        match removed {
            Ok(true) => in_doubt.remove(&record.log()),
            Ok(false) => false,
            Err(_) => in_doubt.insert(record.log()),
        };
        removed
    }

    /// Puts a room's record back if its removal failed halfway, since whoever wanted it gone was told that it is not. It stays
    /// away only where there is another room of that name by now.
    pub fn restore(&self, room: &RoomId, record: &RoomRecord) -> Result<(), StoreError> {
        let mut in_doubt = self.in_doubt.lock();
        if !in_doubt.contains(&record.log()) {
            return Ok(());
        }
        let value = codec::encode(record);
        // A write that works says what there is; a read of a store that failed does not.
        if !self.store.compare_and_swap(&key(room), Some(&value), Some(&value))? {
            self.store.compare_and_swap(&key(room), None, Some(&value))?;
        }
        in_doubt.remove(&record.log());
        Ok(())
    }

    /// Removes all that is kept under the log of a room that is no more, the mark of its removal last. A room whose record is
    /// still there stays, and is no longer about to be removed. Done again if it was cut off.
    pub fn finish_removal(&self, room: &RoomId, log: LogId) -> Result<(), StoreError> {
        let mark = Swap { key: purge_key(log), expected: Some(mark_of(room)), new: None };
        match self.find(room)? {
            // On the condition that it still is: it may be being removed after all.
            Some(record) if record.log() == log => drop(self.store.swap_all(&[stands(room, &record), mark])?),
            _ => {
                self.store.purge(log)?;
                for prefix in
                    [card::key(log), activity::key(log), chat_pages::messages_of(log), chat_pages::marks_of(log)]
                {
                    self.store.remove_pairs(&prefix)?;
                }
                self.store.swap_all(&[mark])?;
            }
        }
        Ok(())
    }

    /// The rooms and logs whose removal, or import, was cut off.
    pub fn cut_off(&self) -> Result<Vec<(RoomId, LogId)>, StoreError> {
        let unfinished = self.store.scan(PURGE, None, usize::MAX)?;
        let logs = unfinished.iter().map(|(key, name)| {
            let log = key.strip_prefix(PURGE).and_then(|log| u64::from_str_radix(log, 16).ok());
            let room = std::str::from_utf8(name).ok().and_then(|name| RoomId::new(name).ok());
            room.zip(log.map(LogId)).ok_or_else(|| damaged(key, "it names no log and room"))
        });
        logs.collect()
    }
}

/// The condition that a room is still there, for a change that is to be made only then.
pub fn stands(room: &RoomId, record: &RoomRecord) -> Swap {
    let value = codec::encode(record);
    Swap { key: key(room), expected: Some(value.clone()), new: Some(value) }
}

fn exists(room: &RoomId) -> Refusal {
    Refusal::new(ErrorCode::RoomExists, format!("there is a room {room}"))
}

fn key(room: &RoomId) -> String {
    format!("{ROOM}{room}")
}

fn purge_key(log: LogId) -> String {
    format!("{PURGE}{log}")
}

fn mark_of(room: &RoomId) -> Bytes {
    Bytes::copy_from_slice(room.as_str().as_bytes())
}

fn decode(key: &str, value: &[u8]) -> Result<RoomRecord, StoreError> {
    codec::decode(value).map_err(|error| damaged(key, &error.to_string()))
}

fn damaged(key: &str, what: &str) -> StoreError {
    StoreError::DamagedValue { key: key.to_owned(), what: what.to_owned() }
}

/// A number that no log has had: the time, so that logs of a time lie together on the disk, and chance.
fn new_log(now: UnixMs) -> u64 {
    let (chance, _) = Uuid::new_v4().as_u64_pair();
    now << 20 | chance >> 44
}
