//! What a program notices of lost connections and refusals: nothing is lost, nothing is doubled, and the program learns of it.

use std::time::{Duration, Instant};

use crate::harness::{Server, client, id, line::Line, options, run_motet};
use futures_util::{SinkExt, StreamExt};
use motet_client::{
    client::{Backoff, Client},
    connection::{Connection, ConnectionError},
    error::ErrorKind,
    room::{Check, Event, Room},
};
use motet_protocol::{
    access::Role,
    codec::MessageCodec,
    error::{About, ErrorCode, ErrorMessage},
    ids::{LogIdentity, ParticipantId, Revision, ServerId},
    limits::Limits,
    message::{Answer, At, ClientMessage, Durability, Question, ServerMessage, SnapshotInfo, Welcome},
    ot::{Component, Operation},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::Rope;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::accept_async;
use tokio_util::codec::Framed;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

fn insert(text: &Rope, at: usize, inserted: &str) -> Operation {
    let rest = (text.len_chars() - at) as u64;
    Operation::builder().retain(at as u64).insert(inserted).retain(rest).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_survive_connections_that_are_cut_at_any_byte_and_none_is_doubled() {
    let server = Server::start(&[]);
    for seed in 0..6 {
        let name = format!("room-{seed}");
        let steady = client(server.tcp).await;
        steady.create_room(Some(id(&name))).await.unwrap();
        let line = Line::restless(server.tcp, seed).await;
        let mut writers = Vec::new();
        for writer in 0..3 {
            writers.push(tokio::spawn(write_through(line.address, name.clone(), seed, writer)));
        }
        let mut rooms = Vec::new();
        for writer in writers {
            rooms.push(timeout(PATIENCE, writer).await.unwrap_or_else(|_| panic!("seed {seed}")).unwrap());
        }
        let cuts = line.cuts.load(std::sync::atomic::Ordering::Relaxed);
        assert!(cuts >= 6, "seed {seed}: only {cuts} cuts, this tests nothing");
        line.rest();
        let mut head = 0;
        for room in &rooms {
            head = head.max(timeout(PATIENCE, room.synchronized()).await.expect("settles").unwrap());
        }
        let text = steady.read_text(id(&name), At::Head).await.unwrap();
        assert_eq!(text.revision, head, "seed {seed}");
        for room in &rooms {
            timeout(PATIENCE, room.reached(head)).await.expect("catches up").unwrap();
            assert_eq!(room.text(), text.text.as_str(), "seed {seed}");
        }
        for writer in 0..3 {
            for edit in 0..EDITS {
                let word = format!("<{writer}:{edit}>");
                assert_eq!(text.text.matches(&word).count(), 1, "seed {seed}: {word} in {}", text.text);
            }
        }
    }
}

const EDITS: u64 = 60;

/// Types words that occur once, at any place between others' words, through a line that is cut all the time.
async fn write_through(address: std::net::SocketAddr, name: String, seed: u64, writer: u64) -> Room {
    let mut random = StdRng::seed_from_u64(seed * 10 + writer);
    let (_client, room) = loop {
        let mut options = options(address);
        options.backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(8) };
        let Ok(client) = Client::connect(options).await else { continue };
        let Ok((room, _)) = client.join(id(&name)).await else { continue };
        break (client, room);
    };
    for edit in 0..EDITS {
        let word = format!("<{writer}:{edit}>");
        room.update(|text| {
            let begins: Vec<usize> =
                text.chars().enumerate().filter(|(_, c)| *c == '<').map(|(index, _)| index).collect();
            let at = match begins.len() {
                0 => 0,
                some => begins[random.random_range(0..some)],
            };
            Some(insert(text, at, &word))
        })
        .unwrap();
        sleep(Duration::from_micros(random.random_range(0..12_000))).await;
    }
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_told_of_a_lost_connection_and_misses_nothing() {
    let server = Server::start(&[]);
    let line = Line::to(server.tcp).await;
    let here = client(server.tcp).await;
    here.create_room(Some(id("a"))).await.unwrap();
    here.create_room(Some(id("b"))).await.unwrap();
    let away = client(line.address).await;
    let (a, mut events) = away.join(id("a")).await.unwrap();
    let (b, _) = away.join(id("b")).await.unwrap();
    line.cut();
    let (other, _) = here.join(id("a")).await.unwrap();
    other.edit(insert(&Rope::new(), 0, "while you were away")).unwrap();
    other.synchronized().await.unwrap();
    b.edit(insert(&Rope::new(), 0, "typed while away")).unwrap();
    timeout(PATIENCE, a.reached(1)).await.unwrap().unwrap();
    assert_eq!(timeout(PATIENCE, b.synchronized()).await.unwrap().unwrap(), 1);
    assert_eq!(a.text(), "while you were away");
    let mut told = Vec::new();
    while told.last() != Some(&"entry") {
        told.push(match timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
            Event::Joined { .. } => "joined",
            Event::Replaced { .. } => "replaced",
            Event::Disconnected { .. } => "disconnected",
            Event::Entry { .. } => "entry",
            other => panic!("{other:?}"),
        });
    }
    // Whether the missing entry comes as an entry or as a text is the server's choice; here it is short.
    assert_eq!(told, ["joined", "replaced", "disconnected", "joined", "entry"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_edit_is_told_and_the_replica_heals() {
    let server = Server::start(&["--text-bytes-max", "20"]);
    let here = client(server.tcp).await;
    here.create_room(Some(id("small"))).await.unwrap();
    let (room, mut events) = here.join(id("small")).await.unwrap();
    room.edit(insert(&room.text(), 0, "fits")).unwrap();
    room.synchronized().await.unwrap();
    assert_eq!(
        room.edit(insert(&room.text(), 4, "this does not fit at all")).unwrap_err().kind(),
        ErrorKind::Refused(ErrorCode::TextTooLarge)
    );
    // Fits the text as it is here, and not the one that another client has made meanwhile.
    room.update(|text| {
        server.motet_with(&["put", "small", "-"], ">>>>>>>>fits");
        Some(insert(text, 4, "does not now"))
    })
    .unwrap();
    let error = timeout(PATIENCE, room.synchronized()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::TextTooLarge));
    room.synchronized().await.unwrap();
    timeout(PATIENCE, room.reached(2)).await.unwrap().unwrap();
    assert_eq!(room.text(), ">>>>>>>>fits");
    let lost = loop {
        if let Event::Refused { lost, .. } = timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
            break lost;
        }
    };
    assert!(lost.components().any(|component| component == Component::Insert("does not now")), "{lost:?}");
    // The session goes on.
    room.edit(insert(&room.text(), 12, ", too")).unwrap();
    assert_eq!(room.synchronized().await.unwrap(), 3);
    assert_eq!(room.check().await.unwrap(), Check::Equal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_made_anew_meanwhile_is_taken_and_nothing_of_the_old_one_gets_into_it() {
    let server = Server::start(&[]);
    let line = Line::to(server.tcp).await;
    let here = client(server.tcp).await;
    here.create_room(Some(id("a"))).await.unwrap();
    let (away, mut events) = client(line.address).await.join(id("a")).await.unwrap();
    let (idle, _) = client(line.address).await.join(id("a")).await.unwrap();
    for word in ["old", " and older"] {
        away.edit(insert(&away.text(), away.text().len_chars(), word)).unwrap();
        away.synchronized().await.unwrap();
    }
    timeout(PATIENCE, idle.reached(2)).await.unwrap().unwrap();
    let mut follower = client(line.address).await.follow(id("a"), 0).await.unwrap();

    // The new room has as many revisions, and a text that is as long.
    line.down();
    away.edit(insert(&away.text(), 3, " unsaved")).unwrap();
    here.delete_room(id("a")).await.unwrap();
    here.create_room(Some(id("a"))).await.unwrap();
    let (new, _) = here.join(id("a")).await.unwrap();
    for word in ["new", " and newer"] {
        new.edit(insert(&new.text(), new.text().len_chars(), word)).unwrap();
        new.synchronized().await.unwrap();
    }
    line.up();

    let error = timeout(PATIENCE, away.synchronized()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomReplaced));
    let lost = loop {
        if let Event::Refused { lost, .. } = timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
            break lost;
        }
    };
    assert!(lost.components().any(|component| component == Component::Insert(" unsaved")), "{lost:?}");
    for room in [&away, &idle] {
        timeout(PATIENCE, room.reached(2)).await.unwrap().unwrap();
        while room.text() != "new and newer" {
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(room.check().await.unwrap(), Check::Equal);
    }
    // The session goes on in the new room, with a seq of its own there.
    away.edit(insert(&away.text(), 13, " by me")).unwrap();
    assert_eq!(timeout(PATIENCE, away.synchronized()).await.unwrap().unwrap(), 3);
    timeout(PATIENCE, idle.reached(3)).await.unwrap().unwrap();
    assert_eq!(here.read_text(id("a"), At::Head).await.unwrap().text, "new and newer by me");
    assert_eq!(idle.text(), "new and newer by me");
    // A follower has no text that could be replaced: it ends, with the reason.
    let error = loop {
        if let Event::Closed { error } = timeout(PATIENCE, follower.next()).await.unwrap().unwrap() {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomReplaced));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_deleted_is_told_and_a_client_gives_up_when_it_was_told_to() {
    let server = Server::start(&[]);
    let line = Line::to(server.tcp).await;
    let mut patient = options(line.address);
    patient.give_up_after = Some(Duration::from_millis(300));
    let away = Client::connect(patient).await.unwrap();
    away.create_room(Some(id("a"))).await.unwrap();
    away.create_room(Some(id("b"))).await.unwrap();
    let (a, _) = away.join(id("a")).await.unwrap();
    let (b, _) = away.join(id("b")).await.unwrap();
    away.delete_room(id("a")).await.unwrap();
    let error = timeout(PATIENCE, a.reached(1)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomDeleted));
    assert!(a.edit(insert(&Rope::new(), 0, "x")).is_err());
    let error = away.join(id("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomNotFound));
    drop(server);
    line.cut();
    let error = timeout(PATIENCE, b.reached(1)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoConnection);
    assert_eq!(away.show_room(id("b")).await.unwrap_err().kind(), ErrorKind::NoConnection);
}

/// A server that says what a test wants.
struct Fake(Framed<TcpStream, MessageCodec<ClientMessage, ServerMessage>>);

impl Fake {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut fake = Self(Framed::new(stream, MessageCodec::default()));
        assert!(matches!(fake.hear().await, ClientMessage::Hello(_)));
        fake.say(ServerMessage::Welcome(Welcome {
            account: None,
            name: String::new(),
            expires_ms: None,
            protocol: 1,
            server: "fake".to_owned(),
            server_id: ServerId(Uuid::nil()),
            http: None,
            participant: ParticipantId(1),
            durability: Durability::None,
            limits: Limits::default(),
        }))
        .await;
        fake
    }

    async fn hear(&mut self) -> ClientMessage {
        timeout(PATIENCE, self.0.next()).await.expect("the client says something").unwrap().unwrap()
    }

    async fn say(&mut self, message: ServerMessage) {
        self.0.send(message).await.unwrap();
    }

    /// Takes a join that asks for the text, and gives it.
    async fn open(&mut self, text: &str, revision: Revision) -> u32 {
        let ClientMessage::Join { channel, after: None, .. } = self.hear().await else { panic!("no join") };
        let snapshot = Some(SnapshotInfo { revision, bytes: text.len() as u64 });
        self.say(ServerMessage::Joined {
            channel,
            log: LogIdentity(Uuid::nil()),
            head: revision,
            role: Role::Host,
            snapshot,
        })
        .await;
        self.say(ServerMessage::Snapshot { channel, text: text.to_owned(), last: true }).await;
        channel
    }
}

#[tokio::test]
async fn an_edit_that_is_refused_for_now_is_sent_again_when_it_is_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut fake = Fake::accept(&listener).await;
        let channel = fake.open("", 0).await;
        let ClientMessage::Submit { seq: 1, .. } = fake.hear().await else { panic!("no submit") };
        let refused_at = Instant::now();
        fake.say(ServerMessage::Error(ErrorMessage {
            about: About::Submit { channel, seq: 1 },
            code: ErrorCode::StorageFull,
            message: "the disk is full".to_owned(),
            retry_after_ms: Some(200),
        }))
        .await;
        let ClientMessage::Submit { seq: 1, .. } = fake.hear().await else { panic!("not sent again") };
        assert!(refused_at.elapsed() >= Duration::from_millis(200));
        fake.say(ServerMessage::Ack { channel, seq: 1, revision: 1 }).await;
        fake
    });
    let (room, _) = client(address).await.join(id("a")).await.unwrap();
    room.edit(insert(&Rope::new(), 0, "x")).unwrap();
    assert_eq!(timeout(PATIENCE, room.synchronized()).await.unwrap().unwrap(), 1);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_killed_is_lost_over_websocket_as_over_tcp() {
    for greets in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if !greets {
                // Takes the request, so that the end comes as one and not as an error.
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                return;
            }
            let mut socket = accept_async(stream).await.unwrap();
            socket.next().await.unwrap().unwrap();
            socket.into_inner().shutdown().await.unwrap();
        });
        let greeting = options(([127, 0, 0, 1], 1).into()).greeting;
        let error = Connection::open(&server, greeting).await.unwrap_err();
        assert!(matches!(error, ConnectionError::Closed), "{greets}: {error:?}");
        serving.await.unwrap();
    }
}

/// A server that puts a submit off so many times, for so long each time, and takes it then.
async fn puts_off(listener: TcpListener, times: u32, wait_ms: u32) {
    let mut fake = Fake::accept(&listener).await;
    let channel = fake.open("", 0).await;
    for _ in 0..times {
        let ClientMessage::Submit { seq: 1, .. } = fake.hear().await else { panic!("no submit") };
        fake.say(ServerMessage::Error(ErrorMessage {
            about: About::Submit { channel, seq: 1 },
            code: ErrorCode::StorageFull,
            message: "the disk is full".to_owned(),
            retry_after_ms: Some(wait_ms),
        }))
        .await;
    }
    while let Some(Ok(message)) = fake.0.next().await {
        if let ClientMessage::Submit { .. } = message {
            fake.say(ServerMessage::Ack { channel, seq: 1, revision: 1 }).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_says_what_it_waits_for_and_does_not_wait_for_ever() {
    for (times, wait_ms, code, words) in [
        (2, 600, 0, "motet: the server cannot take this now (the disk is full); it is tried again\n"),
        (1, 3_600_000, 1, "motet: the disk is full\n"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(puts_off(listener, times, wait_ms));
        let put = tokio::task::spawn_blocking(move || run_motet(address, &["put", "a", "-"], "text"));
        let ended = timeout(PATIENCE, put).await.unwrap().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), words);
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_replica_that_differs_from_the_servers_text_heals_when_it_is_checked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut fake = Fake::accept(&listener).await;
        let first = fake.open("abc", 3).await;
        let ClientMessage::Ask { request, question: Question::HashText { at: At::Revision(3), .. } } =
            fake.hear().await
        else {
            panic!("no check")
        };
        fake.say(ServerMessage::Answer { request, answer: Answer::Hash { revision: 3, crc32: 1, bytes: 3 } }).await;
        assert_eq!(fake.hear().await, ClientMessage::Leave { channel: first });
        let second = fake.open("abd", 3).await;
        assert_ne!(first, second);
        // What was still on its way on the old channel changes nothing.
        fake.say(ServerMessage::Ack { channel: first, seq: 9, revision: 9 }).await;
        fake
    });
    let (room, _) = client(address).await.join(id("a")).await.unwrap();
    assert_eq!(timeout(PATIENCE, room.check()).await.unwrap().unwrap(), Check::Healed);
    assert_eq!(room.text(), "abd");
    serving.await.unwrap();
}

#[tokio::test]
async fn what_a_server_may_not_say_ends_a_room_and_not_the_program() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut fake = Fake::accept(&listener).await;
        let ClientMessage::Join { channel, .. } = fake.hear().await else { panic!("no join") };
        let snapshot = Some(SnapshotInfo { revision: 1, bytes: u64::MAX });
        fake.say(ServerMessage::Joined { channel, log: LogIdentity(Uuid::nil()), head: 1, role: Role::Host, snapshot })
            .await;
        // The program learns of refused edits, and the text comes anew.
        assert_eq!(fake.hear().await, ClientMessage::Leave { channel });
        let channel = fake.open("ab", 2).await;
        let ClientMessage::Submit { seq: 1, .. } = fake.hear().await else { panic!("no submit") };
        fake.say(ServerMessage::Ack { channel, seq: 1, revision: 7 }).await;
        assert_eq!(fake.hear().await, ClientMessage::Leave { channel });
        fake.open("new", 9).await;
        fake
    });
    let client = client(address).await;
    assert_eq!(client.join(id("a")).await.unwrap_err().kind(), ErrorKind::BadServer);
    let (room, _) = client.join(id("a")).await.unwrap();
    room.edit(insert(&room.text(), 1, "x")).unwrap();
    assert_eq!(timeout(PATIENCE, room.synchronized()).await.unwrap().unwrap_err().kind(), ErrorKind::BadServer);
    assert_eq!(timeout(PATIENCE, room.synchronized()).await.unwrap().unwrap(), 9);
    assert_eq!(room.text(), "new");
    serving.await.unwrap();
}
