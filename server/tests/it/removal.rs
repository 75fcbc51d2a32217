//! Rooms that are removed while the store fails, or while others use them: what was acknowledged stays, and what is removed
//! leaves nothing.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use crate::harness::{id, insert};
use bytes::Bytes;
use motet_protocol::{
    access::Role,
    chat::ChatCommand,
    error::ErrorCode,
    ids::{ParticipantId, Revision, SessionId},
    message::{Command, Entry},
    ot::Operation,
    room::{Public, SettingsPatch},
};
use motet_server::{
    auth::{Authenticator, Identity, NewLink, Target, config::Choice},
    clock::now_ms,
    hub::{
        expiry,
        rooms::{Rooms, Rules},
    },
    log::LogWriter,
    metrics::Metrics,
    room::{Principal, Submit, limits::RoomLimits},
    rooms::open::{RoomHandle, commits},
    session::Caller,
    store::{
        Append, AppendOutcome, Durability, Head, LogId, Store, StoreError, StoredEntry, StoredSnapshot,
        memory::MemoryStore,
    },
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How long what must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long something is waited for that must not happen before it is let to.
const MOMENT: Duration = Duration::from_millis(300);

/// What a store is asked to do.
#[derive(Clone, Copy)]
enum Call<'a> {
    Set(&'a str),
    Remove(&'a str),
    Snapshot,
    Purge,
}

type When = Box<dyn Fn(Call<'_>) -> bool + Send>;

enum What {
    Refuse,
    DoAndRefuse,
    Hold { reached: Arc<Semaphore>, go_on: mpsc::Receiver<()>, after: bool },
}

/// A store in which something happens once.
#[derive(Default)]
struct Troubled {
    inner: MemoryStore,
    trouble: Mutex<Option<(When, What)>>,
}

/// A call that waits until this is dropped.
struct Held {
    reached: Arc<Semaphore>,
    _go_on: mpsc::Sender<()>,
}

impl Held {
    async fn reached(&self) {
        tokio::time::timeout(PATIENCE, self.reached.acquire()).await.expect("it is reached").unwrap().forget();
    }
}

impl Troubled {
    fn once(&self, when: impl Fn(Call<'_>) -> bool + Send + 'static, what: What) {
        *self.trouble.lock() = Some((Box::new(when), what));
    }

    fn hold_once(&self, after: bool, when: impl Fn(Call<'_>) -> bool + Send + 'static) -> Held {
        let (reached, (let_go, go_on)) = (Arc::new(Semaphore::new(0)), mpsc::channel());
        self.once(when, What::Hold { reached: Arc::clone(&reached), go_on, after });
        Held { reached, _go_on: let_go }
    }

    fn call<T>(&self, call: Call<'_>, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let trouble = self.trouble.lock().take_if(|(when, _)| when(call));
        let wait = |reached: &Semaphore, go_on: &mpsc::Receiver<()>| {
            reached.add_permits(1);
            let _ = go_on.recv();
        };
        match trouble {
            None => work(),
            Some((_, What::Refuse)) => Err(StoreError::Full),
            Some((_, What::DoAndRefuse)) => work().and(Err(StoreError::Full)),
            Some((_, What::Hold { reached, go_on, after })) => {
                if !after {
                    wait(&reached, &go_on);
                }
                let done = work();
                if after {
                    wait(&reached, &go_on);
                }
                done
            }
        }
    }
}

impl Store for Troubled {
    fn engine(&self) -> &'static str {
        "troubled"
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
        self.call(Call::Snapshot, || self.inner.put_snapshot(log, snapshot))
    }

    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        self.inner.snapshot(log, at_most)
    }

    fn purge(&self, log: LogId) -> Result<(), StoreError> {
        self.call(Call::Purge, || self.inner.purge(log))
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(key)
    }

    // `swap_all` is the trait's own, which makes one change after the other.
    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError> {
        let call = if new.is_some() { Call::Set(key) } else { Call::Remove(key) };
        self.call(call, || self.inner.compare_and_swap(key, expected, new))
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.inner.scan(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush()
    }
}

/// The rooms of a server without sockets.
struct Hub {
    store: Arc<Troubled>,
    shared: Arc<dyn Store>,
    rooms: Rooms,
    auth: Authenticator,
    log: LogWriter<Arc<RoomHandle>>,
    ann: Caller,
}

impl Hub {
    fn start(ttl_s: u64) -> Self {
        Self::over(Arc::default(), ttl_s)
    }

    fn over(store: Arc<Troubled>, ttl_s: u64) -> Self {
        let shared: Arc<dyn Store> = store.clone();
        let metrics = Arc::new(Metrics::new(Durability::None, "troubled"));
        let (outcomes_in, outcomes_out) = tokio::sync::mpsc::unbounded_channel();
        let (log, _thread) = LogWriter::start(Arc::clone(&shared), outcomes_in);
        let rules = Rules { public: Some(Role::Host), guests_create: true, ttl_s };
        let auth = Authenticator::open(Choice::default().check(&[]).unwrap(), Arc::clone(&shared)).unwrap();
        let rooms = Rooms::new(Arc::clone(&shared), log.clone(), RoomLimits::default(), rules, Arc::clone(&metrics))
            .with_links_of(auth.clone());
        tokio::spawn(commits::bring(outcomes_out, Arc::clone(&shared), metrics));
        let ann = Caller::new(SessionId(Uuid::new_v4()).participant(), Identity::guest("Ann").unwrap());
        Self { store, shared, rooms, auth, log, ann }
    }

    /// The next start of the server.
    async fn again(&self) -> Self {
        let again = Self::over(Arc::clone(&self.store), 0);
        again.rooms.finish_removals().await;
        again
    }

    async fn create(&self, room: &str) -> Arc<RoomHandle> {
        self.rooms.create(&self.ann, Some(id(room)), SettingsPatch::default()).await.unwrap();
        self.rooms.open(&id(room)).await.unwrap()
    }

    async fn submit(&self, cell: &Arc<RoomHandle>, seq: u64, command: Command) -> Revision {
        let participant = self.ann.participant;
        let who = Arc::new(Principal { author: self.ann.author.clone(), ..Principal::nobody(participant) });
        let submit = Submit { participant, seq, base: cell.head(), command };
        let answer = cell.submit_for(who, submit, &self.shared);
        tokio::time::timeout(PATIENCE, answer).await.expect("the room says what became of it").unwrap()
    }

    async fn edit(&self, cell: &Arc<RoomHandle>, seq: u64, operation: Operation) -> Revision {
        self.submit(cell, seq, Command::Edit(operation)).await
    }

    async fn delete(&self, room: &str) -> Result<(), ErrorCode> {
        let room = id(room);
        let deleted = tokio::time::timeout(PATIENCE, self.rooms.delete(&self.ann, &room));
        deleted.await.expect("it is said what became of it").map_err(|refusal| refusal.code)
    }

    async fn link(&self, room: &str) {
        let new = NewLink { role: Role::Host, label: String::new(), created_by: None, expires_ms: None };
        self.auth.create_link(Target::Room(id(room)), new, now_ms()).await.unwrap();
    }

    async fn links(&self, room: &str) -> usize {
        self.auth.links(Target::Room(id(room)), now_ms()).await.unwrap().len()
    }

    async fn text(&self, room: &str) -> String {
        self.rooms.open(&id(room)).await.unwrap().text().0.to_string()
    }

    /// Asserts that there is nothing of a log, nor of any room.
    fn assert_nothing_of(&self, log: LogId) {
        let pairs = self.store.scan("", None, usize::MAX).unwrap();
        let left: Vec<_> = pairs.into_iter().map(|(key, _)| key).filter(|key| key != "auth/key").collect();
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(self.store.snapshot(log, Revision::MAX).unwrap(), None);
        assert_eq!(self.store.head(log).unwrap().revision, 0);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.log.end();
    }
}

fn removes(wanted: &'static str) -> impl Fn(Call<'_>) -> bool + Send + 'static {
    move |call| matches!(call, Call::Remove(key) if key == wanted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_deletion_was_refused_is_there_after_the_next_start() {
    let hub = Hub::start(0);
    let cell = hub.create("a").await;
    hub.edit(&cell, 1, insert(0, "ab", 0)).await;
    hub.store.once(removes("room/a"), What::Refuse);
    assert_eq!(hub.delete("a").await, Err(ErrorCode::StorageFull));
    hub.edit(&cell, 2, insert(2, "c", 2)).await;
    let again = hub.again().await;
    assert_eq!(again.text("a").await, "abc");
    assert_eq!(again.store.scan("purge/", None, 10).unwrap(), []);
    assert_eq!(again.delete("a").await, Ok(()), "it can be deleted later");
    again.assert_nothing_of(cell.log_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_deletion_failed_after_it_was_done_is_put_back() {
    let hub = Hub::start(0);
    let cell = hub.create("a").await;
    hub.store.once(removes("room/a"), What::DoAndRefuse);
    assert_eq!(hub.delete("a").await, Err(ErrorCode::StorageFull));
    let put_back = async {
        while hub.store.get("room/a").unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, put_back).await.expect("whoever deleted it was told that it stays");
    hub.edit(&cell, 1, insert(0, "ab", 0)).await;
    assert_eq!(hub.again().await.text("a").await, "ab");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_was_deleted_and_not_cleared_away_is_at_the_next_start() {
    let hub = Hub::start(0);
    let cell = hub.create("a").await;
    hub.edit(&cell, 1, insert(0, "ab", 0)).await;
    hub.store.once(|call| matches!(call, Call::Purge), What::Refuse);
    hub.link("a").await;
    assert_eq!(hub.delete("a").await, Ok(()));
    let successor = hub.create("a").await;
    assert_eq!((hub.links("a").await, successor.text().0.to_string()), (0, String::new()));
    hub.link("a").await;
    let again = hub.again().await;
    assert_eq!(again.store.head(cell.log_id()).unwrap().revision, 0);
    assert_eq!(again.links("a").await, 1, "it is the link to the other room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_removal_that_cannot_be_finished_does_not_keep_others_from_it() {
    let hub = Hub::start(0);
    for room in ["a", "b"] {
        hub.create(room).await;
        hub.store.once(|call| matches!(call, Call::Purge), What::Refuse);
        assert_eq!(hub.delete(room).await, Ok(()));
    }
    assert_eq!(hub.store.scan("purge/", None, 10).unwrap().len(), 2);
    hub.store.once(|call| matches!(call, Call::Purge), What::Refuse);
    let again = hub.again().await;
    assert_eq!(again.store.scan("purge/", None, 10).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_never_leads_to_another_room_of_the_same_name() {
    let hub = Hub::start(0);
    hub.create("a").await;
    hub.link("a").await;
    hub.store.once(removes("auth/links/room/a"), What::Refuse);
    assert_eq!(hub.delete("a").await, Err(ErrorCode::StorageFull));
    if hub.store.get("room/a").unwrap().is_some() {
        assert_eq!(hub.delete("a").await, Ok(()));
    }
    hub.create("a").await;
    assert_eq!(hub.links("a").await, 0);
    assert_eq!(hub.again().await.links("a").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_opened_while_another_one_expires_stays() {
    let hub = Hub::start(1);
    for room in ["a", "b", "c"] {
        let cell = hub.create(room).await;
        hub.edit(&cell, 1, insert(0, room, 0)).await;
    }
    hub.rooms.unload_idle(Duration::ZERO).await;
    let purge = hub.store.hold_once(false, |call| matches!(call, Call::Purge));
    let expiring = tokio::spawn(expiry::run(hub.rooms.clone()));
    purge.reached().await;
    let cell = hub.rooms.open(&id("b")).await.unwrap();
    let stay = SettingsPatch { ttl_s: Some(3_600), ..SettingsPatch::default() };
    hub.submit(&cell, 2, Command::Settings(Box::new(stay))).await;
    drop((purge, cell));
    let others_go = async {
        while hub.store.scan("room/", None, 10).unwrap().iter().any(|(key, _)| key != "room/b") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, others_go).await.expect("they expire");
    assert_eq!(hub.text("b").await, "b");
    expiring.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_made_while_another_of_its_name_is_deleted_has_its_own_settings() {
    let hub = Arc::new(Hub::start(0));
    hub.create("a").await;
    let removal = hub.store.hold_once(true, removes("room/a"));
    let deleting = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { hub.delete("a").await }
    });
    removal.reached().await;
    let mut creating = tokio::spawn({
        let hub = Arc::clone(&hub);
        let settings = SettingsPatch { public: Some(Public::Nobody), ..SettingsPatch::default() };
        async move { hub.rooms.create(&hub.ann, Some(id("a")), settings).await }
    });
    let early = tokio::time::timeout(MOMENT, &mut creating).await;
    drop(removal);
    let made = if let Ok(made) = early { made } else { creating.await };
    assert_eq!(made.unwrap().unwrap().settings.public, Public::Nobody);
    assert_eq!(deleting.await.unwrap(), Ok(()));
    assert_eq!(hub.rooms.show(&hub.ann, &id("a")).await.unwrap().settings.public, Public::Nobody);
    let stranger = Caller::new(SessionId(Uuid::new_v4()).participant(), Identity::guest("Ben").unwrap());
    let shown = hub.rooms.show(&stranger, &id("a")).await;
    assert_eq!(shown.unwrap_err().code, ErrorCode::RoomNotFound, "it is open to nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_late_leaves_nothing_of_a_deleted_room() {
    let hub = Arc::new(Hub::start(0));
    let cell = hub.create("a").await;
    let log = cell.log_id();
    for seq in 1..=300 {
        hub.edit(&cell, seq, insert(0, "x", seq - 1)).await;
    }
    drop(cell);
    let snapshot = hub.store.hold_once(false, |call| matches!(call, Call::Snapshot));
    let unloading = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { hub.rooms.unload_idle(Duration::ZERO).await }
    });
    snapshot.reached().await;
    let mut deleting = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { hub.delete("a").await }
    });
    let early = tokio::time::timeout(MOMENT, &mut deleting).await;
    drop(snapshot);
    let deleted = if let Ok(deleted) = early { deleted } else { deleting.await };
    assert_eq!(deleted.unwrap(), Ok(()));
    unloading.await.unwrap();
    hub.assert_nothing_of(log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_given_up_leaves_nothing_of_its_chat() {
    let hub = Hub::start(0);
    let mut import = hub.rooms.begin_import(hub.ann.clone(), id("a")).await.unwrap();
    let say = ChatCommand::Say { text: "hello".into(), thread: None, quote: None, mentions: Vec::new() };
    let entries = (1..=100).map(|revision| Entry {
        revision,
        participant: ParticipantId(1),
        seq: revision,
        time_ms: revision,
        command: Command::Chat(Box::new(say.clone())),
    });
    let writing = hub.store.hold_once(false, |call| matches!(call, Call::Set(key) if key.starts_with("chat/")));
    import.take(entries.collect()).await.unwrap();
    writing.reached().await;
    let log = hub.store.scan("purge/", None, 1).unwrap().remove(0).0;
    let log = LogId(u64::from_str_radix(log.strip_prefix("purge/").unwrap(), 16).unwrap());
    let mut abandoning = tokio::spawn(async move { import.abandon().await });
    let early = tokio::time::timeout(MOMENT, &mut abandoning).await;
    drop(writing);
    if early.is_err() {
        tokio::time::timeout(PATIENCE, abandoning).await.expect("it ends").unwrap();
    } else {
        // What was written late is there by then.
        tokio::time::sleep(MOMENT).await;
    }
    hub.assert_nothing_of(log);
}
