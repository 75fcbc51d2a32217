//! A process that writes to a store until it is killed, and tells what was acknowledged: the test binary itself, started again
//! with the same test and an environment that makes it the writer.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use motet_server::store::{
    Append, AppendOutcome, Durability, LogId, Store, StoreError, StoreKind, StoredSnapshot,
    conformance::{Random, read_all},
    open,
};

const LOGS: u64 = 4;

/// A writer that says nothing for so long is stuck; a busy machine may need some seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the writer was told: each log's head, and the last value of the counter.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    heads: BTreeMap<u64, u64>,
    counter: u64,
}

impl Acknowledged {
    pub(crate) fn count(&self) -> u64 {
        self.heads.values().sum::<u64>() + self.counter
    }
}

/// The entry of a revision: small as a rule, at times a large one.
fn entry(log: u64, revision: u64) -> Bytes {
    let mut random = Random(log << 32 | revision);
    let size = if revision.is_multiple_of(97) { 30_000 } else { 40 + random.below(80) };
    random.bytes(size as usize)
}

/// A running writer; killed when dropped.
pub(crate) struct Writer {
    /// The process's id.
    pub(crate) id: u32,
    process: Child,
    /// How many lines it has said so far.
    said: Arc<AtomicU64>,
    reader: Option<JoinHandle<Acknowledged>>,
}

impl Writer {
    /// Starts a writer; the test that calls this has called [`is_writer`] first.
    pub(crate) fn start(data: &Path, kind: StoreKind, durability: Durability) -> Self {
        let test = thread::current().name().unwrap().to_owned();
        let mut process = Command::new(env::current_exe().unwrap())
            .args([&test, "--exact", "--nocapture", "--test-threads=1"])
            .env("STORE_WRITER", data)
            .env("STORE_WRITER_KIND", kind.to_string())
            .env("STORE_WRITER_DURABILITY", durability.as_str())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let said = Arc::new(AtomicU64::new(0));
        let counter = said.clone();
        let reader = Some(thread::spawn(move || read_acknowledged(output, &counter)));
        Self { id: process.id(), process, said, reader }
    }

    /// Waits until it was told of so many writes, however long that takes.
    pub(crate) fn wait_for(&mut self, writes: u64) {
        let began = Instant::now();
        while self.said.load(Ordering::Relaxed) < writes {
            assert!(self.process.try_wait().unwrap().is_none(), "the writer ended by itself");
            assert!(began.elapsed() < PATIENCE, "the writer is stuck");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends it a signal, as `kill` names it.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id.to_string()]).status().unwrap().success());
    }

    /// Kills it; returns what it had been told.
    pub(crate) fn kill(mut self) -> Acknowledged {
        assert!(self.process.try_wait().unwrap().is_none(), "the writer ended by itself");
        self.signal("-KILL");
        self.process.wait().unwrap();
        self.reader.take().unwrap().join().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether this process is a writer; it then never returns.
pub(crate) fn is_writer() -> bool {
    let Some(path) = env::var_os("STORE_WRITER") else { return false };
    let kind = env::var("STORE_WRITER_KIND").unwrap().parse().unwrap();
    let durability = match env::var("STORE_WRITER_DURABILITY").unwrap().as_str() {
        "sync" => Durability::Sync,
        _ => Durability::Os,
    };
    write_for_ever(Path::new(&path), kind, durability)
}

/// What of the acknowledged is not in the store. That what is there is right, and dense, is asserted.
pub(crate) fn lost(
    data: &Path,
    kind: StoreKind,
    durability: Durability,
    acknowledged: &Acknowledged,
) -> Result<u64, StoreError> {
    let store = open(kind, data, durability)?;
    let mut lost = 0;
    for log in 1..=LOGS {
        let head = store.head(LogId(log))?.revision;
        let entries = read_all(&*store, LogId(log))?;
        assert_eq!(entries.len() as u64, head, "log {log} is not dense");
        for (revision, bytes) in entries {
            assert_eq!(bytes, entry(log, revision), "revision {revision} of log {log}");
        }
        if let Some(snapshot) = store.snapshot(LogId(log), u64::MAX)? {
            assert!(snapshot.state == state(log, snapshot.revision), "a snapshot of log {log}");
        }
        lost += acknowledged.heads.get(&log).copied().unwrap_or(0).saturating_sub(head);
    }
    let counter = store.get("counter")?;
    let counter = counter.map_or(0, |value| String::from_utf8_lossy(&value).parse::<u64>().unwrap());
    Ok(lost + acknowledged.counter.saturating_sub(counter))
}

fn state(log: u64, revision: u64) -> Bytes {
    Random(log << 32 | revision).bytes(500_000)
}

/// The process that writes until it is killed, and prints what was acknowledged.
fn write_for_ever(path: &Path, kind: StoreKind, durability: Durability) -> ! {
    let store = open(kind, path, durability).unwrap();
    let snapshots = store.clone();
    thread::spawn(move || write_snapshots(snapshots));
    let mut random = Random(u64::from(std::process::id()));
    let mut counter = store.get("counter").unwrap().map_or(0, |value| String::from_utf8_lossy(&value).parse().unwrap());
    loop {
        let mut batch = Vec::new();
        for log in 1..=LOGS {
            let expected = store.head(LogId(log)).unwrap();
            let revisions = expected.revision + 1..=expected.revision + random.below(12);
            let entries = revisions.map(|revision| entry(log, revision)).collect::<Vec<_>>();
            if !entries.is_empty() {
                batch.push(Append { log: LogId(log), expected, entries });
            }
        }
        for (append, outcome) in batch.iter().zip(store.append(&batch)) {
            let AppendOutcome::Appended(head) = outcome else { panic!("{outcome:?}") };
            println!("ack {} {}", append.log.0, head.revision);
        }
        if random.below(8) == 0 {
            let (old, new) = (counter.to_string(), (counter + 1).to_string());
            let expected = (counter > 0).then_some(old.as_bytes());
            assert!(store.compare_and_swap("counter", expected, Some(new.as_bytes())).unwrap());
            counter += 1;
            println!("ack counter {counter}");
        }
    }
}

fn write_snapshots(store: Arc<dyn Store>) {
    for number in 0.. {
        let log = LogId(1 + number % LOGS);
        let revision = store.head(log).unwrap().revision;
        if revision > 0 {
            let state = state(log.0, revision);
            store.put_snapshot(log, &StoredSnapshot { revision, state }).unwrap();
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn read_acknowledged(output: impl BufRead, said: &AtomicU64) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for line in output.lines().map_while(Result::ok) {
        // The test harness may have begun the line.
        let Some((_, words)) = line.split_once("ack ") else { continue };
        match words.split_once(' ') {
            Some(("counter", value)) => acknowledged.counter = value.parse().unwrap(),
            Some((log, head)) => drop(acknowledged.heads.insert(log.parse().unwrap(), head.parse().unwrap())),
            None => panic!("{line:?}"),
        }
        said.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}
