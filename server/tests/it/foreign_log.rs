//! Rooms whose log somebody else wrote to: with entries that follow, and with entries that cannot be.

use std::{sync::Arc, time::Duration};

use crate::harness::{id, insert};
use motet_protocol::{
    access::Role,
    codec,
    error::ErrorCode,
    ids::{ParticipantId, SessionId},
    message::{Command, Entry},
    room::SettingsPatch,
};
use motet_server::{
    auth::Identity,
    hub::{
        cell::RoomCell,
        commits,
        rooms::{Rooms, Rules},
    },
    log::LogWriter,
    metrics::Metrics,
    refusal::Refusal,
    room::{Principal, limits::RoomLimits, propose::Submit},
    session::Caller,
    store::{Append, AppendOutcome, Durability, Head, Store, memory::MemoryStore},
};
use uuid::Uuid;

/// The rooms of a server without sockets, with one room open.
struct Hub {
    store: Arc<dyn Store>,
    rooms: Rooms,
    log: LogWriter<Arc<RoomCell>>,
    caller: Caller,
    cell: Arc<RoomCell>,
}

impl Hub {
    async fn start() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let metrics = Arc::new(Metrics::new(Durability::None, "memory"));
        let (outcomes_in, outcomes_out) = tokio::sync::mpsc::unbounded_channel();
        let (log, _thread) = LogWriter::start(Arc::clone(&store), outcomes_in);
        let rules = Rules { public: Some(Role::Host), guests_create: true, ttl_s: 0 };
        let rooms = Rooms::new(Arc::clone(&store), log.clone(), RoomLimits::default(), rules, Arc::clone(&metrics));
        tokio::spawn(commits::bring(outcomes_out, Arc::clone(&store), metrics));
        let caller = Caller::new(SessionId(Uuid::new_v4()).participant(), Identity::guest("Ann").unwrap());
        rooms.create(&caller, Some(id("demo")), SettingsPatch::default()).await.unwrap();
        let cell = rooms.open(&id("demo")).await.unwrap();
        Self { store, rooms, log, caller, cell }
    }

    async fn edit(&self, seq: u64, operation: motet_protocol::ot::Operation) -> Result<u64, Refusal> {
        let participant = self.caller.participant;
        let principal = Principal { author: self.caller.author.clone(), ..Principal::nobody(participant) };
        let command = Command::Edit(operation);
        let submit = Submit { participant, seq, base: self.cell.measure().0, command };
        let answer = self.cell.submit_for(Arc::new(principal), submit, &self.store);
        tokio::time::timeout(Duration::from_secs(20), answer).await.expect("the room says what became of it")
    }

    /// Appends behind the server's back.
    fn append(&self, operation: motet_protocol::ot::Operation) {
        let expected = self.store.head(self.cell.log_id()).unwrap();
        let revision = expected.revision + 1;
        let (participant, command) = (ParticipantId(77), Command::Edit(operation));
        let entry = codec::encode(&Entry { revision, participant, seq: 1, time_ms: 1, command });
        let append = Append { log: self.cell.log_id(), expected, entries: vec![entry] };
        let outcome = self.store.append(&[append]).remove(0);
        assert!(matches!(outcome, AppendOutcome::Appended(Head { revision: head, .. }) if head == revision));
    }
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
    let head = hub.cell.measure().0;
    hub.append(insert(1, "-", 2));
    assert_eq!(hub.edit(2, insert(2, "c", 2)).await.unwrap(), head + 2);
    assert_eq!(hub.cell.text().0.to_string(), "a-bc");
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
    assert_eq!((again.text().0.to_string(), again.measure().0), (String::new(), 0));
}
