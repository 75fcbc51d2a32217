//! Tests: an engine that fails at every possible place, and what is seen of the store meanwhile and afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use bytes::Bytes;

use super::{
    super::{
        Append, AppendOutcome, Durability, Head, LogId, Store, StoreError,
        conformance::{append, entries, read_all},
        memory::MemoryEngine,
    },
    Embedded,
    cell::Reopen,
    engine::{Change, Direction, Engine, Visit, failed},
    journal::Journal,
};

const LOG: LogId = LogId(1);

/// How an engine fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Error,
    Panic,
    /// Nothing of the batch is left, as if it had only been in the cache.
    Lost,
    /// All changes are made, the sync fails.
    AtSync,
}

/// What survives an engine: its map, and the failure to come.
struct Disk {
    map: MemoryEngine,
    /// So many changes succeed before the failure; below 0, there is none.
    fuse: AtomicI64,
    failure: Failure,
    /// So many times it can't be opened.
    closed: AtomicU32,
}

/// An engine over such a disk. Once it has failed it fails for good, as real ones do.
struct Faulty {
    disk: Arc<Disk>,
    broken: std::sync::atomic::AtomicBool,
}

impl Faulty {
    fn over(disk: &Arc<Disk>) -> Self {
        Self { disk: disk.clone(), broken: false.into() }
    }

    fn fail(&self) -> Result<(), StoreError> {
        self.broken.store(true, Ordering::Relaxed);
        match self.disk.failure {
            Failure::Panic => panic!("planned"),
            _ => Err(failed(Self::NAME, "planned")),
        }
    }
}

impl Engine for Faulty {
    const NAME: &'static str = "faulty";
    const VALUE_BYTES_MAX: usize = 32;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.map.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        self.disk.map.scan(from, to, direction, visit)
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return self.fail();
        }
        let fuse = self.disk.fuse.load(Ordering::Relaxed);
        if fuse < 0 || self.disk.failure == Failure::AtSync {
            return self.disk.map.write(changes);
        }
        if self.disk.failure != Failure::Lost {
            self.disk.map.write(changes.into_iter().take(fuse as usize).collect())?;
        }
        self.disk.fuse.store(-1, Ordering::Relaxed);
        self.fail()
    }

    fn persist(&self, _: Durability) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return self.fail();
        }
        if self.disk.fuse.load(Ordering::Relaxed) >= 0 && self.disk.failure == Failure::AtSync {
            self.disk.fuse.store(-1, Ordering::Relaxed);
            return self.fail();
        }
        Ok(())
    }
}

impl Reopen<Faulty> for Arc<Disk> {
    fn reopen(&self) -> Result<Faulty, StoreError> {
        let closed = self.closed.load(Ordering::Relaxed);
        if closed > 0 {
            self.closed.store(closed - 1, Ordering::Relaxed);
            return Err(failed(Faulty::NAME, "it does not open"));
        }
        Ok(Faulty::over(self))
    }

    fn is_full(&self) -> bool {
        false
    }
}

fn faulty(failure: Failure) -> (Arc<Disk>, Embedded<Faulty>) {
    let disk = Arc::new(Disk { map: MemoryEngine::default(), fuse: (-1).into(), failure, closed: 0.into() });
    let store =
        Embedded::over(Faulty::over(&disk), Box::new(disk.clone()), Durability::Sync, None, Journal::starting(1));
    (disk, store)
}

fn appends(after: u64) -> [Append; 2] {
    let large = Bytes::from(vec![9; 100]);
    let of = |log, after| Append {
        log,
        expected: Head { revision: after, position: 0 },
        entries: [entries(log, after + 1, 2), vec![large.clone()], entries(log, after + 4, 1)].concat(),
    };
    [of(LOG, after), of(LogId(2), 0)]
}

#[test]
fn whatever_is_left_of_a_failed_append_is_not_shown_and_is_completed_when_it_is_sent_again() {
    for failure in [Failure::Error, Failure::Panic, Failure::Lost, Failure::AtSync] {
        for fuse in 0..20 {
            let (disk, store) = faulty(failure);
            let before = entries(LOG, 1, 3);
            append(&store, LOG, 0, &before);
            disk.fuse.store(fuse, Ordering::Relaxed);
            let batch = appends(3);
            for outcome in store.append(&batch) {
                assert!(
                    matches!(outcome, AppendOutcome::Unknown(StoreError::Engine { .. })),
                    "{failure:?} {outcome:?}"
                );
            }
            assert_eq!(store.head(LOG).unwrap().revision, 3, "{failure:?} after {fuse} changes");
            assert_eq!(read_all(&store, LOG).unwrap().len(), 3);
            assert_eq!(store.head(LogId(2)).unwrap().revision, 0);
            assert!(read_all(&store, LogId(2)).unwrap().is_empty());

            let outcomes = store.append(&batch);
            let ends = outcomes.iter().map(|outcome| match outcome {
                AppendOutcome::Appended(head) => head.revision,
                other => panic!("{failure:?} after {fuse} changes: {other:?}"),
            });
            assert_eq!(ends.collect::<Vec<_>>(), [7, 4]);
            let read = |log| read_all(&store, log).unwrap().into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
            assert_eq!(read(LOG), [before, batch[0].entries.clone()].concat());
            assert_eq!(read(LogId(2)), batch[1].entries);
        }
    }
}

/// After a failure, a room may learn what it is at from the store alone, before anybody sends anything again.
#[test]
fn after_a_failure_the_head_is_what_is_on_the_disk() {
    let mut heads = std::collections::BTreeSet::new();
    for fuse in 0..40 {
        let (disk, store) = faulty(Failure::Error);
        append(&store, LOG, 0, &entries(LOG, 1, 3));
        disk.fuse.store(fuse, Ordering::Relaxed);
        assert!(matches!(store.append(&appends(3))[0], AppendOutcome::Unknown(_)));
        // Something else makes the store open its engine again.
        assert!(store.compare_and_swap("key", None, Some(b"value")).unwrap());
        let head = store.head(LOG).unwrap().revision;
        assert_eq!(read_all(&store, LOG).unwrap().len() as u64, head);
        let other = [Append { entries: entries(LOG, 9, 1), ..appends(2)[0].clone() }];
        let outcome = store.append(&other);
        assert!(matches!(outcome[..], [AppendOutcome::Conflict(at)] if at.revision == head), "{outcome:?}");
        heads.insert(head);
    }
    assert_eq!(Vec::from_iter(heads), [3, 7], "a commit arrives whole or not at all");
}

#[test]
fn a_store_that_does_not_open_again_at_once_comes_back_later() {
    let (disk, store) = faulty(Failure::Error);
    append(&store, LOG, 0, &entries(LOG, 1, 3));
    disk.fuse.store(1, Ordering::Relaxed);
    let batch = appends(3);
    assert!(matches!(store.append(&batch)[0], AppendOutcome::Unknown(_)));
    disk.closed.store(60, Ordering::Relaxed);
    assert!(matches!(store.append(&batch)[0], AppendOutcome::Unknown(_)));
    assert!(matches!(store.read(LOG, 1, 10, 1_000), Err(StoreError::Engine { .. })), "and it is told, not hidden");
    assert!(matches!(store.append(&batch)[0], AppendOutcome::Appended(Head { revision: 7, .. })));
    assert_eq!(read_all(&store, LOG).unwrap().len(), 7);
}

#[test]
fn a_failed_swap_of_a_large_value_leaves_the_old_or_the_new_one() {
    for fuse in 0..12 {
        let (disk, store) = faulty(Failure::Error);
        let (old, new) = ([1; 100], [2; 150]);
        assert!(store.compare_and_swap("key", None, Some(&old)).unwrap());
        disk.fuse.store(fuse, Ordering::Relaxed);
        assert!(store.compare_and_swap("key", Some(&old), Some(&new)).is_err());
        let value = store.get("key").unwrap().unwrap();
        assert!(*value == old || *value == new, "after {fuse} changes: {value:?}");
        assert!(store.compare_and_swap("key", Some(&value), Some(b"")).unwrap());
    }
}
