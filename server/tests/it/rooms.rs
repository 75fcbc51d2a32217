//! What rooms are besides their text: who may do what on each transport, lists that are followed, rooms that expire.

use std::{
    collections::BTreeSet,
    io::Write,
    time::{Duration, Instant},
};

use crate::harness::{Peer, Server, WsPeer, hello, http::Http, id, insert};
use motet_protocol::{
    access::{Member, Role},
    error::ErrorCode,
    ids::{ParticipantId, SessionId},
    json,
    limits::DESCRIPTION_BYTES_MAX,
    message::{Answer, At, ClientMessage, Command, Question, ServerMessage},
    room::{Public, RoleOf, RoomFilter, RoomInfo, SettingsPatch, Standing},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A connection of any kind.
trait Line {
    fn tell(&mut self, message: &ClientMessage);
    fn next(&mut self) -> ServerMessage;

    /// The next message that says whether something was done.
    fn answer(&mut self) -> Result<(), ErrorCode> {
        loop {
            match self.next() {
                ServerMessage::Entry { .. } | ServerMessage::Role { .. } | ServerMessage::Snapshot { .. } => {}
                ServerMessage::Error(error) => return Err(error.code),
                ServerMessage::Answer { answer: Answer::Text { last: false, .. }, .. }
                | ServerMessage::Answer { answer: Answer::Comments { last: false, .. }, .. } => {}
                _ => return Ok(()),
            }
        }
    }

    fn ask(&mut self, message: &ClientMessage) -> Result<(), ErrorCode> {
        self.tell(message);
        self.answer()
    }
}

impl Line for Peer<std::net::TcpStream> {
    fn tell(&mut self, message: &ClientMessage) {
        self.say(message);
    }
    fn next(&mut self) -> ServerMessage {
        self.hear()
    }
}

struct Binary(WsPeer);

impl Line for Binary {
    fn tell(&mut self, message: &ClientMessage) {
        self.0.say(message);
    }
    fn next(&mut self) -> ServerMessage {
        self.0.hear().0
    }
}

struct Json(WsPeer);

impl Line for Json {
    fn tell(&mut self, message: &ClientMessage) {
        self.0.say_json(&json::encode(message));
    }
    fn next(&mut self) -> ServerMessage {
        self.0.hear().0
    }
}

fn lines(server: &Server) -> Vec<(&'static str, Box<dyn Line>)> {
    vec![
        ("TCP", Box::new(Peer::connect(server.tcp))),
        ("WebSocket binary", Box::new(Binary(WsPeer::connect(server)))),
        ("WebSocket JSON", Box::new(Json(WsPeer::connect(server)))),
    ]
}

fn greet(line: &mut dyn Line) -> ParticipantId {
    let session = SessionId(Uuid::new_v4());
    line.tell(&hello(session));
    assert!(matches!(line.next(), ServerMessage::Welcome(_)));
    session.participant()
}

fn stand(participant: ParticipantId, standing: Standing) -> Command {
    Command::SetRole(RoleOf { member: Member::Participant(participant), standing })
}

fn patch(change: impl FnOnce(&mut SettingsPatch)) -> Command {
    let mut patch = SettingsPatch::default();
    change(&mut patch);
    Command::Settings(Box::new(patch))
}

/// A room with some text, one chat message and one comment of its host's, who is the session of this peer.
fn furnished(server: &Server, room: &str) -> Peer<std::net::TcpStream> {
    let mut host = server.peer_in(room);
    host.edit(1, 0, insert(0, "some text", 0));
    host
}

fn submit(peer: &mut Peer<std::net::TcpStream>, command: Command) {
    peer.seq += 1;
    let (seq, base) = (peer.seq, 0);
    peer.say(&ClientMessage::Submit { channel: 1, seq, base, command });
    loop {
        match peer.hear() {
            ServerMessage::Ack { seq: acknowledged, .. } if acknowledged == seq => return,
            ServerMessage::Entry { .. } | ServerMessage::Ack { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What can be asked for, and the role that it takes.
fn questions(room: &str) -> Vec<(ClientMessage, Role)> {
    let (request, room) = (7, id(room));
    vec![
        (ClientMessage::Ask { request, question: Question::ShowRoom { room: room.clone() } }, Role::Viewer),
        (
            ClientMessage::Ask { request, question: Question::ReadText { room: room.clone(), at: At::Head } },
            Role::Viewer,
        ),
        (
            ClientMessage::Ask { request, question: Question::ReadText { room: room.clone(), at: At::Revision(0) } },
            Role::Viewer,
        ),
        (
            ClientMessage::Ask { request, question: Question::ReadLog { room: room.clone(), from: 1, limit: 5 } },
            Role::Viewer,
        ),
        (
            ClientMessage::Ask { request, question: Question::HashText { room: room.clone(), at: At::Head } },
            Role::Viewer,
        ),
        (
            ClientMessage::Ask { request, question: Question::ReadSettings { room: room.clone(), at: At::Head } },
            Role::Viewer,
        ),
        (ClientMessage::Ask { request, question: Question::ReadVersions { room: room.clone() } }, Role::Viewer),
    ]
}

/// What can be submitted, and the role that it takes.
fn commands() -> Vec<(Command, Role)> {
    let nobody = ParticipantId(1);
    vec![
        (Command::Edit(insert(0, "x", 9)), Role::Editor),
        (patch(|patch| patch.title = Some("Notes".into())), Role::Editor),
        (patch(|patch| patch.tags = Some(vec!["a".into()])), Role::Editor),
        (patch(|patch| patch.public = Some(Public::Host)), Role::Host),
        (patch(|patch| patch.project = Some("motet".into())), Role::Host),
        (patch(|patch| patch.ttl_s = Some(3_600)), Role::Host),
        (stand(nobody, Standing::Role(Role::Viewer)), Role::Host),
        (stand(nobody, Standing::Banned), Role::Host),
        (Command::NameVersion { name: "v".into(), revision: 1, description: String::new() }, Role::Editor),
        (Command::RemoveVersion { name: "v".into() }, Role::Editor),
    ]
}

#[test]
fn each_role_may_do_what_it_may_and_no_more_on_every_transport() {
    let server = Server::start(&["--store", "memory"]);
    let mut rows = 0;
    for (wire, _) in lines(&server) {
        for standing in [Some(Role::Viewer), Some(Role::Editor), Some(Role::Host), None] {
            let room = format!("room-{rows}");
            let mut host = furnished(&server, &room);
            let mut line = lines(&server).into_iter().find(|(name, _)| *name == wire).unwrap().1;
            let me = greet(line.as_mut());
            submit(&mut host, stand(me, standing.map_or(Standing::Banned, Standing::Role)));
            let check = |what: &str, answer: Result<(), ErrorCode>, needed: Role| {
                let expected = match standing {
                    None => Err(ErrorCode::RoomNotFound),
                    Some(role) if role < needed => Err(ErrorCode::Forbidden),
                    Some(_) => Ok(()),
                };
                assert_eq!(answer, expected, "{what} over {wire} as {standing:?}");
            };
            for (question, needed) in questions(&room) {
                check(&format!("{question:?}"), line.ask(&question), needed);
                rows += 1;
            }
            let join =
                ClientMessage::Join { channel: 1, room: id(&room), after: Some(0), log: None, entries_only: true };
            check("join", line.ask(&join), Role::Viewer);
            if standing.is_some() {
                let mut seq = 1;
                for (command, needed) in commands() {
                    let what = format!("{command:?}");
                    // Counting on the text as it was before this one's own edits.
                    let base = if command.operation().is_some() { 1 } else { 0 };
                    let answer = line.ask(&ClientMessage::Submit { channel: 1, seq, base, command });
                    seq += u64::from(answer.is_ok());
                    check(&what, answer, needed);
                    rows += 1;
                }
            }
            let delete = ClientMessage::Ask { request: 8, question: Question::DeleteRoom { room: id(&room) } };
            line.tell(&delete);
            let answer = loop {
                match line.next() {
                    ServerMessage::Answer { answer: Answer::Deleted { .. }, .. } => break Ok(()),
                    ServerMessage::Error(error) if error.code == ErrorCode::RoomDeleted => {}
                    ServerMessage::Error(error) => break Err(error.code),
                    _ => {}
                }
            };
            check("delete", answer, Role::Host);
            rows += 1;
        }
    }
    assert!(rows > 100, "{rows}");
}

#[test]
fn a_role_that_is_taken_away_ends_an_open_connections_edits_at_once() {
    let server = Server::start(&["--store", "memory"]);
    let mut host = furnished(&server, "demo");
    let session = SessionId(Uuid::new_v4());
    let mut guest = Peer::greeted_as(&server, session);
    guest.join(1, "demo");
    submit(&mut host, stand(session.participant(), Standing::Role(Role::Viewer)));
    guest.entry();
    let ServerMessage::Role { channel: 1, role: Role::Viewer, reason } = guest.hear() else { panic!("a role was due") };
    assert!(reason.contains("viewer"), "{reason}");
    guest.submit(1, 2, insert(0, "x", 9));
    assert_eq!(guest.hear_code(), ErrorCode::Forbidden);
    submit(&mut host, stand(session.participant(), Standing::Banned));
    guest.entry();
    assert_eq!(guest.hear_code(), ErrorCode::Forbidden);
    guest.submit(1, 3, insert(0, "x", 9));
    assert_eq!(guest.hear_code(), ErrorCode::ChannelUnknown);
    guest.say(&ClientMessage::Join { channel: 1, room: id("demo"), after: None, log: None, entries_only: false });
    assert_eq!(guest.hear_code(), ErrorCode::RoomNotFound);
    assert_eq!(host.text("demo", At::Head), "some text");
}

#[test]
fn where_guests_have_no_role_rooms_cannot_be_told_from_rooms_that_are_not_there() {
    let server = Server::start(&["--store", "memory", "--guest-role", "none"]);
    let mut maker = Peer::greeted(&server);
    // Whoever makes a room over this connection is a guest, who would lose it at once, so it says who comes in.
    let settings = SettingsPatch { public: Some(Public::Nobody), ..SettingsPatch::default() };
    maker.say(&ClientMessage::Ask {
        request: 1,
        question: Question::CreateRoom { room: Some(id("secret")), settings: Box::new(settings) },
    });
    let ServerMessage::Answer { answer: Answer::Created { room, .. }, .. } = maker.hear() else { panic!() };
    assert_eq!(room.role, Role::Host);
    let mut other = Peer::greeted(&server);
    let mut words = Vec::new();
    for room in ["secret", "nowhere"] {
        other.say(&ClientMessage::Ask { request: 2, question: Question::ShowRoom { room: id(room) } });
        let ServerMessage::Error(error) = other.hear() else { panic!() };
        words.push((error.code, error.message.replace(room, "…")));
    }
    assert_eq!(words[0], words[1]);
    assert_eq!(rooms(&mut other, RoomFilter::default()), Vec::<RoomInfo>::new());
    assert_eq!(rooms(&mut maker, RoomFilter { mine: true, ..RoomFilter::default() }).len(), 1);
}

fn rooms(peer: &mut Peer<std::net::TcpStream>, filter: RoomFilter) -> Vec<RoomInfo> {
    peer.say(&ClientMessage::Ask {
        request: 3,
        question: Question::ListRooms { filter: Box::new(filter), after: None, limit: 1_000 },
    });
    let ServerMessage::Answer { answer: Answer::Rooms { rooms, next: None, .. }, .. } = peer.hear() else { panic!() };
    rooms
}

#[test]
fn rooms_are_found_by_what_was_set_in_them_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path().to_owned(), &[]);
    let mut peer = Peer::greeted(&server);
    for (room, language, tag) in [("a", "rust", "work"), ("b", "python", "work"), ("c", "rust", "play")] {
        let settings = SettingsPatch {
            title: Some(format!("Title of {room}")),
            language: Some(language.into()),
            tags: Some(vec![tag.into()]),
            ..SettingsPatch::default()
        };
        peer.say(&ClientMessage::Ask {
            request: 1,
            question: Question::CreateRoom { room: Some(id(room)), settings: Box::new(settings) },
        });
        assert!(matches!(peer.hear(), ServerMessage::Answer { answer: Answer::Created { .. }, .. }));
    }
    peer.join(1, "c");
    peer.edit(1, 1, insert(0, "\n  fn main() {}\n", 0));
    let check = |peer: &mut Peer<std::net::TcpStream>| {
        let names = |rooms: Vec<RoomInfo>| rooms.into_iter().map(|room| room.room.to_string()).collect::<String>();
        let rust = RoomFilter { language: Some("rust".into()), ..RoomFilter::default() };
        assert_eq!(names(rooms(peer, rust.clone())), "ac");
        assert_eq!(names(rooms(peer, RoomFilter { tag: Some("work".into()), ..rust })), "a");
        assert_eq!(names(rooms(peer, RoomFilter { name: Some("TITLE OF b".into()), ..RoomFilter::default() })), "b");
        let all = rooms(peer, RoomFilter::default());
        assert_eq!((all[2].preview.as_str(), all[2].text_bytes), ("fn main() {}", 16));
    };
    check(&mut peer);
    drop(peer);
    server.stop();
    let server = Server::start_in(data.path().to_owned(), &[]);
    check(&mut Peer::greeted(&server));
}

#[test]
fn who_follows_the_list_hears_of_rooms_that_come_change_and_go() {
    let server = Server::start(&["--store", "memory"]);
    let mut follower = Peer::greeted(&server);
    let filter = Box::new(RoomFilter { tag: Some("work".into()), ..RoomFilter::default() });
    follower.say(&ClientMessage::Ask { request: 5, question: Question::WatchRooms { filter: filter.clone() } });
    assert!(matches!(follower.hear(), ServerMessage::Answer { request: 5, answer: Answer::Rooms { .. } }));
    let mut host = server.peer_in("demo");
    submit(&mut host, patch(|patch| patch.tags = Some(vec!["work".into()])));
    let ServerMessage::Answer { request: 5, answer: Answer::RoomChanged { room } } = follower.hear() else { panic!() };
    assert_eq!((room.room, room.present), (id("demo"), 1));
    host.edit(1, 1, insert(0, "hello", 0));
    loop {
        let ServerMessage::Answer { answer: Answer::RoomChanged { room, .. }, .. } = follower.hear() else { panic!() };
        if room.preview == "hello" {
            break;
        }
    }
    submit(&mut host, patch(|patch| patch.tags = Some(Vec::new())));
    loop {
        match follower.hear() {
            ServerMessage::Answer { answer: Answer::RoomChanged { .. }, .. } => {}
            ServerMessage::Answer { request: 5, answer: Answer::RoomGone { room } } => {
                break assert_eq!(room, id("demo"));
            }
            other => panic!("{other:?}"),
        }
    }
    follower.say(&ClientMessage::Ask { request: 5, question: Question::WatchRooms { filter } });
    assert_eq!(follower.hear_code(), ErrorCode::BadArgument);
    follower.say(&ClientMessage::Ask { request: 5, question: Question::UnwatchRooms {} });
    submit(&mut host, patch(|patch| patch.tags = Some(vec!["work".into()])));
    assert_eq!(follower.hear_within(Duration::from_secs(1)), None);
}

#[test]
fn who_follows_the_list_after_another_has_gone_hears_of_the_same_rooms() {
    let server = Server::start(&["--store", "memory"]);
    let mut host = server.peer_in("demo");
    let follow = || {
        let mut follower = Peer::greeted(&server);
        follower.say(&ClientMessage::Ask { request: 5, question: Question::WatchRooms { filter: Box::default() } });
        assert!(matches!(follower.hear(), ServerMessage::Answer { request: 5, answer: Answer::Rooms { .. } }));
        follower
    };
    for revision in 0..3 {
        // It goes before it is told of what has just changed.
        let follower = follow();
        host.edit(1, 2 * revision, insert(0, "x", 2 * revision));
        drop(follower);
        std::thread::sleep(Duration::from_millis(400));
        let mut follower = follow();
        host.edit(1, 2 * revision + 1, insert(0, "x", 2 * revision + 1));
        assert!(matches!(follower.hear(), ServerMessage::Answer { request: 5, answer: Answer::RoomChanged { .. } }));
    }
}

#[test]
fn a_follower_who_reads_late_hears_of_every_room_that_changed() {
    let server = Server::start(&["--store", "memory"]);
    let mut follower = Peer::greeted(&server);
    follower.say(&ClientMessage::Ask { request: 5, question: Question::WatchRooms { filter: Box::default() } });
    assert!(matches!(follower.hear(), ServerMessage::Answer { request: 5, answer: Answer::Rooms { .. } }));
    let mut maker = Peer::greeted(&server);
    let description = "x".repeat(DESCRIPTION_BYTES_MAX);
    let names: BTreeSet<String> = (0..900).map(|number| format!("room-{number}")).collect();
    for name in &names {
        let settings = SettingsPatch { description: Some(description.clone()), ..SettingsPatch::default() };
        maker.say(&ClientMessage::Ask {
            request: 1,
            question: Question::CreateRoom { room: Some(id(name)), settings: Box::new(settings) },
        });
        assert!(matches!(maker.hear(), ServerMessage::Answer { answer: Answer::Created { .. }, .. }));
    }
    let mut heard = BTreeSet::new();
    while heard != names {
        let ServerMessage::Answer { answer: Answer::RoomChanged { room, .. }, .. } = follower.hear() else { panic!() };
        heard.insert(room.room.to_string());
    }
}

#[test]
fn a_room_whose_deletion_nobody_waits_for_is_there_or_gone_and_nothing_between() {
    let server = Server::start(&[]);
    let mut gone = 0;
    for number in 0..40 {
        let mut http = Http::connect(server.http);
        let room = format!("room-{number}");
        http.json("POST", "/api/rooms", &json!({ "room": room })).is(201);
        let mut peer = Peer::greeted(&server);
        peer.join(1, &room);
        peer.edit(1, 0, insert(0, "old", 0));
        let mut asking = std::net::TcpStream::connect(server.http).unwrap();
        let (host, session) = (server.http, Uuid::new_v4());
        let head = format!("DELETE /api/rooms/{room} HTTP/1.1\r\nhost: {host}\r\nmotet-session: {session}\r\n\r\n");
        asking.write_all(head.as_bytes()).unwrap();
        // The client goes soon after it has asked; now and then so soon that nobody has heard it.
        std::thread::sleep(Duration::from_micros(100 * number));
        drop(asking);
        let told = |peer: &mut Peer<std::net::TcpStream>, patience| match peer.hear_within(patience) {
            Some(ServerMessage::Error(error)) => error.code == ErrorCode::RoomDeleted,
            Some(other) => panic!("{other:?}"),
            None => false,
        };
        if !told(&mut peer, Duration::from_millis(200)) {
            if http.get(&format!("/api/rooms/{room}")).status == 200 {
                continue;
            }
            assert!(told(&mut peer, Duration::from_secs(10)), "who has the room open is told that it is gone");
        }
        gone += 1;
        let patience = Instant::now() + Duration::from_secs(20);
        while http.json("POST", "/api/rooms", &json!({ "room": room })).status != 201 {
            assert!(Instant::now() < patience, "the name is not free");
        }
        assert_eq!(peer.join(2, &room), (0, String::new()));
    }
    assert!(gone > 0, "some were heard");
}

#[test]
fn a_room_in_which_nothing_happens_expires_and_its_people_are_told_before() {
    let server = Server::start(&["--store", "memory", "--unload-after", "0"]);
    let mut host = server.peer_in("there");
    submit(&mut host, patch(|patch| patch.ttl_s = Some(2)));
    let mut maker = Peer::greeted(&server);
    let settings = SettingsPatch { ttl_s: Some(2), ..SettingsPatch::default() };
    maker.say(&ClientMessage::Ask {
        request: 1,
        question: Question::CreateRoom { room: Some(id("empty")), settings: Box::new(settings) },
    });
    assert!(matches!(maker.hear(), ServerMessage::Answer { answer: Answer::Created { .. }, .. }));
    maker.create("stays");
    assert!(matches!(host.hear(), ServerMessage::Expiring { channel: 1, .. }));
    // What happens in time keeps it.
    host.edit(1, 1, insert(0, "x", 0));
    assert!(matches!(host.hear(), ServerMessage::Expiring { channel: 1, .. }));
    assert_eq!(host.hear_code(), ErrorCode::RoomExpired);
    for _ in 0..200 {
        if rooms(&mut maker, RoomFilter::default()).len() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(rooms(&mut maker, RoomFilter::default())[0].room, id("stays"));
    maker.say(&ClientMessage::Ask { request: 2, question: Question::ShowRoom { room: id("empty") } });
    assert_eq!(maker.hear_code(), ErrorCode::RoomNotFound);
}

/// A link to a room, and the token of somebody who has followed it.
fn linked(http: &mut Http, room: &str) -> (Value, String) {
    let link = http.json("POST", &format!("/api/rooms/{room}/links"), &json!({ "role": "editor" })).is(201).json();
    let redeem = json!({ "link": link["secret"], "name": "Bob" });
    let followed = http.json("POST", "/api/auth/redeem", &redeem).is(200).json();
    (redeem, format!("Bearer {}", followed["token"].as_str().unwrap()))
}

/// Asserts that neither the link nor the token leads anywhere, although there is a room of the same name again.
fn lead_nowhere(http: &mut Http, room: &str, (link, token): &(Value, String), how: &str) {
    http.json("POST", "/api/rooms", &json!({ "room": room })).is(201);
    let followed = http.json("POST", "/api/auth/redeem", link);
    assert_eq!((followed.status, &followed.json()["code"]), (404, &json!("not_found")), "{how}");
    let asked = http.send("GET", &format!("/api/rooms/{room}"), &[("authorization", token)], b"");
    assert_eq!((asked.status, &asked.json()["code"]), (401, &json!("unauthorized")), "{how}");
    let links = http.get(&format!("/api/rooms/{room}/links")).is(200).json();
    assert_eq!(links, json!({ "links": [] }), "{how}");
}

#[test]
fn the_links_to_a_room_go_with_it_whoever_deletes_it() {
    let server = Server::start(&["--store", "memory"]);
    let mut http = Http::connect(server.http);
    for (number, (transport, mut line)) in lines(&server).into_iter().enumerate() {
        let room = format!("room-{number}");
        http.json("POST", "/api/rooms", &json!({ "room": room })).is(201);
        let linked = linked(&mut http, &room);
        greet(line.as_mut());
        assert_eq!(
            line.ask(&ClientMessage::Ask { request: 1, question: Question::DeleteRoom { room: id(&room) } }),
            Ok(()),
            "{transport}"
        );
        lead_nowhere(&mut http, &room, &linked, transport);
    }
    http.json("POST", "/api/rooms", &json!({ "room": "there" })).is(201);
    let linked = linked(&mut http, "there");
    http.delete("/api/rooms/there").is(204);
    lead_nowhere(&mut http, "there", &linked, "HTTP");
}

#[test]
fn the_links_to_a_room_that_expires_go_with_it() {
    let server = Server::start(&["--store", "memory", "--unload-after", "0"]);
    let mut http = Http::connect(server.http);
    http.json("POST", "/api/rooms", &json!({ "room": "short", "settings": { "ttl_s": 1 } })).is(201);
    let linked = linked(&mut http, "short");
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while http.json("POST", "/api/auth/redeem", &linked.0).status != 404 {
        assert!(std::time::Instant::now() < patience, "the link still leads somewhere");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Its name is free before that.
    lead_nowhere(&mut http, "short", &linked, "expiry");
}

#[test]
fn versions_are_named_listed_and_removed() {
    let server = Server::start(&["--store", "memory"]);
    let mut host = furnished(&server, "demo");
    for name in ["first", "second"] {
        submit(&mut host, Command::NameVersion { name: name.into(), revision: 0, description: "…".into() });
    }
    submit(&mut host, Command::RemoveVersion { name: "second".into() });
    host.say(&ClientMessage::Ask { request: 4, question: Question::ReadVersions { room: id("demo") } });
    let ServerMessage::Answer { answer: Answer::Versions { versions, .. }, .. } = host.hear() else { panic!() };
    assert_eq!(
        versions.iter().map(|version| (version.name.as_str(), version.revision)).collect::<Vec<_>>(),
        [("first", 1)]
    );
}
