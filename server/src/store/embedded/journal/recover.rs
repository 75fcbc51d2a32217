//! The journal as it is read when an engine was opened.

use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
};

use bytes::{Buf, Bytes};
use motet_protocol::ids::Revision;

use super::{
    super::{
        super::{Durability, LogId, StoreError},
        chunks,
        engine::{Direction, Engine, failed},
        keys, number_at, record,
    },
    Commit, ENTRY_OVERHEAD, Journal, SLOTS, take_entries, value_bytes_max,
};

/// Reads the journal of an engine that was opened. `next_min` is the least number that the next commit can have, as far as is
/// known otherwise.
///
/// In a store that syncs (`strict`) a commit that is missing is an error. One that does not may have lost some by a power cut: it
/// goes on without them, and without what came after that in the logs they were of.
pub(crate) fn load<E: Engine>(engine: &E, next_min: u64, strict: bool) -> Result<Journal, StoreError> {
    let mut commits = read_commits(engine)?;
    let (begin, last) = commits.last_key_value().map_or((1, 0), |(last, commit)| (commit.begin, *last));
    // One past the last that is known to have been there.
    let next = (last + 1).max(next_min);
    let mut journal = Journal::starting(begin);
    journal.purged = read_purged(engine)?;
    let mut missing = 0;
    for number in begin..next {
        match commits.remove(&number) {
            Some(read) => journal.recovered(read, missing > 0, |log| chunks::end_of(engine, log))?,
            None if strict => return Err(lost::<E>(number)),
            None => missing += 1,
        }
    }
    if missing > 0 {
        tracing::error!(
            missing,
            begin,
            next,
            "commits of the journal are missing: the newest entries of some rooms are gone"
        );
        return begin_again(engine, &journal, next);
    }
    Ok(journal)
}

fn lost<E: Engine>(number: u64) -> StoreError {
    let what = format!(
        "the commit {number} of its journal is missing or damaged, and was durable. Restore a backup; or remove the file TIP \
        to go on with what is left, where the newest entries of some rooms are missing"
    );
    failed(E::NAME, what)
}

/// Folds what is left of a journal, and starts another one.
fn begin_again<E: Engine>(engine: &E, journal: &Journal, next: u64) -> Result<Journal, StoreError> {
    let mut changes = Vec::new();
    journal.all().iter().for_each(|fold| chunks::put(fold, E::VALUE_BYTES_MAX, &mut changes));
    engine.write(changes)?;
    engine.persist(Durability::Sync)?;
    let (mut new, mut changes) = (Journal::starting(next), Vec::new());
    new.put::<E>(&[], &mut changes);
    engine.write(changes)?;
    engine.persist(Durability::Sync)?;
    new.committed(&[], 0);
    new.purged.clone_from(&journal.purged);
    Ok(new)
}

/// All commits that are whole, by their numbers; those that are no longer needed among them.
fn read_commits<E: Engine>(engine: &E) -> Result<BTreeMap<u64, Read>, StoreError> {
    let mut found = Vec::new();
    engine.scan(keys::JOURNAL.0, keys::JOURNAL.1, Direction::Up, &mut |key, value| {
        found.extend(record::open(value).ok().map(|opened| (key.to_vec(), opened)));
        ControlFlow::Continue(())
    })?;
    let mut commits = BTreeMap::new();
    for (key, opened) in found {
        let Some(slot) = key[1..].first_chunk().copied().map(u32::from_be_bytes).map(u64::from) else { continue };
        let pieces = opened.pieces(value_bytes_max::<E>());
        let Ok(payload) = opened.gather(&key, &keys::slot_pieces(slot), |piece| engine.get(piece))? else { continue };
        if let Some(read) = read_commit(payload.into(), pieces).filter(|read| read.number % SLOTS == slot) {
            commits.insert(read.number, read);
        }
    }
    Ok(commits)
}

/// Purged logs, each with the first commit that counts after that.
fn read_purged<E: Engine>(engine: &E) -> Result<HashMap<LogId, u64>, StoreError> {
    let mut found = Vec::new();
    engine.scan(keys::PURGED.0, keys::PURGED.1, Direction::Up, &mut |key, _| {
        found.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    let mut purged = HashMap::new();
    for key in found {
        if let Some(log) = key[1..].first_chunk().copied().map(u64::from_be_bytes) {
            purged.insert(LogId(log), number_at(engine, &key)?);
        }
    }
    Ok(purged)
}

/// A commit as it was read from the engine.
#[derive(Debug)]
struct Read {
    number: u64,
    begin: u64,
    pieces: usize,
    parts: Vec<(LogId, Revision, Vec<Bytes>)>,
}

impl Journal {
    /// Takes the next commit as it was read from the engine. `end` is a log's last revision that is in a chunk. If commits
    /// before it are missing (`torn`), a log goes on only if nothing of it was in them.
    fn recovered<E>(
        &mut self,
        read: Read,
        torn: bool,
        mut end: impl FnMut(LogId) -> Result<Revision, E>,
    ) -> Result<(), E> {
        self.next = read.number;
        let (mut ends, mut bytes, mut parts) = (Vec::new(), 0, Vec::new());
        for (log, first, mut entries) in read.parts {
            bytes += entries.iter().map(|entry| entry.len() + ENTRY_OVERHEAD).sum::<usize>();
            if self.purged.get(&log).is_some_and(|counts_from| read.number < *counts_from) {
                continue;
            }
            let last = first + entries.len() as u64 - 1;
            ends.push((log, last));
            // What is known of it is either all in memory or all in chunks.
            let reached = match self.logs.get(&log) {
                Some(recent) => recent.end(),
                None => end(log)?,
            };
            if torn && first > reached + 1 {
                continue;
            }
            let known = usize::try_from((reached + 1).saturating_sub(first)).unwrap_or(usize::MAX);
            entries.drain(..known.min(entries.len()));
            if !entries.is_empty() {
                parts.push((log, last + 1 - entries.len() as u64, entries.into_iter()));
            }
        }
        self.push(parts.into_iter(), Commit { ends, bytes, pieces: read.pieces });
        Ok(())
    }
}

/// Reads the payload of a commit; none if it is no such thing.
fn read_commit(mut payload: Bytes, pieces: usize) -> Option<Read> {
    let (number, begin) = (payload.try_get_u64().ok()?, payload.try_get_u64().ok()?);
    let mut parts = Vec::new();
    while !payload.is_empty() {
        let (log, first) = (LogId(payload.try_get_u64().ok()?), payload.try_get_u64().ok()?);
        let entries = take_entries(&mut payload)?;
        if entries.is_empty() || first == 0 {
            return None;
        }
        parts.push((log, first, entries));
    }
    (begin <= number && number - begin < SLOTS).then_some(Read { number, begin, pieces, parts })
}
