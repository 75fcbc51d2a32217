//! What every store must do, whatever is below it. Each function is one promise of the trait, named after what a user
//! would notice if it were broken; [`all`] runs them. An engine's test hands over how to open its store, and the same data
//! must be there when it is opened again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bytes::Bytes;

use super::{Append, AppendOutcome, Head, LogId, Revision, Store, StoreError, StoredEntry, StoredSnapshot, Swap};

/// Opens the store; called again after the last one was dropped.
pub type Opener<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// Runs the whole suite. `seed` is for what is random in it, and is printed when that fails.
///
/// # Panics
///
/// When a promise is broken.
pub fn all(open: Opener<'_>, seed: u64) {
    entries_come_back_in_order_after_reopening(open);
    of_two_that_append_at_one_place_the_second_is_told_where_the_log_ends(open);
    an_append_sent_again_is_appended_once(open);
    an_append_of_which_only_the_beginning_arrived_is_completed(open);
    pages_hold_what_was_asked_for(open);
    many_logs_share_one_batch_and_stay_apart(open);
    large_entries_come_back(open);
    pairs_are_swapped_only_when_they_are_as_expected(open);
    several_pairs_are_swapped_when_all_are_as_expected(open);
    pairs_are_listed_by_prefix_in_order(open);
    pairs_are_removed_by_prefix_and_others_stay(open);
    the_newest_snapshot_before_a_revision_is_found(open);
    a_large_snapshot_comes_back(open);
    a_purged_log_is_gone_and_others_stay(open);
    readers_see_a_dense_log_while_it_grows(open);
    random_use_agrees_with_a_model(open, seed);
}

/// One append, which must be accepted.
pub fn append(store: &dyn Store, log: LogId, after: Revision, entries: &[Bytes]) -> Head {
    match try_append(store, log, after, entries) {
        AppendOutcome::Appended(head) => head,
        other => panic!("{} entries after {after} of log {log}: {other:?}", entries.len()),
    }
}

/// One append.
pub fn try_append(store: &dyn Store, log: LogId, after: Revision, entries: &[Bytes]) -> AppendOutcome {
    let batch = [Append { log, expected: at(after), entries: entries.to_vec() }];
    store.append(&batch).pop().expect("there is one outcome for each append")
}

/// All entries of a log, read in pages.
///
/// # Errors
///
/// Those of [`Store::read`].
pub fn read_all(store: &dyn Store, log: LogId) -> Result<Vec<StoredEntry>, StoreError> {
    let mut entries = Vec::new();
    loop {
        let page = store.read(log, entries.len() as u64 + 1, 100, 1 << 20)?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

/// Entries that differ from log to log and from revision to revision.
pub fn entries(log: LogId, from: Revision, count: u64) -> Vec<Bytes> {
    (from..from + count).map(|revision| Bytes::from(format!("entry {revision} of log {log}"))).collect()
}

/// A small generator of random numbers (SplitMix64), so that a run is its seed.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }

    /// So many random bytes.
    pub fn bytes(&mut self, count: usize) -> Bytes {
        let words = std::iter::repeat_with(|| self.bits().to_le_bytes());
        words.flatten().take(count).collect()
    }
}

fn at(revision: Revision) -> Head {
    Head { revision, position: 0 }
}

fn numbered(from: Revision, entries: &[Bytes]) -> Vec<StoredEntry> {
    (from..).zip(entries.iter().cloned()).collect()
}

fn entries_come_back_in_order_after_reopening(open: Opener<'_>) {
    let log = LogId(100);
    let written = entries(log, 1, 300);
    {
        let store = open();
        assert_eq!(store.head(log).expect("a new log has a head"), at(0));
        assert!(read_all(&*store, log).expect("a new log can be read").is_empty());
        assert_eq!(append(&*store, log, 0, &written[..1]).revision, 1);
        assert_eq!(append(&*store, log, 1, &written[1..300]).revision, 300);
        assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &written));
    }
    let store = open();
    assert_eq!(store.head(log).expect("intact").revision, 300);
    assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &written));
}

fn of_two_that_append_at_one_place_the_second_is_told_where_the_log_ends(open: Opener<'_>) {
    let (store, log) = (open(), LogId(200));
    append(&*store, log, 0, &entries(log, 1, 2));
    let late = try_append(&*store, log, 0, &[Bytes::from_static(b"late")]);
    assert!(matches!(late, AppendOutcome::Conflict(head) if head.revision == 2), "{late:?}");
    let early = try_append(&*store, log, 7, &[Bytes::from_static(b"early")]);
    assert!(matches!(early, AppendOutcome::Conflict(head) if head.revision == 2), "{early:?}");
    let half = [entries(log, 1, 1), vec![Bytes::from_static(b"other")]].concat();
    let half = try_append(&*store, log, 0, &half);
    assert!(matches!(half, AppendOutcome::Conflict(head) if head.revision == 2), "{half:?}");
    assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &entries(log, 1, 2)));
}

fn an_append_sent_again_is_appended_once(open: Opener<'_>) {
    let log = LogId(300);
    {
        let store = open();
        for _ in 0..3 {
            assert_eq!(append(&*store, log, 0, &entries(log, 1, 5)).revision, 5);
        }
        append(&*store, log, 5, &entries(log, 6, 5));
    }
    let store = open();
    assert_eq!(append(&*store, log, 0, &entries(log, 1, 5)).revision, 5, "others have appended since");
    assert_eq!(append(&*store, log, 5, &entries(log, 6, 5)).revision, 10);
    assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &entries(log, 1, 10)));
}

fn an_append_of_which_only_the_beginning_arrived_is_completed(open: Opener<'_>) {
    let (store, log) = (open(), LogId(400));
    append(&*store, log, 0, &entries(log, 1, 3));
    append(&*store, log, 3, &entries(log, 4, 2));
    assert_eq!(append(&*store, log, 3, &entries(log, 4, 6)).revision, 9);
    assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &entries(log, 1, 9)));
}

fn pages_hold_what_was_asked_for(open: Opener<'_>) {
    let (store, log) = (open(), LogId(500));
    let written = (0..20).map(|byte| Bytes::from(vec![byte; 100])).collect::<Vec<_>>();
    append(&*store, log, 0, &written);
    let read = |from, entries_max, bytes_max| store.read(log, from, entries_max, bytes_max).expect("intact");
    assert_eq!(read(1, 5, usize::MAX), numbered(1, &written[..5]));
    assert_eq!(read(18, 5, usize::MAX), numbered(18, &written[17..]));
    assert_eq!(read(1, 100, 300), numbered(1, &written[..3]), "no more once 300 bytes are reached");
    assert_eq!(read(4, 100, 1), numbered(4, &written[3..4]), "at least one");
    assert!(read(21, 5, usize::MAX).is_empty());
    assert!(read(u64::MAX, 5, usize::MAX).is_empty());
}

fn many_logs_share_one_batch_and_stay_apart(open: Opener<'_>) {
    let logs = [600, 601, 0xff, 0x100, 0xffff, 0x1_0000, u64::MAX - 1, u64::MAX].map(LogId);
    {
        let store = open();
        append(&*store, logs[2], 0, &entries(logs[2], 1, 1));
        let batch = logs.map(|log| Append { log, expected: at(0), entries: entries(log, 1, 3) });
        for (log, outcome) in logs.iter().zip(store.append(&batch)) {
            assert!(matches!(outcome, AppendOutcome::Appended(head) if head.revision == 3), "{log}: {outcome:?}");
        }
        let mixed = [
            Append { log: logs[0], expected: at(1), entries: vec![Bytes::from_static(b"conflict")] },
            Append { log: logs[1], expected: at(3), entries: entries(logs[1], 4, 1) },
        ];
        let outcomes = store.append(&mixed);
        assert!(matches!(outcomes[..], [AppendOutcome::Conflict(_), AppendOutcome::Appended(_)]), "{outcomes:?}");
        assert!(store.append(&[]).is_empty());
    }
    let store = open();
    for log in logs {
        let count = if log == logs[1] { 4 } else { 3 };
        assert_eq!(store.head(log).expect("intact").revision, count);
        assert_eq!(read_all(&*store, log).expect("intact"), numbered(1, &entries(log, 1, count)));
    }
}

fn large_entries_come_back(open: Opener<'_>) {
    let log = LogId(700);
    let sizes = [0, 1, 4_087, 4_088, 4_089, 8_184, 8_185, 65_528, 65_529, 131_052, 262_144, 262_144, 262_144];
    let mut random = Random(700);
    let written = sizes.map(|size| random.bytes(size));
    {
        let store = open();
        append(&*store, log, 0, &written);
    }
    let store = open();
    assert_eq!(append(&*store, log, 0, &written).revision, sizes.len() as u64, "found again, byte for byte");
    assert_eq!(store.read(log, 1, 100, usize::MAX).expect("intact"), numbered(1, &written));
    assert_eq!(store.read(log, 11, 100, 300_000).expect("intact").len(), 2);
}

fn pairs_are_swapped_only_when_they_are_as_expected(open: Opener<'_>) {
    let key = "swap/größe";
    let mut random = Random(800);
    let values = [0, 5, 4_083, 4_084, 4_085, 5_000, 65_536, 65_536, 1].map(|size| random.bytes(size));
    {
        let store = open();
        let swap = |expected: Option<&[u8]>, new: Option<&[u8]>| {
            store.compare_and_swap(key, expected, new).expect("the store works")
        };
        assert_eq!(store.get(key).expect("intact"), None);
        assert!(!swap(Some(b"something"), Some(b"new")));
        assert!(swap(None, None), "removing nothing is no error");
        let mut before: Option<&[u8]> = None;
        for value in &values {
            assert!(swap(before, Some(value)));
            assert_eq!(store.get(key).expect("intact").as_ref(), Some(value));
            assert!(!swap(None, Some(b"new")));
            assert!(!swap(Some(b"something else"), None));
            before = Some(value);
        }
        assert!(swap(before, None));
        assert_eq!(store.get(key).expect("intact"), None);
        assert!(swap(None, Some(&values[7])));
    }
    assert_eq!(open().get(key).expect("intact").as_ref(), Some(&values[7]));
}

fn several_pairs_are_swapped_when_all_are_as_expected(open: Opener<'_>) {
    let swap = |key: &str, expected: Option<&str>, new: Option<&str>| {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Swap { key: format!("together/{key}"), expected: expected.map(bytes), new: new.map(bytes) }
    };
    let store = open();
    let all = |swaps: &[Swap]| store.swap_all(swaps).expect("the store works");
    assert!(all(&[]));
    assert!(all(&[swap("a", None, Some("1")), swap("b", None, Some("2"))]));
    assert!(!all(&[swap("a", Some("not so"), Some("3")), swap("c", None, Some("3"))]));
    assert_eq!(store.get("together/c").expect("the store works"), None);
    assert!(all(&[swap("a", Some("1"), None), swap("b", Some("2"), Some("4")), swap("c", None, Some("5"))]));
    let found = store.scan("together/", None, 10).expect("the store works");
    let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), &**value)).collect();
    assert_eq!(found, [("together/b", b"4".as_slice()), ("together/c", b"5".as_slice())]);
}

fn pairs_are_listed_by_prefix_in_order(open: Opener<'_>) {
    let store = open();
    let mut names = (0..50).map(|number| format!("list/{number}")).collect::<Vec<_>>();
    names.extend(["list", "list0", "lisa", "list/ß", "list/5\u{0}", "m", "list."].map(String::from));
    for name in &names {
        assert!(store.compare_and_swap(name, None, Some(name.as_bytes())).expect("the store works"));
    }
    names.retain(|name| name.starts_with("list/"));
    names.sort();
    let mut listed = Vec::<String>::new();
    loop {
        let page = store.scan("list/", listed.last().map(String::as_str), 7).expect("intact");
        assert!(page.len() <= 7);
        assert!(page.iter().all(|(name, value)| name.as_bytes() == value));
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|(name, _)| name));
    }
    assert_eq!(listed, names);
    assert_eq!(store.scan("list/", Some("a"), 1).expect("intact")[0].0, names[0], "it begins with the prefix");
    assert!(store.scan("list/", Some("listz"), 1).expect("intact").is_empty());
    assert!(store.scan("list/", None, 0).expect("intact").is_empty());
}

fn pairs_are_removed_by_prefix_and_others_stay(open: Opener<'_>) {
    let mut random = Random(850);
    let mut kept = Vec::new();
    {
        let store = open();
        let names = (0..600).map(|number| format!("gone/{number}")).collect::<Vec<_>>();
        for name in names.iter().map(String::as_str).chain(["gone", "gone.", "gone0", "gonf", "gon/"]) {
            // Of some values there are several pieces.
            let value = random.bytes(if name.len() < 7 { 30_000 } else { 10 });
            assert!(store.compare_and_swap(name, None, Some(&value)).expect("the store works"));
            if !name.starts_with("gone/") {
                kept.push((name.to_owned(), value));
            }
        }
        store.remove_pairs("gone/").expect("the store works");
        store.remove_pairs("gone/").expect("removing nothing is no error");
        assert!(store.scan("gone/", None, 10).expect("intact").is_empty());
        assert!(store.compare_and_swap("gone/1", None, Some(b"anew")).expect("the store works"));
        kept.push(("gone/1".to_owned(), Bytes::from_static(b"anew")));
    }
    kept.sort();
    assert_eq!(open().scan("gon", None, 100).expect("intact"), kept);
}

fn the_newest_snapshot_before_a_revision_is_found(open: Opener<'_>) {
    let (log, other) = (LogId(900), LogId(901));
    let state = |revision: u64| Bytes::from(format!("state at {revision}"));
    let found = |store: &dyn Store, at_most| {
        store.snapshot(log, at_most).expect("intact").map(|snapshot| {
            assert_eq!(snapshot.state, state(snapshot.revision));
            snapshot.revision
        })
    };
    {
        let store = open();
        append(&*store, log, 0, &entries(log, 1, 200));
        append(&*store, other, 0, &entries(other, 1, 200));
        assert_eq!(found(&*store, u64::MAX), None);
        for revision in [10, 20, 30] {
            store.put_snapshot(log, &StoredSnapshot { revision, state: state(revision) }).expect("the store works");
        }
        let again = StoredSnapshot { revision: 30, state: Bytes::from_static(b"another state, longer than the first") };
        store.put_snapshot(log, &again).expect("the store works");
        assert_eq!(store.snapshot(log, 30).expect("intact"), Some(again));
        store.put_snapshot(log, &StoredSnapshot { revision: 30, state: state(30) }).expect("the store works");
        store.flush().expect("the store works");
    }
    let store = open();
    assert_eq!(found(&*store, 9), None);
    assert_eq!(found(&*store, 10), Some(10));
    assert_eq!(found(&*store, 29), Some(20));
    assert_eq!(found(&*store, u64::MAX), Some(30));
    assert_eq!(store.snapshot(other, u64::MAX).expect("intact"), None);
    for revision in 31..=200 {
        store.put_snapshot(log, &StoredSnapshot { revision, state: state(revision) }).expect("the store works");
    }
    assert_eq!(found(&*store, u64::MAX), Some(200));
    assert_eq!(found(&*store, 199), Some(199), "an older one is there, should the newest be damaged");
    assert!(found(&*store, 100).is_some_and(|revision| revision > 50), "they are spread over the log");
}

fn a_large_snapshot_comes_back(open: Opener<'_>) {
    let log = LogId(1_000);
    let snapshot = StoredSnapshot { revision: 1, state: Random(1_000).bytes(64 << 20) };
    {
        let store = open();
        append(&*store, log, 0, &entries(log, 1, 1));
        store.put_snapshot(log, &snapshot).expect("the store works");
        append(&*store, log, 1, &entries(log, 2, 1));
    }
    let store = open();
    assert!(store.snapshot(log, 5).expect("intact") == Some(snapshot), "64 MiB are not what was written");
    store.purge(log).expect("the store works");
}

fn a_purged_log_is_gone_and_others_stay(open: Opener<'_>) {
    let (old, new) = (LogId(1_100), LogId(1_101));
    {
        let store = open();
        for log in [old, new] {
            append(&*store, log, 0, &entries(log, 1, 1_000));
            append(&*store, log, 1_000, &[Bytes::from(vec![1; 100_000])]);
            store.put_snapshot(log, &StoredSnapshot { revision: 500, state: vec![2; 100_000].into() }).expect("works");
        }
        store.purge(old).expect("the store works");
        store.purge(old).expect("purging nothing is no error");
    }
    let store = open();
    assert_eq!(store.head(old).expect("intact").revision, 0);
    assert!(read_all(&*store, old).expect("intact").is_empty());
    assert_eq!(store.snapshot(old, u64::MAX).expect("intact"), None);
    assert_eq!(store.head(new).expect("intact").revision, 1_001);
    assert_eq!(read_all(&*store, new).expect("intact")[..1_000], numbered(1, &entries(new, 1, 1_000)));
    assert_eq!(store.snapshot(new, u64::MAX).expect("intact").map(|snapshot| snapshot.state.len()), Some(100_000));
}

fn readers_see_a_dense_log_while_it_grows(open: Opener<'_>) {
    let (store, log) = (open(), LogId(1_200));
    let done = AtomicBool::new(false);
    let read = || {
        let mut head = 0;
        while !done.load(Ordering::Relaxed) {
            let shown = store.head(log).expect("intact").revision;
            assert!(shown >= head, "the head went back from {head} to {shown}");
            head = shown;
            let from = head.saturating_sub(50).max(1);
            let page = store.read(log, from, 60, usize::MAX).expect("intact");
            assert!(page.len() as u64 + from > head, "entries below the head are missing");
            assert_eq!(page, numbered(from, &entries(log, from, page.len() as u64)));
        }
    };
    thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        for batch in 0..100 {
            append(&*store, log, batch * 10, &entries(log, batch * 10 + 1, 10));
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("a reader saw what it should");
        }
    });
}

/// What the store should hold.
#[derive(Default)]
struct Model {
    logs: BTreeMap<LogId, Vec<Bytes>>,
    snapshots: BTreeMap<(LogId, Revision), Bytes>,
    pairs: BTreeMap<String, Bytes>,
}

fn random_use_agrees_with_a_model(open: Opener<'_>, seed: u64) {
    let told = scopeguard(move || eprintln!("the seed was {seed}"));
    let mut random = Random(seed);
    let mut model = Model::default();
    let mut store = open();
    // A log that was purged is not used again: the next has another number.
    let mut logs = (2_000..2_004).map(LogId).collect::<Vec<_>>();
    for _ in 0..600 {
        let slot = random.below(4) as usize;
        let log = logs[slot];
        match random.below(100) {
            0..50 => random_append(&*store, &mut model, log, &mut random),
            50..65 => random_swap(&*store, &mut model, &mut random),
            65..75 => random_snapshot(&*store, &mut model, log, &mut random),
            75..95 => check_log(&*store, &model, log, &mut random),
            95..97 => {
                store.purge(log).expect("the store works");
                model.logs.remove(&log);
                model.snapshots.retain(|(of, _), _| *of != log);
                logs[slot] = LogId(2_000 + random.below(1 << 32));
            }
            _ => {
                drop(store);
                store = open();
            }
        }
    }
    for log in logs {
        check_log(&*store, &model, log, &mut random);
    }
    let pairs = store.scan("model/", None, usize::MAX).expect("intact");
    assert_eq!(pairs, model.pairs.into_iter().collect::<Vec<_>>());
    told.disarm();
}

fn random_append(store: &dyn Store, model: &mut Model, log: LogId, random: &mut Random) {
    let entries = model.logs.entry(log).or_default();
    let head = entries.len() as u64;
    let count = 1 + random.below(8);
    let new = (0..count).map(|_| {
        let size = if random.below(20) == 0 { 20_000 } else { 200 };
        let size = random.below(size) as usize;
        random.bytes(size)
    });
    let new = new.collect::<Vec<_>>();
    match random.below(10) {
        0 if head > 0 => {
            let after = random.below(head);
            let outcome = try_append(store, log, after, &new);
            // The chance that random bytes are the stored ones is none, but for empty ones.
            if new.iter().all(|entry| entry.len() > 8) {
                assert!(matches!(outcome, AppendOutcome::Conflict(at) if at.revision == head), "{outcome:?}");
            } else {
                *entries = read_all(store, log).expect("intact").into_iter().map(|(_, bytes)| bytes).collect();
            }
        }
        1 if head > 0 => {
            let after = random.below(head);
            let again = [&entries[after as usize..], &new].concat();
            append(store, log, after, &again);
            entries.extend(new);
        }
        _ => {
            assert_eq!(append(store, log, head, &new).revision, head + count);
            entries.extend(new);
        }
    }
}

fn random_swap(store: &dyn Store, model: &mut Model, random: &mut Random) {
    let key = format!("model/{}", random.below(6));
    let size = if random.below(4) == 0 { 30_000 } else { 50 };
    let size = random.below(size) as usize;
    let new = (random.below(4) > 0).then(|| random.bytes(size));
    let old = model.pairs.get(&key).cloned();
    let expected = if random.below(4) == 0 { Some(Bytes::from_static(b"something else")) } else { old.clone() };
    let swapped = store.compare_and_swap(&key, expected.as_deref(), new.as_deref()).expect("the store works");
    assert_eq!(swapped, expected == old);
    if swapped {
        match new {
            Some(value) => drop(model.pairs.insert(key.clone(), value)),
            None => drop(model.pairs.remove(&key)),
        }
    }
    assert_eq!(store.get(&key).expect("intact"), model.pairs.get(&key).cloned());
}

fn random_snapshot(store: &dyn Store, model: &mut Model, log: LogId, random: &mut Random) {
    let head = model.logs.get(&log).map_or(0, Vec::len) as u64;
    // Few enough that none is thinned out, which a store may do as it likes.
    if head == 0 || model.snapshots.range((log, 0)..=(log, u64::MAX)).count() >= 8 {
        return;
    }
    let size = random.below(30_000) as usize;
    let snapshot = StoredSnapshot { revision: 1 + random.below(head), state: random.bytes(size) };
    store.put_snapshot(log, &snapshot).expect("the store works");
    model.snapshots.insert((log, snapshot.revision), snapshot.state);
}

fn check_log(store: &dyn Store, model: &Model, log: LogId, random: &mut Random) {
    let entries = model.logs.get(&log).map_or(&[][..], Vec::as_slice);
    assert_eq!(store.head(log).expect("intact").revision, entries.len() as u64);
    let from = 1 + random.below(entries.len() as u64 + 1);
    let count = random.below(30) as usize;
    let expected = entries.iter().skip(from as usize - 1).take(count).cloned().collect::<Vec<_>>();
    assert_eq!(store.read(log, from, count, usize::MAX).expect("intact"), numbered(from, &expected));
    let at_most = random.below(entries.len() as u64 + 2);
    let newest = model.snapshots.range((log, 0)..=(log, at_most)).next_back();
    let newest = newest.map(|((_, revision), state)| StoredSnapshot { revision: *revision, state: state.clone() });
    assert_eq!(store.snapshot(log, at_most).expect("intact"), newest);
}

/// Does something when it is dropped by a panic.
struct Guard<F: Fn()>(Option<F>);

fn scopeguard<F: Fn()>(then: F) -> Guard<F> {
    Guard(Some(then))
}

impl<F: Fn()> Guard<F> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl<F: Fn()> Drop for Guard<F> {
    fn drop(&mut self) {
        if let Some(then) = &self.0 {
            then();
        }
    }
}
