//! Web pages: those of other sites, and those whose names were pointed at this machine, get nowhere.

use crate::harness::{
    Server,
    http::{Answer, Http},
};
use serde_json::json;

const UPGRADE: [(&str, &str); 4] = [
    ("upgrade", "websocket"),
    ("connection", "upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// What a request with these headers and no others is answered.
fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: 0\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut http = Http::connect(server.http);
    http.raw(format!("{head}\r\n").as_bytes());
    http.answer()
}

/// What a WebSocket of a page is answered.
fn open(server: &Server, headers: &[(&str, &str)]) -> Answer {
    ask(server, "GET", "/ws", &[&UPGRADE[..], headers].concat())
}

#[test]
fn a_page_of_another_site_opens_no_websocket() {
    let server = Server::start(&["--cors-origin", "https://wiki.example"]);
    let host = server.http.to_string();
    let own = format!("http://{host}");
    open(&server, &[("host", &host)]).is(101);
    open(&server, &[("host", &host), ("origin", &own)]).is(101);
    open(&server, &[("host", &host), ("origin", "https://wiki.example")]).is(101);
    for origin in ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "null", "https://wiki.example:444"]
    {
        open(&server, &[("host", &host), ("origin", origin)]).is_problem(403, "forbidden");
        let forwarded = ("x-forwarded-host", origin.trim_start_matches("https://"));
        open(&server, &[("host", &host), ("origin", origin), forwarded]).is_problem(403, "forbidden");
    }
    // A second one does not make up for the first.
    open(&server, &[("host", &host), ("origin", "https://evil.example"), ("origin", &own)])
        .is_problem(403, "forbidden");
}

#[test]
fn behind_a_proxy_a_page_is_the_servers_own_by_what_the_proxy_saw() {
    let server = Server::start(&["--proxies", "1"]);
    let seen = |origin, forwarded| {
        open(&server, &[("host", "127.0.0.1:6683"), ("origin", origin), ("x-forwarded-host", forwarded)])
    };
    seen("https://motet.example", "motet.example").is(101);
    seen("https://evil.example", "evil.example, motet.example").is_problem(403, "forbidden");
}

#[test]
fn a_page_of_another_site_changes_nothing_and_programs_do() {
    let server = Server::start(&[]);
    let host = server.http.to_string();
    let mut http = Http::connect(server.http);
    http.json("POST", "/api/rooms", &json!({ "room": "notes", "text": "one" })).is(201);
    let evil = [("host", host.as_str()), ("origin", "https://evil.example")];
    ask(&server, "DELETE", "/api/rooms/notes", &evil).is_problem(403, "forbidden");
    ask(&server, "POST", "/api/rooms", &evil).is_problem(403, "forbidden");
    let own = format!("http://{host}");
    ask(&server, "PUT", "/api/rooms/notes/text", &[("host", &host), ("origin", &own)]).is(200);
    assert_eq!(http.get("/api/rooms/notes/text").text(), "");
    ask(&server, "DELETE", "/api/rooms/notes", &[("host", &host)]).is(204);
}

#[test]
fn a_name_that_was_pointed_at_this_machine_leads_nowhere() {
    let server = Server::start(&["--allow-host", "box.lan", "--cors-origin", "https://wiki.example"]);
    for host in ["evil.example:6683", "localhost.evil.example", "", "a@localhost"] {
        // To its browser the page is of the server's own site.
        let origin = format!("http://{host}");
        let rebound = [("host", host), ("origin", origin.as_str())];
        open(&server, &rebound).is_problem(403, "forbidden");
        for (method, path) in
            [("GET", "/api/rooms"), ("POST", "/api/rooms"), ("GET", "/"), ("GET", "/metrics"), ("GET", "/x")]
        {
            ask(&server, method, path, &rebound).is_problem(403, "forbidden");
        }
    }
    for host in ["localhost:6683", "127.0.0.1:6683", "[::1]:6683", "BOX.lan:80", "wiki.example", "a.localhost"] {
        ask(&server, "GET", "/api/rooms", &[("host", host)]).is(200);
    }
    let mut old = Http::connect(server.http);
    old.raw(b"GET /api/rooms HTTP/1.0\r\n\r\n");
    old.answer().is(200);
}

#[test]
fn a_server_with_accounts_goes_by_any_name_unless_it_is_told_which() {
    let any = Server::start(&["--auth", "accounts"]);
    ask(&any, "GET", "/healthz", &[("host", "motet.example")]).is(200);
    let named = Server::start(&["--auth", "accounts", "--allow-host", "motet.example"]);
    ask(&named, "GET", "/healthz", &[("host", "motet.example")]).is(200);
    ask(&named, "GET", "/healthz", &[("host", "evil.example")]).is_problem(403, "forbidden");
}
