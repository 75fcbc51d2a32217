//! The conformance suite over every engine here, and what only engines on a disk have to show.

use std::{collections::BTreeMap, fs, ops::ControlFlow, path::Path, sync::Arc};

use bytes::Bytes;

use super::super::{
    AppendOutcome, Durability, LogId, Store, StoreError, StoreKind, StoredSnapshot,
    conformance::{self, Random, append, entries, read_all},
    memory::MemoryStore,
    open,
    sled::SledStore,
};
use super::{
    engine::{Change, Direction, Engine, Visit},
    keys::{self, Region},
};

const ON_DISK: [StoreKind; 2] = [StoreKind::Sled, StoreKind::Fjall];

fn conforms(kind: StoreKind, durability: Durability) {
    let directory = tempfile::tempdir().unwrap();
    let seed = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    conformance::all(&|| open(kind, directory.path(), durability).unwrap(), seed);
}

#[test]
fn memory_conforms() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    conformance::all(&|| store.clone(), rand::random());
}

#[test]
fn sled_conforms() {
    conforms(StoreKind::Sled, Durability::Sync);
}

#[test]
fn fjall_conforms() {
    conforms(StoreKind::Fjall, Durability::Sync);
}

#[test]
fn sled_conforms_without_syncs() {
    conforms(StoreKind::Sled, Durability::Os);
}

#[test]
fn fjall_conforms_without_syncs() {
    conforms(StoreKind::Fjall, Durability::None);
}

/// sled never syncs files in `blobs/`, so that whatever it puts there is gone after a power cut.
#[test]
fn nothing_acknowledged_depends_on_a_file_that_sled_does_not_sync() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = || fs::read_dir(directory.path().join("sled/blobs")).unwrap().count();
    let mut random = Random(1);
    for round in 0..3 {
        let store = open(StoreKind::Sled, directory.path(), Durability::Os).unwrap();
        for log in (0..4).map(LogId) {
            let head = store.head(log).unwrap().revision;
            for after in head..head + 12 {
                append(&*store, log, after, &[random.bytes(256 * 1024)]);
            }
            // Keys as long as they may be, values as long as fit without pieces: the largest pages there can be.
            for number in 0..40 {
                let key = format!("{log}/{round}/{number}/{}", "k".repeat(200));
                assert!(store.compare_and_swap(&key, None, Some(&random.bytes(4_080))).unwrap());
            }
            let revision = store.head(log).unwrap().revision;
            store.put_snapshot(log, &StoredSnapshot { revision, state: random.bytes(16 << 20) }).unwrap();
            assert_eq!(blobs(), 0);
        }
        // Removing makes pages merge.
        for (index, (key, value)) in store.scan("", None, usize::MAX).unwrap().into_iter().enumerate() {
            assert!(index % 5 == 0 || store.compare_and_swap(&key, Some(&value), None).unwrap());
        }
        store.purge(LogId(3)).unwrap();
        assert_eq!(blobs(), 0);
    }
}

#[test]
fn a_directory_is_open_in_one_place_only() {
    for kind in ON_DISK {
        let directory = tempfile::tempdir().unwrap();
        let first = open(kind, directory.path(), Durability::Sync).unwrap();
        let second = open(kind, directory.path(), Durability::Sync);
        assert!(matches!(second, Err(StoreError::InUse)), "{kind}");
        drop(first);
        open(kind, directory.path(), Durability::Sync).unwrap();
    }
}

#[test]
fn data_of_another_engine_or_version_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    append(&*open(StoreKind::Sled, directory.path(), Durability::Sync).unwrap(), LogId(1), 0, &entries(LogId(1), 1, 3));
    let refused = |kind: StoreKind, found: &str| match open(kind, directory.path(), Durability::Sync) {
        Err(error @ StoreError::Format { .. }) => assert!(error.to_string().contains(found), "{error}"),
        other => panic!("{:?}", other.err()),
    };
    refused(StoreKind::Fjall, "motet store 2 sled");
    let format = directory.path().join("FORMAT");
    let known = fs::read(&format).unwrap();
    for unknown in ["motet store 1 sled\n", "motet store 3 sled\n", "", "something else entirely"] {
        fs::write(&format, unknown).unwrap();
        refused(StoreKind::Sled, unknown.trim());
        assert_eq!(fs::read_to_string(&format).unwrap(), unknown);
    }
    fs::remove_file(&format).unwrap();
    refused(StoreKind::Sled, "no file FORMAT");
    refused(StoreKind::Fjall, "no file FORMAT");
    fs::write(&format, known).unwrap();
    let store = open(StoreKind::Sled, directory.path(), Durability::Sync).unwrap();
    assert_eq!(read_all(&*store, LogId(1)).unwrap().len(), 3);
}

#[test]
fn a_directory_whose_making_was_cut_off_is_made_anew() {
    for kind in ON_DISK {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("FORMAT"), format!("motet store 2 {kind} creating\n")).unwrap();
        let engine = directory.path().join(kind.to_string());
        fs::create_dir(&engine).unwrap();
        fs::write(engine.join("conf"), "torn").unwrap();
        let store = open(kind, directory.path(), Durability::Sync).unwrap();
        append(&*store, LogId(1), 0, &entries(LogId(1), 1, 3));
    }
}

/// An engine makes files anew that it doesn't find, and then all is silently gone.
#[test]
fn lost_files_are_an_error_not_an_empty_store() {
    let lose_all = |path: &Path| fs::remove_dir_all(path).unwrap();
    let lose_some = |path: &Path| {
        fs::remove_dir_all(path).unwrap();
        fs::create_dir(path).unwrap();
    };
    let truncate = |path: &Path| match path.join("db") {
        db if db.exists() => fs::write(db, "").unwrap(),
        _ => {
            let journal = |name: &str| name.ends_with(".jnl");
            for item in fs::read_dir(path).unwrap().map(Result::unwrap) {
                if journal(&item.file_name().to_string_lossy()) {
                    fs::write(item.path(), "").unwrap();
                }
            }
        }
    };
    for kind in ON_DISK {
        for lose in [&lose_all as &dyn Fn(&Path), &lose_some, &truncate] {
            let directory = tempfile::tempdir().unwrap();
            append(&*open(kind, directory.path(), Durability::Sync).unwrap(), LogId(1), 0, &entries(LogId(1), 1, 3));
            lose(&directory.path().join(kind.to_string()));
            let opened = open(kind, directory.path(), Durability::Sync);
            assert!(matches!(opened, Err(StoreError::Engine { .. })), "{kind}: {:?}", opened.err());
        }
    }
}

#[test]
fn ten_thousand_logs_written_once_and_read_once_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(StoreKind::Fjall, directory.path(), Durability::Os).unwrap();
    for log in (0..20_000).map(LogId) {
        append(&*store, log, 0, &[Bytes::copy_from_slice(&log.0.to_be_bytes())]);
    }
    for log in (0..20_000).map(LogId) {
        assert_eq!(store.head(log).unwrap().revision, 1);
        let outcome = conformance::try_append(&*store, log, 0, &[Bytes::from_static(b"other")]);
        assert!(matches!(outcome, AppendOutcome::Conflict(head) if head.revision == 1), "{outcome:?}");
    }
}

/// Damage that an engine lets through: one room is refused, with the revision named, and the others go on.
#[test]
fn damage_in_one_room_names_its_revision_and_leaves_the_others_alone() {
    let value =
        |store: &MemoryStore, key: &[u8]| store.cell.read(|_| Ok(()), |engine| engine.get(key)).unwrap().unwrap();
    let change = |store: &MemoryStore, change| store.cell.write(|engine| engine.write(vec![change])).unwrap();
    let (hurt, whole) = (LogId(1), LogId(2));
    let key = Region::Chunk.key(hurt, 7);
    let damages: [&dyn Fn(&MemoryStore); 4] = [
        &|store| change(store, Change::Remove(key.clone())),
        &|store| {
            let mut value = value(store, &key);
            value[10] ^= 1;
            change(store, Change::Put(key.clone(), value));
        },
        &|store| change(store, Change::Put(key.clone(), value(store, &key)[..9].to_vec())),
        &|store| change(store, Change::Put(key.clone(), value(store, &Region::Chunk.key(hurt, 10)))),
    ];
    // Two logs in chunks that end with revisions 6, 7 and 10.
    let in_chunks = || {
        let store = MemoryStore::new();
        for (after, count) in [(0, 6), (6, 1), (7, 3)] {
            for log in [hurt, whole] {
                append(&store, log, after, &entries(log, after + 1, count));
            }
            store.flush().unwrap();
        }
        store
    };
    for damage in damages {
        let store = in_chunks();
        damage(&store);
        for from in [1, 7] {
            let read = store.read(hurt, from, 100, usize::MAX);
            assert!(matches!(read, Err(StoreError::Damaged { log, revision: 7, .. }) if log == hurt), "{read:?}");
        }
        assert_eq!(store.read(hurt, 1, 6, usize::MAX).unwrap().len(), 6, "what is before it can be had");
        assert_eq!(read_all(&store, whole).unwrap().len(), 10);
    }
    let store = in_chunks();
    change(&store, Change::Remove(Region::Chunk.key(hurt, 10)));
    let read = store.read(hurt, 1, 100, usize::MAX);
    assert!(matches!(read, Err(StoreError::Damaged { revision: 8, .. })), "{read:?}");
}

/// An engine that takes back a log's newest entries, and nothing else, as sled does with a part of its file that it can't read.
#[test]
fn a_log_that_misses_its_end_is_refused_and_the_others_go_on() {
    let (hurt, whole) = (LogId(1), LogId(2));
    for closed in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SledStore::open(directory.path(), Durability::Sync).unwrap();
        for (after, count) in [(0, 9), (9, 1)] {
            for log in [hurt, whole] {
                append(&store, log, after, &entries(log, after + 1, count));
            }
            store.flush().unwrap();
        }
        if closed {
            drop(store);
            store = SledStore::open(directory.path(), Durability::Sync).unwrap();
        }
        let newest = Change::Remove(Region::Chunk.key(hurt, 10));
        store.cell.write(|engine| engine.write(vec![newest])).unwrap();
        store.ends.lock().forget_all();
        let head = store.head(hurt);
        assert!(matches!(head, Err(StoreError::Damaged { log, revision: 10, .. }) if log == hurt), "{head:?}");
        let outcome = conformance::try_append(&store, hurt, 9, &entries(hurt, 10, 1));
        assert!(matches!(outcome, AppendOutcome::Unknown(StoreError::Damaged { .. })), "{outcome:?}");
        let head = store.head(whole).unwrap().revision;
        append(&store, whole, head, &entries(whole, head + 1, 1));
        store.purge(hurt).unwrap();
        assert_eq!(store.head(hurt).unwrap().revision, 0);
    }
}

/// What is only in the journal comes back after a crash, whatever was folded, purged and written over meanwhile.
#[test]
fn a_crash_loses_nothing_that_is_in_the_journal() {
    let seed = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let store = MemoryStore::new();
    let mut logs = BTreeMap::<LogId, Vec<Bytes>>::new();
    for round in 0..10_000 {
        // A few logs are busy, and many are written to now and then; one is purged at times.
        let log = LogId(if random.below(4) == 0 { 1 + random.below(300) } else { 1_000 + round / 1_000 });
        if random.below(100) == 0 {
            store.purge(log).unwrap();
            logs.remove(&log);
        }
        let written = logs.entry(log).or_default();
        let size = if random.below(500) == 0 { 100_000 } else { 100 };
        let new = (0..1 + random.below(3)).map(|_| random.bytes(size)).collect::<Vec<_>>();
        append(&store, log, written.len() as u64, &new);
        written.extend(new);
        if random.below(1_000) == 0 {
            store.cell.read(|_| Ok(()), |engine| store.reload(engine)).unwrap();
            for (log, written) in &logs {
                let read = read_all(&store, *log).unwrap();
                assert!(read.iter().map(|(_, entry)| entry).eq(written), "log {log} in round {round}, seed {seed}");
                assert_eq!(store.head(*log).unwrap().revision, written.len() as u64, "seed {seed}");
            }
        }
    }
}

/// A commit that is gone may have had entries of any room: nobody goes on as if nothing had happened.
#[test]
fn a_commit_that_is_missing_is_told_and_all_but_what_followed_it_can_be_had_without_tip() {
    for lost in [2, 4] {
        let directory = tempfile::tempdir().unwrap();
        let store = SledStore::open(directory.path(), Durability::Sync).unwrap();
        for after in 0..4 {
            append(&store, LogId(1), after, &entries(LogId(1), after + 1, 1));
        }
        append(&store, LogId(2), 0, &entries(LogId(2), 1, 1));
        // As a crash leaves it, with a mark that was due.
        let mut writer = store.writer.lock();
        let mark = writer.tip.as_mut().unwrap().last();
        store.write_marked(&mut writer, vec![Change::Remove(keys::slot(lost))], mark, Durability::Sync).unwrap();
        writer.tip = None;
        drop(writer);
        drop(store);
        let refused = SledStore::open(directory.path(), Durability::Sync).err();
        assert!(matches!(&refused, Some(StoreError::Engine { what, .. }) if what.contains("journal")), "{refused:?}");
        fs::remove_file(directory.path().join("TIP")).unwrap();
        for round in 0..2 {
            let store = SledStore::open(directory.path(), Durability::Sync).unwrap();
            assert_eq!(read_all(&store, LogId(1)).unwrap().len() as u64, lost - 1 + round);
            assert_eq!(read_all(&store, LogId(2)).unwrap().len() as u64, 1, "nothing of it is missing");
            append(&store, LogId(1), lost - 1 + round, &entries(LogId(1), lost + round, 1));
        }
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_an_older_one_and_a_damaged_pair_is_told() {
    let store = MemoryStore::new();
    let log = LogId(1);
    append(&store, log, 0, &entries(log, 1, 10));
    for revision in [3, 6] {
        store.put_snapshot(log, &StoredSnapshot { revision, state: vec![revision as u8; 200_000].into() }).unwrap();
    }
    assert!(store.compare_and_swap("key", None, Some(b"value")).unwrap());
    let flip = |key: Vec<u8>| {
        let mut value = store.cell.read(|_| Ok(()), |engine| engine.get(&key)).unwrap().unwrap();
        *value.last_mut().unwrap() ^= 0x80;
        store.cell.write(|engine| engine.write(vec![Change::Put(key, value)])).unwrap();
    };
    flip([Region::SnapshotPiece.key(log, 6), vec![0, 0, 0, 1]].concat());
    assert_eq!(store.snapshot(log, 10).unwrap().unwrap().revision, 3);
    flip(keys::pair("key"));
    assert!(matches!(store.get("key"), Err(StoreError::DamagedValue { key, .. }) if key == "key"));
    assert!(matches!(store.scan("", None, 9), Err(StoreError::DamagedValue { .. })));
    assert!(matches!(store.compare_and_swap("key", None, None), Err(StoreError::DamagedValue { .. })));
}

#[test]
fn damaged_pairs_are_removed_with_all_of_their_pieces() {
    let store = MemoryStore::new();
    for key in ["room/1", "room/2", "rooms"] {
        assert!(store.compare_and_swap(key, None, Some(&Random(1).bytes(200_000))).unwrap());
    }
    let is_of_pair = |key: &[u8]| [b'k', b'q'].contains(&key[0]);
    let keys = || {
        let mut keys = Vec::new();
        let visit: Visit<'_> = &mut |key, _| {
            keys.extend(is_of_pair(key).then(|| key.to_vec()));
            ControlFlow::Continue(())
        };
        store.cell.read(|_| Ok(()), |engine| engine.scan(&[], &[0xff], Direction::Up, visit)).unwrap();
        keys
    };
    let whole = keys();
    let cut = vec![Change::Put(keys::pair("room/1"), vec![1, 2]), Change::Put(keys::pair("room/2"), vec![0xff; 100])];
    store.cell.write(|engine| engine.write(cut)).unwrap();
    assert!(matches!(store.scan("room/", None, 9), Err(StoreError::DamagedValue { .. })));
    store.remove_pairs("room/").unwrap();
    let left = keys();
    assert_eq!(left.len(), whole.len() / 3);
    assert!(left.iter().all(|key| key[1..].starts_with(b"rooms")));
    assert_eq!(store.get("rooms").unwrap().unwrap().len(), 200_000);
}
