//! Entries: conditional appends of many logs with one sync, and reading that notices what is missing.

use std::ops::ControlFlow;

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::{
    Append, AppendOutcome, Change, Direction, Durability, Embedded, Engine, Head, LogId, StoreError, StoredEntry,
    Writer, chunks,
    journal::{Fold, Part},
    keys::{self, Region},
    number_at, put_tails, record,
    tip::Tip,
};

/// How many keys of a log are removed at once when it is purged.
const PURGE_KEYS_MAX: usize = 256;

/// What is to be done for one append.
enum Plan<'a> {
    /// Nothing, this is the answer.
    Answer(AppendOutcome),
    /// These of its entries are to be written, and then the log ends here.
    Write(Part<'a>, Revision),
}

impl<E: Engine> Embedded<E> {
    /// Finds out where each log ends, writes what is missing in one commit, syncs once.
    ///
    /// An append that is sent again finds all, some or none of its entries, and the rest is written now. Entries are shown
    /// when they are durable, since only then they are in the journal's memory.
    pub(super) fn append_batch(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let mut writer = match self.writer() {
            Ok(writer) => writer,
            Err(error) => return batch.iter().map(|_| AppendOutcome::Unknown(error.clone())).collect(),
        };
        let plans = batch.iter().map(|append| self.plan(append)).collect::<Vec<_>>();
        let parts = plans.iter().filter_map(|plan| match plan {
            Plan::Answer(_) => None,
            Plan::Write(part, _) => Some(*part),
        });
        let parts = parts.collect::<Vec<_>>();
        let written = if parts.is_empty() { Ok(()) } else { self.commit(&mut writer, &parts) };
        let outcomes = plans.into_iter().map(|plan| match (plan, &written) {
            (Plan::Answer(outcome), _) => outcome,
            (Plan::Write(_, end), Ok(())) => AppendOutcome::Appended(at(end)),
            // Nobody knows until the engine was opened again.
            (Plan::Write(..), Err(error)) => AppendOutcome::Unknown(error.clone()),
        });
        outcomes.collect()
    }

    fn plan<'a>(&self, append: &'a Append) -> Plan<'a> {
        debug_assert!(!append.entries.is_empty(), "an append has entries");
        match self.try_plan(append) {
            Ok(plan) => plan,
            Err(error) => Plan::Answer(AppendOutcome::Unknown(error)),
        }
    }

    fn try_plan<'a>(&self, append: &'a Append) -> Result<Plan<'a>, StoreError> {
        let (log, expected) = (append.log, append.expected.revision);
        let head = self.last_revision(log)?;
        self.ends.lock().set_head(log, head);
        if head < expected {
            return Ok(Plan::Answer(AppendOutcome::Conflict(at(head))));
        }
        let present = usize::try_from(head - expected).unwrap_or(usize::MAX).min(append.entries.len());
        let (found, missing) = append.entries.split_at(present);
        if !self.holds(log, expected + 1, found)? {
            return Ok(Plan::Answer(AppendOutcome::Conflict(at(head))));
        }
        let end = expected + append.entries.len() as u64;
        Ok(match missing {
            [] => Plan::Answer(AppendOutcome::Appended(at(end))),
            entries => Plan::Write(Part { log, first: head + 1, entries }, end),
        })
    }

    /// Writes one commit of the journal, and the chunks that are due.
    fn commit(&self, writer: &mut Writer, parts: &[Part<'_>]) -> Result<(), StoreError> {
        if self.journal.lock().is_full() {
            self.fold_all(writer, self.durability)?;
        }
        let folds = self.journal.lock().due(parts.iter().map(Part::bytes).sum());
        let mut changes = writer.take_garbage();
        folds.iter().for_each(|fold| chunks::put(fold, E::VALUE_BYTES_MAX, &mut changes));
        let ends = put_tails::<E>(writer.tails.due(parts.len()), &mut changes);
        let pieces = self.put_commit(parts, &mut changes);
        let mark = writer.tip.as_mut().and_then(Tip::next);
        self.write_marked(writer, changes, mark, self.durability)?;
        writer.tails.written(ends);
        self.committed(writer, parts, pieces);
        self.folded(writer, &folds);
        Ok(())
    }

    /// Makes chunks of all that is in the journal. What it takes of the disk is free only by the next commit.
    pub(super) fn fold_all(&self, writer: &mut Writer, durability: Durability) -> Result<(), StoreError> {
        let folds = self.journal.lock().all();
        if folds.is_empty() {
            return Ok(());
        }
        let mut changes = Vec::new();
        folds.iter().for_each(|fold| chunks::put(fold, E::VALUE_BYTES_MAX, &mut changes));
        self.write_marked(writer, changes, None, durability)?;
        self.folded(writer, &folds);
        Ok(())
    }

    /// The changes that write the next commit; returns how many further pieces it has.
    pub(super) fn put_commit(&self, parts: &[Part<'_>], changes: &mut Vec<Change>) -> usize {
        let before = changes.len();
        self.journal.lock().put::<E>(parts, changes);
        changes.len() - before - 1
    }

    /// The commit is durable, and so its entries are shown.
    pub(super) fn committed(&self, writer: &mut Writer, parts: &[Part<'_>], pieces: usize) {
        let (mut ends, mut journal) = (self.ends.lock(), self.journal.lock());
        for part in parts {
            ends.set_head(part.log, part.end());
        }
        let freed = journal.committed(parts, pieces);
        writer.garbage.extend(freed.purged.into_iter().map(keys::purged));
        for (slot, pieces) in freed.slots {
            let of = keys::slot_pieces(slot);
            writer.garbage.extend((0..pieces).map(|index| record::piece_key(&of, index)));
        }
    }

    /// Chunks are durable: what they hold is read from there.
    fn folded(&self, writer: &mut Writer, folds: &[Fold]) {
        if writer.tip.is_some() {
            for fold in folds {
                writer.tails.reached(fold.log, fold.end(), fold.entries.len(), fold.bytes());
            }
        }
        self.journal.lock().folded(folds);
    }

    /// Whether these entries stand in the log from revision `from` on, byte for byte.
    fn holds(&self, log: LogId, from: Revision, entries: &[Bytes]) -> Result<bool, StoreError> {
        // A page of as many bytes may end early, and one of more holds others.
        let bytes_max = 1 + entries.iter().map(Bytes::len).sum::<usize>();
        let stored = self.read_entries(log, from, entries.len(), bytes_max)?;
        Ok(stored.iter().map(|(_, entry)| entry).eq(entries))
    }

    pub(super) fn shown_head(&self, log: LogId) -> Result<Head, StoreError> {
        self.last_revision(log).map(at)
    }

    /// A log's end, which is durable. That the end is lost shows what was made of entries that were durable, and lies beyond
    /// it: a snapshot, or what `tails` wrote down.
    fn last_revision(&self, log: LogId) -> Result<Revision, StoreError> {
        let known = self.journal.lock().end(log);
        if let Some(end) = known.or_else(|| self.ends.lock().head(log)) {
            return Ok(end);
        }
        let (snapshot, reached) = self.read_engine(|engine| {
            let snapshot = chunks::last_key(engine, Region::Snapshot, log)?.unwrap_or(0);
            Ok((snapshot, number_at(engine, &keys::tail(log))?))
        })?;
        // Read last, since an append may be under way.
        let last = self.read_engine(|engine| chunks::end_of(engine, log))?;
        let last = self.journal.lock().end(log).unwrap_or(last);
        let lost = |what| Err(StoreError::Damaged { log, revision: last + 1, what });
        match last {
            _ if last < snapshot => {
                lost(format!("the log ends at revision {last}, and there is a snapshot of revision {snapshot}"))
            }
            _ if last < reached => lost(format!("the log ends at revision {last}, and it had reached {reached}")),
            _ => Ok(last),
        }
    }

    /// Entries from revision `from` on, without gaps: from chunks, and then from the journal's memory.
    pub(super) fn read_entries(
        &self,
        log: LogId,
        from: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let from = from.max(1);
        if entries_max == 0 {
            return Ok(Vec::new());
        }
        // What is in the memory could be had from an engine that does not open; nobody is to think that it does.
        self.read_engine(|_| Ok(()))?;
        let mut head = None;
        loop {
            // What is up to the end that is known now is in the memory or in chunks; and what leaves the memory after it was
            // looked at is in chunks.
            let known = head.or_else(|| self.ends.lock().head(log));
            let recent = self.journal.lock().read(log, from, entries_max, bytes_max);
            let last = recent.as_ref().map_or(Revision::MAX, |(first, _)| first - 1);
            let (mut entries, ended) = match from <= last {
                true => self.read_chunks(log, from, last, entries_max, bytes_max)?,
                false => (Vec::new(), true),
            };
            let next = from + entries.len() as u64;
            let missing = |what| Err(StoreError::Damaged { log, revision: next, what });
            match recent {
                Some((first, _)) if ended && next < first => {
                    return missing(format!("it is missing; the next one is {first}"));
                }
                Some((_, recent)) => {
                    if next > last {
                        fill(&mut entries, recent, entries_max, bytes_max);
                    }
                    return Ok(entries);
                }
                None if !ended => return Ok(entries),
                None => {}
            }
            match known {
                Some(end) if end < next => return Ok(entries),
                Some(end) => return missing(format!("it is missing; the log ends at {end}")),
                // Either it ends here, or damage ended the reading early, or it has grown since.
                None => head = Some(self.last_revision(log)?),
            }
        }
    }

    /// Removes what says how far the log reached first: a log that ends before that would be taken for a damaged one.
    pub(super) fn purge_log(&self, log: LogId) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        writer.tails.forget(log);
        let mut changes = writer.take_garbage();
        changes.push(Change::Remove(keys::tail(log)));
        {
            let journal = self.journal.lock();
            if journal.has(log) {
                let next = journal.next().to_be_bytes();
                record::put(keys::purged(log), &[], &next, E::VALUE_BYTES_MAX, &mut changes);
            }
        }
        self.cell.write(|engine| engine.write(changes))?;
        self.journal.lock().forget(log);
        drop(writer);
        for region in [Region::Snapshot, Region::SnapshotPiece, Region::Chunk, Region::ChunkPiece] {
            while self.remove_some(&region.key(log, 0), &region.end(log, Revision::MAX))? {}
        }
        let mut writer = self.writer()?;
        self.ends.lock().forget(log);
        self.write_through(&mut writer, Vec::new())
    }

    /// Removes some of the keys in a range; returns whether there may be more.
    pub(super) fn remove_some(&self, from: &[u8], to: &[u8]) -> Result<bool, StoreError> {
        let writer = self.writer()?;
        let keys = self.read_engine(|engine| {
            let mut keys = Vec::new();
            engine.scan(from, to, Direction::Up, &mut |key, _| {
                keys.push(key.to_vec());
                if keys.len() < PURGE_KEYS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            Ok(keys)
        })?;
        let more = keys.len() == PURGE_KEYS_MAX;
        if !keys.is_empty() {
            self.cell.write(|engine| engine.write(keys.into_iter().map(Change::Remove).collect()))?;
        }
        // Appends that wait are let in.
        parking_lot::MutexGuard::unlock_fair(writer);
        Ok(more)
    }
}

/// Adds entries to a page until it has enough.
fn fill(page: &mut Vec<StoredEntry>, entries: Vec<StoredEntry>, entries_max: usize, bytes_max: usize) {
    let mut bytes = page.iter().map(|(_, entry)| entry.len()).sum::<usize>();
    for entry in entries {
        if page.len() >= entries_max || (bytes >= bytes_max && !page.is_empty()) {
            break;
        }
        bytes += entry.1.len();
        page.push(entry);
    }
}

fn at(revision: Revision) -> Head {
    Head { revision, position: 0 }
}
