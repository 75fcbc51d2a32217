//! Hostile HTTP: everything is answered by a problem document or the end of the connection, and nobody else notices.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::harness::{Server, http::Http};
use serde_json::json;

fn started(flags: &[&str]) -> (Server, Http) {
    let server = Server::start(flags);
    let mut http = Http::connect(server.http);
    http.json("POST", "/api/rooms", &json!({ "room": "notes", "text": "one" })).is(201);
    (server, http)
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn bodies_that_are_wrong_are_told_what_is_wrong_with_them() {
    let (_server, mut http) = started(&[]);
    let mut post = |body: &[u8]| http.send("POST", "/api/rooms", &[JSON], body);
    for bad in [&b""[..], b"{", b"\xff\xfe", b"{\"room\":"] {
        post(bad).is_problem(400, "bad_message");
    }
    for bad in [
        "null",
        "[]",
        "[\"notes\"]",
        "{\"rom\":\"a\"}",
        "{\"room\":\"../etc\"}",
        "{\"text\":7}",
        "{\"settings\":{\"ttl_s\":-1}}",
    ] {
        post(bad.as_bytes()).is_problem(400, "bad_argument");
    }
    http.send("POST", "/api/rooms", &[("content-type", "text/plain")], b"{}").is_problem(415, "bad_message");
    http.send("POST", "/api/rooms", &[], b"{}").is_problem(415, "bad_message");
    http.send("PUT", "/api/rooms/notes/text", &[], b"\xff\xfe").is_problem(400, "bad_message");
    http.send("POST", "/api/rooms/new/import", &[JSON], b"{}").is_problem(415, "bad_message");
    http.json("POST", "/api/rooms/notes/text", &json!({ "base": 1, "operation": [0] }))
        .is_problem(400, "bad_operation");
    assert_eq!(http.get("/api/rooms/notes/text").is(200).text(), "one");
}

#[test]
fn bodies_over_the_limit_are_refused() {
    let (server, mut http) = started(&["--text-bytes-max", "100000"]);
    let long = "x".repeat(100_001);
    http.send("PUT", "/api/rooms/notes/text", &[], long.as_bytes()).is_problem(413, "frame_too_large");
    let mut http = Http::connect(server.http);
    http.send("PUT", "/api/rooms/notes/text", &[], &long.as_bytes()[11..]).is(200);
    // One long text takes the place of another.
    http.send("PUT", "/api/rooms/notes/text", &[], "y".repeat(99_990).as_bytes()).is(200);
    http.json("POST", "/api/rooms/notes/text", &json!({ "base": 3, "operation": ["y".repeat(100), 99_990] }))
        .is_problem(413, "text_too_large");
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(3_000_000));
    http.send("POST", "/api/rooms", &[JSON], large.as_bytes()).is_problem(413, "frame_too_large");
    // One that lies about its length is read no further than it says.
    let mut http = Http::connect(server.http);
    http.raw(b"POST /api/rooms HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    assert!(http.try_answer().is_none_or(|answer| answer.status == 400));
}

#[test]
fn addresses_that_lead_elsewhere_lead_nowhere() {
    let (_server, mut http) = started(&[]);
    for path in [
        "/api/rooms/../../etc/passwd",
        "/api/rooms/%2e%2e%2fetc/text",
        "/api/rooms/notes%00/text",
        "/api/rooms/NOTES",
        "/api/rooms/%ff",
        "/api/rooms//text",
        "/api/rooms/notes/text/",
        "/api/nothing",
        "/api/",
        "/nothing",
        "/api/projects/..%2f..",
        "/api/rooms/notes/versions/%ff",
    ] {
        let answer = http.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    let long = "a".repeat(65);
    http.get(&format!("/api/rooms/{long}")).is_problem(400, "bad_argument");
    for query in
        ["limit=0", "limit=1001", "limit=x", "limit=-1", "mine=perhaps", "after=A", "unknown=1", "limit=1&limit=2"]
    {
        http.get(&format!("/api/rooms?{query}")).is_problem(400, "bad_argument");
    }
    let wrong = http.send("POST", "/api/rooms/notes", &[JSON], b"{}");
    wrong.is_problem(405, "bad_argument");
    assert!(wrong.header("allow").unwrap().contains("PATCH"), "{:?}", wrong.headers);
    http.send("BREW", "/api/rooms", &[], b"").is_problem(405, "bad_argument");
}

#[test]
fn headers_that_are_wrong_or_huge_are_refused() {
    let (server, mut http) = started(&[]);
    let mut with = |name: &str, value: &str| http.send("PUT", "/api/rooms/notes/text", &[(name, value)], b"two");
    for value in ["x", "\"x\"", "12", "\"1\", \"2\"", "\"99999999999999999999\""] {
        with("if-match", value).is_problem(400, "bad_argument");
    }
    with("if-match", "\"7\"").is_problem(404, "revision_unknown");
    with("if-match", "\"1-00000000000000ff\"").is_problem(412, "precondition_failed");
    with("motet-session", "me").is_problem(400, "bad_argument");
    with("idempotency-key", &"k".repeat(129)).is_problem(400, "bad_argument");
    with("authorization", "Basic bWU6bWU=").is_problem(401, "unauthorized");
    with("authorization", &format!("Bearer {}", "t".repeat(9_000))).is_problem(401, "unauthorized");
    assert_eq!(http.get("/api/rooms/notes/text").text(), "one");
    let mut stream = TcpStream::connect(server.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(format!("GET /api/rooms HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1_000_000)).as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    http.get("/api/rooms/notes").is(200);
}

#[test]
fn a_body_that_does_not_come_is_given_up_and_its_place_comes_free() {
    let server = Server::start(&["--connections-max", "3"]);
    let head =
        "POST /api/rooms HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut slow: Vec<Http> = (0..3).map(|_| Http::connect(server.http)).collect();
    slow.iter_mut().for_each(|http| http.raw(head.as_bytes()));
    for http in &mut slow {
        http.answer().is_problem(408, "idle_timeout");
    }
    drop(slow);
    let mut tries = 0;
    while Http::connect(server.http).try_get("/api/rooms").is_none_or(|answer| answer.status != 200) {
        tries += 1;
        assert!(tries < 1_000, "no place came free");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn pages_of_others_cannot_use_the_api_unless_they_are_told_to() {
    let (server, mut http) = started(&[]);
    let answer = http.send("GET", "/api/rooms", &[("origin", "https://example.org")], b"").is(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    server.stop();
    let (_server, mut http) =
        started(&["--cors-origin", "https://example.org", "--cors-origin", "http://localhost:5173"]);
    let mut from = |method: &str, origin: &str| {
        let asks = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "if-match"),
        ];
        let answer = http.send(method, "/api/rooms/notes/text", &asks, b"").is(200);
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from("OPTIONS", "https://example.org").as_deref(), Some("https://example.org"));
    assert_eq!(from("GET", "http://localhost:5173").as_deref(), Some("http://localhost:5173"));
    assert_eq!(from("OPTIONS", "https://evil.example"), None);
    assert_eq!(from("GET", "null"), None);
}
