//! A full disk: writes are refused with a clear error, reads go on, and when there is space again everything goes on, without
//! a restart and with nothing acknowledged lost.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::store_disk;
use bytes::Bytes;
use motet_server::store::{
    Append, AppendOutcome, Durability, Head, LogId, Store, StoreError, StoreKind, StoredSnapshot,
    conformance::{Random, append, read_all, try_append},
    open,
};

const LOG: LogId = LogId(1);

/// Takes all the space that there is but so many bytes.
fn fill(path: &Path, but: usize) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 64 << 10, 4 << 10] {
        let chunk = vec![0xaa; size];
        while file.write_all(&chunk).is_ok() {}
    }
    let _ = file.sync_all();
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(but as u64)).unwrap();
    file.sync_all().unwrap();
}

/// Appends until the disk is full; returns the append that was not answered with yes.
fn append_until_full(store: &dyn Store, written: &mut Vec<Bytes>, random: &mut Random) -> Append {
    for _ in 0..20_000 {
        let entries = (0..8).map(|_| random.bytes(2_000)).collect::<Vec<_>>();
        let append = Append {
            log: LOG,
            expected: Head { revision: written.len() as u64, position: 0 },
            entries: entries.clone(),
        };
        match store.append(std::slice::from_ref(&append)).pop().unwrap() {
            AppendOutcome::Appended(_) => written.extend(entries),
            AppendOutcome::Unknown(StoreError::Full) => return append,
            other => panic!("{other:?} after {} entries", written.len()),
        }
    }
    panic!("the disk did not fill up");
}

fn holds(store: &dyn Store, written: &[Bytes]) {
    assert_eq!(store.head(LOG).unwrap().revision, written.len() as u64);
    let read = read_all(store, LOG).unwrap();
    assert!(read.into_iter().map(|(_, bytes)| bytes).eq(written.iter().cloned()), "the log is not what was written");
}

fn survives_a_full_disk(kind: StoreKind) {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    store_disk::make(&image, 96).unwrap();
    let disk = store_disk::mount(&image, &directory.path().join("mounted")).unwrap();
    let (data, filler) = (disk.path().join("data"), disk.path().join("filler"));
    let mut random = Random(7);
    let mut written = Vec::new();
    let store = open(kind, &data, Durability::Sync).unwrap();
    written.push(random.bytes(100));
    append(&*store, LOG, 0, &written);

    // Full in the middle of work, several times over, with less or more left over.
    for left in [3 << 20, 0, 1 << 20] {
        fill(&filler, left);
        let refused = append_until_full(&*store, &mut written, &mut random);
        holds(&*store, &written);
        let again = store.append(std::slice::from_ref(&refused)).pop();
        assert!(matches!(again, Some(AppendOutcome::Unknown(StoreError::Full))), "{again:?}");
        let swapped = store.compare_and_swap("key", None, Some(b"value"));
        assert!(matches!(swapped, Err(StoreError::Full)), "{swapped:?}");
        holds(&*store, &written);

        fs::remove_file(&filler).unwrap();
        let outcome = store.append(std::slice::from_ref(&refused)).pop();
        written.extend(refused.entries);
        assert!(matches!(outcome, Some(AppendOutcome::Appended(head)) if head.revision == written.len() as u64));
        holds(&*store, &written);
    }

    // A snapshot that finds no room harms nothing either.
    fill(&filler, 3 << 20);
    let snapshot = StoredSnapshot { revision: written.len() as u64, state: random.bytes(40 << 20) };
    let kept = store.put_snapshot(LOG, &snapshot).and_then(|()| store.flush());
    assert!(matches!(kept, Err(StoreError::Full)), "{kept:?}");
    fs::remove_file(&filler).unwrap();
    let entry = random.bytes(100);
    match try_append(&*store, LOG, written.len() as u64, std::slice::from_ref(&entry)) {
        AppendOutcome::Appended(_) => written.push(entry),
        other => panic!("{other:?}"),
    }
    holds(&*store, &written);

    drop(store);
    let store = open(kind, &data, Durability::Sync).unwrap();
    holds(&*store, &written);
}

#[test]
fn a_full_disk_stops_writes_on_sled_until_there_is_space_and_loses_nothing() {
    if store_disk::may_mount("a full disk with sled") {
        survives_a_full_disk(StoreKind::Sled);
    }
}

#[test]
fn a_full_disk_stops_writes_on_fjall_until_there_is_space_and_loses_nothing() {
    if store_disk::may_mount("a full disk with fjall") {
        survives_a_full_disk(StoreKind::Fjall);
    }
}
