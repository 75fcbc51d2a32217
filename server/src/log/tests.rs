//! The log's thread over a store that does as it is told.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use bytes::Bytes;
use motet_protocol::ids::Revision;

use super::*;
use crate::store::{Head, LogId, StoredEntry, StoredSnapshot, memory::MemoryStore};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store that tells of each batch, and then waits to be told whether the disk is full.
struct Told {
    inner: MemoryStore,
    batches: Mutex<Sender<usize>>,
    full: Mutex<Receiver<bool>>,
}

impl Store for Told {
    fn engine(&self) -> &'static str {
        "told"
    }

    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let entries = batch.iter().map(|append| append.entries.len()).sum();
        let _ = self.batches.lock().send(entries);
        match self.full.lock().recv() {
            Ok(false) => self.inner.append(batch),
            Ok(true) | Err(_) => batch.iter().map(|_| AppendOutcome::Unknown(StoreError::Full)).collect(),
        }
    }

    fn head(&self, log: LogId) -> Result<Head, StoreError> {
        self.inner.head(log)
    }

    fn read(&self, log: LogId, from: Revision, entries: usize, bytes: usize) -> Result<Vec<StoredEntry>, StoreError> {
        self.inner.read(log, from, entries, bytes)
    }

    fn put_snapshot(&self, log: LogId, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.inner.put_snapshot(log, snapshot)
    }

    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        self.inner.snapshot(log, at_most)
    }

    fn purge(&self, log: LogId) -> Result<(), StoreError> {
        self.inner.purge(log)
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(key)
    }

    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError> {
        self.inner.compare_and_swap(key, expected, new)
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.inner.scan(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush()
    }
}

/// A writer over such a store, and both ends of what the store says and is told.
struct Bench {
    log: LogWriter<u64>,
    thread: thread::JoinHandle<()>,
    outcomes: mpsc::UnboundedReceiver<Outcomes<u64>>,
    batches: Receiver<usize>,
    full: Sender<bool>,
}

impl Bench {
    fn new() -> Self {
        let ((batches_in, batches), (full, full_out)) = (channel(), channel());
        let store = Told { inner: MemoryStore::new(), batches: Mutex::new(batches_in), full: Mutex::new(full_out) };
        let (outcomes_in, outcomes) = mpsc::unbounded_channel();
        let (log, thread) = LogWriter::start(Arc::new(store), outcomes_in);
        Self { log, thread, outcomes, batches, full }
    }

    fn push(&self, log: u64, entries: usize) {
        let entries = vec![Bytes::from_static(b"entry"); entries];
        self.log.push(log, Append { log: LogId(log), expected: Head::default(), entries });
    }

    /// Waits for the next batch, and returns the number of its entries.
    fn batch(&self) -> usize {
        self.batches.recv_timeout(PATIENCE).expect("the thread wrote nothing in time")
    }

    /// Waits for the thread to end, and returns the logs that were appended to.
    fn ended(mut self) -> Vec<u64> {
        let deadline = Instant::now() + PATIENCE;
        while !self.thread.is_finished() {
            assert!(Instant::now() < deadline, "the thread did not end in time");
            thread::sleep(Duration::from_millis(5));
        }
        let mut appended = Vec::new();
        while let Ok(batch) = self.outcomes.try_recv() {
            let done = batch.into_iter().filter(|(_, outcome)| matches!(outcome, AppendOutcome::Appended(_)));
            appended.extend(done.map(|(log, _)| log));
        }
        appended
    }
}

#[test]
fn a_disk_that_stays_full_does_not_keep_a_server_from_ending() {
    let bench = Bench::new();
    bench.push(1, 1);
    bench.batch();
    // The end comes while the append is on its way.
    bench.log.end();
    bench.full.send(true).unwrap();
    assert_eq!(bench.ended(), [0; 0]);
}

#[test]
fn what_others_gave_is_written_before_the_end_though_one_has_no_answer() {
    let bench = Bench::new();
    bench.push(1, 1);
    bench.batch();
    bench.push(2, 1);
    bench.log.end();
    bench.full.send(true).unwrap();
    bench.batch();
    bench.full.send(false).unwrap();
    assert_eq!(bench.ended(), [2]);
}

#[test]
fn what_a_full_disk_kept_waiting_is_written_in_batches_of_the_usual_size() {
    let (rooms, each) = (20, 100);
    let bench = Bench::new();
    bench.push(0, each);
    bench.batch();
    for room in 1..rooms {
        bench.push(room, each);
    }
    // All are refused once, and are written when they are tried again.
    let mut refused = each;
    bench.full.send(true).unwrap();
    while refused < each * rooms as usize {
        refused += bench.batch();
        bench.full.send(true).unwrap();
    }
    let mut written = 0;
    while written < each * rooms as usize {
        let batch = bench.batch();
        assert!(batch < BATCH_ENTRIES_MAX + each, "{batch} entries in a batch");
        written += batch;
        bench.full.send(false).unwrap();
    }
    bench.log.end();
    let mut appended = bench.ended();
    appended.sort_unstable();
    assert_eq!(appended, (0..rooms).collect::<Vec<_>>());
}
