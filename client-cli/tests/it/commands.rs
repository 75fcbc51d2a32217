//! The commands, with the real `motet` against a real server.

use std::io::{BufRead, BufReader, Read};

use crate::harness::{Server, line::Line, motet, run_motet};
use serde_json::Value;

#[test]
fn a_text_comes_out_as_it_went_in_now_and_as_it_was() {
    let server = Server::start(&[]);
    assert_eq!(server.motet(&["create", "minutes"]), "minutes\n");
    let (first, second) = ("no end of line: ä𝄞\r\n\u{0}x", "no end of any line: ä𝄞\r\n\u{0}x!");
    server.motet_with(&["put", "minutes", "-"], first);
    assert_eq!(server.motet(&["cat", "minutes"]), first);
    let told = server.motet_with(&["put", "minutes", "-"], second);
    assert_eq!(told, "revision 2: 5 characters inserted, 0 deleted\n");
    assert_eq!(server.motet(&["cat", "minutes"]), second);
    assert_eq!(server.motet(&["cat", "minutes", "--at", "1"]), first);
    assert_eq!(server.motet(&["cat", "minutes", "--at", "0"]), "");
    assert_eq!(server.motet(&["cat", "minutes", "--at", "0s"]), second);
    assert_eq!(server.motet(&["cat", "minutes", "--at", "1h ago"]), "");
    // What is there already is not put again.
    server.motet_with(&["put", "minutes", "-"], second);
    let room: Value = serde_json::from_str(&server.motet(&["show", "minutes", "--json"])).unwrap();
    assert_eq!((&room["head"], &room["text_bytes"]), (&2.into(), &second.len().into()));
    assert!(server.motet(&["rooms"]).starts_with("minutes\t2\t"));
    server.motet(&["rm", "minutes", "--yes"]);
    assert_eq!(server.motet(&["rooms"]), "");
}

#[test]
fn put_changes_only_what_differs_also_in_a_text_that_is_longer_than_one_edit() {
    let server = Server::start(&[]);
    let long: String = (0..60_000).map(|line| format!("line {line} ä\n")).collect();
    server.motet(&["create", "long"]);
    server.motet_with(&["put", "long", "-"], &long);
    let changed = long.replace("line 30000 ", "line thirty thousand ");
    let told = server.motet_with(&["put", "long", "-", "--json"], &changed);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["inserted"].as_u64().unwrap() <= 15, "{told}");
    assert_eq!(server.motet(&["cat", "long"]), changed);
}

#[test]
fn a_text_that_is_too_long_for_its_room_leaves_the_one_that_is_there() {
    let server = Server::start(&["--text-bytes-max", "1000000"]);
    let before = "nine char".repeat(100_000);
    server.motet(&["create", "a"]);
    server.motet_with(&["put", "a", "-"], &before);
    let head = |told: &str| serde_json::from_str::<Value>(told).unwrap()["head"].clone();
    let revision = head(&server.motet(&["show", "a", "--json"]));
    let (code, told) = server.motet_fails(&["put", "a", "-", "--json"], &"another one".repeat(100_000));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["error"]["code"]), (1, &"text_too_large".into()), "{told}");
    assert_eq!(server.motet(&["cat", "a"]), before);
    assert_eq!(head(&server.motet(&["show", "a", "--json"])), revision);
}

#[test]
fn operations_are_applied_line_by_line() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    // An insertion at the place of those that came before it stands to their left.
    let lines = "[\"hello\"]\n\n[5, \" wörld\"]\n{\"base\": 0, \"operation\": [\">\"]}\n";
    server.motet_with(&["apply", "a"], lines);
    assert_eq!(server.motet(&["cat", "a"]), ">hello wörld");
    // A log can be applied to another room, and what a watcher tells.
    server.motet(&["chat", "a", "--say", "not a text"]);
    let log = server.motet(&["log", "a", "--json"]);
    let mut watch = motet(server.tcp, &["watch", "a", "--from", "1", "--presence"]).spawn().unwrap();
    let mut watched = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut lines = String::new();
    while !lines.contains("not a text") {
        lines.push_str(&watched.next().unwrap().unwrap());
        lines.push('\n');
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(lines.starts_with("{\"type\":\"joined\""), "{lines}");
    for (room, lines) in [("b", log), ("c", lines)] {
        server.motet(&["create", room]);
        let told: Value = serde_json::from_str(&server.motet_with(&["apply", room, "--json"], &lines)).unwrap();
        assert_eq!(server.motet(&["cat", room]), ">hello wörld");
        assert_eq!(told["applied"], 3, "{told}");
    }

    let (code, told) = server.motet_fails(&["apply", "a"], "[12, \"!\"]\n[3, \"does not fit\"]\n[13, \"?\"]\n");
    assert_eq!(code, 1);
    assert!(told.contains("line 2"), "{told}");
    assert_eq!(server.motet(&["cat", "a"]), ">hello wörld!");
    for (line, words) in [
        ("hello", "no operation"),
        ("[9223372036854775807, -1]", "line 1"),
        ("{\"base\": 99, \"operation\": [\"x\"]}", "revision 99 does not exist yet"),
    ] {
        let (code, told) = server.motet_fails(&["apply", "a"], line);
        assert_eq!(code, 1, "{line}");
        assert!(told.contains(words), "{line}: {told}");
    }
}

#[test]
fn log_tells_a_part_of_the_history() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    for text in ["a", "ab", "abc", "abcd"] {
        server.motet_with(&["put", "a", "-"], text);
    }
    let log = server.motet(&["log", "a", "--from", "2", "--limit", "2", "--json"]);
    let revisions: Vec<u64> =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [2, 3]);
    assert_eq!(server.motet(&["log", "a", "--from", "5"]), "");
    assert!(server.motet(&["log", "a", "--limit", "1"]).ends_with("\t[\"a\"]\n"));
}

#[test]
fn the_shell_is_told_how_it_ended() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    for (words, code) in [
        (&["create", "a"][..], 1),
        (&["cat", "no-such-room"], 1),
        (&["cat", "a", "--at", "7"], 1),
        (&["put", "a", "/no/such/file"], 1),
        (&["rm", "a"], 2),
        (&["cat", "a", "--at", "soon"], 2),
        (&["frobnicate"], 2),
        (&["--server", "tcp://127.0.0.1:1", "rooms"], 3),
        (&["--server", "ws://127.0.0.1:1", "rooms"], 3),
    ] {
        assert_eq!(server.motet_fails(words, "").0, code, "{words:?}");
    }
    let (_, told) = server.motet_fails(&["cat", "no-such-room", "--json"], "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["error"]["code"], "room_not_found");
    let (code, told) = server.motet_fails(&["cat", "a", "--json", "--at", "soon"], "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["error"]["code"]), (2, &"usage".into()));
    assert!(told["error"]["message"].as_str().unwrap().contains("soon"), "{told}");
    assert!(server.motet(&["--help", "--json"]).contains("Usage:"));
    let not_text = std::env::current_exe().unwrap();
    let (code, told) = server.motet_fails(&["put", "a", not_text.to_str().unwrap()], "");
    assert!(code == 1 && told.contains("no UTF-8 text"), "{told}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = Server::start(&[]);
    server.motet(&["create", "long"]);
    server.motet_with(&["put", "long", "-"], &"a line of text\n".repeat(100_000));
    let mut child = motet(server.tcp, &["cat", "long"]).spawn().unwrap();
    let mut begin = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut begin).unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", ended.status);
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn a_closed_standard_error_is_no_failure() {
    let server = Server::start(&[]);
    for words in [&["cat", "no-such-room"][..], &["cat", "no-such-room", "--json"]] {
        let mut child = motet(server.tcp, words).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(1), "{words:?}");
    }
}

#[test]
fn watch_goes_on_where_it_was_when_its_connection_was_cut() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let line = runtime.block_on(Line::to(server.tcp));
    server.motet(&["create", "a"]);
    server.motet_with(&["put", "a", "-"], "a");
    let mut watch = motet(line.address, &["watch", "a", "--from", "1"]).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let mut types = Vec::new();
    let mut revision = 0;
    for text in ["a", "ab", "abc"] {
        server.motet_with(&["put", "a", "-"], text);
        while revision < text.len() as u64 {
            let event = next();
            types.push(event["type"].as_str().unwrap().to_owned());
            if event["type"] == "entry" {
                revision += 1;
                assert_eq!(event["revision"], revision);
            }
        }
        line.cut();
    }
    let told = types.join(" ");
    assert!(told.starts_with("joined entry disconnected joined entry disconnected joined entry"), "{told}");
    // The room goes away, and the watch with it.
    server.motet(&["rm", "a", "--yes"]);
    let ended = watch.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(run_motet(server.tcp, &["cat", "a"], "").status.code() == Some(1));
}
