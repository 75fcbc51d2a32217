//! Chunks: a log's entries, some hundred in a value, and reading them so that what is missing is noticed.
//!
//! ```text
//! payload    count 4 │ count × (length 4 │ entry)
//! ```
//!
//! A chunk stands under its last revision: so the last key is the log's end, and the first key from a revision on is the chunk
//! that holds it.

use std::ops::ControlFlow;

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::{
    Change, Direction, Embedded, Engine, LogId, StoreError, StoredEntry,
    journal::{Fold, put_entries, take_entries},
    keys::{self, Region},
    record,
};

/// A chunk's last revision and its record as they stand in the engine; a text says what is wrong with the record.
type Found = (Revision, Result<record::Opened, String>);

/// The changes that write a chunk.
pub(crate) fn put(fold: &Fold, value_bytes_max: usize, changes: &mut Vec<Change>) {
    let mut payload = Vec::with_capacity(4 + fold.bytes() + 4 * fold.entries.len());
    put_entries(&mut payload, &fold.entries);
    let (key, pieces) = (Region::Chunk.key(fold.log, fold.end()), Region::ChunkPiece.key(fold.log, fold.end()));
    record::put(key, &pieces, &payload, value_bytes_max, changes);
}

/// The entries that are wanted of a log, as they are gathered.
struct Page {
    log: LogId,
    from: Revision,
    last: Revision,
    entries_max: usize,
    bytes_max: usize,
    entries: Vec<StoredEntry>,
    bytes: usize,
}

impl Page {
    fn next(&self) -> Revision {
        self.from + self.entries.len() as u64
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= self.entries_max || self.bytes >= self.bytes_max || self.next() > self.last
    }

    /// Takes what is wanted of the chunk that ends with revision `last`.
    fn take(&mut self, last: Revision, mut payload: Bytes) -> Result<(), StoreError> {
        let (log, next) = (self.log, self.next());
        let damaged = |what| StoreError::Damaged { log, revision: next, what };
        let entries = take_entries(&mut payload).filter(|entries| payload.is_empty() && entries.len() as u64 <= last);
        let entries = entries.ok_or_else(|| damaged("it stands in no chunk of entries".to_owned()))?;
        let first = last + 1 - entries.len() as u64;
        // Chunks never overlap: only the first of a page may begin before it.
        if first > next || (first < next && !self.entries.is_empty()) {
            return Err(damaged(format!("it is missing; there are revisions {first} to {last}")));
        }
        for (entry, revision) in entries.into_iter().zip(first..).skip_while(|(_, revision)| *revision < next) {
            if self.is_full() {
                break;
            }
            self.bytes += entry.len();
            self.entries.push((revision, entry));
        }
        Ok(())
    }
}

impl<E: Engine> Embedded<E> {
    /// Entries in chunks, from revision `from` to at most `last`, without gaps. Fewer than asked for if there are no more.
    pub(super) fn read_chunks(
        &self,
        log: LogId,
        from: Revision,
        last: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<(Vec<StoredEntry>, bool), StoreError> {
        let mut page = Page { log, from, last, entries_max, bytes_max, entries: Vec::new(), bytes: 0 };
        while !page.is_full() {
            let next = page.next();
            let (from_key, to_key) = (Region::Chunk.key(log, next), Region::Chunk.end(log, Revision::MAX));
            let found = self.read_engine(|engine| first_in(engine, &from_key, &to_key))?;
            let Some((end, opened)) = found else { return Ok((page.entries, true)) };
            let damaged = |what| StoreError::Damaged { log, revision: next, what };
            let (key, pieces) = (Region::Chunk.key(log, end), Region::ChunkPiece.key(log, end));
            let payload = self.gather(opened.map_err(damaged)?, &key, &pieces)?.map_err(damaged)?;
            page.take(end, payload.into())?;
        }
        Ok((page.entries, false))
    }
}

/// The first chunk whose key is in a range. A key that is no chunk's stands for the damage that it is: no revision is 0.
fn first_in<E: Engine>(engine: &E, from: &[u8], to: &[u8]) -> Result<Option<Found>, StoreError> {
    let mut first = None;
    engine.scan(from, to, Direction::Up, &mut |key, value| {
        first = Some((keys::revision_of(key).unwrap_or(0), record::open(value)));
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// A log's last revision in a chunk; 0 if there is none.
pub(crate) fn end_of<E: Engine>(engine: &E, log: LogId) -> Result<Revision, StoreError> {
    Ok(last_key(engine, Region::Chunk, log)?.unwrap_or(0))
}

/// The revision of a log's last key in a region.
pub(crate) fn last_key<E: Engine>(engine: &E, region: Region, log: LogId) -> Result<Option<Revision>, StoreError> {
    let (from, to) = (region.key(log, 0), region.end(log, Revision::MAX));
    let mut last = None;
    engine.scan(&from, &to, Direction::Down, &mut |key, _| {
        last = keys::revision_of(key);
        match last {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })?;
    Ok(last)
}
