//! Rooms whose log somebody else wrote to: with entries that follow, and with entries that cannot be.

use std::{sync::Arc, time::Duration};

use crate::harness::{Peer, id, insert};
use motet_protocol::{
    access::{Member, Role},
    chat::ChatCommand,
    codec,
    error::ErrorCode,
    ids::{ParticipantId, Revision, SessionId},
    message::{Answer, Command, Entry, ServerMessage},
    room::{RoleOf, RoomFilter, SettingsPatch, Standing},
};
use motet_server::{
    auth::Identity,
    hub::{
        rooms::{Rooms, Rules},
        watch,
    },
    log::LogWriter,
    metrics::Metrics,
    outbox::Connection,
    refusal::Refusal,
    room::{Join, Principal, Submit, limits::RoomLimits},
    rooms::open::{RoomHandle, commits},
    session::Caller,
    store::{Append, AppendOutcome, Durability, Head, Store, memory::MemoryStore},
    wire::Wire,
};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// The rooms of a server without sockets, with one room open.
struct Hub {
    store: Arc<dyn Store>,
    rooms: Rooms,
    log: LogWriter<Arc<RoomHandle>>,
    metrics: Arc<Metrics>,
    caller: Caller,
    cell: Arc<RoomHandle>,
}

impl Hub {
    async fn start() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let metrics = Arc::new(Metrics::new(Durability::None, "memory"));
        let (outcomes_in, outcomes_out) = tokio::sync::mpsc::unbounded_channel();
        let (log, _thread) = LogWriter::start(Arc::clone(&store), outcomes_in);
        let rules = Rules { public: Some(Role::Host), guests_create: true, ttl_s: 0 };
        let rooms = Rooms::new(Arc::clone(&store), log.clone(), RoomLimits::default(), rules, Arc::clone(&metrics));
        tokio::spawn(commits::bring(outcomes_out, Arc::clone(&store), Arc::clone(&metrics)));
        tokio::spawn(watch::tell(rooms.clone()));
        let caller = Caller::new(SessionId(Uuid::new_v4()).participant(), Identity::guest("Ann").unwrap());
        rooms.create(&caller, Some(id("demo")), SettingsPatch::default()).await.unwrap();
        let cell = rooms.open(&id("demo")).await.unwrap();
        Self { store, rooms, log, metrics, caller, cell }
    }

    async fn edit(&self, seq: u64, operation: motet_protocol::ot::Operation) -> Result<u64, Refusal> {
        let participant = self.caller.participant;
        let principal = Principal { author: self.caller.author.clone(), ..Principal::nobody(participant) };
        let command = Command::Edit(operation);
        let submit = Submit { participant, seq, base: self.cell.head(), command };
        let answer = self.cell.submit_for(Arc::new(principal), submit, &self.store);
        tokio::time::timeout(Duration::from_secs(20), answer).await.expect("the room says what became of it")
    }

    /// Appends behind the server's back, as another server on the same log does.
    fn append(&self, operation: motet_protocol::ot::Operation) {
        self.append_all(vec![(ParticipantId(77), 1, Command::Edit(operation))]);
    }

    /// The same with several entries, each of a participant, with its seq.
    fn append_all(&self, commands: Vec<(ParticipantId, u64, Command)>) {
        let expected = self.store.head(self.cell.log_id()).unwrap();
        let mut revision = expected.revision;
        let entries = commands.into_iter().map(|(participant, seq, command)| {
            revision += 1;
            codec::encode(&Entry { revision, participant, seq, time_ms: 1, command })
        });
        let append = Append { log: self.cell.log_id(), expected, entries: entries.collect() };
        let outcome = self.store.append(&[append]).remove(0);
        assert!(matches!(outcome, AppendOutcome::Appended(Head { revision: head, .. }) if head == revision));
    }

    /// Has somebody else join the room on a connection that also follows the list of rooms. Returns the other end of it.
    async fn reader(&self, participant: ParticipantId) -> (Arc<Connection>, Peer<std::net::TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Peer::connect(listener.local_addr().unwrap());
        let (stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        let (connection, _reading) = Connection::new(stream, Wire::Tcp, Arc::clone(&self.metrics));
        let principal = Arc::new(Principal::nobody(participant));
        let (key, after, log) = (Arc::clone(&connection), Some(self.cell.head()), self.cell.log_id().identity());
        self.cell
            .join(Join { key, principal, channel: 1, wire: Wire::Tcp, log, after, entries_only: true, now: 1 })
            .unwrap();
        let caller = Arc::new(Caller::new(participant, Identity::guest("Bob").unwrap()));
        self.rooms.watches.add(&connection, 5, &caller, RoomFilter::default()).unwrap();
        (connection, peer)
    }
}

/// Whether something comes to hold within some seconds.
async fn soon(holds: impl Fn() -> bool) -> bool {
    for _ in 0..400 {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.log.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_goes_behind_what_another_server_wrote_first() {
    let hub = Hub::start().await;
    hub.edit(1, insert(0, "ab", 0)).await.unwrap();
    let head = hub.cell.head();
    hub.append(insert(1, "-", 2));
    assert_eq!(hub.edit(2, insert(2, "c", 2)).await.unwrap(), head + 2);
    assert_eq!(hub.cell.text().0.to_string(), "a-bc");
}

/// A commit is a commit, whoever appended: on a log that several servers share, a conflict is how others' entries arrive. These
/// steps stood twice once, and of those after a conflict half were missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_server_appended_brings_all_that_a_commit_brings() {
    /// More than the entries after which a snapshot is due.
    const ENTRIES: u64 = 4_200;
    let hub = Hub::start().await;
    hub.edit(1, insert(0, "ab", 0)).await.unwrap();
    let bob = ParticipantId(7);
    let (connection, mut peer) = hub.reader(bob).await;
    let before = (hub.cell.head(), hub.metrics.entries.get(), hub.cell.active_ms());
    tokio::time::sleep(Duration::from_millis(5)).await;

    let say = ChatCommand::Say { text: "hello".to_owned(), thread: None, quote: None, mentions: Vec::new() };
    let settings = SettingsPatch { title: Some("Notes".to_owned()), ..SettingsPatch::default() };
    let role = RoleOf { member: Member::Participant(bob), standing: Standing::Role(Role::Viewer) };
    let mut commands = vec![
        (ParticipantId(77), 1, Command::Chat(Box::new(say))),
        (ParticipantId(77), 2, Command::Settings(Box::new(settings))),
        (ParticipantId(77), 3, Command::SetRole(role)),
        // The submit that waits below: it was appended before, and the answer was lost on its way.
        (hub.caller.participant, 2, Command::Edit(insert(2, "c", 2))),
    ];
    let filled = commands.len() as u64..ENTRIES;
    commands.extend(filled.map(|n| (ParticipantId(77), n, Command::Edit(insert(0, "x", n - 1)))));
    hub.append_all(commands);
    let answer = hub.edit(2, insert(2, "c", 2)).await;

    let mut missing = Vec::new();
    let mut expect = |what: &'static str, holds: bool| missing.extend((!holds).then_some(what));
    expect("the answer to the submit that waits", answer == Ok(before.0 + 4));
    expect("the entries", hub.cell.head() == before.0 + ENTRIES);
    expect("the metric of entries", hub.metrics.entries.get() == before.1 + ENTRIES);
    expect("the time of activity", hub.cell.active_ms() > before.2);
    expect("the events", hub.cell.activity().events().count() > 2);
    let log = hub.cell.log_id();
    let written = || !hub.store.scan(&format!("chat/{log}/m/"), None, 1).unwrap().is_empty();
    expect("the message in the store", soon(written).await);
    let snapshot = || hub.store.snapshot(log, Revision::MAX).unwrap().is_some();
    expect("the snapshot", soon(snapshot).await);
    let (mut role, mut listed) = (false, false);
    for _ in 0..40 {
        connection.flush();
        while let Some(message) = peer.hear_within(Duration::from_millis(50)) {
            role |= matches!(message, ServerMessage::Role { role: Role::Viewer, .. });
            listed |= matches!(
                &message,
                ServerMessage::Answer { answer: Answer::RoomChanged { room }, .. }
                    if room.head == before.0 + ENTRIES
            );
            connection.flush();
        }
        if role && listed {
            break;
        }
    }
    expect("the new role of who is there", role);
    expect("the room in the lists that are followed", listed);
    assert!(missing.is_empty(), "after a foreign commit these are missing: {missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_log_does_not_follow_is_closed_and_can_be_deleted() {
    let hub = Hub::start().await;
    hub.edit(1, insert(0, "ab", 0)).await.unwrap();
    // It is for a text of ten characters; there are two.
    hub.append(insert(10, "-", 10));
    assert_eq!(hub.edit(2, insert(2, "c", 2)).await.unwrap_err().code, ErrorCode::RoomDamaged);
    assert_eq!(hub.edit(3, insert(2, "d", 2)).await.unwrap_err().code, ErrorCode::RoomDamaged);
    assert!(hub.rooms.settle(Duration::from_secs(20)).await, "nothing of it waits for the log");
    let demo = id("demo");
    let deleted = tokio::time::timeout(Duration::from_secs(20), hub.rooms.delete(&hub.caller, &demo));
    deleted.await.expect("nothing of it waits for the log").unwrap();
    assert_eq!(hub.rooms.open(&id("demo")).await.unwrap_err().code, ErrorCode::RoomNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_log_lost_what_was_committed_is_closed_and_read_anew() {
    let mut hub = Hub::start().await;
    hub.edit(1, insert(0, "ab", 0)).await.unwrap();
    // As a disk may do that was not waited for.
    hub.store.purge(hub.cell.log_id()).unwrap();
    let refused = hub.edit(2, insert(2, "c", 2)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RoomDamaged, "{refused}");
    assert!(hub.rooms.settle(Duration::from_secs(20)).await, "nothing of it waits for the log");
    // Nobody has it open any more.
    hub.rooms.create(&hub.caller, Some(id("other")), SettingsPatch::default()).await.unwrap();
    hub.cell = hub.rooms.open(&id("other")).await.unwrap();
    let unloaded = async {
        while hub.rooms.is_open(&id("demo")) {
            hub.rooms.unload_idle(Duration::ZERO).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), unloaded).await.expect("it is let go of");
    let again = hub.rooms.open(&id("demo")).await.unwrap();
    assert_eq!((again.text().0.to_string(), again.head()), (String::new(), 0));
}
