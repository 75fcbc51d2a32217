//! Projects, as those see them who have their rooms open.

use crate::harness::{Peer, Server, hello, http::Http, id, insert};
use motet_protocol::{
    access::Role,
    error::{About, ErrorCode},
    ids::SessionId,
    message::{ClientMessage, Command, ServerMessage},
};
use motet_server::store::{self, Durability, StoreKind};
use serde_json::{Value, json};
use uuid::Uuid;

type Tcp = Peer<std::net::TcpStream>;

/// A server with a project and a room of it that is closed to others, and its host.
fn started() -> (Server, Http) {
    let server = Server::start(&["--store", "memory"]);
    let mut host = Http::connect(server.http);
    host.headers.push(("motet-session", Uuid::new_v4().to_string()));
    host.json("POST", "/api/projects", &json!({ "project": "motet" })).is(201);
    file(&mut host, "main", "src/main.rs");
    (server, host)
}

fn file(host: &mut Http, room: &str, path: &str) {
    let settings = json!({ "project": "motet", "path": path, "public": "nobody" });
    host.json("POST", "/api/rooms", &json!({ "room": room, "settings": settings })).is(201);
}

fn decide(host: &mut Http, member: SessionId, role: Value) {
    let member = json!({ "participant": member.participant().to_string() });
    host.json("PUT", "/api/projects/motet/members", &json!({ "member": member, "role": role })).is(200);
}

fn join(peer: &mut Tcp, room: &str) {
    peer.say(&ClientMessage::Join { channel: 1, room: id(room), after: None, log: None, entries_only: true });
}

/// A member of the project with the room open.
fn member(server: &Server, host: &mut Http, role: &str) -> (SessionId, Tcp) {
    let session = SessionId(Uuid::new_v4());
    decide(host, session, json!(role));
    let mut peer = Peer::greeted_as(server, session);
    peer.join(1, "main");
    (session, peer)
}

fn is_out(peer: &mut Tcp) {
    match peer.hear() {
        ServerMessage::Error(error) => {
            assert_eq!((error.code, error.about), (ErrorCode::Forbidden, About::Channel(1)));
            assert!(error.message.contains("taken your role"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
    peer.submit(1, 0, insert(0, "x", 0));
    assert_eq!(peer.hear_code(), ErrorCode::ChannelUnknown);
    join(peer, "main");
    assert_eq!(peer.hear_code(), ErrorCode::RoomNotFound);
}

#[test]
fn a_role_in_a_project_that_is_changed_counts_at_once_in_rooms_that_are_open() {
    let (server, mut host) = started();
    let (session, mut ann) = member(&server, &mut host, "editor");
    let (_, mut bob) = member(&server, &mut host, "editor");
    let head = ann.edit(1, 1, insert(0, "one", 0));
    bob.entry();
    decide(&mut host, session, json!("viewer"));
    match ann.hear() {
        ServerMessage::Entry { .. } => assert!(matches!(ann.hear(), ServerMessage::Role { role: Role::Viewer, .. })),
        ServerMessage::Role { channel: 1, role: Role::Viewer, reason } => {
            assert!(reason.contains("viewer"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
    ann.submit(1, head, insert(0, "x", 3));
    assert_eq!(ann.hear_code(), ErrorCode::Forbidden);
    decide(&mut host, session, json!("editor"));
    assert!(matches!(ann.hear(), ServerMessage::Role { channel: 1, role: Role::Editor, .. }));
    ann.seq -= 1;
    ann.edit(1, head, insert(0, "x", 3));
    bob.entry();
    decide(&mut host, session, Value::Null);
    is_out(&mut ann);
    // Nobody else hears of it.
    bob.say(&ClientMessage::Ping { nonce: 7 });
    assert_eq!(bob.hear(), ServerMessage::Pong { nonce: 7 });
}

#[test]
fn who_has_a_role_in_the_room_itself_keeps_it() {
    let (server, mut host) = started();
    let (session, mut ann) = member(&server, &mut host, "viewer");
    let participant = json!({ "participant": session.participant().to_string() });
    let role = json!({ "member": participant, "standing": { "role": "editor" } });
    host.json("PUT", "/api/rooms/main/roles", &role).is(200);
    loop {
        match ann.hear() {
            ServerMessage::Role { role: Role::Editor, .. } => break,
            ServerMessage::Entry { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    decide(&mut host, session, Value::Null);
    ann.say(&ClientMessage::Ping { nonce: 7 });
    loop {
        match ann.hear() {
            ServerMessage::Pong { nonce: 7 } => break,
            ServerMessage::Entry { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_project_that_goes_takes_its_roles_along() {
    let (server, mut host) = started();
    let (_, mut ann) = member(&server, &mut host, "editor");
    host.delete("/api/projects/motet").is(204);
    is_out(&mut ann);
}

#[test]
fn a_room_that_goes_to_another_project_leaves_the_members_of_the_first_behind() {
    let (server, mut host) = started();
    let (_, mut ann) = member(&server, &mut host, "editor");
    host.json("POST", "/api/projects", &json!({ "project": "other" })).is(201);
    host.json("PATCH", "/api/rooms/main", &json!({ "project": "other" })).is(200);
    while let Some(ServerMessage::Entry { entry, .. }) = Some(ann.hear()) {
        if matches!(entry.command, Command::Settings(_)) {
            break;
        }
    }
    is_out(&mut ann);
}

#[test]
fn a_link_to_a_project_counts_in_its_rooms_only() {
    let (server, mut host) = started();
    let link = host.json("POST", "/api/projects/motet/links", &json!({ "role": "editor" })).is(201).json();
    let redeem = json!({ "link": link["secret"], "name": "Bob" });
    let token = Http::connect(server.http).json("POST", "/api/auth/redeem", &redeem).is(200).json();
    let session = SessionId(Uuid::new_v4());
    let mut bob = Peer::connect(server.tcp);
    let ClientMessage::Hello(mut greeting) = hello(session) else { panic!() };
    greeting.token = token["token"].as_str().map(str::to_owned);
    bob.say(&ClientMessage::Hello(greeting));
    assert!(matches!(bob.hear(), ServerMessage::Welcome(_)));
    bob.join(1, "main");
    // A change of the members does not touch whoever is there by a link.
    let somebody = SessionId(Uuid::new_v4());
    decide(&mut host, somebody, json!("viewer"));
    decide(&mut host, session, json!("host"));
    assert!(matches!(bob.hear(), ServerMessage::Role { role: Role::Host, .. }));
    decide(&mut host, session, Value::Null);
    assert!(matches!(bob.hear(), ServerMessage::Role { role: Role::Editor, .. }));
    bob.edit(1, 1, insert(0, "x", 0));
    host.json("POST", "/api/projects", &json!({ "project": "other" })).is(201);
    host.json("PATCH", "/api/rooms/main", &json!({ "project": "other" })).is(200);
    while !matches!(&bob.entry().command, Command::Settings(_)) {}
    is_out(&mut bob);
}

#[test]
fn a_project_tells_who_is_in_which_of_its_files() {
    let (server, mut host) = started();
    file(&mut host, "notes", "");
    file(&mut host, "empty", "empty.rs");
    let people = |http: &mut Http| http.get("/api/projects/motet/people");
    assert_eq!(people(&mut host).is(200).json(), json!({ "files": [] }));

    let (session, _ann) = member(&server, &mut host, "editor");
    let (_, mut bob) = member(&server, &mut host, "viewer");
    bob.say(&ClientMessage::Join { channel: 2, room: id("notes"), after: None, log: None, entries_only: true });
    while !matches!(bob.hear(), ServerMessage::Joined { .. }) {}
    server.peer_in("elsewhere");

    let found = people(&mut host).is(200).json();
    let files = found["files"].as_array().unwrap();
    let seen: Vec<_> =
        files.iter().map(|file| (file["path"].as_str().unwrap(), file["present"].as_u64().unwrap())).collect();
    assert_eq!(seen, [("notes", 1), ("src/main.rs", 2)]);
    let ann = json!(session.participant().to_string());
    let of_ann = files[1]["people"].as_array().unwrap().iter().find(|person| person["participant"] == ann).unwrap();
    assert_eq!(of_ann["role"], "editor");

    // Who sees none of the rooms learns nothing of who is there, nor does anybody of a project that there is not.
    let mut stranger = Http::connect(server.http);
    assert_eq!(people(&mut stranger).is(200).json(), json!({ "files": [] }));
    stranger.get("/api/projects/nothing/people").is_problem(404, "not_found");
}

#[test]
fn a_link_that_outlived_its_project_does_not_lead_to_another_one_of_the_same_name() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path().to_owned(), &[]);
    let mut host = Http::connect(server.http);
    host.json("POST", "/api/projects", &json!({ "project": "motet" })).is(201);
    let link = host.json("POST", "/api/projects/motet/links", &json!({ "role": "host" })).is(201).json();
    let redeem = json!({ "link": link["secret"], "name": "Bob" });
    host.json("POST", "/api/auth/redeem", &redeem).is(200);
    drop(host);
    server.stop();
    {
        // As it is where a server ended while it deleted the project, or somebody made the link just then.
        let store = store::open(StoreKind::Sled, data.path(), Durability::Sync).unwrap();
        let project = store.get("project/motet").unwrap();
        assert!(store.compare_and_swap("project/motet", project.as_deref(), None).unwrap());
    }
    let server = Server::start_in(data.path().to_owned(), &[]);
    let mut host = Http::connect(server.http);
    host.json("POST", "/api/projects", &json!({ "project": "motet" })).is(201);
    host.json("POST", "/api/auth/redeem", &redeem).is(404);
    assert_eq!(host.get("/api/projects/motet/links").is(200).json(), json!({ "links": [] }));
}
