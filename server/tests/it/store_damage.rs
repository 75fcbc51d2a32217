//! Damaged files: bits flipped, ends cut off, ranges zeroed at random places of a closed database. What is read afterwards is
//! exactly what was written, or a typed error; never a changed or a missing entry without one, never a panic.
//!
//! A database whose end is gone, with the rest as if it had never been written, is refused as a whole by its last mark (the
//! file `TIP`): nobody could say which rooms miss something.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use motet_server::store::{
    AppendOutcome, Durability, LogId, Store, StoreError, StoreKind, StoredSnapshot,
    conformance::{Random, append, entries, read_all, try_append},
    open,
};

const ROUNDS: u64 = 40;
const LOGS: u64 = 6;
const ENTRIES: u64 = 400;
const LARGE: usize = 20_000;

/// How a round ended.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// The store did not open, and said why.
    refused: u32,
    /// Logs that were refused, with the revision named.
    logs_refused: u32,
    /// Logs that were there as written.
    logs_intact: u32,
    /// Logs whose end was gone with nothing said.
    ends_lost: u32,
}

fn state(log: LogId, revision: u64) -> bytes::Bytes {
    Random(log.0 << 32 | revision).bytes(50_000)
}

/// Writes a database and closes it.
fn write(path: &Path, kind: StoreKind) {
    let store = open(kind, path, Durability::Sync).unwrap();
    for after in (0..ENTRIES).step_by(20) {
        for log in (1..=LOGS).map(LogId) {
            append(&*store, log, after, &entries(log, after + 1, 20));
            if after % 100 == 0 {
                let revision = after + 20;
                store.put_snapshot(log, &StoredSnapshot { revision, state: state(log, revision) }).unwrap();
            }
        }
    }
    for log in (1..=LOGS).map(LogId) {
        append(&*store, log, ENTRIES, &[Random(log.0).bytes(LARGE)]);
        assert!(store.compare_and_swap(&format!("room/{log}"), None, Some(&state(log, 0))).unwrap());
    }
    store.flush().unwrap();
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    for item in fs::read_dir(path).unwrap().map(Result::unwrap) {
        match item.file_type().unwrap().is_dir() {
            true => files(&item.path(), found),
            false => found.push(item.path()),
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(item.file_name());
        match item.file_type().unwrap().is_dir() {
            true => copy_tree(&item.path(), &target),
            false => drop(fs::copy(item.path(), target).unwrap()),
        }
    }
}

/// How far a file holds anything: some are made longer than what is written to them.
fn used(path: &Path) -> u64 {
    let mut bytes = Vec::new();
    fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

/// Damages one file at a random place; returns what was done.
fn damage(path: &Path, random: &mut Random) -> String {
    let mut found = Vec::new();
    files(path, &mut found);
    found.sort();
    // Large files are hit more often, as they would be on a disk, but small ones are hit too.
    found.retain(|file| used(file) > 0);
    let file = match random.below(4) {
        0 => found[random.below(found.len() as u64) as usize].clone(),
        _ => found.iter().max_by_key(|file| used(file)).unwrap().clone(),
    };
    let length = used(&file);
    let at = random.below(length);
    let mut open = OpenOptions::new().read(true).write(true).open(&file).unwrap();
    let what = match random.below(4) {
        0 => {
            open.set_len(at).unwrap();
            format!("cut off at {at}")
        }
        1 => {
            let count = (1 + random.below(5_000)).min(length - at);
            open.seek(SeekFrom::Start(at)).unwrap();
            open.write_all(&vec![0; count as usize]).unwrap();
            format!("{count} bytes zeroed at {at}")
        }
        _ => {
            let mut byte = [0];
            open.seek(SeekFrom::Start(at)).unwrap();
            open.read_exact(&mut byte).unwrap();
            byte[0] ^= 1 << random.below(8);
            open.seek(SeekFrom::Start(at)).unwrap();
            open.write_all(&byte).unwrap();
            format!("a bit flipped at {at}")
        }
    };
    format!("{}: {what} of {length}", file.display())
}

/// Opens and reads everything. Each answer is right or an error.
fn examine(path: &Path, kind: StoreKind) -> Tally {
    let mut tally = Tally::default();
    let store = match open(kind, path, Durability::Sync) {
        Ok(store) => store,
        Err(StoreError::Engine { .. } | StoreError::Format { .. }) => return Tally { refused: 1, ..tally },
        Err(other) => panic!("{other}"),
    };
    for log in (1..=LOGS).map(LogId) {
        match store.head(log).and_then(|head| Ok((head, read_all(&*store, log)?))) {
            Err(error) => {
                assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Engine { .. }), "{error}");
                tally.logs_refused += 1;
            }
            Ok((head, read)) => {
                assert_eq!(read.len() as u64, head.revision, "log {log} is not as long as it says");
                let large = std::iter::once(Random(log.0).bytes(LARGE));
                let written = entries(log, 1, ENTRIES).into_iter().chain(large);
                assert!(
                    read.iter().map(|(_, bytes)| bytes.clone()).eq(written.take(read.len())),
                    "log {log} is changed"
                );
                match head.revision > ENTRIES {
                    true => tally.logs_intact += 1,
                    false => tally.ends_lost += 1,
                }
            }
        }
        match store.snapshot(log, u64::MAX) {
            Ok(Some(snapshot)) => assert!(snapshot.state == state(log, snapshot.revision), "a snapshot is changed"),
            Ok(None) | Err(StoreError::Engine { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        match store.get(&format!("room/{log}")) {
            Ok(None) | Err(StoreError::Engine { .. } | StoreError::DamagedValue { .. }) => {}
            Ok(Some(value)) => assert!(value == state(log, 0), "a value is changed"),
            Err(other) => panic!("{other}"),
        }
    }
    write_on(&store);
    tally
}

/// Writing to what is left is answered too.
fn write_on(store: &Arc<dyn Store>) {
    for log in (1..=LOGS + 1).map(LogId) {
        let Ok(head) = store.head(log) else { continue };
        let outcome = try_append(&**store, log, head.revision, &entries(log, head.revision + 1, 5));
        assert!(!matches!(outcome, AppendOutcome::Conflict(_)), "{outcome:?}");
    }
}

fn damage_is_told(kind: StoreKind) {
    let seed: u64 = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole");
    write(&whole, kind);
    let intact = examine_copy(&whole, &directory.path().join("intact"), |_| String::new(), kind);
    assert_eq!(u64::from(intact.logs_intact), LOGS, "{intact:?}");
    let mut total = Tally::default();
    for round in 0..ROUNDS {
        let seed = seed.wrapping_add(round);
        let mut random = Random(seed);
        let copy = directory.path().join(round.to_string());
        // Not captured when the test fails: the last line before a panic says which damage it was.
        let tally = examine_copy(
            &whole,
            &copy,
            |path| {
                let what = damage(path, &mut random);
                println!("SEED={seed} {what}");
                what
            },
            kind,
        );
        println!("  {tally:?}");
        total.refused += tally.refused;
        total.logs_refused += tally.logs_refused;
        total.logs_intact += tally.logs_intact;
        total.ends_lost += tally.ends_lost;
        fs::remove_dir_all(&copy).unwrap();
    }
    println!("{kind}, {ROUNDS} rounds of {LOGS} logs: {total:?}");
    assert_eq!(total.ends_lost, 0, "seed {seed}");
    assert!(total.refused + total.logs_refused > 0, "the damage hit nothing: {total:?}");
}

fn examine_copy(whole: &Path, copy: &Path, damage: impl FnOnce(&Path) -> String, kind: StoreKind) -> Tally {
    copy_tree(whole, copy);
    damage(copy);
    examine(copy, kind)
}

#[test]
fn damage_to_sled_is_told_and_never_changes_or_hides_an_entry() {
    damage_is_told(StoreKind::Sled);
}

#[test]
fn damage_to_fjall_is_told_and_never_changes_or_hides_an_entry() {
    damage_is_told(StoreKind::Fjall);
}

/// A room has a snapshot of a revision that the log no longer reaches: its end was lost, and it must not go on from there.
#[test]
fn a_log_that_ends_before_its_snapshot_is_refused() {
    for kind in [StoreKind::Memory, StoreKind::Sled, StoreKind::Fjall] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(kind, directory.path(), Durability::Sync).unwrap();
        store.put_snapshot(LogId(1), &StoredSnapshot { revision: 7, state: state(LogId(1), 7) }).unwrap();
        let head = store.head(LogId(1));
        assert!(matches!(head, Err(StoreError::Damaged { revision: 1, .. })), "{kind}: {head:?}");
    }
}
