//! What the stores reach on this machine: appends a second, processor time and disk an entry, time to open and to read.
//!
//! `cargo run --release -p motet-server --example store_figures -- DIRECTORY [ENTRIES]`: makes a store of each kind below the
//! directory, which must be on the disk to be measured, and leaves them there. Processor time is the whole process's, and so
//! says the same on a machine that has other things to do.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use motet_server::store::{
    Append, AppendOutcome, Durability, Head, LogId, Store, StoreKind, StoredSnapshot, conformance::Random, open,
};
use rustix::time::{ClockId, clock_gettime};

/// An entry of an edit is about this long, in bytes.
const ENTRY_BYTES: usize = 76;
const LOGS: u64 = 1_000;
const RUN: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = PathBuf::from(arguments.next().ok_or("usage: store_figures DIRECTORY [ENTRIES]")?);
    let entries: u64 = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    for kind in [StoreKind::Sled, StoreKind::Fjall] {
        for durability in [Durability::Sync, Durability::Os, Durability::None] {
            let path = root.join(format!("{kind}-{}", durability.as_str()));
            let store = open(kind, &path, durability)?;
            let mut random = Random(1);
            for batch in [1, 16, 256] {
                let before = processor_time();
                let (count, seconds, worst) = fill(&*store, batch, &mut random, |_, spent| spent < RUN);
                println!(
                    "{kind:5} {:4} batch {batch:3}: {:7.0} entries/s, {:5.1} µs of processor time each, {:7.3} ms a batch, slowest {:6.1} ms",
                    durability.as_str(),
                    count as f64 / seconds,
                    (processor_time() - before).as_secs_f64() * 1e6 / count as f64,
                    seconds * 1_000.0 * batch as f64 / count as f64,
                    worst.as_secs_f64() * 1_000.0
                );
            }
        }
        measure_size(kind, &root.join(format!("{kind}-size")), entries)?;
        measure_reading(kind, &root.join(format!("{kind}-reading")))?;
    }
    Ok(())
}

/// Appends batches, each entry of a batch to a log of its own, for as long as `go_on` says.
fn fill(
    store: &dyn Store,
    batch: u64,
    random: &mut Random,
    go_on: impl Fn(u64, Duration) -> bool,
) -> (u64, f64, Duration) {
    let mut heads = (0..LOGS).map(|log| store.head(LogId(log)).map_or(0, |head| head.revision)).collect::<Vec<_>>();
    let (began, mut count, mut worst, mut next) = (Instant::now(), 0, Duration::ZERO, 0);
    while go_on(count, began.elapsed()) {
        let appends = (0..batch).map(|_| {
            next = (next + 1) % LOGS;
            let expected = Head { revision: heads[next as usize], position: 0 };
            heads[next as usize] += 1;
            Append { log: LogId(next), expected, entries: vec![random.bytes(ENTRY_BYTES)] }
        });
        let appends = appends.collect::<Vec<_>>();
        let sent = Instant::now();
        let outcomes = store.append(&appends);
        worst = worst.max(sent.elapsed());
        assert!(outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended(_))), "{outcomes:?}");
        count += batch;
    }
    (count, began.elapsed().as_secs_f64(), worst)
}

fn measure_size(kind: StoreKind, path: &Path, entries: u64) -> Result<(), Box<dyn std::error::Error>> {
    {
        let store = open(kind, path, Durability::Sync)?;
        fill(&*store, 256, &mut Random(2), |count, _| count < entries);
        store.flush()?;
    }
    let bytes = size(path)?;
    let began = Instant::now();
    let store = open(kind, path, Durability::Sync)?;
    let opened = began.elapsed();
    println!(
        "{kind:5} {entries} entries of {ENTRY_BYTES} bytes: {:.0} bytes an entry on disk, opened in {opened:.2?}",
        { bytes as f64 / entries as f64 }
    );
    let began = Instant::now();
    let read = store.read(LogId(7), 1, usize::MAX, usize::MAX)?.len();
    println!("{kind:5} one log of {read} entries read in {:.2?}", began.elapsed());
    let state = Random(3).bytes(64 << 20);
    let began = Instant::now();
    store.put_snapshot(LogId(7), &StoredSnapshot { revision: 1, state })?;
    let put = began.elapsed();
    let began = Instant::now();
    store.snapshot(LogId(7), 1)?.ok_or("the snapshot is not there")?;
    println!("{kind:5} snapshot of 64 MiB: put in {put:.2?}, read in {:.2?}", began.elapsed());
    let began = Instant::now();
    drop(store);
    println!("{kind:5} closed in {:.2?}; {} MiB on disk", began.elapsed(), size(path)? >> 20);
    Ok(())
}

/// Reads at random places of one long log, for a reader that looks back or catches up.
fn measure_reading(kind: StoreKind, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const ENTRIES: u64 = 260_000;
    const READS: u64 = 1_000;
    let mut random = Random(4);
    {
        let store = open(kind, path, Durability::Sync)?;
        for revision in (0..ENTRIES).step_by(50) {
            let entries = (0..50).map(|_| random.bytes(ENTRY_BYTES)).collect();
            let outcome = store.append(&[Append { log: LogId(1), expected: Head { revision, position: 0 }, entries }]);
            assert!(matches!(outcome[..], [AppendOutcome::Appended(_)]), "{outcome:?}");
        }
    }
    let store = open(kind, path, Durability::Sync)?;
    for count in [1, 300] {
        let before = processor_time();
        for _ in 0..READS {
            let read = store.read(LogId(1), 1 + random.below(ENTRIES - count), count as usize, usize::MAX)?;
            assert_eq!(read.len() as u64, count);
        }
        let spent = (processor_time() - before).as_secs_f64() * 1e6 / READS as f64;
        println!("{kind:5} {count:3} of {ENTRIES} entries of one log: {spent:.1} µs of processor time");
    }
    Ok(())
}

/// This process's.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The bytes that a directory takes on the disk; files may be longer than what was written to them.
fn size(path: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for item in std::fs::read_dir(path)? {
        let item = item?;
        bytes += if item.file_type()?.is_dir() { size(&item.path())? } else { item.metadata()?.blocks() * 512 };
    }
    Ok(bytes)
}
