//! Snapshots: several of a log, spread over its revisions.

use std::ops::ControlFlow;

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::{
    Change, Direction, Embedded, Engine, LogId, StoreError, StoredSnapshot, failed,
    keys::{self, Region},
    record,
};

/// How many snapshots of a log are kept: enough that every revision has one not far before it, and not so many that a
/// large text fills the disk.
const SNAPSHOTS_MAX: usize = 16;

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
        let kept = self.snapshot_revisions(log, Revision::MAX)?;
        if let Some(revision) = superfluous(&kept) {
            self.remove_snapshot(log, revision)?;
        }
        Ok(())
    }

    pub(super) fn newest_snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        for revision in self.snapshot_revisions(log, at_most)?.into_iter().rev() {
            let (key, pieces) = keys_of(log, revision);
            let Some(value) = self.read_engine(|engine| engine.get(&key))? else { continue };
            let Ok(opened) = record::open(&value) else { continue };
            if let Ok(state) = self.gather(opened, &key, &pieces)? {
                return Ok(Some(StoredSnapshot { revision, state: Bytes::from(state) }));
            }
            tracing::warn!(%log, revision, "a snapshot is damaged; an older one or the log takes its place");
        }
        Ok(None)
    }

    /// The revisions that there are snapshots of, in order.
    fn snapshot_revisions(&self, log: LogId, at_most: Revision) -> Result<Vec<Revision>, StoreError> {
        let (from, to) = (Region::Snapshot.key(log, 0), Region::Snapshot.end(log, at_most));
        self.read_engine(|engine| {
            let mut revisions = Vec::new();
            engine.scan(&from, &to, Direction::Up, &mut |key, _| {
                revisions.extend(keys::revision_of(key));
                ControlFlow::Continue(())
            })?;
            Ok(revisions)
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

/// Which of too many snapshots to remove: the one that leaves the smallest gap, and never one of the newest two, of which
/// the older is what is left when the newest is damaged.
fn superfluous(revisions: &[Revision]) -> Option<Revision> {
    if revisions.len() <= SNAPSHOTS_MAX {
        return None;
    }
    let gap = |index: usize| revisions[index + 1] - index.checked_sub(1).map_or(0, |before| revisions[before]);
    (0..revisions.len() - 2).min_by_key(|index| gap(*index)).map(|index| revisions[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_stay_spread_over_a_long_log() {
        let mut kept = Vec::new();
        for revision in (1_000..=1_000_000).step_by(1_000) {
            kept.push(revision);
            if let Some(removed) = superfluous(&kept) {
                kept.retain(|kept| *kept != removed);
            }
        }
        assert_eq!(kept.len(), SNAPSHOTS_MAX);
        assert_eq!(kept[SNAPSHOTS_MAX - 2..], [999_000, 1_000_000]);
        let gaps = kept.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.chain([kept[0]]).all(|gap| gap <= 200_000), "{kept:?}");
    }
}
