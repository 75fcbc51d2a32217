//! Messages in a store that is cut off at any place while they are written.

use std::sync::atomic::{AtomicU64, Ordering};

use motet_protocol::{
    chat::ChatCommand,
    ids::ParticipantId,
    message::{Command, Entry},
    room::Author,
};

use super::*;
use crate::store::{Append, AppendOutcome, Head, StoredEntry, StoredSnapshot, memory::MemoryStore};

const LOG: LogId = LogId(7);

/// A store that fails after so many more changes of pairs, having made the first ones.
struct Failing {
    inner: MemoryStore,
    left: AtomicU64,
    counted: AtomicU64,
}

impl Failing {
    fn after(changes: u64) -> Self {
        Self { inner: MemoryStore::new(), left: AtomicU64::new(changes), counted: AtomicU64::new(0) }
    }

    fn contents(&self) -> Vec<(String, Bytes)> {
        self.inner.scan("", None, usize::MAX).unwrap()
    }
}

impl Store for Failing {
    fn engine(&self) -> &'static str {
        "failing"
    }

    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        self.inner.append(batch)
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
        self.counted.fetch_add(1, Ordering::Relaxed);
        self.inner.get(key)
    }

    // `swap_all` is the trait's own, which makes one change after the other.
    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return Err(StoreError::Full);
        }
        self.left.fetch_sub(1, Ordering::Relaxed);
        self.inner.compare_and_swap(key, expected, new)
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.counted.fetch_add(1, Ordering::Relaxed);
        self.inner.scan(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush()
    }
}

/// xorshift64*: enough for a test, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// Some entries of a chat, about what was said before and about what was not.
fn chat_entries(random: &mut Random, count: u64) -> Vec<ChatEntry> {
    let mut revision = 0;
    let mut some = |random: &mut Random| {
        revision += 1 + random.below(3);
        let message = 1 + random.below(revision);
        let text = format!("{revision}");
        let command = match random.below(8) {
            0..3 => ChatCommand::Say { text, thread: None, quote: None, mentions: Vec::new() },
            3..5 => ChatCommand::Say { text, thread: Some(message), quote: None, mentions: Vec::new() },
            5 => ChatCommand::Rewrite { message, text, mentions: Vec::new() },
            6 => ChatCommand::React { message, emoji: "👍".to_owned(), on: random.below(3) > 0 },
            _ => ChatCommand::Delete { message },
        };
        let participant = ParticipantId(random.below(3));
        let (seq, time_ms, command) = (revision, revision * 10, Command::Chat(Box::new(command)));
        ChatEntry { entry: Entry { revision, participant, seq, time_ms, command }, author: Author::default() }
    };
    (0..count).map(|_| some(random)).collect()
}

/// Writes what is not written yet, in batches as they come.
fn write(written: &mut Written, store: &dyn Store, all: &[ChatEntry], random: &mut Random) -> Result<(), StoreError> {
    let done = written.done(store, LOG)?.revision;
    let mut rest = &all[all.partition_point(|chat_entry| chat_entry.entry.revision <= done)..];
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(1 + random.below(rest.len() as u64) as usize);
        written.write(store, LOG, batch)?;
        rest = later;
    }
    Ok(())
}

#[test]
fn the_chat_is_the_same_wherever_writing_it_was_cut_off() {
    let asked = std::env::var("MOTET_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in asked.map_or(1..400, |seed: u64| seed..seed + 1) {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let count = 1 + random.below(150);
        let all = chat_entries(&mut random, count);
        let whole = Failing::after(u64::MAX);
        Written::default().write(&whole, LOG, &all).unwrap();

        let broken = Failing::after(0);
        let mut crashes = 0;
        let mut written = Written::default();
        while write(&mut written, &broken, &all, &mut random).is_err() {
            crashes += 1;
            // Sometimes the process ends as well.
            if random.below(2) == 0 {
                written = Written::default();
            }
            broken.left.store(random.below(40), Ordering::Relaxed);
        }
        assert!(crashes > 0);
        assert_eq!(broken.contents(), whole.contents(), "MOTET_SEED={seed} brings this back");
    }
}

#[test]
fn two_servers_that_write_one_chat_make_it_once() {
    for seed in 1..200 {
        let mut random = Random(seed);
        let all = chat_entries(&mut random, 100);
        let whole = Failing::after(u64::MAX);
        Written::default().write(&whole, LOG, &all).unwrap();
        let shared = Failing::after(u64::MAX);
        let (mut one, mut other) = (Written::default(), Written::default());
        let mut reached = 0;
        while reached < all.len() {
            reached += 1 + random.below((all.len() - reached) as u64) as usize;
            for server in [&mut one, &mut other] {
                // Each has the whole log up to here, and does not know what the other has done.
                server.write(&shared, LOG, &all[..reached]).unwrap();
            }
        }
        assert_eq!(shared.contents(), whole.contents(), "seed {seed}");
    }
}

#[test]
fn a_room_that_is_removed_leaves_nothing_of_its_chat() {
    let store = Failing::after(u64::MAX);
    let mut random = Random(3);
    let all = chat_entries(&mut random, 1_000);
    Written::default().write(&store, LOG, &all).unwrap();
    Written::default().write(&store, LogId(8), &all).unwrap();
    store.inner.compare_and_swap(&mark_key(LOG, &AccountId::new("ann").unwrap()), None, Some(b"mark")).unwrap();
    let before = store.contents().len();
    store.remove_pairs(&messages_of(LOG)).unwrap();
    store.remove_pairs(&marks_of(LOG)).unwrap();
    let left = store.contents();
    assert_eq!(left.len(), (before - 1) / 2);
    assert!(left.iter().all(|(key, _)| key.starts_with(&messages_of(LogId(8)))));
}
