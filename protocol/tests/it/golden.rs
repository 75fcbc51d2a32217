//! The bytes and the JSON of every message, as `golden/messages.json` pins them. A change there is a change of the
//! protocol: `MOTET_GOLDEN=write cargo test -p motet-protocol golden` makes it, on purpose.

use std::{collections::BTreeSet, fmt::Debug, path::PathBuf};

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, Member, ProjectId, Role},
    chat::{ChatCommand, ChatMessage, Deleted, Quote, Reaction},
    codec::{self, CodecError},
    comment::{Comment, CommentCommand, CommentItem},
    error::{About, ErrorCode, ErrorMessage},
    ids::{LogIdentity, ParticipantId, RoomId, ServerId, SessionId},
    json,
    limits::{DECODE_BYTES_MAX, Limits},
    message::{
        Answer, At, ClientMessage, Command, Completion, CompletionKind, Durability, Entry, Hello, HttpAddress,
        Question, ServerMessage, SnapshotInfo, Welcome,
    },
    ot::{Operation, Scalar},
    presence::{Call, Person, Presence, PresenceOf, Selection, SignalKind, Status},
    room::{Author, Public, RoleOf, RoomFilter, RoomInfo, RoomSettings, SettingsPatch, Standing, Version},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

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

variants!(client_variant, CLIENT_VARIANTS, ClientMessage: Hello, Ping, Pong, Join, Leave, Submit, Ask, Authenticate,
    WatchPresence, SetPresence, Signal);
variants!(question_variant, QUESTION_VARIANTS, Question: CreateRoom, DeleteRoom, ListRooms, ShowRoom, ReadText, ReadLog,
    HashText, ReadSettings, ReadVersions, ReadChat, ReadComments, MarkRead, WatchRooms, UnwatchRooms, TurnCredentials,
    Complete, Summarize);
variants!(server_variant, SERVER_VARIANTS, ServerMessage: Welcome, Error, Ping, Pong, Joined, Snapshot, Entry, Ack, Left,
    Answer, Authenticated, Bye, Role, Presence, Signal, Expiring);
variants!(answer_variant, ANSWER_VARIANTS, Answer: Created, Deleted, Rooms, Room, Text, Log, Hash, Settings, Versions, Chat,
    Comments, Marked, RoomChanged, RoomGone, Turn, Completions, Summary);
variants!(command_variant, COMMAND_VARIANTS, Command: Edit, Introduce, Settings, SetRole, NameVersion, RemoveVersion,
    Chat, Comment);
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

fn log() -> LogIdentity {
    LogIdentity("2f2e2d2c-2b2a-4928-a726-252423222120".parse().unwrap())
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
        ClientMessage::Join { channel: 3, room: room(), after: None, log: None, entries_only: false },
        ClientMessage::Join { channel: 251, room: room(), after: Some(300), log: Some(log()), entries_only: true },
        ClientMessage::Leave { channel: 3 },
        ClientMessage::Submit { channel: 3, seq: 1, base: 300, command: Command::Edit(operation()) },
        ClientMessage::Submit { channel: 3, seq: 2, base: 301, command: Command::Edit(Operation::default()) },
        ClientMessage::Ask { request, question: Question::CreateRoom { room: Some(room()), settings: Box::default() } },
        ClientMessage::Ask { request, question: Question::CreateRoom { room: None, settings: Box::new(patch()) } },
        ClientMessage::Ask { request, question: Question::DeleteRoom { room: room() } },
        ClientMessage::Ask {
            request,
            question: Question::ListRooms { filter: Box::default(), after: None, limit: 100 },
        },
        ClientMessage::Ask {
            request,
            question: Question::ListRooms { filter: Box::new(filter()), after: Some(room()), limit: 1_000 },
        },
        ClientMessage::Ask { request, question: Question::ShowRoom { room: room() } },
        ClientMessage::Ask { request: u32::MAX, question: Question::ReadLog { room: room(), from: 1, limit: 50 } },
        ClientMessage::Ask { request, question: Question::HashText { room: room(), at: At::Head } },
    ];
    for at in [At::Head, At::Revision(70_000), At::Time(1_700_000_000_000)] {
        messages.push(ClientMessage::Ask { request, question: Question::ReadText { room: room(), at } });
    }
    messages.extend(commands().into_iter().zip(3..).map(|(command, seq)| ClientMessage::Submit {
        channel: 3,
        seq,
        base: 302,
        command,
    }));
    messages.extend([
        ClientMessage::Authenticate { request, token: "key".into() },
        ClientMessage::Ask { request, question: Question::ReadSettings { room: room(), at: At::Head } },
        ClientMessage::Ask { request, question: Question::ReadVersions { room: room() } },
        ClientMessage::Ask {
            request,
            question: Question::ReadChat { room: room(), before: None, thread: None, at: At::Head, limit: 50 },
        },
        ClientMessage::Ask {
            request,
            question: Question::ReadChat {
                room: room(),
                before: Some(300),
                thread: Some(7),
                at: At::Revision(400),
                limit: 50,
            },
        },
        ClientMessage::Ask { request, question: Question::ReadComments { room: room(), at: At::Revision(300) } },
        ClientMessage::Ask { request, question: Question::MarkRead { room: room(), message: 300 } },
        ClientMessage::Ask { request, question: Question::WatchRooms { filter: Box::new(filter()) } },
        ClientMessage::Ask { request, question: Question::UnwatchRooms {} },
        ClientMessage::WatchPresence { channel: 3, on: true },
        ClientMessage::SetPresence { channel: 3, base: 300, presence: Box::default() },
        ClientMessage::SetPresence { channel: 3, base: 300, presence: Box::new(presence()) },
        ClientMessage::Ask { request, question: Question::TurnCredentials {} },
        ClientMessage::Ask {
            request,
            question: Question::Complete { room: room(), base: 300, position: Scalar(251), limit: 20 },
        },
        ClientMessage::Ask {
            request,
            question: Question::Summarize { room: room(), from: At::Revision(100), to: At::Head },
        },
    ]);
    for kind in [SignalKind::Offer, SignalKind::Answer, SignalKind::Candidate, SignalKind::Hangup] {
        let payload = "v=0".to_owned();
        messages.push(ClientMessage::Signal { channel: 3, to: ParticipantId(7), kind, payload });
    }
    messages
}

fn account() -> AccountId {
    AccountId::new("zoe@example.org").unwrap()
}

fn author() -> Author {
    Author { name: "Zoë".into(), account: Some(account()) }
}

fn patch() -> SettingsPatch {
    SettingsPatch {
        title: Some("Notes".into()),
        language: Some("rust".into()),
        description: Some("What we said.".into()),
        tags: Some(vec!["work".into()]),
        public: Some(Public::Viewer),
        project: Some("motet".into()),
        path: Some("docs/notes.md".into()),
        ttl_s: Some(1_800),
    }
}

fn filter() -> RoomFilter {
    RoomFilter {
        name: Some("not".into()),
        tag: Some("work".into()),
        language: Some("rust".into()),
        project: ProjectId::new("motet").ok(),
        owner: Some(account()),
        mine: true,
    }
}

fn presence() -> Presence {
    let selection = |anchor, head| Selection { anchor: Scalar(anchor), head: Scalar(head) };
    Presence {
        selections: vec![selection(5, 5), selection(300, 251)],
        viewport: Some(selection(0, 1_000)),
        status: Status::Idle,
        typing: true,
        color: Some(0x00AA_44FF),
        following: Some(ParticipantId(7)),
        call: Some(Call { audio: true, video: false, screen: true }),
    }
}

/// Every command but edits, each of their variants at least once.
fn commands() -> Vec<Command> {
    let mentions = vec![Member::Account(account()), Member::Participant(ParticipantId(7))];
    let quote = Some(Quote { revision: 300, start: 5, end: 9 });
    let text = || "Zoë, see above".to_owned();
    let chat = |command| Command::Chat(Box::new(command));
    let comment = |command| Command::Comment(Box::new(command));
    let mut commands = vec![
        Command::Introduce(author()),
        Command::Settings(Box::new(patch())),
        Command::Settings(Box::new(SettingsPatch { title: Some(String::new()), ..SettingsPatch::default() })),
        Command::NameVersion { name: "draft".into(), revision: 300, description: "Before the review.".into() },
        Command::RemoveVersion { name: "draft".into() },
        chat(ChatCommand::Say { text: text(), thread: None, quote: None, mentions: Vec::new() }),
        chat(ChatCommand::Say { text: text(), thread: Some(7), quote, mentions: mentions.clone() }),
        chat(ChatCommand::Rewrite { message: 7, text: text(), mentions: mentions.clone() }),
        chat(ChatCommand::Delete { message: 7 }),
        chat(ChatCommand::React { message: 7, emoji: "👍".into(), on: true }),
        comment(CommentCommand::Open { start: Scalar(5), end: Scalar(9), text: text(), mentions: mentions.clone() }),
        comment(CommentCommand::Reply { comment: 300, text: text(), mentions }),
        comment(CommentCommand::Rewrite { comment: 300, item: 301, text: text() }),
        comment(CommentCommand::Delete { comment: 300, item: 301 }),
        comment(CommentCommand::Resolve { comment: 300 }),
        comment(CommentCommand::Reopen { comment: 300 }),
    ];
    let roles = Role::ALL.map(Standing::Role);
    commands.extend(
        [Standing::Public, Standing::Banned]
            .into_iter()
            .chain(roles)
            .map(|standing| Command::SetRole(RoleOf { member: Member::Account(account()), standing })),
    );
    commands
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
    let settings = |public| RoomSettings {
        title: "Notes".into(),
        language: "rust".into(),
        description: "What we said.".into(),
        tags: vec!["work".into()],
        public,
        project: ProjectId::new("motet").ok(),
        path: "docs/notes.md".into(),
        ttl_s: 1_800,
    };
    let info = RoomInfo {
        room: room(),
        created_ms: 1_700_000_000_000,
        owner: Some(account()),
        head: 300,
        changed_ms: 1_700_000_100_000,
        present: 2,
        text_bytes: 70_013,
        preview: "Hello, world!".into(),
        settings: settings(Public::Viewer),
        role: Role::Editor,
        unread: 3,
        last_message: Some("See above".into()),
    };
    let info = Box::new(info);
    let deleted = Some(Deleted { by: ParticipantId(8), time_ms: 1_700_000_200_000 });
    let error = |about, code| ErrorMessage { about, code, message: "Words.".into(), retry_after_ms: None };
    let mut messages = vec![
        ServerMessage::Ping { nonce: 1 },
        ServerMessage::Pong { nonce: u64::MAX },
        ServerMessage::Joined { channel, log: log(), head: 301, role: Role::Viewer, snapshot: None },
        ServerMessage::Joined {
            channel,
            log: log(),
            head: 301,
            role: Role::Host,
            snapshot: Some(SnapshotInfo { revision, bytes: 70_013 }),
        },
        ServerMessage::Snapshot { channel, text: "ß𝄞\n".into(), last: false },
        ServerMessage::Snapshot { channel, text: String::new(), last: true },
        ServerMessage::Entry { channel, entry: entry.clone() },
        ServerMessage::Ack { channel, seq: 7, revision },
        ServerMessage::Left { channel },
        ServerMessage::Answer { request, answer: Answer::Created { room: info.clone() } },
        ServerMessage::Answer { request, answer: Answer::Deleted { room: room() } },
        ServerMessage::Answer {
            request,
            answer: Answer::Rooms {
                rooms: vec![RoomInfo { owner: None, last_message: None, ..(*info).clone() }],
                next: Some(room()),
            },
        },
        ServerMessage::Answer { request, answer: Answer::Rooms { rooms: Vec::new(), next: None } },
        ServerMessage::Answer { request, answer: Answer::Room { room: info.clone() } },
        ServerMessage::Answer { request, answer: Answer::Text { revision, text: "ß𝄞\n".into(), last: true } },
        ServerMessage::Answer { request, answer: Answer::Log { entries: vec![entry], head: 301 } },
        ServerMessage::Answer { request, answer: Answer::Hash { revision, crc32: 0xCBF4_3926, bytes: 9 } },
        ServerMessage::Bye { error: error(About::Connection, ErrorCode::ShuttingDown) },
        ServerMessage::Error(ErrorMessage {
            retry_after_ms: Some(500),
            ..error(About::Submit { channel, seq: 7 }, ErrorCode::Overloaded)
        }),
        ServerMessage::Error(error(About::Request(request), ErrorCode::RoomNotFound)),
        ServerMessage::Error(error(About::Channel(channel), ErrorCode::RoomDeleted)),
    ];
    messages.extend(ErrorCode::ALL.iter().map(|code| ServerMessage::Error(error(About::Connection, *code))));
    let welcome = |durability| Welcome {
        protocol: 1,
        server: "motetd 0.1.0".into(),
        server_id: ServerId("1f1e1d1c-1b1a-4918-9716-151413121110".parse().unwrap()),
        http: match durability {
            Durability::Sync => Some(HttpAddress::Port(6_683)),
            Durability::Os => Some(HttpAddress::Url("https://motet.example.org/notes".into())),
            Durability::None => None,
        },
        participant: ParticipantId(7),
        account: (durability == Durability::Sync).then(account),
        name: "Zoë".into(),
        expires_ms: (durability == Durability::Sync).then_some(1_700_000_900_000),
        durability,
        limits: Limits::default(),
    };
    messages.extend([Durability::Sync, Durability::Os, Durability::None].map(welcome).map(ServerMessage::Welcome));
    // JSON tells limits only where they are others than the protocol's.
    let limits = Limits { text_bytes_max: 1 << 20, ..Limits::default() };
    messages.push(ServerMessage::Welcome(Welcome { limits, ..welcome(Durability::Sync) }));
    messages.extend([
        ServerMessage::Authenticated { request, expires_ms: Some(1_700_000_900_000) },
        ServerMessage::Role { channel, role: Role::Viewer, reason: "Words.".into() },
        ServerMessage::Answer {
            request,
            answer: Answer::Versions {
                versions: vec![Version {
                    name: "draft".into(),
                    revision,
                    description: String::new(),
                    by: ParticipantId(7),
                    time_ms: 1_700_000_000_000,
                }],
            },
        },
        ServerMessage::Answer {
            request,
            answer: Answer::Chat {
                messages: vec![ChatMessage {
                    message: revision,
                    participant: ParticipantId(7),
                    author: author(),
                    time_ms: 1_700_000_000_000,
                    text: "Zoë, see above".into(),
                    thread: Some(7),
                    quote: Some(Quote { revision: 300, start: 5, end: 9 }),
                    mentions: vec![Member::Account(account())],
                    rewritten_ms: Some(1_700_000_100_000),
                    deleted,
                    replies: 2,
                    reactions: vec![Reaction {
                        emoji: "👍".into(),
                        participants: vec![ParticipantId(7), ParticipantId(8)],
                    }],
                }],
                more: true,
            },
        },
        ServerMessage::Answer {
            request,
            answer: Answer::Comments {
                revision,
                comments: vec![Comment {
                    comment: 200,
                    start: Scalar(5),
                    end: Scalar(9),
                    on: "text".into(),
                    items: vec![CommentItem {
                        item: 200,
                        participant: ParticipantId(7),
                        author: author(),
                        time_ms: 1_700_000_000_000,
                        text: "Why?".into(),
                        mentions: Vec::new(),
                        rewritten_ms: None,
                        deleted: None,
                    }],
                    resolved: deleted,
                }],
                last: true,
            },
        },
        ServerMessage::Answer { request, answer: Answer::Marked { unread: 2 } },
        ServerMessage::Answer { request, answer: Answer::RoomChanged { room: info } },
        ServerMessage::Answer { request, answer: Answer::RoomGone { room: room() } },
        ServerMessage::Presence {
            channel,
            revision,
            whole: true,
            present: 3,
            people: vec![Person {
                participant: ParticipantId(7),
                author: author(),
                role: Role::Editor,
                joined_ms: 1_700_000_000_000,
            }],
            presence: vec![PresenceOf { participant: ParticipantId(7), presence: presence() }],
            left: vec![ParticipantId(8)],
        },
        ServerMessage::Signal { channel, from: ParticipantId(7), kind: SignalKind::Offer, payload: "v=0".into() },
        ServerMessage::Answer {
            request,
            answer: Answer::Turn {
                urls: vec!["turn:turn.example.org:3478".into()],
                username: "1700000900:0000000000000007".into(),
                credential: "c2VjcmV0".into(),
                expires_ms: 1_700_000_900_000,
            },
        },
        ServerMessage::Expiring { channel, expires_ms: 1_700_000_900_000 },
        ServerMessage::Answer {
            request,
            answer: Answer::Summary { text: "Zoë wrote 5 lines.".into(), facts: "{}".into() },
        },
    ]);
    for public in [Public::ServerDefault, Public::Nobody, Public::Viewer, Public::Editor, Public::Host] {
        let roles = vec![RoleOf { member: Member::Participant(ParticipantId(7)), standing: Standing::Banned }];
        let settings = Box::new(settings(public));
        messages.push(ServerMessage::Answer {
            request,
            answer: Answer::Settings { revision, settings, owner: Some(account()), roles },
        });
    }
    let kinds = [CompletionKind::Word, CompletionKind::Keyword, CompletionKind::Snippet, CompletionKind::Proposal];
    let completions = kinds.map(|kind| Completion {
        label: "match".into(),
        kind,
        from: Scalar(248),
        insert: "match".into(),
        detail: String::new(),
    });
    messages.push(ServerMessage::Answer {
        request,
        answer: Answer::Completions { revision, completions: completions.into() },
    });
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
    let questions = client.iter().filter_map(|message| match message {
        ClientMessage::Ask { question, .. } => Some(question_variant(question)),
        _ => None,
    });
    assert_eq!(questions.collect::<BTreeSet<_>>(), set(QUESTION_VARIANTS));
    let answers = server.iter().filter_map(|message| match message {
        ServerMessage::Answer { answer, .. } => Some(answer_variant(answer)),
        _ => None,
    });
    assert_eq!(answers.collect::<BTreeSet<_>>(), set(ANSWER_VARIANTS));
    let commands = client.iter().filter_map(|message| match message {
        ClientMessage::Submit { command, .. } => Some(command_variant(command)),
        _ => None,
    });
    assert_eq!(commands.collect::<BTreeSet<_>>(), set(COMMAND_VARIANTS));
    let ats = client.iter().filter_map(|message| match message {
        ClientMessage::Ask { question: Question::ReadText { at, .. }, .. } => Some(at_variant(at)),
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
    for (ask, answer) in [(QUESTION_VARIANTS.len() as u32, ANSWER_VARIANTS.len() as u32), (u32::MAX, u32::MAX)] {
        let (question, answer) = (codec::encode(&(6_u32, 1_u32, ask)), codec::encode(&(9_u32, 1_u32, answer)));
        assert!(matches!(codec::decode::<ClientMessage>(&question), Err(CodecError::Malformed(_))), "{ask}");
        assert_eq!(codec::about_of(&question), About::Request(1));
        assert!(matches!(codec::decode::<ServerMessage>(&answer), Err(CodecError::Malformed(_))));
    }
    // Questions and answers have no type of their own in JSON.
    for kind in ["levitate", "ask", "answer"] {
        let text = json!({"type": kind, "channel": 1, "request": 1, "question": {"type": "unwatch_rooms"}}).to_string();
        assert!(matches!(json::decode_client(&text), Err(CodecError::Malformed(_))), "{kind}");
        assert!(matches!(json::decode_server(&text), Err(CodecError::Malformed(_))), "{kind}");
    }
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
        // A hello whose token claims the length; a submit whose operation does; a page of rooms (answer 2), and of the log.
        refused::<ClientMessage>(&codec::encode(&(0_u32, 1_u16, 1_u8, length)));
        refused::<ClientMessage>(&codec::encode(&(5_u32, 3_u32, 1_u64, 1_u64, 0_u32, length)));
        refused::<ServerMessage>(&codec::encode(&(9_u32, 1_u32, 2_u32, length)));
        refused::<ServerMessage>(&codec::encode(&(9_u32, 1_u32, 5_u32, length)));
    }
}

#[test]
fn an_error_names_the_question_it_answers_even_if_the_question_cannot_be_read() {
    fn expected(message: &ClientMessage) -> About {
        match *message {
            ClientMessage::Hello(_) | ClientMessage::Ping { .. } | ClientMessage::Pong { .. } => About::Connection,
            ClientMessage::Join { channel, .. }
            | ClientMessage::Leave { channel }
            | ClientMessage::WatchPresence { channel, .. }
            | ClientMessage::SetPresence { channel, .. }
            | ClientMessage::Signal { channel, .. } => About::Channel(channel),
            ClientMessage::Submit { channel, seq, .. } => About::Submit { channel, seq },
            ClientMessage::Ask { request, .. } | ClientMessage::Authenticate { request, .. } => About::Request(request),
        }
    }
    for message in client_messages() {
        let bytes = codec::encode(&message);
        // All but the last byte, where there is something behind the number that matters.
        let whole = matches!(
            message,
            ClientMessage::Leave { .. }
                | ClientMessage::Ask { question: Question::UnwatchRooms {} | Question::TurnCredentials {}, .. }
        );
        let readable = if whole { bytes.len() } else { bytes.len() - 1 };
        assert_eq!(codec::about_of(&bytes[..readable]), expected(&message), "{message:?}");
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
