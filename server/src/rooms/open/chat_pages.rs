//! The messages of rooms, in the store: folded from the log beside the path of edits, and caught up with it before they are
//! read. They are a hint as snapshots are, and can be made again from the log.
//!
//! ```text
//! chat/<log>/done                      Done      how far they are made
//! chat/<log>/m/<inverted revision>     Record    a message in no thread: the newest is first
//! chat/<log>/t/<thread>/<inverted …>   Record    a message in a thread
//! chat/<log>/l/<revision>              thread    where a message in a thread is
//! read/<log>/<account>                 Mark      what an account has read
//! ```
//! A page is one scan, however long the chat is. A room without a chat has no keys.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use bytes::Bytes;
use motet_protocol::{access::AccountId, chat::ChatMessage, codec, error::ErrorCode, ids::Revision};

use super::{RoomHandle, chat_writer::bring_up};
use crate::{
    refusal::Refusal,
    room::chat::{ChatEntry, Done, Messages, Record, project},
    store::{LogId, Store, StoreError, Swap},
};

/// Entries of the chat that are written together: bounds what is held in memory, each having at most two records.
pub(super) const BATCH_ENTRIES: usize = 64;

/// Records that are read together for a page.
const SCAN_RECORDS: usize = 16;

/// Bytes of messages in one page: it stays well below a frame.
const PAGE_BYTES: usize = 128 * 1024;

/// Times that a batch is tried anew because another server wrote the same.
const WRITE_TRIES: usize = 8;

/// How far the messages of one open room are made.
#[derive(Debug, Default)]
pub struct Written {
    /// As the store has it; none where that is not known.
    done: Option<(Option<Bytes>, Done)>,
}

/// What an account has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
struct Mark {
    message: Revision,
    /// The message's number among all of the room's.
    ordinal: u64,
}

/// Messages in the store, with what is changed of them and not written yet.
struct Pages<'a> {
    store: &'a dyn Store,
    log: LogId,
    held: BTreeMap<Revision, Held>,
}

struct Held {
    /// As the store has it.
    stored: Option<Bytes>,
    record: Record,
}

/// What the keys of a room's messages begin with.
pub fn messages_of(log: LogId) -> String {
    format!("chat/{log}/")
}

/// What the keys of a room's read marks begin with.
pub fn marks_of(log: LogId) -> String {
    format!("read/{log}/")
}

pub(super) fn done_key(log: LogId) -> String {
    format!("chat/{log}/done")
}

fn list_prefix(log: LogId, thread: Option<Revision>) -> String {
    match thread {
        None => format!("chat/{log}/m/"),
        Some(thread) => format!("chat/{log}/t/{thread:016x}/"),
    }
}

fn message_key(log: LogId, thread: Option<Revision>, message: Revision) -> String {
    format!("{}{:016x}", list_prefix(log, thread), !message)
}

fn thread_key(log: LogId, message: Revision) -> String {
    format!("chat/{log}/l/{message:016x}")
}

fn mark_key(log: LogId, account: &AccountId) -> String {
    format!("{}{account}", marks_of(log))
}

fn decoded<T: Decode<()>>(key: &str, value: &[u8]) -> Result<T, StoreError> {
    codec::decode(value).map_err(|error| StoreError::DamagedValue { key: key.to_owned(), what: error.to_string() })
}

fn find(store: &dyn Store, log: LogId, message: Revision) -> Result<Option<(Bytes, Record)>, StoreError> {
    let mut key = message_key(log, None, message);
    let mut found = store.get(&key)?;
    if found.is_none() {
        let thread = thread_key(log, message);
        let Some(value) = store.get(&thread)? else { return Ok(None) };
        key = message_key(log, Some(decoded(&thread, &value)?), message);
        found = store.get(&key)?;
    }
    found.map(|value| decoded(&key, &value).map(|record| (value, record))).transpose()
}

impl Messages for Pages<'_> {
    type Error = StoreError;

    fn get(&mut self, message: Revision) -> Result<Option<Record>, StoreError> {
        if let Some(held) = self.held.get(&message) {
            return Ok(Some(held.record.clone()));
        }
        let Some((stored, record)) = find(self.store, self.log, message)? else { return Ok(None) };
        self.held.insert(message, Held { stored: Some(stored), record: record.clone() });
        Ok(Some(record))
    }

    fn put(&mut self, record: Record) {
        match self.held.get_mut(&record.message()) {
            Some(held) => held.record = record,
            None => drop(self.held.insert(record.message(), Held { stored: None, record })),
        }
    }
}

impl Pages<'_> {
    /// What is to be written, a message in a thread before the one that began it, as [`project`] wants it.
    fn swaps(self) -> Result<Vec<Swap>, StoreError> {
        let (store, log) = (self.store, self.log);
        let (in_threads, others): (Vec<Held>, Vec<Held>) =
            self.held.into_values().partition(|held| held.record.thread().is_some());
        let mut swaps = Vec::new();
        for Held { stored, record } in in_threads.into_iter().chain(others) {
            let new = codec::encode(&record);
            if stored.as_ref() == Some(&new) {
                continue;
            }
            if let (None, Some(thread)) = (&stored, record.thread()) {
                // A crash may have left this of it and no more.
                let key = thread_key(log, record.message());
                let expected = store.get(&key)?;
                swaps.push(Swap { key, expected, new: Some(codec::encode(&thread)) });
            }
            let key = message_key(log, record.thread(), record.message());
            swaps.push(Swap { key, expected: stored, new: Some(new) });
        }
        Ok(swaps)
    }
}

impl Written {
    pub(super) fn done(&mut self, store: &dyn Store, log: LogId) -> Result<Done, StoreError> {
        if let Some((_, done)) = &self.done {
            return Ok(*done);
        }
        let key = done_key(log);
        let stored = store.get(&key)?;
        let done = stored.as_ref().map(|value| decoded(&key, value)).transpose()?.unwrap_or_default();
        self.done = Some((stored, done));
        Ok(done)
    }

    /// Writes entries of the chat, in order, without gaps. Those that are written are passed over.
    pub(super) fn write(
        &mut self,
        store: &dyn Store,
        log: LogId,
        chat_entries: &[ChatEntry],
    ) -> Result<(), StoreError> {
        for batch in chat_entries.chunks(BATCH_ENTRIES) {
            for _ in 0..WRITE_TRIES {
                if self.try_write(store, log, batch)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// False where another server writes them too.
    fn try_write(&mut self, store: &dyn Store, log: LogId, batch: &[ChatEntry]) -> Result<bool, StoreError> {
        let mut done = self.done(store, log)?;
        // Whatever comes of it, what the store has is looked at anew unless all is well.
        let stored = self.done.take().and_then(|(stored, _)| stored);
        let mut pages = Pages { store, log, held: BTreeMap::new() };
        let written = batch.partition_point(|chat_entry| chat_entry.entry.revision <= done.revision);
        for chat_entry in &batch[written..] {
            project(&mut pages, &mut done, chat_entry)?;
        }
        let new = codec::encode(&done);
        if stored.as_ref() != Some(&new) {
            let mut swaps = pages.swaps()?;
            swaps.push(Swap { key: done_key(log), expected: stored, new: Some(new.clone()) });
            if !store.swap_all(&swaps)? {
                return Ok(false);
            }
        }
        self.done = Some((Some(new), done));
        Ok(true)
    }
}

/// The record of a message, brought up to the committed head. Waits for the disk.
pub fn look_up(store: &dyn Store, cell: &RoomHandle, message: Revision) -> Result<Record, Refusal> {
    let found = bring_up(store, cell).and_then(|()| find(store, cell.log_id(), message));
    let found = found?;
    let not_there = || Refusal::new(ErrorCode::NotFound, format!("there is no message {message}"));
    found.map(|(_, record)| record).ok_or_else(not_there)
}

/// What part of a chat is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Messages said before this revision.
    pub before: Option<Revision>,
    /// Only those in the thread of this message.
    pub thread: Option<Revision>,
    /// As they stood at this revision, if it is not the newest.
    pub at: Option<Revision>,
    /// At most so many.
    pub limit: usize,
}

/// A page of the chat, the newest message first, and whether there are older ones. Waits for the disk.
pub fn page(store: &dyn Store, cell: &RoomHandle, wanted: Wanted) -> Result<(Vec<ChatMessage>, bool), Refusal> {
    let Wanted { before, thread, at, limit } = wanted;
    let thread = match thread {
        None => None,
        Some(message) => Some(look_up(store, cell, message)?.thread_of_answers()),
    };
    bring_up(store, cell)?;
    let log = cell.log_id();
    let read = || -> Result<_, StoreError> {
        let (mut messages, mut bytes) = (Vec::new(), 0);
        let first = before.unwrap_or(Revision::MAX).min(at.map_or(Revision::MAX, |at| at.saturating_add(1)));
        let mut after = message_key(log, thread, first);
        loop {
            // One more than is wanted, to see whether there are older ones.
            let some = (limit + 1 - messages.len()).min(SCAN_RECORDS);
            let pairs = store.scan(&list_prefix(log, thread), Some(&after), some)?;
            let last = pairs.len() < some;
            for (key, value) in pairs {
                let message = message_at(store, log, &decoded(&key, &value)?, at)?;
                bytes += codec::encode(&message).len();
                if messages.len() == limit || (bytes > PAGE_BYTES && !messages.is_empty()) {
                    return Ok((messages, true));
                }
                messages.push(message);
                after = key;
            }
            if last {
                return Ok((messages, false));
            }
        }
    };
    Ok(read()?)
}

/// A message as it stood, with the replies that it had then.
fn message_at(store: &dyn Store, log: LogId, record: &Record, at: Option<Revision>) -> Result<ChatMessage, StoreError> {
    let Some(at) = at else { return Ok(record.at(Revision::MAX)) };
    let mut message = record.at(at);
    if message.replies > 0 {
        let thread = Some(record.message());
        let after = message_key(log, thread, at.saturating_add(1));
        let newest = store.scan(&list_prefix(log, thread), Some(&after), 1)?;
        message.replies = match newest.first() {
            None => 0,
            Some((key, value)) => decoded::<Record>(key, value)?.thread_ordinal(),
        };
    }
    Ok(message)
}

/// Notes that an account has read the chat up to a message; one that it has read more of stays so. Returns how many
/// messages are unread. Waits for the disk.
pub fn mark_read(store: &dyn Store, cell: &RoomHandle, account: &AccountId, message: Revision) -> Result<u64, Refusal> {
    let record = look_up(store, cell, message)?;
    let key = mark_key(cell.log_id(), account);
    let mark = Mark { message, ordinal: record.ordinal() };
    let write = || -> Result<_, StoreError> {
        for _ in 0..WRITE_TRIES {
            let stored = store.get(&key)?;
            let old: Mark = stored.as_ref().map(|value| decoded(&key, value)).transpose()?.unwrap_or_default();
            let further = mark.ordinal > old.ordinal;
            if !further || store.compare_and_swap(&key, stored.as_deref(), Some(&codec::encode(&mark)))? {
                return Ok(mark.ordinal.max(old.ordinal));
            }
        }
        Ok(mark.ordinal)
    };
    // A room that is being removed has been read.
    let ordinal = cell.beside(write).unwrap_or(Ok(mark.ordinal))?;
    Ok(cell.with_state(|state| state.chat().count()).saturating_sub(ordinal))
}

/// How many of `count` messages an account has not read. Waits for the disk.
pub fn unread(store: &dyn Store, log: LogId, account: &AccountId, count: u64) -> Result<u64, StoreError> {
    if count == 0 {
        return Ok(0);
    }
    let key = mark_key(log, account);
    let mark: Mark = store.get(&key)?.map(|value| decoded(&key, &value)).transpose()?.unwrap_or_default();
    Ok(count.saturating_sub(mark.ordinal))
}

#[cfg(test)]
mod tests;
