//! A command never acts on another server than the one named. Two servers on ports of the system's choice, neither on the
//! default ones.

use std::fs;

use crate::harness::{Server, motet, run_motet};

/// Runs `motet` for the TCP address of one server with the HTTP address of another; returns the exit code and what it
/// wrote to standard error.
fn across(tcp: &Server, http: &Server, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let http = format!("http://{}", http.http);
    let output = run_motet(tcp.tcp, &[arguments, &["--http", &http]].concat(), input);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn http_commands_find_the_server_that_is_named() {
    let (one, other) = (Server::start(&[]), Server::start(&[]));
    for (server, text) in [(&one, "one"), (&other, "other")] {
        server.motet(&["create", "svelte"]);
        server.motet_with(&["put", "svelte", "-"], text);
    }
    // Nothing but the TCP address is given.
    other.motet(&["versions", "svelte", "--name", "draft"]);
    assert_eq!(one.motet(&["versions", "svelte"]), "");
    assert!(other.motet(&["versions", "svelte"]).contains("draft"));
    other.motet(&["restore", "svelte", "0"]);
    assert_eq!((one.motet(&["cat", "svelte"]), other.motet(&["cat", "svelte"])), ("one".to_owned(), String::new()));
}

#[test]
fn an_http_address_of_another_server_is_refused_before_anything_changes() {
    let (one, other) = (Server::start(&[]), Server::start(&[]));
    one.motet(&["create", "svelte"]);
    one.motet_with(&["put", "svelte", "-"], "kept");
    for arguments in [
        &["restore", "svelte", "0"][..],
        &["versions", "svelte"],
        &["set", "svelte", "--title", "x"],
        &["login", "ann"],
        &["register", "ann"],
        &["import", "new", "-"],
        &["who", "--project", "motet"],
    ] {
        let (code, told) = across(&other, &one, arguments, "correct horse battery\n");
        assert_eq!(code, Some(3), "{arguments:?}: {told}");
        assert!(told.contains("another server"), "{arguments:?}: {told}");
    }
    assert_eq!(one.motet(&["cat", "svelte"]), "kept");
    assert_eq!(one.motet(&["rooms"]).lines().count(), 1);
    // A WebSocket has its own port, too.
    let ws = format!("ws://{}", other.http);
    let (code, told) = across(&other, &one, &["--server", &ws, "restore", "svelte", "0"], "");
    assert_eq!((code, told.contains("another server")), (Some(3), true), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_not_replaced_by_another_one() {
    let there = Server::start(&[]);
    there.motet(&["create", "minutes"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("minutes.jsonl");
    fs::write(&file, there.motet(&["export", "minutes"])).unwrap();
    let file = file.to_str().unwrap();
    let http = format!("http://{}", there.http);
    for arguments in [&["import", "nope", file][..], &["import", "nope", file, "--http", &http], &["login", "ann"]] {
        let output = run_motet("127.0.0.1:1".parse().unwrap(), arguments, "correct horse battery\n");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{arguments:?}: {told}");
        assert!(told.contains("127.0.0.1:1"), "{told}");
    }
    assert_eq!(there.motet(&["rooms"]).lines().count(), 1);
}

#[test]
fn tokens_are_kept_for_the_server_that_is_named() {
    let (one, other) = (
        Server::start(&["--auth", "accounts", "--allow-guests"]),
        Server::start(&["--auth", "accounts", "--allow-guests"]),
    );
    let home = tempfile::tempdir().unwrap();
    let runs = |server: &Server, arguments: &[&str], input: &str| {
        let mut command = motet(server.tcp, arguments);
        let mut child = command.env("XDG_CONFIG_HOME", home.path()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, told) = runs(&one, &["register", "ann"], "correct horse battery\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(out.contains(&one.http.to_string()), "{out}");
    assert_eq!(runs(&one, &["create", "minutes"], "").0, Some(0));
    assert!(runs(&one, &["show", "minutes", "--json"], "").1.contains("\"owner\":\"ann\""));
    let (code, _, told) = runs(&other, &["token"], "");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(&other.http.to_string()), "{told}");
}

#[test]
fn a_server_that_greets_no_guests_and_does_not_say_where_http_is_gets_no_password() {
    let server = Server::start(&["--auth", "accounts"]);
    let output = run_motet(server.tcp, &["login", "ann"], "correct horse battery\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("--http"), "{told}");
}

#[test]
fn load_reports_figures_of_the_server_that_is_named() {
    let (one, other) = (Server::start(&[]), Server::start(&[]));
    let arguments = ["load", "--rooms", "1", "--seconds", "0.5", "--warmup", "0", "--json"];
    let (code, told) = across(&other, &one, &arguments, "");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("another server"), "{told}");
    let report: serde_json::Value = serde_json::from_str(&other.motet(&arguments)).unwrap();
    assert!(report["server_cpus"].is_number(), "{report}");
}
