//! The HTTP API, as people with a script meet it.

use crate::harness::{
    Peer, Server, figure,
    http::{Answer, Http},
    id, insert,
};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::SessionId,
    limits::PROTOCOL_VERSION,
    message::{At, ClientMessage, Command, Hello, Question, ServerMessage},
    ot::Operation,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A server, and a client of it.
fn started(flags: &[&str]) -> (Server, Http) {
    let server = Server::start(flags);
    let http = Http::connect(server.http);
    (server, http)
}

fn make(http: &mut Http, room: &str, text: &str) -> Value {
    http.json("POST", "/api/rooms", &json!({ "room": room, "text": text })).is(201).json()
}

fn put(http: &mut Http, room: &str, headers: &[(&str, &str)], text: &str) -> Answer {
    let headers = [headers, &[("content-type", "text/plain")]].concat();
    http.send("PUT", &format!("/api/rooms/{room}/text"), &headers, text.as_bytes())
}

fn text(http: &mut Http, room: &str) -> String {
    http.get(&format!("/api/rooms/{room}/text")).is(200).text().to_owned()
}

#[test]
fn a_room_is_made_found_changed_and_deleted() {
    let (_server, mut http) = started(&[]);
    let settings = json!({ "title": "Notes", "language": "markdown", "tags": ["b", "a"] });
    let body = json!({ "room": "notes", "settings": settings, "text": "# Héllo\n" });
    let made = http.json("POST", "/api/rooms", &body).is(201);
    assert_eq!(made.header("location"), Some("/api/rooms/notes"));
    let made = made.json();
    assert_eq!((&made["room"], &made["text_bytes"], &made["preview"]), (&json!("notes"), &json!(9), &json!("# Héllo")));
    assert_eq!(made["settings"]["tags"], json!(["a", "b"]));
    http.json("POST", "/api/rooms", &body).is_problem(409, "room_exists");

    make(&mut http, "other", "");
    let rooms = |http: &mut Http, query: &str| -> Vec<String> {
        let rooms = http.get(&format!("/api/rooms{query}")).is(200).json();
        rooms["rooms"].as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rooms(&mut http, ""), ["notes", "other"]);
    assert_eq!(rooms(&mut http, "?name=NOTE"), ["notes"]);
    assert_eq!(rooms(&mut http, "?tag=a&language=markdown"), ["notes"]);
    assert_eq!(rooms(&mut http, "?tag=c"), [""; 0]);
    let page = http.get("/api/rooms?limit=1").json();
    assert_eq!(page["next"], "notes");
    assert_eq!(rooms(&mut http, "?limit=1&after=notes"), ["other"]);

    let changed = http.json("PATCH", "/api/rooms/notes", &json!({ "title": "Minutes", "tags": [] })).is(200).json();
    assert_eq!((&changed["settings"]["title"], &changed["settings"]["tags"]), (&json!("Minutes"), &json!([])));
    assert_eq!(changed["settings"]["language"], "markdown");
    http.json("PATCH", "/api/rooms/notes", &json!({ "titel": "x" })).is_problem(400, "bad_argument");
    http.json("PATCH", "/api/rooms/notes", &json!({ "path": "../x" })).is_problem(400, "bad_argument");
    http.delete("/api/rooms/notes").is(204);
    http.get("/api/rooms/notes").is_problem(404, "room_not_found");
    http.delete("/api/rooms/notes").is_problem(404, "room_not_found");
}

#[test]
fn a_text_is_had_whole_in_part_or_not_at_all_if_one_has_it() {
    let (_server, mut http) = started(&[]);
    let whole = "0123456789é\n".repeat(20_000);
    make(&mut http, "notes", &whole);
    let read = http.get("/api/rooms/notes/text").is(200);
    assert_eq!(read.text(), whole);
    assert_eq!(read.header("content-type"), Some("text/plain; charset=utf-8"));
    let tag = read.header("etag").unwrap().to_owned();
    let with = |http: &mut Http, headers: &[(&str, &str)]| http.send("GET", "/api/rooms/notes/text", headers, b"");
    let unchanged = with(&mut http, &[("if-none-match", &tag)]).is(304);
    assert_eq!((unchanged.header("etag"), unchanged.body.len()), (Some(tag.as_str()), 0));
    let part = with(&mut http, &[("range", "bytes=5-99999")]).is(206);
    assert_eq!(part.body, &whole.as_bytes()[5..100_000]);
    assert_eq!(part.header("content-range").unwrap(), format!("bytes 5-99999/{}", whole.len()));
    let behind = with(&mut http, &[("range", "bytes=9999999-")]);
    behind.is_problem(416, "bad_argument");
    assert_eq!(behind.header("content-range").unwrap(), format!("bytes */{}", whole.len()));
    assert_eq!(with(&mut http, &[("range", "bytes=0-0"), ("if-range", "\"1\"")]).is(200).text(), whole);
    assert_eq!(with(&mut http, &[("range", "bytes=0-0"), ("if-range", &tag)]).is(206).text(), "0");
    put(&mut http, "notes", &[], "new").is(200);
    assert_eq!(with(&mut http, &[("if-none-match", &tag)]).is(200).text(), "new");
    // A room of the same name that is another one.
    let tag = with(&mut http, &[]).header("etag").unwrap().to_owned();
    http.delete("/api/rooms/notes").is(204);
    make(&mut http, "notes", "again");
    put(&mut http, "notes", &[("if-match", &tag)], "x").is_problem(412, "precondition_failed");
}

#[test]
fn the_text_of_every_revision_can_be_had_and_got_back() {
    let (server, mut http) = started(&[]);
    make(&mut http, "notes", "");
    let texts = ["one\n", "one\ntwo\n", "one\nthree\n", "", "four"];
    for text in texts {
        put(&mut http, "notes", &[], text).is(200);
    }
    for (revision, text) in (1..).zip(texts) {
        let read = http.get(&format!("/api/rooms/notes/text?at={revision}")).is(200);
        assert_eq!((read.text(), read.header("motet-revision")), (text, Some(revision.to_string().as_str())));
    }
    assert_eq!(http.get("/api/rooms/notes/text?at=0").is(200).text(), "");
    assert_eq!(http.get("/api/rooms/notes/text?at=1970-01-02").is(200).text(), "");
    assert_eq!(http.get("/api/rooms/notes/text?at=2999-01-01T00:00:00Z").is(200).text(), "four");
    let log = http.get("/api/rooms/notes/log").json();
    let second_ms = log["entries"][1]["time_ms"].as_u64().unwrap();
    assert_eq!(log["entries"].as_array().unwrap().len(), 5);
    assert!(log["entries"][2]["time_ms"].as_u64().unwrap() >= second_ms);
    assert_eq!(http.get("/api/rooms/notes/log?from=4&limit=1").json()["next"], 5);
    for bad in ["at=6", "at=99999999999999999999999"] {
        http.get(&format!("/api/rooms/notes/text?{bad}")).is_problem(404, "revision_unknown");
    }
    for bad in ["at=yesterday", "at=", "at=-1", "when=1"] {
        http.get(&format!("/api/rooms/notes/text?{bad}")).is_problem(400, "bad_argument");
    }

    let named = json!({ "name": "draft 1/2", "revision": 2, "description": "Words." });
    let made = http.json("POST", "/api/rooms/notes/versions", &named).is(201);
    assert_eq!(made.header("location"), Some("/api/rooms/notes/versions/draft%201%2F2"));
    assert_eq!(http.get("/api/rooms/notes/versions/draft%201%2F2").is(200).json()["revision"], 2);
    assert_eq!(http.get("/api/rooms/notes/text?at=version:draft%201/2").is(200).text(), texts[1]);
    http.json("POST", "/api/rooms/notes/versions", &json!({ "name": "now" })).is(201);
    assert_eq!(http.get("/api/rooms/notes/versions").json()["versions"][1]["revision"], 6);

    let restore = |http: &mut Http, at: &str| http.json("POST", "/api/rooms/notes/restore", &json!({ "at": at }));
    // Somebody types while it is restored: both stay.
    let mut peer = server.peer_in("notes");
    let before = text(&mut http, "notes");
    let restored = restore(&mut http, "version:draft 1/2").is(200).json()["revision"].as_u64().unwrap();
    peer.edit(1, restored - 1, insert(before.len() as u64, " five", before.len() as u64));
    let both = text(&mut http, "notes");
    assert!(both.contains("one\n") && both.contains("two\n") && both.contains(" five"), "{both:?}");
    assert_eq!(http.get("/api/rooms/notes/text?at=5").text(), "four", "history stays");
    http.delete("/api/rooms/notes/versions/now").is(204);
    http.delete("/api/rooms/notes/versions/now").is_problem(404, "not_found");
    restore(&mut http, "version:now").is_problem(404, "not_found");
}

#[test]
fn two_revisions_are_compared_for_people_and_for_programs() {
    let (_server, mut http) = started(&[]);
    make(&mut http, "notes", "a\nb\nc\n");
    put(&mut http, "notes", &[], "a\nB\nc\nd").is(200);
    let unified = http.get("/api/rooms/notes/diff?from=1&to=2&format=unified").is(200);
    let due = "--- notes@1\n+++ notes@2\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d\n\\ No newline at end of file\n";
    assert_eq!(unified.text(), due);
    let operation = http.get("/api/rooms/notes/diff?from=1").is(200).json();
    assert_eq!(operation, json!({ "from": 1, "to": 2, "operation": [2, "B", -1, 3, "d"] }));
    assert_eq!(http.get("/api/rooms/notes/diff?from=2&to=1").json()["operation"], json!([2, "b", -1, 3, -1]));
    http.get("/api/rooms/notes/diff").is_problem(400, "bad_argument");
}

#[test]
fn an_operation_is_applied_where_it_was_meant() {
    let (_server, mut http) = started(&[]);
    make(&mut http, "notes", "ac");
    let apply = |http: &mut Http, body: Value| http.json("POST", "/api/rooms/notes/text", &body);
    assert_eq!(apply(&mut http, json!({ "base": 1, "operation": [1, "b", 1] })).is(200).json()["revision"], 2);
    assert_eq!(apply(&mut http, json!({ "base": 1, "operation": ["x", 2] })).is(200).json()["revision"], 3);
    assert_eq!(text(&mut http, "notes"), "xabc");
    apply(&mut http, json!({ "base": 1, "operation": [7] })).is_problem(409, "operation_mismatch");
    apply(&mut http, json!({ "base": 9, "operation": [7, "x"] })).is_problem(404, "revision_unknown");
    for bad in [json!([0]), json!([""]), json!([1.5]), json!([-9_007_199_254_740_993_i64, 1, -5])] {
        let answer = apply(&mut http, json!({ "base": 1, "operation": bad }));
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text());
    }
}

#[test]
fn it_is_told_who_wrote_what_and_who_did_how_much() {
    let (server, mut http) = started(&[]);
    make(&mut http, "notes", "one three");
    let mut peer = server.peer_in("notes");
    peer.edit(1, 1, insert(4, "two ", 9));
    peer.edit(1, 2, Operation::builder().delete(2).retain(11).build().unwrap());
    let blame = http.get("/api/rooms/notes/blame").is(200).json();
    let ranges: Vec<_> = blame["ranges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| {
            (range["start"].as_u64().unwrap(), range["end"].as_u64().unwrap(), range["revision"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(ranges, [(0, 2, 1), (2, 6, 2), (6, 11, 1)]);
    assert_eq!(http.get("/api/rooms/notes/blame?at=1").json()["ranges"].as_array().unwrap().len(), 1);
    let sums = http.get("/api/rooms/notes/statistics").is(200).json();
    let of = |name: &str| sums[name].as_u64().unwrap();
    assert_eq!((of("revision"), of("edits"), of("inserted"), of("deleted")), (3, 3, 13, 2));
    assert_eq!((of("people_count"), of("present"), of("present_max")), (2, 1, 1));
    // What was summed up is not read again, and what came since is in it.
    peer.edit(1, 3, insert(0, "!", 11));
    assert_eq!(http.get("/api/rooms/notes/statistics").json()["edits"], 4);

    let people = http.get("/api/rooms/notes/participants").is(200).json();
    assert_eq!(people["participants"][0]["present"], true);
    http.json("POST", "/api/rooms/notes/versions", &json!({ "name": "draft" })).is(201);
    drop(peer);
    let left = |http: &mut Http| {
        let events = http.get("/api/rooms/notes/activity").is(200).json();
        let names = events["events"].as_array().unwrap().iter().map(|event| event["event"].clone());
        names.collect::<Vec<_>>()
    };
    let mut events = left(&mut http);
    while events.len() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        events = left(&mut http);
    }
    assert_eq!(events, [json!("left"), json!({ "saved": "draft" }), json!("joined")]);
}

#[test]
fn a_role_that_is_taken_away_holds_over_http_too() {
    let (server, mut http) = started(&[]);
    make(&mut http, "notes", "secret");
    let session = "5f0c7c0e-58fd-4c44-9b5e-1f60f5c4d7a1";
    let mut host = Http::connect(server.http);
    host.headers.push(("motet-session", session.to_owned()));
    let body = json!({ "room": "mine", "text": "x", "settings": { "public": "viewer" } });
    host.json("POST", "/api/rooms", &body).is(201);
    assert_eq!(host.get("/api/rooms/mine/roles").json()["role"], "host");
    assert_eq!(http.get("/api/rooms/mine/text").is(200).text(), "x");
    put(&mut http, "mine", &[], "y").is_problem(403, "forbidden");
    put(&mut host, "mine", &[], "y").is(200);
    http.delete("/api/rooms/mine").is_problem(403, "forbidden");
    let guest = motet_protocol::ids::SessionId(uuid::Uuid::from_u128(7));
    http.headers.push(("motet-session", guest.0.to_string()));
    let member = json!({ "participant": guest.participant().to_string() });
    let role = |standing: Value| json!({ "member": member, "standing": standing });
    http.json("PUT", "/api/rooms/mine/roles", &role(json!({ "role": "host" }))).is_problem(403, "forbidden");
    host.json("PUT", "/api/rooms/mine/roles", &role(json!({ "role": "editor" }))).is(200);
    put(&mut http, "mine", &[], "z").is(200);
    host.json("PUT", "/api/rooms/mine/roles", &role(json!("banned"))).is(200);
    http.get("/api/rooms/mine").is_problem(404, "room_not_found");
    host.json("PATCH", "/api/rooms/mine", &json!({ "public": "nobody" })).is(200);
    let mut nobody = Http::connect(server.http);
    nobody.get("/api/rooms/mine/text").is_problem(404, "room_not_found");
    assert!(nobody.get("/api/rooms").json()["rooms"].as_array().unwrap().iter().all(|room| room["room"] != "mine"));
}

#[test]
fn a_request_that_is_sent_twice_is_done_once() {
    let data = tempfile::tempdir().unwrap();
    let key = |key: &'static str| [("idempotency-key", key), ("content-type", "application/json")];
    let change = json!({ "base": 1, "operation": [3, "!"] }).to_string();
    let first = {
        let server = Server::start_in(data.path().to_owned(), &[]);
        let mut http = Http::connect(server.http);
        make(&mut http, "notes", "one");
        let send = |http: &mut Http, path: &str, name, body: &str| http.send("POST", path, &key(name), body.as_bytes());
        let path = "/api/rooms/notes/text";
        let first = send(&mut http, path, "a", &change).is(200).json();
        assert_eq!(send(&mut http, path, "a", &change).is(200).json(), first);
        assert_eq!(send(&mut http, path, "b", &change).is(200).json()["revision"], 3);
        let other = change.replace('!', "?");
        send(&mut http, path, "a", &other).is_problem(422, "precondition_failed");
        send(&mut http, path, "", &change).is_problem(400, "bad_argument");
        // A room without a name is made once, too.
        let rooms: Vec<_> =
            (0..3).map(|_| send(&mut http, "/api/rooms", "c", "{}").is(201).json()["room"].clone()).collect();
        assert!(rooms.iter().all(|room| *room == rooms[0]));
        send(&mut http, "/api/rooms/notes/versions", "d", "{\"name\":\"v\"}").is(201);
        server.stop();
        first
    };
    // The server has forgotten its answers; the log has not.
    let server = Server::start_in(data.path().to_owned(), &[]);
    let mut http = Http::connect(server.http);
    let mut send = |path: &str, name, body: &str| http.send("POST", path, &key(name), body.as_bytes());
    assert_eq!(send("/api/rooms/notes/text", "a", &change).is(200).json(), first);
    send("/api/rooms/notes/text", "a", &change.replace('!', "?")).is(422);
    let room = send("/api/rooms", "c", "{}").is(201).json()["room"].clone();
    assert_eq!(send("/api/rooms/notes/versions", "d", "{\"name\":\"v\"}").is(201).json()["revision"], 3);
    send("/api/rooms/notes/versions", "d", "{\"name\":\"w\"}").is(422);
    assert_eq!(text(&mut http, "notes"), "one!!");
    let rooms = http.get("/api/rooms").json()["rooms"].clone();
    assert_eq!(rooms.as_array().unwrap().iter().filter(|listed| listed["room"] == room).count(), 1);
    assert_eq!(rooms.as_array().unwrap().len(), 2);
}

#[test]
fn a_room_goes_to_another_server_with_its_history() {
    let (server, mut http) = started(&[]);
    make(&mut http, "notes", "one");
    let mut peer = server.peer_in("notes");
    for revision in 1..700 {
        peer.edit(1, revision, insert(0, "ß", revision + 2));
    }
    http.json("POST", "/api/rooms/notes/versions", &json!({ "name": "draft", "revision": 5 })).is(201);
    let file = http.get("/api/rooms/notes/export").is(200);
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"notes.jsonl\""));
    assert_eq!(file.text().lines().count(), 702);
    assert_eq!(http.get("/api/rooms/notes/export?format=text").is(200).text(), text(&mut http, "notes"));

    let (other, mut there) = started(&[]);
    let import = |http: &mut Http, room: &str, body: &[u8]| {
        http.send("POST", &format!("/api/rooms/{room}/import"), &[("content-type", "application/x-ndjson")], body)
    };
    let made = import(&mut there, "copy", &file.body).is(201).json();
    assert_eq!(made["head"], 701);
    assert_eq!(text(&mut there, "copy"), text(&mut http, "notes"));
    assert_eq!(
        there.get("/api/rooms/copy/text?at=version:draft").text(),
        http.get("/api/rooms/notes/text?at=5").text()
    );
    let logs = (there.get("/api/rooms/copy/log?limit=1000").json(), http.get("/api/rooms/notes/log?limit=1000").json());
    assert_eq!(logs.0, logs.1);
    // It is a room as any other.
    let mut peer = other.peer_in("copy");
    peer.edit(1, 701, insert(0, "more ", 702));
    assert!(text(&mut there, "copy").starts_with("more ßß"));
    import(&mut Http::connect(other.http), "copy", &file.body).is_problem(409, "room_exists");

    // What is cut off, or was tampered with, makes no room.
    let lines: Vec<&str> = file.text().split_inclusive('\n').collect();
    let swapped = [&lines[..3], &[lines[4], lines[3]], &lines[5..]].concat().concat();
    let longer = lines.concat().replace("[\"ß\",", "[\"ß\",1,");
    for bad in [lines[..300].concat(), swapped, longer, lines[1..].concat(), String::new(), "{}".to_owned()] {
        // A server that has seen enough closes the connection.
        let answer = import(&mut Http::connect(other.http), "bad", bad.as_bytes());
        assert_eq!(answer.status, 400, "{}", answer.text());
        there.get("/api/rooms/bad").is_problem(404, "room_not_found");
    }
    import(&mut there, "good", &file.body).is(201);
}

#[test]
fn the_rooms_of_a_project_are_its_files() {
    let (server, mut http) = started(&[]);
    http.json("POST", "/api/projects", &json!({ "project": "motet", "title": "Motet" })).is(201);
    http.json("POST", "/api/projects", &json!({ "project": "motet" })).is_problem(409, "bad_argument");
    for (room, path) in [("b", "src/main.rs"), ("a", "src/a/b.rs"), ("c", "README.md"), ("d", "")] {
        let settings = json!({ "project": "motet", "path": path });
        http.json("POST", "/api/rooms", &json!({ "room": room, "settings": settings })).is(201);
    }
    make(&mut http, "elsewhere", "");
    let tree = http.get("/api/projects/motet/tree").is(200).json();
    let paths: Vec<_> = tree["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["README.md", "d", "src/a/b.rs", "src/main.rs"]);

    // A member's role counts in all of its rooms.
    let member = motet_protocol::ids::SessionId(uuid::Uuid::from_u128(9));
    let mut guest = Http::connect(server.http);
    guest.headers.push(("motet-session", member.0.to_string()));
    let mut host = Http::connect(server.http);
    host.headers.push(("motet-session", uuid::Uuid::from_u128(10).to_string()));
    let settings = json!({ "project": "motet", "path": "closed", "public": "nobody" });
    host.json("POST", "/api/rooms", &json!({ "room": "closed", "text": "x", "settings": settings })).is(201);
    guest.get("/api/rooms/closed/text").is_problem(404, "room_not_found");
    let decide = |http: &mut Http, role: Value| {
        let member = json!({ "participant": member.participant().to_string() });
        http.json("PUT", "/api/projects/motet/members", &json!({ "member": member, "role": role }))
    };
    decide(&mut http, json!("viewer")).is(200);
    assert_eq!(guest.get("/api/rooms/closed/text").is(200).text(), "x");
    put(&mut guest, "closed", &[], "y").is_problem(403, "forbidden");
    decide(&mut http, Value::Null).is(200);
    guest.get("/api/rooms/closed/text").is_problem(404, "room_not_found");
    // Nobody becomes a host of others' rooms by making the project that they name.
    let settings = json!({ "project": "unmade", "public": "viewer" });
    host.json("POST", "/api/rooms", &json!({ "room": "theirs", "settings": settings })).is(201);
    guest.json("POST", "/api/projects", &json!({ "project": "unmade" })).is_problem(403, "forbidden");
    host.json("POST", "/api/projects", &json!({ "project": "unmade" })).is(201);
    http.json("PATCH", "/api/projects/motet", &json!({ "title": "Motet!" })).is(200);
    http.delete("/api/projects/motet").is(204);
    http.get("/api/projects/motet").is_problem(404, "not_found");
    http.get("/api/projects/nothing/tree").is_problem(404, "not_found");
    http.get("/api/rooms/a").is(200);
}

#[test]
fn the_server_tells_what_it_is_and_what_can_be_asked_of_it() {
    let (server, mut http) = started(&[]);
    make(&mut http, "notes", "one");
    let told = http.get("/api/server").is(200).json();
    assert_eq!((&told["durability"], &told["store"], &told["entries"]), (&json!("sync"), &json!("sled"), &json!(1)));
    let document = http.get("/api/openapi.json").is(200).json();
    assert!(document["paths"]["/api/rooms/{id}/text"]["put"].is_object(), "{document}");
    let page = http.get("/docs").is(200);
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(!page.text().contains("https://") && page.text().contains("/api/openapi.json"));
    assert_eq!(figure(server.http, "motet_entries_total"), 1.0);
}

#[test]
fn what_is_put_over_http_is_seen_by_who_has_the_room_open() {
    let (server, mut http) = started(&[]);
    let mut peer = server.peer_in("notes");
    put(&mut http, "notes", &[], "over http").is(200);
    let Command::Edit(operation) = peer.entry().command else { panic!("an edit was due") };
    assert_eq!(serde_json::to_value(operation).unwrap(), json!(["over http"]));
    assert_eq!(peer.text("notes", At::Head), "over http");
    peer.say(&ClientMessage::Ask { request: 1, question: Question::DeleteRoom { room: id("notes") } });
    while !matches!(peer.hear(), ServerMessage::Answer { answer: motet_protocol::message::Answer::Deleted { .. }, .. })
    {
    }
    http.get("/api/rooms/notes/text").is_problem(404, "room_not_found");
}

#[test]
fn whoever_has_the_link_comes_in_until_it_is_taken_back() {
    let (server, mut http) = started(&["--auth", "accounts", "--allow-guests"]);
    let account = json!({ "name": "ann", "password": "correct horse battery" });
    let token = http.json("POST", "/api/auth/register", &account).is(201).json()["access_token"].clone();
    let mut ann = Http::connect(server.http);
    ann.headers.push(("authorization", format!("Bearer {}", token.as_str().unwrap())));
    assert_eq!(make(&mut ann, "notes", "secret")["owner"], "ann");
    http.get("/api/rooms/notes/text").is_problem(404, "room_not_found");
    http.json("POST", "/api/rooms/notes/links", &json!({ "role": "host" })).is_problem(404, "room_not_found");
    let made = ann.json("POST", "/api/rooms/notes/links", &json!({ "role": "viewer", "label": "all" })).is(201).json();
    let redeemed =
        http.json("POST", "/api/auth/redeem", &json!({ "link": made["secret"], "name": "Bob" })).is(200).json();
    let mut bob = Http::connect(server.http);
    bob.headers.push(("authorization", format!("Bearer {}", redeemed["token"].as_str().unwrap())));
    assert_eq!(text(&mut bob, "notes"), "secret");
    put(&mut bob, "notes", &[], "x").is_problem(403, "forbidden");
    bob.get("/api/rooms/notes/links").is_problem(403, "forbidden");
    let links = ann.get("/api/rooms/notes/links").is(200).json();
    assert_eq!(links["links"], json!([made["link"]]));
    ann.delete(&format!("/api/rooms/notes/links/{}", made["link"]["id"].as_str().unwrap())).is(204);
    bob.get("/api/rooms/notes/text").is_problem(401, "unauthorized");
    // The author of what is written over HTTP is the account.
    put(&mut ann, "notes", &[], "secret!").is(200);
    let sums = ann.get("/api/rooms/notes/statistics").is(200).json();
    assert_eq!((&sums["people_count"], &sums["people"][0]["author"]["account"]), (&json!(1), &json!("ann")));
}

#[test]
fn what_a_link_allowed_ends_with_it_whatever_else_is_shown_on_the_connection() {
    let (server, mut http) = started(&["--auth", "accounts"]);
    let mut register = |name: &str| {
        let account = json!({ "name": name, "password": "correct horse battery" });
        let token = http.json("POST", "/api/auth/register", &account).is(201).json()["access_token"].clone();
        let token = token.as_str().unwrap().to_owned();
        let mut client = Http::connect(server.http);
        client.headers.push(("authorization", format!("Bearer {token}")));
        (client, token)
    };
    let ((mut ann, _), (mut bob, bobs)) = (register("ann"), register("bob"));
    let settings = json!({ "public": "nobody" });
    ann.json("POST", "/api/rooms", &json!({ "room": "notes", "settings": settings })).is(201);
    let made = ann.json("POST", "/api/rooms/notes/links", &json!({ "role": "editor" })).is(201).json();
    let followed = bob.json("POST", "/api/auth/redeem", &json!({ "link": made["secret"] })).is(200).json();
    let shared = followed["token"].as_str().unwrap().to_owned();
    let mut peer = Peer::connect(server.tcp);
    let session = SessionId(Uuid::new_v4());
    let token = Some(shared.clone());
    peer.say(&ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, token, session, name: String::new() }));
    assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
    peer.join(1, "notes");
    // The account's own token allows less: it takes the place of nothing.
    peer.say(&ClientMessage::Authenticate { request: 1, token: bobs });
    assert_eq!(peer.hear_code(), ErrorCode::Forbidden);
    peer.say(&ClientMessage::Authenticate { request: 2, token: shared });
    assert!(matches!(peer.hear(), ServerMessage::Authenticated { request: 2, .. }));
    ann.delete(&format!("/api/rooms/notes/links/{}", made["link"]["id"].as_str().unwrap())).is(204);
    assert_eq!(peer.hear_code(), ErrorCode::Unauthorized);
    assert!(peer.try_hear().is_none());
}

/// Every way to a room over HTTP, and the role that it takes.
fn ways() -> Vec<(&'static str, &'static str, Value, Role)> {
    let editor = json!({ "member": { "participant": "0000000000000001" }, "standing": { "role": "editor" } });
    vec![
        ("GET", "", Value::Null, Role::Viewer),
        ("GET", "/text", Value::Null, Role::Viewer),
        ("GET", "/text?at=1", Value::Null, Role::Viewer),
        ("GET", "/participants", Value::Null, Role::Viewer),
        ("GET", "/roles", Value::Null, Role::Viewer),
        ("GET", "/log", Value::Null, Role::Viewer),
        ("GET", "/versions", Value::Null, Role::Viewer),
        ("GET", "/diff?from=0", Value::Null, Role::Viewer),
        ("GET", "/blame", Value::Null, Role::Viewer),
        ("GET", "/activity", Value::Null, Role::Viewer),
        ("GET", "/statistics", Value::Null, Role::Viewer),
        ("GET", "/export", Value::Null, Role::Viewer),
        ("GET", "/chat", Value::Null, Role::Viewer),
        ("GET", "/comments", Value::Null, Role::Viewer),
        ("POST", "/text", json!({ "base": 1, "operation": [9, "!"] }), Role::Editor),
        ("PUT", "/text", json!("another text"), Role::Editor),
        ("POST", "/versions", json!({ "name": "v", "revision": 1 }), Role::Editor),
        ("GET", "/versions/v", Value::Null, Role::Viewer),
        ("DELETE", "/versions/v", Value::Null, Role::Editor),
        ("POST", "/restore", json!({ "at": "1" }), Role::Editor),
        ("POST", "/chat", json!({ "text": "hello" }), Role::Editor),
        ("PATCH", "", json!({ "title": "Notes" }), Role::Editor),
        ("PATCH", "", json!({ "public": "host" }), Role::Host),
        ("PATCH", "", json!({ "ttl_s": 3_600 }), Role::Host),
        ("PUT", "/roles", editor, Role::Host),
        ("GET", "/links", Value::Null, Role::Host),
        ("POST", "/links", json!({ "role": "viewer" }), Role::Host),
        ("DELETE", "", Value::Null, Role::Host),
    ]
}

#[test]
fn each_role_may_do_what_it_may_and_no_more_over_http() {
    let (server, mut host) = started(&["--store", "memory"]);
    for standing in [None, Some(Role::Viewer), Some(Role::Editor), Some(Role::Host)] {
        let room = format!("room-{}", standing.map_or("none", Role::as_str));
        make(&mut host, &room, "some text");
        let session = motet_protocol::ids::SessionId(uuid::Uuid::new_v4());
        let role = standing.map_or(json!("banned"), |role| json!({ "role": role.as_str() }));
        let decision = json!({ "member": { "participant": session.participant().to_string() }, "standing": role });
        host.json("PUT", &format!("/api/rooms/{room}/roles"), &decision).is(200);
        let mut http = Http::connect(server.http);
        http.headers.push(("motet-session", session.0.to_string()));
        for (method, path, body, needed) in ways() {
            let exists = standing.is_some_and(|role| role >= Role::Editor);
            if path == "/versions/v" && method == "GET" && !exists && standing.is_some() {
                // Nobody has named it.
                continue;
            }
            let target = format!("/api/rooms/{room}{path}");
            let answer = match &body {
                Value::Null => http.send(method, &target, &[], b""),
                Value::String(text) => http.send(method, &target, &[("content-type", "text/plain")], text.as_bytes()),
                body => http.json(method, &target, body),
            };
            let what = format!("{method} {path} as {standing:?}: {} {}", answer.status, answer.text());
            match standing {
                None => {
                    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("room_not_found")), "{what}")
                }
                Some(role) if role < needed => {
                    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("forbidden")), "{what}");
                }
                Some(_) => assert!((200..300).contains(&answer.status), "{what}"),
            }
        }
    }
}
