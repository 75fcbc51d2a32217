//! Editing histories and load, with the real `motet` against a real server.

use std::{fmt::Write, path::PathBuf};

use crate::harness::Server;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

struct Trace {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Trace {
    fn of(trace: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.json");
        std::fs::write(&path, trace.to_string()).unwrap();
        Self { _directory: directory, path }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A sequential history with letters of one to four bytes, transactions of none to three patches, and the text after
/// each of them.
fn sequential(seed: u64, start: &str) -> (Value, Vec<String>) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut text: Vec<char> = start.chars().collect();
    let (mut transactions, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..80 {
        let mut patches = Vec::new();
        for _ in 0..random.random_range(0..4) {
            let at = random.random_range(0..=text.len());
            let deleted = random.random_range(0..3).min(text.len() - at);
            let inserted = ["", "a", "ß", "line\n", "𝄞é", "e\u{301}"][random.random_range(0..6)];
            text.splice(at..at + deleted, inserted.chars());
            patches.push(json!([at, deleted, inserted]));
        }
        transactions.push(json!({ "patches": patches }));
        texts.push(text.iter().collect());
    }
    let end: String = text.iter().collect();
    (json!({ "startContent": start, "endContent": end, "txns": transactions }), texts)
}

#[test]
fn the_text_at_a_revision_is_the_trace_after_as_many_edits() {
    let server = Server::start(&[]);
    let (trace, texts) = sequential(1, "");
    let file = Trace::of(&trace);
    for (room, more) in [("one", &[][..]), ("three", &["--clients", "3"])] {
        let words: Vec<&str> = ["replay", room, file.path(), "--json"].iter().chain(more).copied().collect();
        let report: Value = serde_json::from_str(&server.motet(&words)).unwrap();
        assert_eq!(report["revision"], 80);
        assert_eq!(report["edits"], 80);
        assert_eq!(report["server_equal"], true);
        for edits in [1, 2, 17, 40, 79, 80] {
            let text = server.motet(&["cat", room, "--at", &edits.to_string()]);
            assert_eq!(text, texts[edits - 1], "{room} after {edits} edits");
        }
    }
}

#[test]
fn a_trace_that_begins_with_a_text_ends_at_its_end_over_websocket_too() {
    let server = Server::start(&[]);
    let (trace, texts) = sequential(2, "it begins 𝄞 here");
    let file = Trace::of(&trace);
    let websocket = format!("ws://{}", server.http);
    server.motet(&["--server", &websocket, "replay", "a", file.path(), "--clients", "2"]);
    assert_eq!(server.motet(&["cat", "a"]), texts[79]);
    assert_eq!(server.motet(&["cat", "a", "--at", "1"]), "it begins 𝄞 here");
    assert_eq!(server.motet(&["cat", "a", "--at", "11"]), texts[9]);
    // A room that holds the first text already is as good as none.
    server.motet(&["create", "b"]);
    server.motet_with(&["put", "b", "-"], "it begins 𝄞 here");
    server.motet(&["replay", "b", file.path()]);
    assert_eq!(server.motet(&["cat", "b"]), texts[79]);
}

/// Five agents, each typing and deleting in a field of its own, as they see the others come and go.
///
/// An agent's view is its own edits and a beginning of the trace, so its parents are the last edit of each agent in it. What
/// each has seen is kept as a text here, in the plainest way, to count positions in it.
fn concurrent(seed: u64) -> (Value, String) {
    const AGENTS: usize = 5;
    let mut random = StdRng::seed_from_u64(seed);
    // Agent 0 lays out the fields: "0|1|2|3|4|". What is typed goes before a field's bar.
    let mut begin = String::new();
    for agent in 0..AGENTS {
        write!(begin, "{agent}|").unwrap();
    }
    let mut transactions = vec![json!({ "parents": [], "numChildren": 1, "agent": 0, "patches": [[0, 0, begin]] })];
    // Each field after each of its agent's edits, and at which transaction that was.
    let mut fields: Vec<Vec<(usize, String)>> = (0..AGENTS).map(|agent| vec![(0, agent.to_string())]).collect();
    let mut seen = [1; AGENTS];
    for index in 1..300 {
        let agent = random.random_range(0..AGENTS);
        if random.random_bool(0.4) {
            seen[agent] = random.random_range(seen[agent]..=index);
        }
        let own_last = fields[agent].last().unwrap().0;
        let visible = |other: usize| match other == agent {
            true => &fields[other].last().unwrap().1,
            false => &fields[other].iter().rfind(|(at, _)| *at < seen[agent]).unwrap().1,
        };
        let before: usize = (0..agent).map(|other| visible(other).chars().count() + 1).sum();
        let mut field: Vec<char> = visible(agent).chars().collect();
        let at = random.random_range(1..=field.len());
        let deleted = random.random_range(0..2).min(field.len() - at);
        let inserted = ["x", "é", "𝄞", "yz"][random.random_range(0..4)];
        field.splice(at..at + deleted, inserted.chars());
        let last_seen = |other: usize| match other == agent {
            true => own_last,
            false => fields[other].iter().rfind(|(at, _)| *at < seen[agent]).unwrap().0,
        };
        let parents: Vec<usize> = (0..AGENTS).map(last_seen).collect();
        let patches = json!([[before + at, deleted, inserted]]);
        fields[agent].push((index, field.into_iter().collect()));
        transactions.push(json!({ "parents": parents, "numChildren": 0, "agent": agent, "patches": patches }));
    }
    let mut end = String::new();
    for field in &fields {
        write!(end, "{}|", field.last().unwrap().1).unwrap();
    }
    (json!({ "kind": "concurrent", "endContent": end, "numAgents": AGENTS, "txns": transactions }), end)
}

#[test]
fn agents_that_see_each_other_late_end_at_the_same_text() {
    let server = Server::start(&[]);
    for seed in 0..6 {
        let (trace, end) = concurrent(seed);
        let file = Trace::of(&trace);
        let room = format!("room-{seed}");
        let report: Value = serde_json::from_str(&server.motet(&["replay", &room, file.path(), "--json"])).unwrap();
        assert_eq!(report["replicas_equal"], 5, "seed {seed}");
        assert_eq!(report["revision"], 300, "seed {seed}");
        assert_eq!(server.motet(&["cat", &room]), end, "seed {seed}");
    }
}

#[test]
fn a_trace_that_does_not_fit_is_refused_with_what_is_wrong() {
    let server = Server::start(&[]);
    let (mut trace, _) = sequential(3, "");
    let good = Trace::of(&trace);
    trace["endContent"] = json!("something else");
    let (code, told) = server.motet_fails(&["replay", "wrong-end", Trace::of(&trace).path()], "");
    assert_eq!(code, 1);
    assert!(told.contains("final text"), "{told}");

    server.motet(&["create", "full"]);
    server.motet_with(&["put", "full", "-"], "taken");
    let (code, told) = server.motet_fails(&["replay", "full", good.path()], "");
    assert_eq!(code, 1);
    assert!(told.contains("take another room"), "{told}");
    assert_eq!(server.motet(&["cat", "full"]), "taken");

    trace["txns"][7]["patches"] = json!([[1_000_000, 0, "x"]]);
    let (code, told) = server.motet_fails(&["replay", "bad", Trace::of(&trace).path()], "");
    assert_eq!(code, 1);
    assert!(told.contains("transaction 7:"), "{told}");
    // It was found before anything was sent.
    assert_eq!(server.motet_fails(&["show", "bad"], "").0, 1);

    let concurrent = Trace::of(&concurrent(1).0);
    assert_eq!(server.motet_fails(&["replay", "x", concurrent.path(), "--clients", "2"], "").0, 2);
    assert_eq!(server.motet_fails(&["replay", "x", "/no/such/trace"], "").0, 1);
}

#[test]
fn load_ends_with_equal_texts_and_leaves_no_rooms() {
    let server = Server::start(&[]);
    let http = format!("http://{}", server.http);
    let websocket = format!("ws://{}", server.http);
    let short = ["load", "--rooms", "3", "--readers", "1", "--seconds", "0.5", "--warmup", "0.1", "--json"];
    for more in [["--http", http.as_str()], ["--server", websocket.as_str()]] {
        let words: Vec<&str> = short.iter().chain(&more).copied().collect();
        let report: Value = serde_json::from_str(&server.motet(&words)).unwrap();
        assert_eq!(report["rooms_equal"], 3);
        assert!(report["edits"].as_u64().unwrap() > 50, "{report}");
        assert!(report["server_cpu_us_per_edit"].as_f64().unwrap() > 0.0, "{report}");
        assert!(report["to_screen_us"]["p99"].as_u64() >= report["to_screen_us"]["p50"].as_u64());
    }
    assert_eq!(server.motet(&["rooms"]), "");
}
