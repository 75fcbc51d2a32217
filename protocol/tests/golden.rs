//! The bytes and the JSON of every message, as `golden/messages.json` pins them. A change there is a change of the
//! protocol: `MOTET_GOLDEN=write cargo test -p motet-protocol --test golden` makes it, on purpose.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fmt::Debug, path::PathBuf};

use bincode::{Decode, Encode};
use motet_protocol::{
    codec::{self, CodecError},
    error::{About, ErrorCode, ErrorMessage},
    ids::{ParticipantId, RoomId, SessionId},
    json,
    limits::{DECODE_BYTES_MAX, Limits},
    message::{At, ClientMessage, Command, Durability, Entry, Hello, RoomInfo, ServerMessage, SnapshotInfo, Welcome},
    ot::Operation,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Makes a function that names a value's variant, and the list of all names. A variant that is added does not compile
/// until it is listed, and what is listed must have a vector.
macro_rules! variants {
    ($function:ident, $all:ident, $type:ident: $($name:ident),* $(,)?) => {
        const $all: &[&str] = &[$(stringify!($name)),*];
        fn $function(value: &$type) -> &'static str {
            match value { $($type::$name { .. } => stringify!($name),)* }
        }
    };
}

variants!(client_variant, CLIENT_VARIANTS, ClientMessage: Hello, Ping, Pong, Join, Leave, Submit, CreateRoom, DeleteRoom,
    ListRooms, ShowRoom, ReadText, ReadLog, HashText);
variants!(server_variant, SERVER_VARIANTS, ServerMessage: Welcome, Error, Ping, Pong, Joined, Snapshot, Entry, Ack, Left,
    Created, Deleted, Rooms, Room, Text, Log, Hash, Bye);
variants!(command_variant, COMMAND_VARIANTS, Command: Edit);
variants!(at_variant, AT_VARIANTS, At: Head, Revision, Time);
variants!(about_variant, ABOUT_VARIANTS, About: Connection, Request, Channel, Submit);
variants!(durability_variant, DURABILITY_VARIANTS, Durability: Sync, Os, None);

/// One message in both of its forms.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Vector {
    /// The bincode bytes, without the frame's length.
    hex: String,
    json: serde_json::Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Golden {
    client: Vec<Vector>,
    server: Vec<Vector>,
}

fn room() -> RoomId {
    RoomId::new("notes-1").unwrap()
}

fn operation() -> Operation {
    Operation::builder().retain(5).insert("ß𝄞\n").delete(2).retain(70_000).build().unwrap()
}

fn client_messages() -> Vec<ClientMessage> {
    let session = SessionId("0f0e0d0c-0b0a-4908-8706-050403020100".parse().unwrap());
    let request = 9;
    let mut messages = vec![
        ClientMessage::Hello(Hello { protocol: 1, token: Some("key".into()), session, name: "Zoë".into() }),
        ClientMessage::Hello(Hello { protocol: 1, token: None, session, name: String::new() }),
        ClientMessage::Ping { nonce: 1 },
        ClientMessage::Pong { nonce: u64::MAX },
        ClientMessage::Join { channel: 3, room: room(), after: None, entries_only: false },
        ClientMessage::Join { channel: 251, room: room(), after: Some(300), entries_only: true },
        ClientMessage::Leave { channel: 3 },
        ClientMessage::Submit { channel: 3, seq: 1, base: 300, command: Command::Edit(operation()) },
        ClientMessage::Submit { channel: 3, seq: 2, base: 301, command: Command::Edit(Operation::default()) },
        ClientMessage::CreateRoom { request, room: Some(room()) },
        ClientMessage::CreateRoom { request, room: None },
        ClientMessage::DeleteRoom { request, room: room() },
        ClientMessage::ListRooms { request, after: None, limit: 100 },
        ClientMessage::ListRooms { request, after: Some(room()), limit: 1_000 },
        ClientMessage::ShowRoom { request, room: room() },
        ClientMessage::ReadLog { request: u32::MAX, room: room(), from: 1, limit: 50 },
        ClientMessage::HashText { request, room: room(), at: At::Head },
    ];
    for at in [At::Head, At::Revision(70_000), At::Time(1_700_000_000_000)] {
        messages.push(ClientMessage::ReadText { request, room: room(), at });
    }
    messages
}

fn server_messages() -> Vec<ServerMessage> {
    let (channel, request, revision) = (3, 9, 300);
    let entry = Entry {
        revision,
        participant: ParticipantId(0x0123_4567_89ab_cdef),
        seq: 7,
        time_ms: 1_700_000_000_000,
        command: Command::Edit(operation()),
    };
    let info =
        RoomInfo { room: room(), created_ms: 1_700_000_000_000, head: 300, present: 2, text_bytes: Some(70_013) };
    let error = |about, code| ErrorMessage { about, code, message: "Words.".into(), retry_after_ms: None };
    let mut messages = vec![
        ServerMessage::Ping { nonce: 1 },
        ServerMessage::Pong { nonce: u64::MAX },
        ServerMessage::Joined { channel, head: 301, snapshot: None },
        ServerMessage::Joined { channel, head: 301, snapshot: Some(SnapshotInfo { revision, bytes: 70_013 }) },
        ServerMessage::Snapshot { channel, text: "ß𝄞\n".into(), last: false },
        ServerMessage::Snapshot { channel, text: String::new(), last: true },
        ServerMessage::Entry { channel, entry: entry.clone() },
        ServerMessage::Ack { channel, seq: 7, revision },
        ServerMessage::Left { channel },
        ServerMessage::Created { request, room: info.clone() },
        ServerMessage::Deleted { request, room: room() },
        ServerMessage::Rooms {
            request,
            rooms: vec![RoomInfo { text_bytes: None, ..info.clone() }],
            next: Some(room()),
        },
        ServerMessage::Rooms { request, rooms: Vec::new(), next: None },
        ServerMessage::Room { request, room: info },
        ServerMessage::Text { request, revision, text: "ß𝄞\n".into(), last: true },
        ServerMessage::Log { request, entries: vec![entry], head: 301 },
        ServerMessage::Hash { request, revision, crc32: 0xCBF4_3926, bytes: 9 },
        ServerMessage::Bye { error: error(About::Connection, ErrorCode::ShuttingDown) },
        ServerMessage::Error(ErrorMessage {
            retry_after_ms: Some(500),
            ..error(About::Submit { channel, seq: 7 }, ErrorCode::Overloaded)
        }),
        ServerMessage::Error(error(About::Request(request), ErrorCode::RoomNotFound)),
        ServerMessage::Error(error(About::Channel(channel), ErrorCode::RoomDeleted)),
    ];
    messages.extend(ErrorCode::ALL.iter().map(|code| ServerMessage::Error(error(About::Connection, *code))));
    for durability in [Durability::Sync, Durability::Os, Durability::None] {
        messages.push(ServerMessage::Welcome(Welcome {
            protocol: 1,
            server: "motetd 0.1.0".into(),
            participant: ParticipantId(7),
            durability,
            limits: Limits::default(),
        }));
    }
    messages
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn vectors<T: Encode + Serialize>(messages: &[T]) -> Vec<Vector> {
    let vector = |message: &T| Vector {
        hex: hex(&codec::encode(message)),
        json: serde_json::from_str(&json::encode(message)).unwrap(),
    };
    messages.iter().map(vector).collect()
}

/// The file, with one vector a line.
fn written(golden: &Golden) -> String {
    let lines = |vectors: &[Vector]| {
        vectors.iter().map(|vector| serde_json::to_string(vector).unwrap()).collect::<Vec<_>>().join(",\n")
    };
    format!("{{\"client\":[\n{}\n],\"server\":[\n{}\n]}}\n", lines(&golden.client), lines(&golden.server))
}

fn assert_pinned<T>(messages: &[T], pinned: &[Vector])
where
    T: Encode + Decode<()> + Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(messages.len(), pinned.len(), "as many vectors as messages");
    for (message, vector) in messages.iter().zip(pinned) {
        assert_eq!(hex(&codec::encode(message)), vector.hex, "the bytes of {message:?}");
        assert_eq!(&codec::decode::<T>(&unhex(&vector.hex)).unwrap(), message);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json::encode(message)).unwrap(), vector.json);
        assert_eq!(&json::decode::<T>(&vector.json.to_string()).unwrap(), message);
    }
}

#[test]
fn every_message_has_the_bytes_and_the_json_it_always_had() {
    let (client, server) = (client_messages(), server_messages());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages.json");
    if std::env::var("MOTET_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::write(&path, written(&Golden { client: vectors(&client), server: vectors(&server) })).unwrap();
    }
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_pinned(&client, &golden.client);
    assert_pinned(&server, &golden.server);
}

#[test]
fn no_variant_is_without_a_vector() {
    let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    let (client, server) = (client_messages(), server_messages());
    assert_eq!(client.iter().map(client_variant).collect::<BTreeSet<_>>(), set(CLIENT_VARIANTS));
    assert_eq!(server.iter().map(server_variant).collect::<BTreeSet<_>>(), set(SERVER_VARIANTS));
    let commands = client.iter().filter_map(|message| match message {
        ClientMessage::Submit { command, .. } => Some(command_variant(command)),
        _ => None,
    });
    assert_eq!(commands.collect::<BTreeSet<_>>(), set(COMMAND_VARIANTS));
    let ats = client.iter().filter_map(|message| match message {
        ClientMessage::ReadText { at, .. } => Some(at_variant(at)),
        _ => None,
    });
    assert_eq!(ats.collect::<BTreeSet<_>>(), set(AT_VARIANTS));
    let abouts = server.iter().filter_map(|message| match message {
        ServerMessage::Error(error) => Some(about_variant(&error.about)),
        _ => None,
    });
    assert_eq!(abouts.collect::<BTreeSet<_>>(), set(ABOUT_VARIANTS));
    let durabilities = server.iter().filter_map(|message| match message {
        ServerMessage::Welcome(welcome) => Some(durability_variant(&welcome.durability)),
        _ => None,
    });
    assert_eq!(durabilities.collect::<BTreeSet<_>>(), set(DURABILITY_VARIANTS));
}

#[test]
fn an_error_code_reads_the_same_in_json_and_everywhere_else() {
    for code in ErrorCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

#[test]
fn a_message_cut_at_any_byte_is_refused() {
    fn check<T: Encode + Decode<()> + Debug>(messages: &[T]) {
        for message in messages {
            let bytes = codec::encode(message);
            for length in 0..bytes.len() {
                let cut = codec::decode::<T>(&bytes[..length]);
                assert!(
                    matches!(cut, Err(CodecError::Malformed(_) | CodecError::BadOperation(_))),
                    "{length} bytes of {message:?} gave {cut:?}"
                );
            }
        }
    }
    check(&client_messages());
    check(&server_messages());
}

#[test]
fn bytes_behind_a_message_are_refused() {
    for message in client_messages() {
        let mut bytes = codec::encode(&message).to_vec();
        bytes.extend([0, 1]);
        assert!(matches!(codec::decode::<ClientMessage>(&bytes), Err(CodecError::Trailing(2))));
        let text = json::encode(&message) + "1";
        assert!(matches!(json::decode::<ClientMessage>(&text), Err(CodecError::Malformed(_))));
    }
}

#[test]
fn messages_of_a_later_protocol_are_refused_and_not_guessed() {
    for variant in [CLIENT_VARIANTS.len() as u32, 250, 251, u32::MAX] {
        let bytes = codec::encode(&(variant, 0_u64));
        assert!(matches!(codec::decode::<ClientMessage>(&bytes), Err(CodecError::Malformed(_))), "{variant}");
    }
    for variant in [SERVER_VARIANTS.len() as u32, u32::MAX] {
        let bytes = codec::encode(&(variant, 0_u64));
        assert!(matches!(codec::decode::<ServerMessage>(&bytes), Err(CodecError::Malformed(_))), "{variant}");
    }
    let text = r#"{"type":"levitate","channel":1}"#;
    assert!(matches!(json::decode::<ClientMessage>(text), Err(CodecError::Malformed(_))));
}

#[test]
fn lengths_that_lie_are_refused_before_their_memory_is_asked_for() {
    fn refused<T: Decode<()> + Debug>(bytes: &[u8]) {
        match codec::decode::<T>(bytes) {
            Err(CodecError::Malformed(words)) => assert!(words.contains("LimitExceeded"), "{words}"),
            other => panic!("{other:?}"),
        }
    }
    for length in [DECODE_BYTES_MAX as u64 + 1, 1 << 32, 1 << 60, u64::MAX] {
        // A hello whose token claims the length; a submit whose operation does; a page of rooms, and of the log.
        refused::<ClientMessage>(&codec::encode(&(0_u32, 1_u16, 1_u8, length)));
        refused::<ClientMessage>(&codec::encode(&(5_u32, 3_u32, 1_u64, 1_u64, 0_u32, length)));
        refused::<ServerMessage>(&codec::encode(&(11_u32, 1_u32, length)));
        refused::<ServerMessage>(&codec::encode(&(14_u32, 1_u32, length)));
    }
}

#[test]
fn an_error_names_the_question_it_answers_even_if_the_question_cannot_be_read() {
    fn expected(message: &ClientMessage) -> About {
        match *message {
            ClientMessage::Hello(_)
            | ClientMessage::Ping { .. }
            | ClientMessage::Pong { .. }
            | ClientMessage::Leave { .. } => About::Connection,
            ClientMessage::Join { channel, .. } => About::Channel(channel),
            ClientMessage::Submit { channel, seq, .. } => About::Submit { channel, seq },
            ClientMessage::CreateRoom { request, .. }
            | ClientMessage::DeleteRoom { request, .. }
            | ClientMessage::ListRooms { request, .. }
            | ClientMessage::ShowRoom { request, .. }
            | ClientMessage::ReadText { request, .. }
            | ClientMessage::ReadLog { request, .. }
            | ClientMessage::HashText { request, .. } => About::Request(request),
        }
    }
    for message in client_messages() {
        let bytes = codec::encode(&message);
        assert_eq!(codec::about_of(&bytes[..bytes.len() - 1]), expected(&message), "{message:?}");
        // An unreadable field behind those that matter.
        let mut json = serde_json::to_value(&message).unwrap();
        for field in ["room", "command"] {
            if json.get(field).is_some() {
                json[field] = "NOT VALID".into();
            }
        }
        assert_eq!(json::about_of(&json.to_string()), expected(&message), "{message:?}");
    }
    for junk in ["", "{", "[]", r#"{"type":"submit"}"#, r#"{"type":"submit","channel":-1,"seq":1}"#] {
        assert_eq!(json::about_of(junk), About::Connection);
        assert_eq!(codec::about_of(junk.as_bytes()), About::Connection);
    }
}
