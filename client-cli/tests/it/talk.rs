//! Chat and comments, with the real `motet` against a real server.

use std::io::{BufRead, BufReader, Write};

use crate::harness::{Server, line::Line, motet, run_motet};
use serde_json::Value;

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `motet` printed: the number of what was said.
fn number(printed: &str) -> u64 {
    printed.trim().parse().unwrap()
}

#[test]
fn what_is_said_is_read_with_its_answers_and_reactions() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    let first = number(&server.motet(&["chat", "a", "--say", "shall we?", "--name", "Ann"]));
    let answer = number(&server.motet(&["chat", "a", "--say", "yes\u{1b}[2J", "--reply", &first.to_string()]));
    server.motet(&["chat", "a", "--react", &first.to_string(), "👍"]);
    server.motet(&["chat", "a", "--say", "later"]);

    let shown = server.motet(&["chat", "a"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[0].ends_with("Ann: shall we?  👍 1  [1 in its thread]"), "{shown}");
    assert!(lines[1].ends_with(": later"), "{shown}");
    let thread = server.motet(&["chat", "a", "--thread", &answer.to_string()]);
    assert!(thread.contains(": yes\\u{1b}[2J") && !thread.contains('\u{1b}'), "{thread:?}");

    let told = json(&server.motet(&["chat", "a", "--json"]));
    assert_eq!((&told[0]["message"], &told[0]["replies"]), (&first.into(), &1.into()));
    assert_eq!(told[0]["author"]["name"], "Ann");
    let newest = json(&server.motet(&["chat", "a", "--history", "1", "--json"]));
    assert_eq!(newest[0]["text"], "later");
    let before = json(&server.motet(&["chat", "a", "--before", &newest[0]["message"].to_string(), "--json"]));
    assert_eq!(before.len(), 1);
    let then = json(&server.motet(&["chat", "a", "--at", &first.to_string(), "--json"]));
    assert_eq!((&then[0]["replies"], &then[0]["reactions"]), (&0.into(), &Value::Array(Vec::new())));

    for (words, code) in [
        (&["--say", ""][..], "bad_argument"),
        (&["--say", "x", "--reply", "99999"], "not_found"),
        (&["--delete", "99999"], "not_found"),
        (&["--rewrite", &first.to_string(), "not mine"], "forbidden"),
        (&["--react", &first.to_string(), "a b"], "bad_argument"),
        (&["--at", "99999"], "revision_unknown"),
    ] {
        let words = [&["chat", "a", "--json"], words].concat();
        let (exit, told) = server.motet_fails(&words, "");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((exit, &told["error"]["code"]), (1, &code.into()), "{words:?}");
    }
    // In a room that is open to everybody, everybody is its host.
    server.motet(&["chat", "a", "--delete", &first.to_string()]);
    let told = json(&server.motet(&["chat", "a", "--json"]));
    assert_eq!((&told[0]["text"], &told[0]["replies"]), (&"".into(), &1.into()));
    assert!(told[0]["deleted"]["by"].is_string());
}

#[test]
fn a_live_chat_shows_what_others_say_and_says_what_is_typed_once_though_its_line_is_cut() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let line = runtime.block_on(Line::to(server.tcp));
    server.motet(&["create", "a"]);
    server.motet(&["chat", "a", "--say", "before"]);
    let mut live = motet(line.address, &["chat", "a", "--live", "--json"]).spawn().unwrap();
    let mut stdin = live.stdin.take().unwrap();
    let mut lines = BufReader::new(live.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["text"], "before");
    for round in 0..4 {
        writeln!(stdin, "typed {round}").unwrap();
        assert!(next()["revision"].is_u64());
        line.cut();
        server.motet(&["chat", "a", "--say", &format!("said {round}")]);
        assert_eq!(next()["command"]["chat"]["say"]["text"], format!("said {round}"));
    }
    drop(stdin);
    assert!(live.wait().unwrap().success());
    let all = json(&server.motet(&["chat", "a", "--json"]));
    let texts: Vec<&str> = all.iter().map(|message| message["text"].as_str().unwrap()).collect();
    let rounds = (0..4).flat_map(|round| [format!("typed {round}"), format!("said {round}")]);
    assert_eq!(texts, [vec!["before".to_owned()], rounds.collect()].concat());
}

/// A command that reads what is given to it at once, however much that is.
#[test]
fn every_line_of_a_pipe_is_said_and_one_that_cannot_be_is_told() {
    const LINES: usize = 600;
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    let lines: String = (0..LINES).map(|line| format!("line {line}\n")).collect();
    server.motet_with(&["chat", "a", "--live", "--history", "0"], &lines);
    let export = server.motet(&["log", "a", "--json"]);
    let said: Vec<String> = json(&export)
        .iter()
        .filter_map(|entry| entry["command"]["chat"]["say"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(said, (0..LINES).map(|line| format!("line {line}")).collect::<Vec<_>>());

    server.motet(&["create", "b"]);
    let mut live = motet(server.tcp, &["chat", "b", "--live", "--json"]).spawn().unwrap();
    live.stdin.take().unwrap().write_all(b"before\n\xff\nafter\n").unwrap();
    let ended = live.wait_with_output().unwrap();
    let told = json(&String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(1), "{told:?}");
    assert!(told[0]["error"]["message"].as_str().unwrap().contains("UTF-8"), "{told:?}");
    let all = json(&server.motet(&["chat", "b", "--json"]));
    assert_eq!(all.iter().map(|message| message["text"].as_str().unwrap()).collect::<Vec<_>>(), ["before", "after"]);

    let long = format!("{}\nshort\n", "x".repeat(100_000));
    let ended = run_motet(server.tcp, &["chat", "b", "--live", "--json"], &long);
    let told = json(&String::from_utf8(ended.stderr).unwrap());
    assert_eq!((ended.status.code(), &told[0]["error"]["code"]), (Some(1), &"bad_argument".into()), "{told:?}");
    assert!(server.motet(&["chat", "b", "--history", "1"]).ends_with(": short\n"));
}

#[test]
fn comments_stay_with_their_text_and_are_answered_and_resolved() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    server.motet_with(&["put", "a", "-"], "first\nsecond\nthird\n");
    let late = number(&server.motet(&["comment", "a", "add", "3", "last line?", "--name", "Ben"]));
    let early = number(&server.motet(&["comment", "a", "add", "2:1-2:4", "why sec?"]));
    let reply = number(&server.motet(&["comment", "a", "reply", &early.to_string(), "because"]));
    server.motet_with(&["put", "a", "-"], "zeroth\nfirst\nsecond\nthird\n");

    let shown = server.motet(&["comment", "a"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("{early}\t3:1\t\"sec\""));
    assert!(lines[2].starts_with(&format!("\t{reply}\t")) && lines[2].ends_with(": because"), "{shown}");
    assert_eq!(lines[3], format!("{late}\t4:1\t\"third\""));
    assert!(lines[4].ends_with("Ben: last line?"), "{shown}");

    server.motet(&["comment", "a", "resolve", &late.to_string()]);
    let told = json(&server.motet(&["comment", "a", "list", "--open", "--json"]));
    assert_eq!(told.iter().map(|comment| comment["comment"].as_u64().unwrap()).collect::<Vec<_>>(), [early]);
    server.motet(&["comment", "a", "reopen", &late.to_string()]);
    server.motet_with(&["put", "a", "-"], "XYZ\n");
    let shown = server.motet(&["comment", "a"]);
    assert_eq!(shown.matches("(its text is gone)").count(), 2, "{shown}");
    // As it was before the answer, the comments stood where they were made.
    let then = json(&server.motet(&["comment", "a", "list", "--at", &(reply - 1).to_string(), "--json"]));
    assert_eq!((&then[0]["start"], &then[0]["items"].as_array().unwrap().len()), (&6.into(), &1));

    server.motet(&["comment", "a", "delete", &early.to_string(), "--item", &reply.to_string()]);
    server.motet(&["comment", "a", "delete", &late.to_string()]);
    let told = json(&server.motet(&["comment", "a", "--json"]));
    assert_eq!((told.len(), &told[0]["items"][1]["text"]), (1, &"".into()));
    for (words, code) in [
        (&["add", "99", "x"][..], "failed"),
        (&["add", "1", ""], "bad_argument"),
        (&["reply", "99999", "x"], "not_found"),
        (&["rewrite", &early.to_string(), "not mine"], "forbidden"),
    ] {
        let words = [&["comment", "a", "--json"], words].concat();
        let (exit, told) = server.motet_fails(&words, "");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((exit, &told["error"]["code"]), (1, &code.into()), "{words:?}");
    }
}
