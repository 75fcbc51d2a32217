//! A room's state at any revision: the nearest snapshot before it, and the entries in between. Waits for the disk.

use bytes::Bytes;
use motet_protocol::{
    codec,
    error::ErrorCode,
    ids::Revision,
    message::{At, Entry},
};

use crate::{
    refusal::Refusal,
    room::RoomState,
    store::{LogId, Store, StoreError},
};

/// Entries and bytes of one read from the log.
const READ_ENTRIES: usize = 512;
/// See [`READ_ENTRIES`].
const READ_BYTES: usize = 256 * 1024;

/// An entry with its bincode form.
pub type Read = (Entry, Bytes);

/// Entries after a revision: a page of them, decoded and checked to be the ones that were asked for.
pub fn read_after(store: &dyn Store, log: LogId, after: Revision, entries_max: usize) -> Result<Vec<Read>, StoreError> {
    let stored = store.read(log, after + 1, entries_max.min(READ_ENTRIES), READ_BYTES)?;
    let decoded = (after + 1..).zip(stored).map(|(due, (revision, bytes))| {
        let damaged = |what: String| StoreError::Damaged { log, revision: due, what };
        let entry: Entry = codec::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
        if revision != due || entry.revision != due {
            return Err(damaged(format!("revision {} stands in its place", entry.revision)));
        }
        Ok((entry, bytes))
    });
    decoded.collect()
}

/// The entries after a revision up to another, or the first of them once they have more than `bytes_max`.
pub fn read_between(
    store: &dyn Store,
    log: LogId,
    after: Revision,
    up_to: Revision,
    bytes_max: usize,
) -> Result<Vec<Read>, StoreError> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    let mut at = after;
    while at < up_to && bytes <= bytes_max {
        let page = read_after(store, log, at, usize::try_from(up_to - at).unwrap_or(usize::MAX))?;
        if page.is_empty() {
            return Err(missing(log, at + 1));
        }
        at += page.len() as u64;
        bytes += page.iter().map(|(_, encoded)| encoded.len()).sum::<usize>();
        entries.extend(page);
    }
    Ok(entries)
}

/// A log that ends before an entry that was in it.
pub fn missing(log: LogId, revision: Revision) -> StoreError {
    StoreError::Damaged { log, revision, what: "the log ends before it".to_owned() }
}

/// A room as the store has it.
#[derive(Debug)]
pub struct Recovered {
    /// Its state.
    pub state: RoomState,
    /// The revision of the snapshot that it was made from; 0 for none.
    pub snapshot_revision: Revision,
}

/// The state at a revision, or at the end of the log.
pub fn state_at(store: &dyn Store, log: LogId, revision: Option<Revision>) -> Result<Recovered, StoreError> {
    let snapshot = store.snapshot(log, revision.unwrap_or(Revision::MAX))?;
    let (mut state, snapshot_revision) = match snapshot {
        None => (RoomState::default(), 0),
        Some(snapshot) => {
            let damaged = |what: String| StoreError::Damaged { log, revision: snapshot.revision, what };
            let state = RoomState::decode(&snapshot.state).map_err(damaged)?;
            if state.revision() != snapshot.revision {
                return Err(damaged(format!("its snapshot is of revision {}", state.revision())));
            }
            (state, snapshot.revision)
        }
    };
    if revision.is_none() {
        let head = store.head(log)?.revision;
        if head < snapshot_revision {
            // Snapshots are taken of what is durable, so entries that the log had are gone.
            return Err(missing(log, head + 1));
        }
    }
    while revision.is_none_or(|revision| state.revision() < revision) {
        let wanted = revision.map_or(u64::MAX, |revision| revision - state.revision());
        let page = read_after(store, log, state.revision(), usize::try_from(wanted).unwrap_or(usize::MAX))?;
        if page.is_empty() {
            match revision {
                None => break,
                Some(_) => return Err(missing(log, state.revision() + 1)),
            }
        }
        for (entry, _) in &page {
            state.fold(entry).map_err(|error| StoreError::Damaged {
                log,
                revision: entry.revision,
                what: error.to_string(),
            })?;
        }
    }
    Ok(Recovered { state, snapshot_revision })
}

/// The revision that a place in history means, at most `head`.
pub fn revision_at(store: &dyn Store, log: LogId, at: At, head: Revision) -> Result<Revision, Refusal> {
    match at {
        At::Head => Ok(head),
        At::Revision(revision) if revision <= head => Ok(revision),
        At::Revision(revision) => Err(Refusal::new(
            ErrorCode::RevisionUnknown,
            format!("revision {revision} is not there yet; the room is at {head}"),
        )),
        At::Time(time_ms) => {
            // Times of entries never fall, so the first one after the time is found by halving.
            let (mut before, mut after) = (0, head + 1);
            while before + 1 < after {
                let middle = before + (after - before) / 2;
                let page = read_after(store, log, middle - 1, 1)?;
                let entry = page.first().ok_or_else(|| missing(log, middle))?;
                if entry.0.time_ms <= time_ms { before = middle } else { after = middle }
            }
            Ok(before)
        }
    }
}
