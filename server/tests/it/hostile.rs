//! Everything from outside may be wrong, huge, repeated, late or cut off. Each test has a bystander who edits on.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::harness::{Peer, Server, WsPeer, figure, hello, id, insert, process::Process};
use motet_protocol::{
    codec,
    error::{About, ErrorCode},
    ids::SessionId,
    limits::{CHANNELS_MAX, EDIT_BYTES_MAX, FRAME_BYTES_MAX, FRAME_SKIP_BYTES_MAX, JSON_BYTES_MAX},
    message::{Answer, At, ClientMessage, Command, Hello, Question, ServerMessage},
    ot::Operation,
};
use uuid::Uuid;

/// Somebody who did nothing wrong edits before and after, on a connection of its own.
struct Bystander {
    peer: Peer<TcpStream>,
    revision: u64,
}

impl Bystander {
    fn new(server: &Server) -> Self {
        let mut peer = Peer::greeted(server);
        peer.create("bystander");
        let (revision, _) = peer.join(1, "bystander");
        let mut bystander = Self { peer, revision };
        bystander.edits_on();
        bystander
    }

    fn edits_on(&mut self) {
        let next = self.peer.edit(1, self.revision, insert(0, "b", self.revision));
        assert_eq!(next, self.revision + 1);
        self.revision = next;
    }
}

#[test]
fn a_frame_over_the_limit_is_passed_over_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = server.peer_in("demo");
    peer.frame(&vec![7; 3 * FRAME_BYTES_MAX]);
    assert_eq!(peer.hear_code(), ErrorCode::FrameTooLarge);
    assert_eq!(peer.edit(1, 0, insert(0, "still here", 0)), 1);
    bystander.edits_on();
}

#[test]
fn a_length_beyond_all_reason_ends_the_connection_with_a_reason() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = server.peer_in("demo");
    peer.raw(&(FRAME_SKIP_BYTES_MAX as u32 + 1).to_be_bytes());
    assert_eq!(peer.hear_code(), ErrorCode::FramingLost);
    assert!(peer.try_hear().is_none());
    bystander.edits_on();
}

#[test]
fn a_frame_that_is_cut_off_takes_nobody_along() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let submit = ClientMessage::Submit { channel: 1, seq: 1, base: 0, command: Command::Edit(insert(0, "x", 0)) };
    let bytes = codec::encode(&submit);
    for cut in 0..bytes.len() {
        let mut peer = server.peer_in("demo");
        peer.raw(&(bytes.len() as u32).to_be_bytes());
        peer.raw(&bytes[..cut]);
        drop(peer);
        // The same bytes as a whole frame are a message that ends too early.
        let mut peer = server.peer_in("demo");
        peer.frame(&bytes[..cut]);
        assert!(matches!(peer.hear_code(), ErrorCode::BadMessage | ErrorCode::BadOperation), "cut at {cut}");
        assert_eq!(peer.text("demo", At::Head), "");
    }
    bystander.edits_on();
}

#[test]
fn lengths_that_lie_and_variants_that_are_unknown_are_bad_messages() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = server.peer_in("demo");
    let huge = [5, 1, 1, 0, 0, 253, 255, 255, 255, 255, 255, 255, 255, 127];
    for bytes in [&huge[..], &[200][..], &[251, 255, 255][..], &[][..], &[3, 1, 250, b'x'][..], &[255; 40][..]] {
        peer.frame(bytes);
        assert_eq!(peer.hear_code(), ErrorCode::BadMessage, "{bytes:?}");
    }
    let mut trailing = codec::encode(&ClientMessage::Leave { channel: 1 }).to_vec();
    trailing.push(0);
    peer.frame(&trailing);
    assert_eq!(peer.hear_code(), ErrorCode::BadMessage);
    assert_eq!(peer.edit(1, 0, insert(0, "x", 0)), 1);
    bystander.edits_on();
}

#[test]
fn another_version_of_the_protocol_is_told_which_one_is_spoken() {
    let server = Server::start(&[]);
    let mut peer = Peer::connect(server.tcp);
    let session = SessionId(Uuid::new_v4());
    peer.say(&ClientMessage::Hello(Hello { protocol: 99, token: None, session, name: String::new() }));
    let ServerMessage::Bye { error } = peer.hear() else { panic!("a goodbye was due") };
    assert_eq!(error.code, ErrorCode::UnsupportedProtocol);
    assert!(error.message.contains("version 1"), "{}", error.message);
    assert!(peer.try_hear().is_none());
}

#[test]
fn who_does_not_greet_is_shown_out() {
    let server = Server::start(&[]);
    let mut peer = Peer::connect(server.tcp);
    peer.say(&ClientMessage::Ping { nonce: 1 });
    assert_eq!(peer.hear_code(), ErrorCode::HelloRequired);
    assert!(peer.try_hear().is_none());
    let mut peer = Peer::connect(server.tcp);
    peer.frame(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(peer.hear_code(), ErrorCode::BadMessage);
    assert!(peer.try_hear().is_none());
    let mut peer = Peer::greeted(&server);
    peer.say(&hello(SessionId(Uuid::new_v4())));
    assert_eq!(peer.hear_code(), ErrorCode::HelloRepeated);
    peer.say(&ClientMessage::Ping { nonce: 4 });
    assert_eq!(peer.hear(), ServerMessage::Pong { nonce: 4 });
}

#[test]
fn a_client_that_says_nothing_is_let_go_in_time() {
    let server = Server::start(&[]);
    let mut silent = Peer::connect(server.tcp);
    let mut half = Peer::connect(server.tcp);
    half.raw(&[0, 0]);
    assert_eq!(silent.hear_code(), ErrorCode::HandshakeTimeout);
    assert_eq!(half.hear_code(), ErrorCode::HandshakeTimeout);
    assert!(silent.try_hear().is_none());
}

#[test]
fn operations_that_do_not_fit_the_text_change_nothing() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = server.peer_in("demo");
    peer.edit(1, 0, insert(0, "abc", 0));
    for wrong in [
        Operation::builder().retain(4).insert("x").build().unwrap(),
        Operation::builder().delete(4).build().unwrap(),
        Operation::builder().retain(2).build().unwrap(),
    ] {
        peer.submit(1, 1, wrong);
        let ServerMessage::Error(error) = peer.hear() else { panic!("an error was due") };
        assert_eq!(error.code, ErrorCode::OperationMismatch);
        assert_eq!(error.about, About::Submit { channel: 1, seq: 2 });
        // The seq is free.
        peer.seq -= 1;
    }
    assert_eq!(peer.edit(1, 1, insert(3, "d", 3)), 2);
    assert_eq!(peer.text("demo", At::Head), "abcd");
    bystander.edits_on();
}

#[test]
fn the_operation_whose_lengths_wrap_around_is_refused() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = server.peer_in("demo");
    peer.edit(1, 0, insert(0, "abcde", 0));
    // [-(2^63-1), 1, -(2^63-1), 1, -5] claims a base of 5 where sums wrap around. In compact form: delete, retain, ….
    let delete = (1_u128 << 63) - 1;
    let mut compact = Vec::new();
    for (length, kind) in [(delete, 2), (1, 0), (delete, 2), (1, 0), (5, 2)] {
        let mut header: u128 = length << 2 | kind;
        while header >= 0x80 {
            compact.push(header as u8 | 0x80);
            header >>= 7;
        }
        compact.push(header as u8);
    }
    let mut submit = vec![5, 1, 2, 1, 0, compact.len() as u8];
    submit.extend_from_slice(&compact);
    peer.frame(&submit);
    let ServerMessage::Error(error) = peer.hear() else { panic!("an error was due") };
    assert_eq!((error.code, error.about), (ErrorCode::BadOperation, About::Submit { channel: 1, seq: 2 }));

    let mut json = WsPeer::connect(&server);
    json.say_json(&format!(r#"{{"type":"hello","protocol":1,"session":"{}"}}"#, Uuid::new_v4()));
    json.hear();
    json.say_json(r#"{"type":"join","channel":1,"room":"demo","after":1}"#);
    json.hear();
    let n = i64::MAX;
    json.say_json(&format!(
        r#"{{"type":"submit","channel":1,"seq":1,"base":1,"command":{{"edit":[-{n},1,-{n},1,-5]}}}}"#
    ));
    let (ServerMessage::Error(error), true) = json.hear() else { panic!("an error was due") };
    assert_eq!(error.code, ErrorCode::BadOperation);
    assert_eq!(error.about, About::Submit { channel: 1, seq: 1 });
    assert_eq!(peer.text("demo", At::Head), "abcde");
    bystander.edits_on();
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let server = Server::start(&[]);
    let mut peer = server.peer_in("demo");
    // submit, channel 1, seq 1, base 0, edit, 4 bytes: insert 3 bytes that are no UTF-8.
    peer.frame(&[5, 1, 1, 0, 0, 4, 3 << 2 | 1, 0xff, 0xfe, 0xc0]);
    assert_eq!(peer.hear_code(), ErrorCode::BadOperation);
    let mut ws = WsPeer::connect(&server);
    ws.say(&hello(SessionId(Uuid::new_v4())));
    ws.hear();
    assert_eq!(peer.edit(1, 0, insert(0, "x", 0)), 1);
}

#[test]
fn seqs_that_jump_or_repeat_with_another_content_are_refused() {
    let server = Server::start(&[]);
    let mut peer = server.peer_in("demo");
    peer.edit(1, 0, insert(0, "one", 0));
    let mut say = |seq, base, operation| {
        peer.say(&ClientMessage::Submit { channel: 1, seq, base, command: Command::Edit(operation) });
        peer.hear()
    };
    let code = |message| match message {
        ServerMessage::Error(error) => error.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(say(3, 1, insert(0, "x", 3))), ErrorCode::SeqGap);
    assert_eq!(code(say(0, 1, insert(0, "x", 3))), ErrorCode::SeqConflict);
    assert_eq!(code(say(1, 0, insert(0, "two", 0))), ErrorCode::SeqConflict);
    assert_eq!(code(say(1, 1, insert(0, "two", 3))), ErrorCode::SeqConflict);
    assert_eq!(say(1, 0, insert(0, "one", 0)), ServerMessage::Ack { channel: 1, seq: 1, revision: 1 });
    assert_eq!(say(2, 1, insert(3, "!", 3)), ServerMessage::Ack { channel: 1, seq: 2, revision: 2 });
    assert_eq!(peer.text("demo", At::Head), "one!");
}

#[test]
fn revisions_of_the_future_are_refused() {
    let server = Server::start(&[]);
    let mut peer = server.peer_in("demo");
    peer.submit(1, 1, insert(0, "x", 0));
    assert_eq!(peer.hear_code(), ErrorCode::RevisionUnknown);
    peer.say(&ClientMessage::Join { channel: 2, room: id("demo"), after: Some(7), log: None, entries_only: false });
    assert_eq!(peer.hear_code(), ErrorCode::RevisionUnknown);
    peer.say(&ClientMessage::Ask {
        request: 1,
        question: Question::ReadText { room: id("demo"), at: At::Revision(u64::MAX) },
    });
    assert_eq!(peer.hear_code(), ErrorCode::RevisionUnknown);
    peer.say(&ClientMessage::Ask { request: 1, question: Question::ReadLog { room: id("demo"), from: 0, limit: 10 } });
    assert_eq!(peer.hear_code(), ErrorCode::BadArgument);
    peer.say(&ClientMessage::Ask {
        request: 1,
        question: Question::ReadLog { room: id("demo"), from: u64::MAX, limit: 10 },
    });
    assert!(
        matches!(peer.hear(), ServerMessage::Answer { answer: Answer::Log { entries, .. }, .. } if entries.is_empty())
    );
    peer.say(&ClientMessage::Ask {
        request: 1,
        question: Question::ListRooms { filter: Box::default(), after: None, limit: u32::MAX },
    });
    assert_eq!(peer.hear_code(), ErrorCode::BadArgument);
}

#[test]
fn a_room_that_does_not_exist_is_not_made_by_asking_for_it() {
    let server = Server::start(&[]);
    let mut peer = Peer::greeted(&server);
    peer.say(&ClientMessage::Join { channel: 1, room: id("nowhere"), after: None, log: None, entries_only: false });
    let ServerMessage::Error(error) = peer.hear() else { panic!("an error was due") };
    assert_eq!((error.code, error.about), (ErrorCode::RoomNotFound, About::Channel(1)));
    peer.submit(1, 0, insert(0, "x", 0));
    assert_eq!(peer.hear_code(), ErrorCode::ChannelUnknown);
    peer.say(&ClientMessage::Ask {
        request: 3,
        question: Question::ListRooms { filter: Box::default(), after: None, limit: 10 },
    });
    assert!(
        matches!(peer.hear(), ServerMessage::Answer { answer: Answer::Rooms { rooms, next: None, .. }, .. } if rooms.is_empty())
    );
}

#[test]
fn ten_thousand_joins_on_one_connection_stop_at_the_limit() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut peer = Peer::greeted(&server);
    for n in 0..1_100 {
        peer.create(&format!("room-{n}"));
    }
    let (mut joined, mut refused) = (0, 0);
    for n in 0..10_000_u32 {
        let room = id(&format!("room-{}", n % 1_100));
        peer.say(&ClientMessage::Join { channel: n, room, after: Some(0), log: None, entries_only: false });
        match peer.hear() {
            ServerMessage::Joined { .. } => joined += 1,
            ServerMessage::Error(error) if error.code == ErrorCode::TooManyChannels => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((joined, refused), (CHANNELS_MAX, 10_000 - CHANNELS_MAX));
    peer.say(&ClientMessage::Leave { channel: 0 });
    assert_eq!(peer.hear(), ServerMessage::Left { channel: 0 });
    peer.say(&ClientMessage::Join { channel: 0, room: id("room-0"), after: Some(0), log: None, entries_only: false });
    assert!(matches!(peer.hear(), ServerMessage::Joined { .. }));
    bystander.edits_on();
}

#[test]
fn a_reader_that_never_reads_costs_nothing_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), &[]);
    let greeted = || {
        let mut peer = Peer::connect(server.tcp);
        peer.say(&hello(SessionId(Uuid::new_v4())));
        peer.hear();
        peer.create("demo");
        peer.join(1, "demo");
        peer
    };
    let (mut writer, mut silent) = (greeted(), greeted());
    let chunk = "x".repeat(EDIT_BYTES_MAX);
    let mut revision = writer.edit(1, 0, insert(0, &chunk, 0));
    // Each round appends as much again, and the text stays as long as it is.
    let swap = Operation::builder().insert(&chunk).delete(EDIT_BYTES_MAX as u64).build().unwrap();
    let mut write = |megabytes: u64| {
        let mut most: f64 = 0.0;
        for round in 0..megabytes * 1_000_000 / EDIT_BYTES_MAX as u64 {
            revision = writer.edit(1, revision, swap.clone());
            if round % 20 == 0 {
                most = most.max(server.memory_bytes());
            }
        }
        most
    };
    // The first part fills the store's cache, which has its own limit; the second must not add to it.
    let (first, second) = (write(100), write(100));
    assert!(second - first < 24e6, "memory grew from {} to {} MB", first / 1e6, second / 1e6);
    for due in 1..=revision {
        assert_eq!(silent.entry().revision, due);
    }
}

/// A peer on rooms that hold more text together than sockets do.
fn reader_of_much(server: &Server, rooms: u32) -> Peer<TcpStream> {
    let mut peer = Peer::greeted(server);
    let text = "x".repeat(EDIT_BYTES_MAX);
    for channel in 1..=rooms {
        let room = format!("much-{channel}");
        peer.create(&room);
        peer.join(channel, &room);
        peer.seq = 0;
        peer.edit(channel, 0, insert(0, &text, 0));
        peer.say(&ClientMessage::Leave { channel });
        assert_eq!(peer.hear(), ServerMessage::Left { channel });
    }
    peer
}

/// Asks for so much at once that the sockets are full until somebody reads.
fn ask_for_much(peer: &mut Peer<TcpStream>, rooms: u32) {
    for channel in 1..=rooms {
        let room = id(&format!("much-{channel}"));
        peer.say(&ClientMessage::Ask {
            request: channel,
            question: Question::ReadText { room: room.clone(), at: At::Head },
        });
        peer.say(&ClientMessage::Join { channel, room, after: None, log: None, entries_only: false });
    }
    std::thread::sleep(Duration::from_secs(1));
}

#[test]
fn who_asks_for_much_and_reads_late_gets_all_of_it() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let rooms = 100;
    let mut peer = reader_of_much(&server, rooms);
    ask_for_much(&mut peer, rooms);
    bystander.edits_on();
    let (mut answered, mut joined) = (vec![0; rooms as usize], vec![0; rooms as usize]);
    let mut ends = 0;
    while ends < 2 * rooms {
        let (bytes, text, last) = match peer.hear() {
            ServerMessage::Answer { request, answer: Answer::Text { text, last, .. } } => {
                (&mut answered[request as usize - 1], text, last)
            }
            ServerMessage::Snapshot { channel, text, last } => (&mut joined[channel as usize - 1], text, last),
            ServerMessage::Joined { .. } => continue,
            other => panic!("{other:?}"),
        };
        *bytes += text.len();
        ends += u32::from(last);
    }
    assert!(answered.iter().chain(&joined).all(|bytes| *bytes == EDIT_BYTES_MAX), "{answered:?} {joined:?}");
    bystander.edits_on();
}

#[test]
fn who_asks_for_much_and_goes_without_reading_leaves_nothing_behind() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let rooms = 100;
    let mut peer = reader_of_much(&server, rooms);
    ask_for_much(&mut peer, rooms);
    drop(peer);
    let deadline = Instant::now() + Duration::from_secs(20);
    while figure(server.http, "motet_connections ") > 1.0 {
        assert!(Instant::now() < deadline, "the connection is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
    bystander.edits_on();
}

#[test]
fn a_text_over_its_limit_is_refused_and_the_session_goes_on() {
    let server = Server::start(&["--text-bytes-max", "1000"]);
    let mut peer = server.peer_in("demo");
    peer.submit(1, 0, insert(0, &"é".repeat(501), 0));
    assert_eq!(peer.hear_code(), ErrorCode::TextTooLarge);
    peer.seq -= 1;
    assert_eq!(peer.edit(1, 0, insert(0, &"é".repeat(500), 0)), 1);
    peer.submit(1, 1, insert(0, "x", 500));
    assert_eq!(peer.hear_code(), ErrorCode::TextTooLarge);
    peer.seq -= 1;
    assert_eq!(peer.edit(1, 1, Operation::builder().delete(500).build().unwrap()), 2);
    assert_eq!(peer.edit(1, 2, insert(0, "x", 0)), 3);
    peer.submit(1, 3, insert(0, &"x".repeat(EDIT_BYTES_MAX + 1), 1));
    assert_eq!(peer.hear_code(), ErrorCode::EditTooLarge);
}

#[test]
fn websocket_nonsense_takes_nobody_along() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    let mut json = WsPeer::connect(&server);
    json.say_json(&format!(r#"{{"type":"hello","protocol":1,"session":"{}"}}"#, Uuid::new_v4()));
    json.hear();
    for text in ["", "{", "[]", "null", r#"{"type":"fly"}"#, r#"{"type":"join","channel":1,"room":"../etc"}"#] {
        json.say_json(text);
        let (ServerMessage::Error(error), true) = json.hear() else { panic!("an error was due for {text}") };
        assert_eq!(error.code, ErrorCode::BadMessage, "{text}");
    }
    json.say_json(&format!(r#"{{"type":"ping","nonce":1,"pad":"{}"}}"#, "x".repeat(JSON_BYTES_MAX)));
    let (ServerMessage::Error(error), true) = json.hear() else { panic!("an error was due") };
    assert_eq!(error.code, ErrorCode::FrameTooLarge);
    json.say_json(&"[".repeat(100_000));
    let (ServerMessage::Error(error), true) = json.hear() else { panic!("an error was due") };
    assert_eq!(error.code, ErrorCode::BadMessage);
    // An unmasked frame breaks the rules of WebSocket itself.
    json.socket.get_mut().write_all(&[0x82, 1, 0]).unwrap();
    let (ServerMessage::Bye { error }, _) = json.hear() else { panic!("a goodbye was due") };
    assert_eq!(error.code, ErrorCode::FramingLost);
    bystander.edits_on();
}

#[test]
fn http_nonsense_takes_nobody_along() {
    let server = Server::start(&[]);
    let mut bystander = Bystander::new(&server);
    for bytes in [
        b"\0\0\0\0\0\0\0\0\r\n\r\n".to_vec(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(100_000)).into_bytes(),
        b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
        b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-version: 12\r\n\r\n"
            .to_vec(),
    ] {
        let mut stream = TcpStream::connect(server.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    bystander.edits_on();
}

#[test]
fn connections_over_the_limit_are_turned_away_and_places_come_free() {
    let server = Server::start(&["--connections-max", "4"]);
    let mut peers: Vec<_> = (0..4).map(|_| Peer::greeted(&server)).collect();
    let mut fifth = Peer::connect(server.tcp);
    assert!(fifth.try_hear().is_none());
    peers.pop();
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let mut peer = Peer::connect(server.tcp);
        peer.say(&hello(SessionId(Uuid::new_v4())));
        if peer.try_hear().is_some() {
            break;
        }
        assert!(Instant::now() < patience, "no place came free");
    }
    peers[0].say(&ClientMessage::Ping { nonce: 2 });
    assert_eq!(peers[0].hear(), ServerMessage::Pong { nonce: 2 });
}

#[test]
fn websockets_count_among_the_connections() {
    let server = Server::start(&["--connections-max", "4"]);
    let mut peers: Vec<_> = (0..4).map(|_| WsPeer::connect(&server)).collect();
    for peer in &mut peers {
        peer.say(&hello(SessionId(Uuid::new_v4())));
        assert!(matches!(peer.hear().0, ServerMessage::Welcome(_)));
    }
    assert!(Peer::connect(server.tcp).try_hear().is_none(), "there is no place for a fifth");
    peers.pop();
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let mut peer = Peer::connect(server.tcp);
        if peer.try_say(&hello(SessionId(Uuid::new_v4()))).is_ok() && peer.try_hear().is_some() {
            break;
        }
        assert!(Instant::now() < patience, "no place came free");
    }
}
