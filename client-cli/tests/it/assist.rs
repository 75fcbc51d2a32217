//! Summaries, completion, and who is in which file of a project, as people use them from a shell.

use crate::harness::{Server, client, id, person::Person};

#[test]
fn a_summary_tells_what_happened_in_words_and_as_json() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    ann.does(&["create", "minutes"]);
    ann.does_with(&["--name", "Ann", "put", "minutes", "-"], "one\ntwo\n");
    let before_ben = ann.json(&["show", "minutes"])[0]["head"].to_string();
    ann.does_with(&["--name", "Ben", "put", "minutes", "-"], "one\ntwo\nthree\n");
    ann.does(&["chat", "minutes", "--say", "shall we\u{1b}[2J?", "--name", "Ben"]);

    let whole = ann.does(&["summary", "minutes"]);
    assert!(whole.contains("- Ann: wrote 8 characters") && whole.contains("- Ben: wrote 6 characters"), "{whole}");
    assert!(whole.contains("shall we") && !whole.contains('\u{1b}'), "{whole:?}");
    let since = ann.does(&["summary", "minutes", "--since", &before_ben]);
    assert!(!since.contains("Ann") && since.contains("- Ben: wrote 6 characters"), "{since}");
    let until = ann.does(&["summary", "minutes", "--to", &before_ben]);
    assert!(until.contains("Ann") && !until.contains("Ben"), "{until}");

    let told = &ann.json(&["summary", "minutes", "--since", &before_ben])[0];
    assert_eq!((&told["room"], &told["facts"]["span"]["after"].to_string()), (&"minutes".into(), &before_ben));
    assert_eq!(told["text"].as_str().unwrap().lines().count(), since.lines().count());
    assert_eq!(ann.refused(&["summary", "minutes", "--since", "head", "--to", "1"]), "bad_argument");
    assert_eq!(ann.refused(&["summary", "nowhere"]), "room_not_found");
}

#[test]
fn a_text_is_completed_at_a_place() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    ann.does(&["create", "main-rs", "--language", "rust"]);
    ann.does_with(&["put", "main-rs", "-"], "let straße = 1;\nlet x = str\n");
    let found = ann.json(&["complete", "main-rs", "--at", "2:12"]);
    let word = found.iter().find(|completion| completion["insert"] == "straße").unwrap();
    assert_eq!((&word["kind"], &word["from"]), (&"word".into(), &24.into()));
    assert_eq!(ann.json(&["complete", "main-rs", "--at", "27"]), found, "the same place by its number");
    assert_eq!(ann.json(&["complete", "main-rs", "--at", "2:12", "--limit", "1"]), found[..1]);

    let rows = ann.does(&["complete", "main-rs", "--at", "2:12"]);
    let row = rows.lines().find(|row| row.starts_with("word\t24\tstraße\t"));
    assert!(row.is_some(), "{rows}");
    let rows: Vec<_> = rows.lines().collect();
    assert_eq!(rows.len(), found.len(), "what is inserted in several lines takes one here: {rows:?}");
    for nowhere in ["3:2", "4:1", "1:17", "1000"] {
        assert_eq!(ann.refused(&["complete", "main-rs", "--at", nowhere]), "failed", "{nowhere}");
    }
}

#[test]
fn a_project_shows_who_is_in_which_of_its_files() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    for (room, path) in [("main-rs", "src/main.rs"), ("empty", "empty.rs")] {
        ann.does(&["create", room, "--project", "motet", "--path", path]);
    }
    assert_eq!(ann.does(&["who", "--project", "motet"]), "");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (there, _room, _events) = runtime.block_on(async {
        let there = client(server.tcp).await;
        let (room, events) = there.join(id("main-rs")).await.unwrap();
        (there, room, events)
    });
    let participant = there.welcome().participant.to_string();
    assert_eq!(ann.does(&["who", "--project", "motet"]), format!("src/main.rs\t{participant}\t-\thost\n"));
    let told = &ann.json(&["who", "--project", "motet"])[0];
    assert_eq!((&told["room"], &told["present"]), (&"main-rs".into(), &1.into()));
    assert_eq!(told["people"][0]["participant"], participant);
    assert_eq!(ann.refused(&["who", "--project", "nothing"]), "not_found");
}
