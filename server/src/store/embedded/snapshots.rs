//! Snapshots: as many of a log as its entries pay for, so that every revision has one not far before it.

use std::ops::ControlFlow;

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::{
    Change, Direction, Embedded, Engine, LogId, StoreError, StoredSnapshot, failed,
    keys::{self, Region},
    record,
};

/// How many of a log's newest snapshots are kept in any case: the older take the place of a newer one that is damaged.
const SNAPSHOTS_MIN: usize = 8;

/// What older snapshots may take of the disk for each entry of history, in bytes. While a room is edited it makes them no more
/// often than after an entry for each 64 bytes of its text (the rest is for what a state holds beside the text), so that all
/// of those are kept; those of a room that was opened often for a few edits are thinned out.
const BYTES_PER_ENTRY: u64 = 80;

/// How many bytes of a snapshot are written before others may write: they wait about a millisecond.
const TURN_BYTES: usize = 64 * 1024;

impl<E: Engine> Embedded<E> {
    /// Writes the pieces, then the record that makes them a snapshot, then thins out the older ones. Syncs nothing: it is
    /// durable with the next append, and a half-written one is no snapshot.
    pub(super) fn write_snapshot(&self, log: LogId, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        if snapshot.state.len() > record::PAYLOAD_BYTES_MAX {
            return Err(failed(E::NAME, format!("a snapshot of {} bytes is too large", snapshot.state.len())));
        }
        let (key, pieces) = keys_of(log, snapshot.revision);
        let mut changes = Vec::new();
        record::put(key.clone(), &pieces, &snapshot.state, E::VALUE_BYTES_MAX, &mut changes);
        // One of the same revision is no snapshot while its pieces are overwritten.
        changes.insert(0, Change::Remove(key));
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let turn = changes.by_ref().take((TURN_BYTES / E::VALUE_BYTES_MAX).max(1)).collect();
            let writer = self.writer()?;
            self.cell.write(|engine| engine.write(turn))?;
            parking_lot::MutexGuard::unlock_fair(writer);
        }
        match superfluous(&self.newest_snapshots(log, Revision::MAX, SNAPSHOTS_MIN + 2)?) {
            Some(revision) => self.remove_snapshot(log, revision),
            None => Ok(()),
        }
    }

    pub(super) fn newest_snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        let mut at_most = Some(at_most);
        while let Some(up_to) = at_most {
            let found = self.newest_snapshots(log, up_to, 1)?.pop();
            let Some((revision, value)) = found else { break };
            let (key, pieces) = keys_of(log, revision);
            if let Ok(opened) = record::open(&value)
                && let Ok(state) = self.gather(opened, &key, &pieces)?
            {
                return Ok(Some(StoredSnapshot { revision, state: Bytes::from(state) }));
            }
            tracing::warn!(%log, revision, "a snapshot is damaged; an older one or the log takes its place");
            at_most = revision.checked_sub(1);
        }
        Ok(None)
    }

    /// The last few snapshots up to a revision, the newest first, as their records stand in the engine.
    fn newest_snapshots(
        &self,
        log: LogId,
        at_most: Revision,
        count: usize,
    ) -> Result<Vec<(Revision, Vec<u8>)>, StoreError> {
        let (from, to) = (Region::Snapshot.key(log, 0), Region::Snapshot.end(log, at_most));
        self.read_engine(|engine| {
            let mut found = Vec::new();
            engine.scan(&from, &to, Direction::Down, &mut |key, value| {
                found.extend(keys::revision_of(key).map(|revision| (revision, value.to_vec())));
                if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            Ok(found)
        })
    }

    fn remove_snapshot(&self, log: LogId, revision: Revision) -> Result<(), StoreError> {
        for region in [Region::Snapshot, Region::SnapshotPiece] {
            while self.remove_some(&region.key(log, revision), &region.end(log, revision))? {}
        }
        Ok(())
    }
}

fn keys_of(log: LogId, revision: Revision) -> (Vec<u8>, Vec<u8>) {
    (Region::Snapshot.key(log, revision), Region::SnapshotPiece.key(log, revision))
}

/// Which of the newest snapshots, the newest first, to remove: the one that has just become too old to be kept in any case, if
/// it takes more than the entries between it and the one before may pay for.
fn superfluous(newest: &[(Revision, Vec<u8>)]) -> Option<Revision> {
    let (revision, value) = newest.get(SNAPSHOTS_MIN)?;
    let before = newest.get(SNAPSHOTS_MIN + 1).map_or(0, |(before, _)| *before);
    let bytes = record::open(value).map_or(u64::MAX, |opened| opened.length() as u64);
    (bytes > (revision - before).saturating_mul(BYTES_PER_ENTRY)).then_some(*revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The revisions kept of snapshots made every so many entries.
    fn kept(every: usize, bytes: usize, up_to: Revision) -> Vec<Revision> {
        let mut changes = Vec::new();
        record::put(Vec::new(), &[], &vec![0; bytes], bytes + record::HEADER_BYTES, &mut changes);
        let Some(Change::Put(_, value)) = changes.pop() else { panic!("{changes:?}") };
        let mut newest_first: Vec<(Revision, Vec<u8>)> = Vec::new();
        for revision in (every as u64..=up_to).step_by(every) {
            newest_first.insert(0, (revision, value.clone()));
            if let Some(removed) = superfluous(&newest_first) {
                newest_first.retain(|(revision, _)| *revision != removed);
            }
        }
        newest_first.into_iter().map(|(revision, _)| revision).collect()
    }

    #[test]
    fn snapshots_that_the_entries_pay_for_are_all_kept() {
        assert_eq!(kept(4_096, 4_096 * 66, 1_000_000).len(), 244);
    }

    #[test]
    fn snapshots_made_more_often_are_thinned_out_but_for_the_newest() {
        let revisions = kept(100, 64_000, 100_000);
        assert_eq!(revisions.len(), SNAPSHOTS_MIN + 124);
        let (newest, older) = revisions.split_at(SNAPSHOTS_MIN);
        assert!(newest.windows(2).all(|pair| pair[0] - pair[1] == 100));
        assert!(older.windows(2).all(|pair| pair[0] - pair[1] == 800));
    }
}
