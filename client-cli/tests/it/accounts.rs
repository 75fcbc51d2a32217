//! Accounts, sessions, roles and links, as people use them from a shell.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use crate::harness::{
    Server,
    person::{Person, printed},
};
use serde_json::Value;

const PASSWORD: &str = "correct horse battery\n";

fn server() -> Server {
    Server::start(&["--auth", "accounts"])
}

fn registered<'a>(server: &'a Server, name: &str) -> Person<'a> {
    let person = Person::at(server);
    person.does_with(&["register", name], PASSWORD);
    person
}

/// What is kept of the one server.
fn kept(person: &Person<'_>) -> Value {
    let file: Value = serde_json::from_str(&fs::read_to_string(person.credentials()).unwrap()).unwrap();
    file["servers"].as_object().unwrap().values().next().cloned().unwrap_or(Value::Null)
}

/// Makes the access token that is kept one that has expired, as far as `motet` knows.
fn expire(person: &Person<'_>) {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(person.credentials()).unwrap()).unwrap();
    for signed_in in file["servers"].as_object_mut().unwrap().values_mut() {
        signed_in["access_expires_ms"] = 0.into();
    }
    fs::write(person.credentials(), file.to_string()).unwrap();
}

#[test]
fn every_command_acts_for_the_account_until_it_signs_out() {
    let server = server();
    let (ann, stranger) = (registered(&server, "ann"), Person::at(&server));
    ann.does(&["create", "minutes"]);
    ann.does_with(&["put", "minutes", "-"], "hello");
    assert_eq!(ann.json(&["show", "minutes"])[0]["owner"], "ann");
    assert_eq!(ann.json(&["stats", "minutes"])[0]["people"][0]["author"]["account"], "ann");
    let token = ann.does(&["token"]);
    assert!(token.starts_with("mta_") && token.ends_with('\n'), "{token}");
    assert_eq!(stranger.does(&["cat", "minutes", "--token", token.trim()]), "hello");

    assert_eq!(stranger.refused(&["cat", "minutes"]), "unauthorized");
    assert_eq!(stranger.refused(&["versions", "minutes"]), "unauthorized");
    assert_eq!(stranger.refused(&["token"]), "failed");
    assert_eq!(ann.refused(&["cat", "minutes", "--token", ""]), "unauthorized");

    assert!(ann.does(&["logout"]).starts_with("ann is signed out"));
    assert_eq!(ann.refused(&["cat", "minutes"]), "unauthorized");
    assert_eq!(stranger.refused(&["cat", "minutes", "--token", token.trim()]), "unauthorized");
    assert!(ann.does(&["logout"]).starts_with("no account was signed in"));
    assert!(!fs::read_to_string(ann.credentials()).unwrap().contains("mt"));

    ann.does_with(&["login", "ann"], PASSWORD);
    assert_eq!(ann.does(&["cat", "minutes"]), "hello");
}

#[test]
fn a_wrong_name_password_or_server_is_told_as_the_server_tells_it() {
    let server = server();
    let ann = registered(&server, "ann");
    let codes = |words: &[&str], input: &str| {
        let (exit, code, _) = ann.fails_with(words, input);
        (exit, code)
    };
    assert_eq!(codes(&["login", "ann"], "wrong password\n"), (1, "unauthorized".to_owned()));
    assert_eq!(codes(&["login", "bob"], PASSWORD), (1, "unauthorized".to_owned()));
    assert_eq!(codes(&["login", "ann"], ""), (2, "usage".to_owned()));
    assert_eq!(codes(&["register", "ann"], PASSWORD), (1, "account_exists".to_owned()));
    assert_eq!(codes(&["register", "bob"], "short\n"), (1, "bad_argument".to_owned()));
    assert_eq!(codes(&["register", "bob", "--http", "http://127.0.0.1:1"], PASSWORD), (3, "no_connection".to_owned()));
    // What failed changed nothing.
    assert_eq!(ann.does(&["rooms"]), "");
    let open = Server::start(&[]);
    assert_eq!(Person::at(&open).fails_with(&["register", "ann"], PASSWORD).1, "forbidden");
}

#[test]
fn tokens_are_kept_where_only_their_owner_reads_them_and_are_not_printed() {
    let server = server();
    let ann = Person::at(&server);
    let words = ["register", "ann"];
    let output = ann.begins(&words, PASSWORD).wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("mt"));
    assert!(!printed(&words, output).contains("mta_"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(ann.credentials()), 0o600);
        assert_eq!(mode(ann.credentials().parent().unwrap().to_owned()), 0o700);
    }
}

#[test]
fn a_token_that_expired_is_renewed_without_a_word() {
    let server = server();
    let ann = registered(&server, "ann");
    let before = kept(&ann);
    for words in [&["rooms"][..], &["token"], &["create", "minutes"]] {
        expire(&ann);
        let refreshed = kept(&ann)["refresh_token"].clone();
        ann.does(words);
        let now = kept(&ann);
        assert_ne!(now["refresh_token"], refreshed, "{words:?}");
        assert!(now["access_expires_ms"].as_u64() >= before["access_expires_ms"].as_u64());
    }
}

/// The server ends a session of which a refresh token is used twice.
#[test]
fn commands_that_run_side_by_side_do_not_use_one_refresh_token_twice() {
    let server = server();
    let ann = registered(&server, "ann");
    for _ in 0..3 {
        expire(&ann);
        let words = ["rooms"];
        let children: Vec<_> = (0..6).map(|_| ann.begins(&words, "")).collect();
        for child in children {
            printed(&words, child.wait_with_output().unwrap());
        }
    }
    expire(&ann);
    ann.does(&["create", "minutes"]);
}

#[test]
fn a_watch_goes_on_with_the_tokens_that_come_after_its_own() {
    let server = server();
    let ann = registered(&server, "ann");
    ann.does(&["create", "minutes"]);
    let mut watch = ann.begins(&["watch", "minutes", "--from", "1"], "");
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    for text in ["a", "ab", "abc"] {
        ann.does_with(&["put", "minutes", "-"], text);
        let entry = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let mut entries = entry.filter(|event| event["type"] == "entry");
        assert_eq!(entries.next().unwrap()["revision"], text.len());
        // The session that the watch came with ends, and with it the connection.
        ann.does_with(&["login", "ann"], PASSWORD);
    }
    // Without an account it ends.
    ann.does(&["logout"]);
    assert_eq!(watch.wait_with_output().unwrap().status.code(), Some(1));
}

#[test]
fn a_session_that_was_ended_elsewhere_is_told_and_can_be_signed_out_of() {
    let server = server();
    let (ann, copy) = (registered(&server, "ann"), Person::at(&server));
    fs::create_dir_all(copy.credentials().parent().unwrap()).unwrap();
    fs::copy(ann.credentials(), copy.credentials()).unwrap();
    // Signing in again ends the session that was kept before.
    ann.does_with(&["login", "ann"], PASSWORD);
    assert_eq!(copy.refused(&["rooms"]), "unauthorized");
    expire(&copy);
    assert_eq!(copy.refused(&["rooms"]), "unauthorized");
    copy.does(&["logout"]);
    assert_eq!(ann.does(&["rooms"]), "");
}

#[test]
fn a_role_is_given_listed_and_taken_away() {
    let server = server();
    let (ann, bob) = (registered(&server, "ann"), registered(&server, "bob"));
    ann.does(&["create", "minutes", "--public", "nobody"]);
    ann.does_with(&["put", "minutes", "-"], "hello");
    assert_eq!(bob.refused(&["diff", "minutes", "0"]), "room_not_found");

    ann.does(&["role", "minutes", "bob", "viewer"]);
    assert_eq!(bob.does(&["cat", "minutes"]), "hello");
    assert_eq!(bob.refused(&["restore", "minutes", "0"]), "forbidden");
    assert_eq!(bob.refused(&["role", "minutes", "bob", "host"]), "forbidden");
    let listed = ann.does(&["role", "minutes"]);
    assert_eq!(listed, "ann\towner\nbob\tviewer\neverybody\tnothing\nyou\thost\n");
    assert_eq!(bob.json(&["role", "minutes"])[0]["role"], "viewer");

    ann.does(&["role", "minutes", "bob", "editor"]);
    bob.does(&["restore", "minutes", "0"]);
    assert_eq!(ann.does(&["cat", "minutes"]), "");
    ann.does(&["role", "minutes", "bob", "none"]);
    assert_eq!(bob.refused(&["cat", "minutes"]), "room_not_found");
    ann.does(&["set", "minutes", "--public", "viewer"]);
    ann.does(&["role", "minutes", "bob", "ban"]);
    assert_ne!(bob.refused(&["stats", "minutes"]), "");
    let unfinished = ann.begins(&["role", "minutes", "bob"], "").wait_with_output().unwrap();
    assert_eq!(unfinished.status.code(), Some(2));
}

#[test]
fn a_link_lets_in_until_it_is_revoked() {
    let server = server();
    let (ann, bob) = (registered(&server, "ann"), registered(&server, "bob"));
    ann.does(&["create", "minutes", "--public", "nobody"]);
    let url = ann.does(&["share", "minutes", "--role", "viewer", "--expires", "1d", "--label", "board"]);
    assert!(url.starts_with(&format!("http://{}/r/minutes#mtl_", server.http)), "{url}");
    let listed = &ann.json(&["share", "minutes", "--list"])[0];
    assert_eq!((&listed["role"], &listed["label"]), (&"viewer".into(), &"board".into()));
    let day_ms = listed["expires_ms"].as_u64().unwrap() - listed["created_ms"].as_u64().unwrap();
    assert!(day_ms.abs_diff(86_400_000) < 60_000, "{day_ms}");
    assert!(!ann.does(&["share", "minutes", "--list"]).contains("mtl_"));

    assert_eq!(bob.refused(&["share", "minutes"]), "room_not_found");
    let token = bob.does(&["token", "--link", url.trim()]);
    let [cat, share] = ["cat", "share"].map(|command| [command, "minutes", "--token", token.trim()]);
    assert_eq!(bob.does(&cat), "");
    assert_eq!(bob.refused(&share), "forbidden");

    ann.does(&["share", "minutes", "--revoke", listed["id"].as_str().unwrap()]);
    assert_eq!(ann.does(&["share", "minutes", "--list"]), "");
    assert_eq!(bob.refused(&cat), "unauthorized");
    assert_eq!(bob.refused(&["token", "--link", url.trim()]), "not_found");
}
