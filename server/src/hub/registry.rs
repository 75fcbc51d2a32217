//! Which rooms there are: one key each in the store.
//!
//! ```text
//! room/<name>      RoomRecord                 the room and its log
//! card/<log>       Card                       what lists tell of the room
//! activity/<log>  Activity                  who came and went
//! purge/<log>      the room's name            a log that is being removed; finished at the next start if cut off
//! ```

use std::sync::Arc;

use bincode::{Decode, Encode};
use motet_protocol::{
    access::AccountId,
    codec,
    error::ErrorCode,
    ids::{RoomId, UnixMs},
};
use uuid::Uuid;

use super::{activity, card, chat, refusal_of};
use crate::{
    room::Refusal,
    store::{LogId, Store, StoreError},
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
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("engine", &self.store.engine()).finish()
    }
}

impl Registry {
    /// The registry in a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Makes a room.
    pub fn create(&self, room: &RoomId, owner: Option<AccountId>, now: UnixMs) -> Result<RoomRecord, Refusal> {
        let record = RoomRecord { log: new_log(now), created_ms: now, owner };
        let made = self
            .store
            .compare_and_swap(&key(room), None, Some(&codec::encode(&record)))
            .map_err(|error| refusal_of(&error))?;
        if made { Ok(record) } else { Err(exists(room)) }
    }

    /// A room's record.
    pub fn get(&self, room: &RoomId) -> Result<RoomRecord, Refusal> {
        let found = self.find(room).map_err(|error| refusal_of(&error))?;
        found.ok_or_else(|| Refusal::new(ErrorCode::RoomNotFound, format!("there is no room {room}; make it first")))
    }

    fn find(&self, room: &RoomId) -> Result<Option<RoomRecord>, StoreError> {
        let key = key(room);
        self.store.get(&key)?.map(|value| decode(&key, &value)).transpose()
    }

    /// At most `limit` rooms whose names come after `after`, by name.
    pub fn list(&self, after: Option<&RoomId>, limit: usize) -> Result<Vec<(RoomId, RoomRecord)>, Refusal> {
        let after = after.map(key);
        let pairs = self.store.scan(ROOM, after.as_deref(), limit).map_err(|error| refusal_of(&error))?;
        let rooms = pairs.iter().map(|(key, value)| {
            let name = key.strip_prefix(ROOM).and_then(|name| RoomId::new(name).ok());
            let room = name.ok_or_else(|| damaged(key, "it names no room"))?;
            Ok((room, decode(key, value)?))
        });
        rooms.collect::<Result<_, StoreError>>().map_err(|error| refusal_of(&error))
    }

    /// A record for a room that is to be made of another one's log, under a name that is free now.
    pub fn begin_import(&self, room: &RoomId, owner: Option<AccountId>, now: UnixMs) -> Result<RoomRecord, Refusal> {
        if self.find(room).map_err(|error| refusal_of(&error))?.is_some() {
            return Err(exists(room));
        }
        let record = RoomRecord { log: new_log(now), created_ms: now, owner };
        let mark = Some(room.as_str().as_bytes());
        let marked = self.store.compare_and_swap(&purge_key(&record), None, mark);
        marked.map_err(|error| refusal_of(&error))?;
        Ok(record)
    }

    /// Lets there be a room of a record.
    pub fn finish_import(&self, room: &RoomId, record: &RoomRecord) -> Result<(), Refusal> {
        let swap = |key: &str, old: Option<&[u8]>, new: Option<&[u8]>| {
            self.store.compare_and_swap(key, old, new).map_err(|error| refusal_of(&error))
        };
        // A crash in between leaves a log that nobody has; the other way round it would remove the room.
        swap(&purge_key(record), Some(room.as_str().as_bytes()), None)?;
        match swap(&key(room), None, Some(&codec::encode(record)))? {
            true => Ok(()),
            false => Err(exists(room)),
        }
    }

    /// Removes a room's record: from here on there is no such room. Its log is removed by
    /// [`finish_removal`](Self::finish_removal), or at the next start.
    pub fn begin_removal(&self, room: &RoomId, record: &RoomRecord) -> Result<(), StoreError> {
        self.store.compare_and_swap(&purge_key(record), None, Some(room.as_str().as_bytes()))?;
        self.store.compare_and_swap(&key(room), Some(&codec::encode(record)), None)?;
        Ok(())
    }

    /// Removes the log and the snapshots of a room that is no more.
    pub fn finish_removal(&self, room: &RoomId, record: &RoomRecord) -> Result<(), StoreError> {
        self.store.purge(record.log())?;
        card::remove(self.store.as_ref(), record.log())?;
        activity::remove(self.store.as_ref(), record.log())?;
        chat::purge(self.store.as_ref(), record.log())?;
        self.store.compare_and_swap(&purge_key(record), Some(room.as_str().as_bytes()), None)?;
        Ok(())
    }

    /// The names of rooms whose removal was cut off, and of which there is not another one since.
    pub fn being_removed(&self) -> Result<Vec<RoomId>, StoreError> {
        let mut gone = Vec::new();
        for (room, log) in self.cut_off()? {
            if self.find(&room)?.is_none_or(|record| record.log == log) {
                gone.push(room);
            }
        }
        Ok(gone)
    }

    /// Finishes removals that were cut off. Returns how many.
    pub fn finish_removals(&self) -> Result<usize, StoreError> {
        let unfinished = self.cut_off()?;
        for (room, log) in &unfinished {
            let record = match self.find(room)? {
                Some(record) if record.log == *log => record,
                _ => RoomRecord { log: *log, created_ms: 0, owner: None },
            };
            self.begin_removal(room, &record)?;
            self.finish_removal(room, &record)?;
        }
        Ok(unfinished.len())
    }

    fn cut_off(&self) -> Result<Vec<(RoomId, u64)>, StoreError> {
        let unfinished = self.store.scan(PURGE, None, usize::MAX)?;
        let logs = unfinished.iter().map(|(key, name)| {
            let log = key.strip_prefix(PURGE).and_then(|log| u64::from_str_radix(log, 16).ok());
            let room = std::str::from_utf8(name).ok().and_then(|name| RoomId::new(name).ok());
            room.zip(log).ok_or_else(|| damaged(key, "it names no log and room"))
        });
        logs.collect()
    }
}

fn exists(room: &RoomId) -> Refusal {
    Refusal::new(ErrorCode::RoomExists, format!("there is a room {room}"))
}

fn key(room: &RoomId) -> String {
    format!("{ROOM}{room}")
}

fn purge_key(record: &RoomRecord) -> String {
    format!("{PURGE}{}", record.log())
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
