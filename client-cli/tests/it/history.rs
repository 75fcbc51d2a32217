//! What happened in a room, and how to get it back, as people use it from a shell.

use std::fs;

use crate::harness::{Server, person::Person};

/// The revision of Ann's edit: the first one says who she is.
const DRAFT: &str = "2";

/// A room whose text is "one\ntwo\n" by Ann, then "one\n2\nthree\n" by Bob.
fn minutes(person: &Person<'_>) {
    person.does(&["create", "minutes"]);
    person.does_with(&["--name", "Ann", "put", "minutes", "-"], "one\ntwo\n");
    person.does(&["versions", "minutes", "--name", "first draft", "--description", "before Bob"]);
    person.does_with(&["--name", "Bob", "put", "minutes", "-"], "one\n2\nthree\n");
}

#[test]
fn a_version_is_named_compared_restored_and_forgotten() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let listed = ann.does(&["versions", "minutes"]);
    assert!(listed.starts_with("2\t") && listed.ends_with("\tfirst draft\tbefore Bob\n"), "{listed}");
    let diff = ann.does(&["diff", "minutes", "first draft"]);
    let (names, hunk) = diff.split_once("@@").unwrap();
    assert!(names.starts_with("--- minutes@2\n+++ minutes@"), "{names}");
    assert!(hunk.ends_with("\n one\n-two\n+2\n+three\n"), "{hunk}");
    assert_eq!(ann.does(&["diff", "minutes", "0", DRAFT]).lines().last(), Some("+two"));

    let restored = ann.json(&["restore", "minutes", "first draft"]);
    assert_eq!(ann.does(&["cat", "minutes"]), "one\ntwo\n");
    let revision = restored[0]["revision"].to_string();
    ann.does(&["versions", "minutes", "--name", "17", "--at", &revision]);
    assert_eq!(ann.json(&["diff", "minutes", "first draft", "version:17"])[0]["to"].to_string(), revision);
    ann.does(&["versions", "minutes", "--remove", "first draft"]);
    assert_eq!(ann.json(&["versions", "minutes"]).len(), 1);
    assert_eq!(ann.refused(&["restore", "minutes", "first draft"]), "not_found");
}

#[test]
fn blame_tells_who_changed_each_line_last() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let by = |words: &[&str]| -> Vec<(String, String)> {
        let lines = ann.json(words);
        let of = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        lines.iter().map(|line| (of(&line["author"]["name"]), of(&line["text"]))).collect()
    };
    let owned = |lines: &[(&str, &str)]| -> Vec<(String, String)> {
        lines.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    assert_eq!(by(&["blame", "minutes"]), owned(&[("Ann", "one"), ("Bob", "2"), ("Bob", "three")]));
    assert_eq!(by(&["blame", "minutes", "--at", "first draft"]), owned(&[("Ann", "one"), ("Ann", "two")]));
    assert!(by(&["blame", "minutes", "--at", "0"]).is_empty());
    let printed = ann.does(&["blame", "minutes"]);
    assert!(printed.lines().next().unwrap().starts_with("2 Ann 20"), "{printed}");
    assert!(printed.ends_with(" 3) three\n"), "{printed}");
}

#[test]
fn stats_add_up() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let stats = &ann.json(&["stats", "minutes"])[0];
    assert_eq!(stats["edits"], 2);
    let number = |name: &str| stats[name].as_u64().unwrap();
    assert_eq!(number("inserted") - number("deleted"), "one\n2\nthree\n".len() as u64);
    let printed = ann.does(&["stats", "minutes"]);
    assert!(printed.contains("\n  Ann ") && printed.contains("\n  Bob "), "{printed}");
}

#[test]
fn a_room_moves_to_another_server_with_its_history() {
    let (here, there) = (Server::start(&[]), Server::start(&[]));
    let (ann, bob) = (Person::at(&here), Person::at(&there));
    minutes(&ann);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("minutes.jsonl");
    let path = file.to_str().unwrap();
    let told = &ann.json(&["export", "minutes", "-o", path])[0];
    assert_eq!(told["bytes"].as_u64(), Some(fs::metadata(&file).unwrap().len()));
    assert_eq!(ann.does(&["export", "minutes"]), fs::read_to_string(&file).unwrap());
    assert_eq!(ann.does(&["export", "minutes", "--format", "text"]), "one\n2\nthree\n");

    bob.does(&["import", "copied", path]);
    assert_eq!(bob.does(&["cat", "copied"]), "one\n2\nthree\n");
    assert_eq!(bob.does(&["cat", "copied", "--at", DRAFT]), "one\ntwo\n");
    let theirs = bob.does(&["log", "copied", "--json"]);
    assert_eq!(theirs, ann.does(&["log", "minutes", "--json"]));
    bob.does_with(&["import", "piped", "-"], &fs::read_to_string(&file).unwrap());
    assert_eq!(bob.does(&["log", "piped", "--json"]), theirs);
}

#[test]
fn an_import_that_cannot_be_leaves_no_room_and_says_why() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let log = ann.does(&["export", "minutes"]);
    let (exit, code, _) = ann.fails_with(&["import", "minutes", "-"], &log);
    assert_eq!((exit, code.as_str()), (1, "room_exists"));
    let cut = log.trim_end().rsplit_once('\n').unwrap().0;
    for bad in ["", "hello\n", cut] {
        let (exit, code, told) = ann.fails_with(&["import", "copy", "-"], bad);
        assert_eq!((exit, code.as_str()), (1, "bad_message"), "{bad}: {told}");
    }
    // Far more than fits between the two processes, refused before it is read.
    let long = log + &"{\"not\":\"an entry\"}\n".repeat(500_000);
    assert_eq!(ann.fails_with(&["import", "minutes", "-"], &long).1, "room_exists");
    let (_, code, told) = ann.fails_with(&["import", "copy", "-"], &long);
    assert_eq!(code, "bad_message", "{told}");
    assert_eq!(ann.refused(&["cat", "copy"]), "room_not_found");
}

#[test]
fn settings_are_changed_and_taken_away() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    ann.does(&["set", "minutes", "--title", "Minutes", "--tags", "a,b", "--language", "markdown"]);
    let settings = &ann.json(&["show", "minutes"])[0]["settings"];
    assert_eq!((&settings["title"], &settings["tags"]), (&"Minutes".into(), &serde_json::json!(["a", "b"])));
    ann.does(&["set", "minutes", "--title", ""]);
    let settings = &ann.json(&["show", "minutes"])[0]["settings"];
    assert_eq!((&settings["title"], &settings["language"]), (&"".into(), &"markdown".into()));
    assert_eq!(ann.fails_with(&["set", "minutes"], "").0, 2);
}

#[test]
fn the_shell_is_told_how_it_ended() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    for words in [
        &["versions", "none"][..],
        &["diff", "none", "0"],
        &["blame", "none"],
        &["restore", "none", "0"],
        &["stats", "none"],
        &["role", "none"],
        &["set", "none", "--title", "x"],
        &["export", "none"],
    ] {
        assert_eq!(ann.refused(words), "room_not_found", "{words:?}");
        let (exit, code, _) = ann.fails_with(&[words, &["--http", "http://127.0.0.1:1"]].concat(), "");
        assert_eq!((exit, code.as_str()), (3, "no_connection"), "{words:?}");
    }
    assert_eq!(ann.refused(&["diff", "minutes", "99"]), "revision_unknown");
    assert_eq!(ann.refused(&["diff", "minutes", "tomorrow"]), "not_found");
    // An export that fails leaves no file.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("none.jsonl");
    ann.refused(&["export", "none", "-o", file.to_str().unwrap()]);
    assert!(!file.exists());
}

#[test]
fn equal_texts_have_no_diff() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let head = ann.json(&["show", "minutes"])[0]["head"].to_string();
    assert_eq!(ann.does(&["diff", "minutes", &head, "head"]), "");
    assert!(ann.does(&["diff", "minutes", "0"]).starts_with("--- "));
}

#[test]
fn a_name_that_is_in_use_is_moved_only_on_request() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    ann.does(&["versions", "minutes", "--name", "first", "--at", "1"]);
    let (exit, _, told) = ann.fails_with(&["versions", "minutes", "--name", "first", "--at", "2"], "");
    assert_eq!(exit, 1);
    assert!(told.contains("revision 1") && told.contains("--move"), "{told}");
    ann.does(&["versions", "minutes", "--name", "first", "--at", "2", "--move"]);
    let listed = ann.json(&["versions", "minutes"]);
    assert!(listed.iter().any(|version| version["name"] == "first" && version["revision"] == 2), "{listed:?}");
}

#[test]
fn a_room_is_not_restored_to_a_time_before_it_existed() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    minutes(&ann);
    let (exit, _, told) = ann.fails_with(&["restore", "minutes", "10m"], "");
    assert_eq!(exit, 1);
    assert!(told.contains("younger"), "{told}");
    assert_eq!(ann.does(&["cat", "minutes"]), "one\n2\nthree\n");
}

#[test]
fn a_file_that_is_no_export_is_refused_with_a_hint() {
    let server = Server::start(&[]);
    let ann = Person::at(&server);
    for (input, hint) in [("plain text\n", "motet put"), ("\u{1f}\u{8b}", "motet put")] {
        let (exit, code, told) = ann.fails_with(&["import", "copy", "-"], input);
        assert_eq!((exit, code.as_str()), (1, "bad_message"), "{told}");
        assert!(told.contains("line 1") && told.contains(hint), "{told}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("minutes.jsonl.gz");
    fs::write(&file, [0x1f, 0x8b, 8, 0]).unwrap();
    let (_, _, told) = ann.fails_with(&["import", "copy", file.to_str().unwrap()], "");
    assert!(told.contains("gunzip"), "{told}");
}
