//! Entries: conditional appends of many logs with one sync, and reading that notices what is missing.

use std::ops::ControlFlow;

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::{
    Append, AppendOutcome, Change, Direction, Embedded, Engine, Head, LogId, StoreError, StoredEntry,
    keys::{self, Region},
    number_at, record,
};

/// How many keys of a log are removed at once when it is purged.
const PURGE_KEYS_MAX: usize = 256;

/// A revision and its record as they stand in the engine; a text says what is wrong with the record.
type Found = (Revision, Result<record::Opened, String>);

/// What is to be done for one append.
enum Plan {
    /// Nothing, this is the answer.
    Answer(AppendOutcome),
    /// The log ends at `durable`: the entries after it are to be written, and then it ends at `end`.
    Write { log: LogId, durable: Revision, end: Revision },
}

impl<E: Engine> Embedded<E> {
    /// Finds out where each log ends, writes what is missing in one go, syncs once.
    ///
    /// An append that is sent again finds all, some or none of its entries. They were written in order, so that the log
    /// is dense whatever was cut off, and the rest is written now.
    pub(super) fn append_batch(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let mut writer = match self.writer() {
            Ok(writer) => writer,
            Err(error) => return batch.iter().map(|_| AppendOutcome::Unknown(error.clone())).collect(),
        };
        let (mut changes, mut ends_written) = (Vec::new(), 0);
        let plans = batch.iter().map(|append| self.plan(append, &mut changes)).collect::<Vec<_>>();
        let written = match changes.is_empty() {
            // What was found in its place is durable: an engine that failed was synced when it was opened again.
            true => Ok(()),
            false => {
                let mut ends = self.ends.lock();
                for plan in &plans {
                    if let Plan::Write { log, durable, .. } = plan {
                        ends.begin(*log, *durable);
                    }
                }
                drop(ends);
                ends_written = self.put_tails(writer.tails.due(batch.len()), &mut changes);
                self.write_through(&mut writer, changes)
            }
        };
        if written.is_ok() {
            writer.tails.written(ends_written);
        }
        let mut ends = self.ends.lock();
        let outcomes = plans.into_iter().zip(batch).map(|(plan, append)| match (plan, &written) {
            (Plan::Answer(outcome), _) => outcome,
            (Plan::Write { log, end, .. }, Ok(())) => {
                ends.done(log, end);
                if writer.tip.is_some() {
                    let bytes = append.entries.iter().map(Bytes::len).sum();
                    writer.tails.reached(log, end, append.entries.len(), bytes);
                }
                AppendOutcome::Appended(at(end))
            }
            // The log stays doubtful until the engine was opened again.
            (Plan::Write { .. }, Err(error)) => AppendOutcome::Unknown(error.clone()),
        });
        let outcomes = outcomes.collect();
        drop(ends);
        drop(writer);
        outcomes
    }

    fn plan(&self, append: &Append, changes: &mut Vec<Change>) -> Plan {
        debug_assert!(!append.entries.is_empty(), "an append has entries");
        match self.try_plan(append, changes) {
            Ok(plan) => plan,
            Err(error) => Plan::Answer(AppendOutcome::Unknown(error)),
        }
    }

    fn try_plan(&self, append: &Append, changes: &mut Vec<Change>) -> Result<Plan, StoreError> {
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
        if missing.is_empty() {
            return Ok(Plan::Answer(AppendOutcome::Appended(at(end))));
        }
        for (revision, entry) in (head + 1..).zip(missing) {
            let (key, pieces) = (Region::Entry.key(log, revision), Region::EntryPiece.key(log, revision));
            record::put(key, &pieces, entry, E::VALUE_BYTES_MAX, changes);
            // The record itself comes last of its changes.
            if let Some(Change::Put(key, value)) = changes.pop() {
                changes.push(Change::PutNew(key, value));
            }
        }
        Ok(Plan::Write { log, durable: head, end })
    }

    /// Whether these entries stand in the log from revision `from` on, byte for byte.
    fn holds(&self, log: LogId, from: Revision, entries: &[Bytes]) -> Result<bool, StoreError> {
        for (revision, entry) in (from..).zip(entries) {
            let stored = self.read_range(log, revision, revision, 1, usize::MAX)?;
            if stored.first().is_none_or(|(_, bytes)| bytes != entry) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A log's end as far as it is durable.
    pub(super) fn shown_head(&self, log: LogId) -> Result<Head, StoreError> {
        let known = {
            let mut ends = self.ends.lock();
            ends.shown(log).or_else(|| ends.head(log))
        };
        if let Some(known) = known {
            return Ok(at(known));
        }
        let last = self.last_revision(log)?;
        // An append may have begun in between.
        Ok(at(self.ends.lock().shown(log).unwrap_or(last)))
    }

    /// A log's end in the engine, durable or not. That the end is lost shows what was made of entries that were durable, and
    /// lies beyond it: a snapshot, or what `tails` wrote down.
    fn last_revision(&self, log: LogId) -> Result<Revision, StoreError> {
        let known = self.ends.lock().head(log);
        if let Some(head) = known {
            return Ok(head);
        }
        let snapshot = self.last_key(Region::Snapshot, log)?.unwrap_or(0);
        let reached = self.read_engine(|engine| number_at(engine, &keys::tail(log)))?;
        // Read last, since an append may be under way.
        let last = self.last_key(Region::Entry, log)?.unwrap_or(0);
        let lost = |what| Err(StoreError::Damaged { log, revision: last + 1, what });
        match last {
            _ if last < snapshot => {
                lost(format!("the log ends at revision {last}, and there is a snapshot of revision {snapshot}"))
            }
            _ if last < reached => lost(format!("the log ends at revision {last}, and it had reached {reached}")),
            _ => Ok(last),
        }
    }

    /// The revision of a log's last key in a region.
    pub(super) fn last_key(&self, region: Region, log: LogId) -> Result<Option<Revision>, StoreError> {
        let (from, to) = (region.key(log, 0), region.end(log, Revision::MAX));
        self.read_engine(|engine| {
            let mut last = None;
            engine.scan(&from, &to, Direction::Down, &mut |key, _| {
                last = keys::revision_of(key);
                match last {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            })?;
            Ok(last)
        })
    }

    pub(super) fn read_entries(
        &self,
        log: LogId,
        from: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let shown = self.ends.lock().shown(log);
        let entries = self.read_range(log, from.max(1), shown.unwrap_or(Revision::MAX), entries_max, bytes_max)?;
        // An append may have begun since: what it wrote is not to be shown.
        let Some(shown) = self.ends.lock().shown(log) else { return Ok(entries) };
        Ok(entries.into_iter().filter(|(revision, _)| *revision <= shown).collect())
    }

    /// Entries from revision `from` to at most `last`, without gaps.
    fn read_range(
        &self,
        log: LogId,
        from: Revision,
        last: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        if last < from || entries_max == 0 {
            return Ok(Vec::new());
        }
        let mut head = self.ends.lock().head(log);
        loop {
            let (found, ended) = self.scan_entries(log, from, last, entries_max, bytes_max)?;
            let entries = self.open_entries(log, from, found)?;
            let next = from + entries.len() as u64;
            if !ended || next > last {
                return Ok(entries);
            }
            let end = head.map_or_else(|| self.last_revision(log), Ok)?;
            if end < next {
                return Ok(entries);
            }
            if head.is_some() {
                let what = format!("it is missing; the log ends at {end}");
                return Err(StoreError::Damaged { log, revision: next, what });
            }
            // Either damage ended the scan early, or the log has grown since: the next scan tells.
            head = Some(end);
        }
    }

    /// Checks what a scan found to be the entries from revision `from` on, without gaps.
    fn open_entries(&self, log: LogId, from: Revision, found: Vec<Found>) -> Result<Vec<StoredEntry>, StoreError> {
        let entries = found.into_iter().zip(from..).map(|((revision, opened), next)| {
            let damaged = |what| StoreError::Damaged { log, revision: next, what };
            if revision != next {
                return Err(damaged(format!("it is missing; the next one is {revision}")));
            }
            let (key, pieces) = (Region::Entry.key(log, revision), Region::EntryPiece.key(log, revision));
            let bytes = self.gather(opened.map_err(damaged)?, &key, &pieces)?.map_err(damaged)?;
            Ok((revision, Bytes::from(bytes)))
        });
        entries.collect()
    }

    /// The records of a log from revision `from` to `last`, and whether there were no more.
    fn scan_entries(
        &self,
        log: LogId,
        from: Revision,
        last: Revision,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<(Vec<Found>, bool), StoreError> {
        let (from_key, to_key) = (Region::Entry.key(log, from), Region::Entry.end(log, last));
        self.read_engine(|engine| {
            let (mut found, mut bytes, mut ended) = (Vec::new(), 0_usize, true);
            engine.scan(&from_key, &to_key, Direction::Up, &mut |key, value| {
                // A key that is no entry's stands for the damage that it is: no revision is 0.
                let opened = record::open(value);
                bytes = bytes.saturating_add(opened.as_ref().map_or(0, record::Opened::length));
                found.push((keys::revision_of(key).unwrap_or(0), opened));
                if found.len() >= entries_max || bytes >= bytes_max {
                    ended = false;
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })?;
            Ok((found, ended))
        })
    }

    /// Removes what says how far the log reached first: a log that ends before that would be taken for a damaged one.
    pub(super) fn purge_log(&self, log: LogId) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        writer.tails.forget(log);
        self.cell.write(|engine| engine.write(vec![Change::Remove(keys::tail(log))]))?;
        drop(writer);
        for region in [Region::Snapshot, Region::SnapshotPiece, Region::Entry, Region::EntryPiece] {
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

fn at(revision: Revision) -> Head {
    Head { revision, position: 0 }
}
