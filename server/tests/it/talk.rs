//! Chat and comments on a whole server: who may, what is kept, and what it costs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::harness::{self, Peer, Server, id, insert, process::Process};
use bytes::Bytes;
use motet_protocol::{
    access::{AccountId, Member, Role},
    chat::{ChatCommand, ChatMessage},
    codec,
    comment::CommentCommand,
    error::ErrorCode,
    ids::{ParticipantId, Revision, SessionId},
    limits::{COMMENTS_MAX, PROTOCOL_VERSION},
    message::{Answer, At, ClientMessage, Command, Entry, Hello, Question, ServerMessage},
    ot::Scalar,
    room::{Public, RoleOf, RoomFilter, SettingsPatch, Standing},
};
use motet_server::{
    hub::{
        registry::Registry,
        rooms::{Rooms, Rules},
    },
    log::LogWriter,
    metrics::Metrics,
    room::{Principal, RoomState, Submit, limits::RoomLimits},
    rooms::open::{
        chat_pages::{self, Wanted},
        commits,
    },
    session::Caller,
    store::{
        Append, AppendOutcome, Durability, Head, LogId, Store, StoreError, StoredEntry, StoredSnapshot,
        memory::MemoryStore,
    },
};
use uuid::Uuid;

fn say(text: &str) -> Command {
    answer(text, None)
}

fn answer(text: &str, thread: Option<Revision>) -> Command {
    Command::Chat(Box::new(ChatCommand::Say { text: text.to_owned(), thread, quote: None, mentions: Vec::new() }))
}

fn chat(command: ChatCommand) -> Command {
    Command::Chat(Box::new(command))
}

fn comment(command: CommentCommand) -> Command {
    Command::Comment(Box::new(command))
}

fn open(start: u64, end: u64, text: &str) -> Command {
    let (start, end, text) = (Scalar(start), Scalar(end), text.to_owned());
    comment(CommentCommand::Open { start, end, text, mentions: Vec::new() })
}

type Tcp = Peer<std::net::TcpStream>;

/// A peer with a name, in a room.
fn named(server: &Server, name: &str, session: SessionId, room: &str) -> Tcp {
    let mut peer = Peer::connect(server.tcp);
    peer.say(&ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, token: None, session, name: name.to_owned() }));
    assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
    peer.join(1, room);
    peer
}

/// Submits; the revision that it became, or why not.
fn does(peer: &mut Tcp, base: Revision, command: Command) -> Result<Revision, ErrorCode> {
    let seq = peer.seq + 1;
    peer.say(&ClientMessage::Submit { channel: 1, seq, base, command });
    loop {
        match peer.hear() {
            ServerMessage::Ack { revision, seq: acknowledged, .. } if acknowledged == seq => {
                peer.seq = seq;
                return Ok(revision);
            }
            ServerMessage::Error(error) => return Err(error.code),
            ServerMessage::Entry { .. } | ServerMessage::Role { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn read_chat(peer: &mut Tcp, room: &str, thread: Option<Revision>, at: At) -> Vec<ChatMessage> {
    peer.say(&ClientMessage::Ask {
        request: 3,
        question: Question::ReadChat { room: id(room), before: None, thread, at, limit: 100 },
    });
    loop {
        match peer.hear() {
            ServerMessage::Answer { answer: Answer::Chat { messages, .. }, .. } => return messages,
            ServerMessage::Entry { .. } | ServerMessage::Role { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().rev().map(|message| message.text.as_str()).collect()
}

#[test]
fn each_role_may_say_what_it_should() {
    let server = Server::start(&["--store", "memory"]);
    let mut ann = Peer::greeted(&server);
    let settings = Box::new(SettingsPatch { public: Some(Public::Viewer), ..SettingsPatch::default() });
    ann.say(&ClientMessage::Ask { request: 1, question: Question::CreateRoom { room: Some(id("a")), settings } });
    assert!(matches!(ann.hear(), ServerMessage::Answer { answer: Answer::Created { .. }, .. }));
    ann.join(1, "a");
    let at_head = 2;
    let message = does(&mut ann, at_head, say("mine")).unwrap();
    let noted = does(&mut ann, at_head, open(0, 0, "mine")).unwrap();
    let session = SessionId(Uuid::new_v4());
    let mut ben = named(&server, "Ben", session, "a");
    let text = || "x".to_owned();
    let mentions = Vec::new();
    // What Ben, who is neither, may do with what is Ann's: as a viewer, an editor, a host.
    let ok = Ok(());
    let no = Err(ErrorCode::Forbidden);
    let rows = [
        (say("x"), [no, ok, ok]),
        (answer("x", Some(message)), [no, ok, ok]),
        (chat(ChatCommand::React { message, emoji: "👍".to_owned(), on: true }), [no, ok, ok]),
        (chat(ChatCommand::React { message, emoji: "👍".to_owned(), on: false }), [no, ok, ok]),
        (chat(ChatCommand::Rewrite { message, text: text(), mentions: mentions.clone() }), [no, no, no]),
        (chat(ChatCommand::Delete { message }), [no, no, ok]),
        (open(0, 0, "x"), [no, ok, ok]),
        (comment(CommentCommand::Reply { comment: noted, text: text(), mentions }), [no, ok, ok]),
        (comment(CommentCommand::Resolve { comment: noted }), [no, ok, ok]),
        (comment(CommentCommand::Reopen { comment: noted }), [no, ok, ok]),
        (comment(CommentCommand::Rewrite { comment: noted, item: noted, text: text() }), [no, no, no]),
        (comment(CommentCommand::Delete { comment: noted, item: noted }), [no, no, ok]),
    ];
    for (column, role) in Role::ALL.into_iter().enumerate() {
        if role > Role::Viewer {
            let member = Member::Participant(session.participant());
            does(&mut ann, at_head, Command::SetRole(RoleOf { member, standing: Standing::Role(role) })).unwrap();
        }
        for (command, allowed) in &rows {
            let done = does(&mut ben, at_head, command.clone()).map(|_| ());
            assert_eq!(done, allowed[column], "{role}: {command:?}");
        }
        // All may read.
        assert!(!read_chat(&mut ben, "a", None, At::Head).is_empty());
        ben.say(&ClientMessage::Ask { request: 4, question: Question::MarkRead { room: id("a"), message } });
        assert_eq!(ben.hear_code(), ErrorCode::Unauthorized, "a guest has no marks");
    }
    let mut nobody = Peer::greeted(&server);
    does(
        &mut ann,
        at_head,
        Command::Settings(Box::new(SettingsPatch { public: Some(Public::Nobody), ..Default::default() })),
    )
    .unwrap();
    let room = id("a");
    for question in [
        ClientMessage::Ask {
            request: 1,
            question: Question::ReadChat { room: room.clone(), before: None, thread: None, at: At::Head, limit: 1 },
        },
        ClientMessage::Ask { request: 1, question: Question::ReadComments { room: room.clone(), at: At::Head } },
        ClientMessage::Ask { request: 1, question: Question::MarkRead { room, message } },
    ] {
        nobody.say(&question);
        let code = nobody.hear_code();
        assert!([ErrorCode::RoomNotFound, ErrorCode::Unauthorized].contains(&code), "{question:?}: {code}");
    }
}

#[test]
fn those_who_are_named_are_meant_and_a_message_sent_twice_is_said_once() {
    let server = Server::start(&["--store", "memory"]);
    let mut any = Peer::greeted(&server);
    any.create("a");
    let (ann_session, ben_session) = (SessionId(Uuid::new_v4()), SessionId(Uuid::new_v4()));
    let mut ann = named(&server, "Ann", ann_session, "a");
    let ben = named(&server, "Ben Okri", ben_session, "a");
    let first = does(&mut ann, 0, say("ask @ben okri, or @nobody")).unwrap();
    let newest = |peer: &mut Tcp| read_chat(peer, "a", None, At::Head).remove(0);
    assert_eq!(newest(&mut ann).mentions, [Member::Participant(ben_session.participant())]);
    drop(ben);
    // Who has gone and never said anything is not known any more; who has is.
    for _ in 0..200 {
        ann.say(&ClientMessage::Ask { request: 1, question: Question::ShowRoom { room: id("a") } });
        let ServerMessage::Answer { answer: Answer::Room { room, .. }, .. } = ann.hear() else {
            panic!("a room was due")
        };
        if room.present == 1 {
            break;
        }
    }
    ann.seq -= 1;
    assert_eq!(does(&mut ann, 0, say("ask @ben okri, or @nobody")), Ok(first), "sent again, it is the same");
    ann.seq -= 1;
    assert_eq!(does(&mut ann, 0, say("something else")), Err(ErrorCode::SeqConflict));
    ann.seq = 1;
    does(&mut ann, 0, say("I, @Ann, and @Ben Okri")).unwrap();
    assert_eq!(newest(&mut ann).mentions, [Member::Participant(ann_session.participant())]);
    assert_eq!(newest(&mut ann).author.name, "Ann");
    let lies = ChatCommand::Say {
        text: "nobody".to_owned(),
        thread: None,
        quote: None,
        mentions: vec![Member::Participant(ParticipantId(7))],
    };
    does(&mut ann, 0, chat(lies)).unwrap();
    assert_eq!(newest(&mut ann).mentions, []);
}

#[test]
fn the_chat_and_the_comments_survive_the_process_being_killed() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), &[]);
    let greeted = |server: &Process| {
        let mut peer = Peer::connect(server.tcp);
        peer.say(&harness::hello(SessionId(Uuid::new_v4())));
        assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
        peer
    };
    let mut ann = greeted(&server);
    ann.create("a");
    ann.join(1, "a");
    ann.edit(1, 0, insert(0, "text", 0));
    let first = does(&mut ann, 1, say("0")).unwrap();
    let noted = does(&mut ann, 1, open(1, 3, "why?")).unwrap();
    for number in 1..60 {
        does(
            &mut ann,
            1,
            if number % 3 == 0 { answer(&format!("{number}"), Some(first)) } else { say(&format!("{number}")) },
        )
        .unwrap();
    }
    let rewritten =
        does(&mut ann, 1, chat(ChatCommand::Rewrite { message: first, text: "zero".into(), mentions: vec![] }));
    let rewritten = rewritten.unwrap();
    server.kill();
    let server = Process::start(data.path(), &[]);
    let mut ben = greeted(&server);
    let all: Vec<String> =
        (0..60).map(|number| if number == 0 { "zero".to_owned() } else { number.to_string() }).collect();
    let (in_thread, others): (Vec<_>, Vec<_>) = (0..60).partition(|number| number % 3 == 0 && *number > 0);
    let said = read_chat(&mut ben, "a", None, At::Head);
    assert_eq!(texts(&said), others.iter().map(|number| all[*number].as_str()).collect::<Vec<_>>());
    assert_eq!(said.last().unwrap().replies as usize, in_thread.len());
    let thread = read_chat(&mut ben, "a", Some(first), At::Head);
    assert_eq!(texts(&thread), in_thread.iter().map(|number| all[*number].as_str()).collect::<Vec<_>>());
    // As it was before.
    let then = read_chat(&mut ben, "a", None, At::Revision(rewritten - 1));
    assert_eq!((then.len(), then.last().unwrap().text.as_str()), (said.len(), "0"));
    let early = read_chat(&mut ben, "a", None, At::Revision(noted + 4));
    assert_eq!((texts(&early), early.last().unwrap().replies), (vec!["0", "1", "2", "4"], 1));

    ben.join(1, "a");
    ben.edit(1, rewritten, insert(0, ">>", 4));
    ben.say(&ClientMessage::Ask { request: 2, question: Question::ReadComments { room: id("a"), at: At::Head } });
    let ServerMessage::Answer { answer: Answer::Comments { comments, last: true, .. }, .. } = ben.hear() else {
        panic!("comments were due")
    };
    let only = &comments[0];
    assert_eq!((only.comment, only.start, only.end, only.on.as_str()), (noted, Scalar(3), Scalar(5), "ex"));
}

#[test]
fn as_many_comments_as_there_may_be_come_in_pieces() {
    let server = Server::start(&["--store", "memory"]);
    let mut ann = server.peer_in("a");
    let text = "é".repeat(400);
    // Not all at once: a room takes no more than a thousand entries that wait for the log.
    for _ in 0..COMMENTS_MAX / 64 {
        for _ in 0..64 {
            ann.seq += 1;
            let seq = ann.seq;
            ann.say(&ClientMessage::Submit { channel: 1, seq, base: 0, command: open(0, 0, &text) });
        }
        for _ in 0..64 {
            let heard = ann.hear();
            assert!(matches!(heard, ServerMessage::Ack { .. }), "{heard:?}");
        }
    }
    assert_eq!(does(&mut ann, 0, open(0, 0, "one more")), Err(ErrorCode::LimitReached));
    ann.say(&ClientMessage::Ask { request: 2, question: Question::ReadComments { room: id("a"), at: At::Head } });
    let (mut pieces, mut all) = (0, Vec::new());
    loop {
        let ServerMessage::Answer { answer: Answer::Comments { comments, last, .. }, .. } = ann.hear() else {
            panic!("comments were due")
        };
        pieces += 1;
        all.extend(comments.iter().map(|comment| comment.comment));
        if last {
            break;
        }
    }
    assert_eq!(all, (1..=COMMENTS_MAX as Revision).collect::<Vec<_>>());
    assert!(pieces > 3, "{pieces}");
}

/// A store that counts what is read of it.
struct Counting {
    inner: MemoryStore,
    reads: AtomicU64,
}

impl Counting {
    fn count(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// What is read while something is done.
    fn reads_of<T>(&self, work: impl FnOnce() -> T) -> (u64, T) {
        let before = self.reads.load(Ordering::Relaxed);
        let done = work();
        (self.reads.load(Ordering::Relaxed) - before, done)
    }
}

impl Store for Counting {
    fn engine(&self) -> &'static str {
        "counting"
    }

    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        self.inner.append(batch)
    }

    fn head(&self, log: LogId) -> Result<Head, StoreError> {
        self.count();
        self.inner.head(log)
    }

    fn read(&self, log: LogId, from: Revision, entries: usize, bytes: usize) -> Result<Vec<StoredEntry>, StoreError> {
        self.count();
        self.inner.read(log, from, entries, bytes)
    }

    fn put_snapshot(&self, log: LogId, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.inner.put_snapshot(log, snapshot)
    }

    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        self.count();
        self.inner.snapshot(log, at_most)
    }

    fn purge(&self, log: LogId) -> Result<(), StoreError> {
        self.inner.purge(log)
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.count();
        self.inner.get(key)
    }

    fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StoreError> {
        self.inner.compare_and_swap(key, expected, new)
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.count();
        self.inner.scan(prefix, after, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush()
    }
}

/// The rooms of a server without sockets.
struct Hub {
    store: Arc<Counting>,
    rooms: Rooms,
    log: LogWriter<Arc<motet_server::rooms::open::RoomHandle>>,
}

impl Hub {
    fn start() -> Self {
        let store = Arc::new(Counting { inner: MemoryStore::new(), reads: AtomicU64::new(0) });
        let shared: Arc<dyn Store> = store.clone();
        let metrics = Arc::new(Metrics::new(Durability::None, "counting"));
        let (outcomes_in, outcomes_out) = tokio::sync::mpsc::unbounded_channel();
        let (log, _thread) = LogWriter::start(Arc::clone(&shared), outcomes_in);
        let rules = Rules { public: Some(Role::Host), guests_create: true, ttl_s: 0 };
        let rooms = Rooms::new(Arc::clone(&shared), log.clone(), RoomLimits::default(), rules, Arc::clone(&metrics));
        tokio::spawn(commits::bring(outcomes_out, shared, metrics));
        Self { store, rooms, log }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.log.end();
    }
}

/// A room in the store with so many messages in its log, which nobody has written down yet.
fn room_with_messages(hub: &Hub, room: &str, messages: u64) {
    let record = Registry::new(hub.store.clone()).create(&id(room), None, 1).unwrap();
    let mut state = RoomState::default();
    let mut entries = Vec::new();
    for revision in 1..=messages + 1 {
        let command = if revision == 1 { Command::Edit(insert(0, "text", 0)) } else { say(&format!("{revision}")) };
        let entry = Entry { revision, participant: ParticipantId(1), seq: revision, time_ms: revision, command };
        state.fold(&entry).unwrap();
        entries.push(codec::encode(&entry));
    }
    let mut expected = Head::default();
    for entries in entries.chunks(256) {
        let append = Append { log: record.log(), expected, entries: entries.to_vec() };
        let mut outcomes = hub.store.append(&[append]);
        let AppendOutcome::Appended(head) = outcomes.remove(0) else { panic!("the store works") };
        expected = head;
    }
    let snapshot = StoredSnapshot { revision: state.revision(), state: state.encode() };
    hub.store.put_snapshot(record.log(), &snapshot).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_of_100_000_messages_costs_nothing_on_joining_and_the_same_for_each_page() {
    const MESSAGES: u64 = 100_000;
    let hub = Hub::start();
    room_with_messages(&hub, "quiet", 0);
    room_with_messages(&hub, "long", MESSAGES);
    let mut joining = Vec::new();
    let mut states = Vec::new();
    for room in ["quiet", "long"] {
        let before = hub.store.reads.load(Ordering::Relaxed);
        let cell = hub.rooms.open(&id(room)).await.unwrap();
        joining.push(hub.store.reads.load(Ordering::Relaxed) - before);
        states.push(cell.state().encode().len());
    }
    // A room whose events were never kept is looked through for them once: its last 4,096 entries, 512 at a time.
    assert!(joining[1] <= joining[0] + 4_096 / 512, "opening reads as much: {joining:?}");
    assert!(states[1] - states[0] < 1_000, "and the state is as small: {states:?}");

    let cell = hub.rooms.open(&id("long")).await.unwrap();
    let store = hub.store.clone();
    tokio::task::spawn_blocking(move || {
        let wanted = |before| Wanted { before, thread: None, at: None, limit: 50 };
        let page = |before| chat_pages::page(store.as_ref(), &cell, wanted(before)).unwrap();
        // The first of all writes down what is in the log.
        assert_eq!(page(None).0.len(), 50);
        let mut reads = Vec::new();
        for before in [None, Some(MESSAGES / 2), Some(1_000), Some(60)] {
            let (read, (messages, more)) = store.reads_of(|| page(before));
            let newest = before.map_or(MESSAGES + 1, |before| before - 1);
            assert_eq!(messages[0].message, newest);
            assert_eq!((messages.len(), more), (50, true));
            reads.push(read);
        }
        assert!(reads.iter().all(|read| *read == reads[0] && *read < 10), "{reads:?}");
        let (messages, more) = page(Some(12));
        assert_eq!((messages.len(), messages.last().unwrap().message, more), (10, 2, false));
        let at = Wanted { at: Some(700), ..wanted(None) };
        let (read, (then, _)) = store.reads_of(|| chat_pages::page(store.as_ref(), &cell, at).unwrap());
        assert_eq!((then[0].message, read), (700, reads[0]), "as it was long ago costs as much");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_account_has_not_read_is_counted_in_its_list_of_rooms() {
    let hub = Hub::start();
    let caller = |account: Option<&str>| {
        let participant = SessionId(Uuid::new_v4()).participant();
        let mut caller = Caller::new(participant, motet_server::auth::Identity::guest("Somebody").unwrap());
        caller.author.account = account.map(|account| AccountId::new(account).unwrap());
        caller
    };
    let (ann, guest) = (caller(Some("ann")), caller(None));
    hub.rooms.create(&ann, Some(id("a")), SettingsPatch::default()).await.unwrap();
    let cell = hub.rooms.open(&id("a")).await.unwrap();
    let store: Arc<dyn Store> = hub.store.clone();
    let mut said = Vec::new();
    let principal = Arc::new(Principal { author: guest.author.clone(), ..Principal::nobody(guest.participant) });
    for (seq, thread) in (1..).zip([None, None, Some(0), None, None]) {
        let command = answer(&format!("message {seq}"), thread.map(|index: usize| said[index]));
        let submit = Submit { participant: guest.participant, seq, base: cell.head(), command };
        said.push(cell.submit_for(Arc::clone(&principal), submit, &store).await.unwrap());
    }
    let unread = async |caller: &Caller| {
        let (listed, _) = hub.rooms.list(caller, RoomFilter::default(), None, 10).await.unwrap();
        let shown = hub.rooms.show(caller, &id("a")).await.unwrap();
        assert_eq!((listed[0].unread, &listed[0].last_message), (shown.unread, &shown.last_message));
        assert_eq!(shown.last_message.as_deref(), Some("message 5"));
        shown.unread
    };
    assert_eq!((unread(&ann).await, unread(&guest).await), (5, 0));
    let mark = |message| {
        chat_pages::mark_read(hub.store.as_ref(), &cell, ann.account().unwrap(), message).map_err(|no| no.code)
    };
    assert_eq!(tokio::task::block_in_place(|| mark(said[2])), Ok(2), "messages in threads count too");
    assert_eq!(tokio::task::block_in_place(|| mark(said[0])), Ok(2), "what was read stays read");
    assert_eq!(tokio::task::block_in_place(|| mark(99_999)), Err(ErrorCode::NotFound));
    assert_eq!(unread(&ann).await, 2);
    assert_eq!(unread(&caller(Some("ben"))).await, 5);
    assert_eq!(tokio::task::block_in_place(|| mark(said[4])), Ok(0));
    assert_eq!(unread(&ann).await, 0);

    drop(cell);
    hub.rooms.delete(&ann, &id("a")).await.unwrap();
    let left = hub.store.scan("", None, 100).unwrap();
    assert_eq!(left, [], "nothing is left of a room that was deleted");
}
