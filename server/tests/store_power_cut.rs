//! A power cut, simulated: the store lives on an ext4 image mounted by loop, a process of its own writes to it, is frozen under
//! load, and the image is copied. What was only in the page cache is not in the copy, which is what a disk would hold after
//! the cut. Everything that the writer had been told is durable must be in it.
//!
//! That the test can fail is shown by the same procedure with a store that does not sync: it loses what it acknowledged.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use motet_server::store::{
    Append, AppendOutcome, Durability, LogId, Store, StoreKind, StoredSnapshot,
    conformance::{Random, read_all},
    open,
};

mod store_disk;

const LOGS: u64 = 4;
const IMAGE_MIB: u64 = 160;

/// What the writer was told: each log's head, and the last value of the counter.
#[derive(Debug, Default)]
struct Acknowledged {
    heads: BTreeMap<u64, u64>,
    counter: u64,
}

impl Acknowledged {
    fn count(&self) -> u64 {
        self.heads.values().sum::<u64>() + self.counter
    }
}

/// The entry of a revision: small as a rule, at times a large one.
fn entry(log: u64, revision: u64) -> Bytes {
    let mut random = Random(log << 32 | revision);
    let size = if revision.is_multiple_of(97) { 30_000 } else { 40 + random.below(80) };
    random.bytes(size as usize)
}

/// The process that writes until it is killed, and prints what was acknowledged.
fn write_for_ever(path: &Path, kind: StoreKind, durability: Durability) {
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
            let state = Random(log.0 << 32 | revision).bytes(500_000);
            store.put_snapshot(log, &StoredSnapshot { revision, state }).unwrap();
        }
        thread::sleep(Duration::from_millis(20));
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the writer on an image and freezes it after a time; the copy of the image is the disk after the cut.
fn cut(image: &Path, copy: &Path, kind: StoreKind, durability: Durability, after: Duration) -> Acknowledged {
    let at = image.with_extension("mounted");
    let disk = store_disk::mount(image, &at).unwrap();
    let test = thread::current().name().unwrap().to_owned();
    let mut writer = Command::new(env::current_exe().unwrap())
        .args([&test, "--exact", "--nocapture", "--test-threads=1"])
        .env("STORE_POWER_CUT_WRITER", disk.path().join("data"))
        .env("STORE_POWER_CUT_KIND", kind.to_string())
        .env("STORE_POWER_CUT_DURABILITY", durability.as_str())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(writer.stdout.take().unwrap());
    let reader = thread::spawn(move || read_acknowledged(output));
    let mut writer = Killed(writer);
    thread::sleep(after);
    assert!(writer.0.try_wait().unwrap().is_none(), "the writer ended by itself");
    freeze(writer.0.id());
    fs::copy(image, copy).unwrap();
    drop(writer);
    let acknowledged = reader.join().unwrap();
    drop(disk);
    acknowledged
}

fn read_acknowledged(output: impl BufRead) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for line in output.lines().map_while(Result::ok) {
        // The test harness may have begun the line.
        let Some((_, words)) = line.split_once("ack ") else { continue };
        match words.split_once(' ') {
            Some(("counter", value)) => acknowledged.counter = value.parse().unwrap(),
            Some((log, head)) => drop(acknowledged.heads.insert(log.parse().unwrap(), head.parse().unwrap())),
            None => panic!("{line:?}"),
        }
    }
    acknowledged
}

/// Stops a process and waits until each of its threads stands still, none in the middle of a sync.
fn freeze(process: u32) {
    assert!(Command::new("kill").args(["-STOP", &process.to_string()]).status().unwrap().success());
    let began = Instant::now();
    let stopped = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    while !fs::read_dir(format!("/proc/{process}/task")).unwrap().map(Result::unwrap).all(stopped) {
        assert!(began.elapsed() < Duration::from_secs(10), "the writer does not stop");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What of the acknowledged is not on the disk. That what is there is right, and dense, is asserted.
fn lost(disk: &Path, kind: StoreKind, acknowledged: &Acknowledged) -> Result<u64, String> {
    let at = disk.with_extension("mounted");
    let mounted = store_disk::mount(disk, &at).unwrap();
    let data: PathBuf = mounted.path().join("data");
    if !data.join("FORMAT").exists() {
        return Ok(acknowledged.count());
    }
    let store = open(kind, &data, Durability::Sync).map_err(|error| error.to_string())?;
    let mut lost = 0;
    for log in 1..=LOGS {
        let head = store.head(LogId(log)).map_err(|error| error.to_string())?.revision;
        let entries = read_all(&*store, LogId(log)).map_err(|error| error.to_string())?;
        assert_eq!(entries.len() as u64, head, "log {log} is not dense");
        for (revision, bytes) in entries {
            assert_eq!(bytes, entry(log, revision), "revision {revision} of log {log}");
        }
        if let Some(snapshot) = store.snapshot(LogId(log), u64::MAX).map_err(|error| error.to_string())? {
            assert!(snapshot.state == Random(log << 32 | snapshot.revision).bytes(500_000), "a snapshot of log {log}");
        }
        lost += acknowledged.heads.get(&log).copied().unwrap_or(0).saturating_sub(head);
    }
    let counter = store.get("counter").map_err(|error| error.to_string())?;
    let counter = counter.map_or(0, |value| String::from_utf8_lossy(&value).parse::<u64>().unwrap());
    Ok(lost + acknowledged.counter.saturating_sub(counter))
}

/// Whether this process is the writer; it is then for ever.
fn is_writer() -> bool {
    let Some(path) = env::var_os("STORE_POWER_CUT_WRITER") else { return false };
    let kind = env::var("STORE_POWER_CUT_KIND").unwrap().parse().unwrap();
    let durability = match env::var("STORE_POWER_CUT_DURABILITY").unwrap().as_str() {
        "sync" => Durability::Sync,
        _ => Durability::Os,
    };
    write_for_ever(Path::new(&path), kind, durability);
    true
}

/// Cuts one after the other, each on the disk that the one before left.
fn loses_nothing(kind: StoreKind) {
    if is_writer() || !store_disk::may_mount(&format!("power cuts with {kind}")) {
        return;
    }
    let seed = env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut image = directory.path().join("0.image");
    store_disk::make(&image, IMAGE_MIB).unwrap();
    let mut count = 0;
    for round in 1..=5 {
        // The first is cut while it starts.
        let after = Duration::from_millis(if round == 1 { random.below(60) } else { 300 + random.below(500) });
        let copy = directory.path().join(format!("{round}.image"));
        let acknowledged = cut(&image, &copy, kind, Durability::Sync, after);
        count = acknowledged.count().max(count);
        let lost = lost(&copy, kind, &acknowledged);
        assert_eq!(lost, Ok(0), "cut {round}, after {after:?}, seed {seed}: {acknowledged:?}");
        fs::remove_file(&image).unwrap();
        image = copy;
    }
    eprintln!("{kind}: {count} acknowledged writes, 5 cuts, none lost");
    assert!(count > 500, "the writer made only {count} writes");
}

/// Some cuts without syncs: at least one must lose something, or the procedure above proves nothing.
fn loses_something_without_syncs(kind: StoreKind) {
    if is_writer() || !store_disk::may_mount(&format!("power cuts with {kind} that does not sync")) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut outcomes = Vec::new();
    for round in 1..=3 {
        let (image, copy) = (directory.path().join("image"), directory.path().join(format!("{round}.copy")));
        store_disk::make(&image, IMAGE_MIB).unwrap();
        let acknowledged = cut(&image, &copy, kind, Durability::Os, Duration::from_millis(400));
        outcomes.push((acknowledged.count(), lost(&copy, kind, &acknowledged)));
    }
    eprintln!("{kind} without syncs (acknowledged, lost): {outcomes:?}");
    assert!(outcomes.iter().any(|(_, lost)| *lost != Ok(0)), "{outcomes:?}");
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut_on_sled() {
    loses_nothing(StoreKind::Sled);
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut_on_fjall() {
    loses_nothing(StoreKind::Fjall);
}

#[test]
fn the_procedure_finds_what_sled_loses_without_syncs() {
    loses_something_without_syncs(StoreKind::Sled);
}

#[test]
fn the_procedure_finds_what_fjall_loses_without_syncs() {
    loses_something_without_syncs(StoreKind::Fjall);
}
