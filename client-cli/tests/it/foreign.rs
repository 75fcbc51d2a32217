//! Text of other people never controls the terminal of the person who reads it: a table of commands over a room in which
//! every field that others write carries control characters and marks of bidirectional text.

use std::process::Output;

use crate::harness::{Server, motet, run_motet};

/// ESC and an OSC 52 sequence, the C1 form of CSI, DEL, and a right-to-left override, isolate and mark.
const HOSTILE: &str = "x\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{7f}\u{202e}y\u{2066}z\u{200f}";

/// The same without what the server refuses in names.
const HOSTILE_NAME: &str = "x\u{202e}y\u{2066}z\u{200f}";

fn controls(bytes: &[u8]) -> Vec<char> {
    let is_unsafe = |letter: &char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t'))
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    String::from_utf8(bytes.to_vec()).unwrap().chars().filter(is_unsafe).collect()
}

/// Runs a command with the hostile text where the server takes it, else with the weaker one. One of both must be taken.
fn hostile(server: &Server, arguments: impl Fn(&str) -> Vec<String>) -> String {
    let mut told = String::new();
    for text in [HOSTILE, HOSTILE_NAME] {
        let arguments = arguments(text);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run_motet(server.tcp, &words, "");
        if output.status.success() {
            return String::from_utf8(output.stdout).unwrap().trim().to_owned();
        }
        told = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    panic!("the server takes neither: {told}");
}

fn room_of_a_hostile_person(server: &Server) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    server.motet(&["create", "minutes"]);
    server.motet_with(&["put", "minutes", "-"], &format!("{HOSTILE}\nsecond\n"));
    for flag in ["--title", "--description", "--tags", "--language"] {
        // A language may be refused altogether.
        let of = |text: &str| words(&["set", "minutes", flag, text]);
        if flag == "--language" {
            run_motet(server.tcp, &["set", "minutes", flag, HOSTILE_NAME], "");
        } else {
            hostile(server, of);
        }
    }
    hostile(server, |text| words(&["versions", "minutes", "--name", "draft", "--description", text]));
    hostile(server, |text| words(&["versions", "minutes", "--name", text]));
    let message = hostile(server, |text| words(&["chat", "minutes", "--say", text, "--name", HOSTILE_NAME]));
    let message = message.split('\t').next().unwrap().trim().to_owned();
    assert!(!message.is_empty());
    hostile(server, |text| words(&["comment", "minutes", "add", "1", text, "--name", HOSTILE_NAME]));
    hostile(server, |text| words(&["share", "minutes", "--role", "viewer", "--label", text]));
}

#[test]
fn no_command_prints_what_a_terminal_acts_on() {
    let server = Server::start(&[]);
    room_of_a_hostile_person(&server);
    for arguments in [
        &["rooms"][..],
        &["show", "minutes"],
        &["log", "minutes"],
        &["chat", "minutes"],
        &["comment", "minutes"],
        &["versions", "minutes"],
        &["share", "minutes", "--list"],
        &["role", "minutes"],
        &["stats", "minutes"],
        &["blame", "minutes"],
        &["who", "minutes"],
        &["set", "minutes", "--ttl", "0"],
    ] {
        for json in [&[][..], &["--json"]] {
            let arguments = [arguments, json].concat();
            let Output { status, stdout, stderr } = run_motet(server.tcp, &arguments, "");
            assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
            assert_eq!(controls(&stdout), [], "{arguments:?}: {:?}", String::from_utf8_lossy(&stdout));
            assert_eq!(controls(&stderr), [], "{arguments:?}: {:?}", String::from_utf8_lossy(&stderr));
        }
    }
    // The value in JSON is what was written.
    let versions = server.motet(&["versions", "minutes", "--json"]);
    let first: serde_json::Value = serde_json::from_str(versions.lines().next().unwrap()).unwrap();
    assert!([HOSTILE, HOSTILE_NAME].contains(&first["description"].as_str().unwrap()), "{versions}");
    // A text is printed byte for byte.
    assert_eq!(server.motet(&["cat", "minutes"]), format!("{HOSTILE}\nsecond\n"));
}

#[test]
fn a_watch_and_an_error_are_safe_too() {
    use std::io::{BufRead, BufReader};
    let server = Server::start(&[]);
    room_of_a_hostile_person(&server);
    let mut watch = motet(server.tcp, &["watch", "minutes", "--from", "1"]).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let seen: Vec<String> = lines.take(6).collect();
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(controls(seen.concat().as_bytes()), [], "{seen:?}");
    assert!(seen.concat().contains("\\u001b"), "{seen:?}");
    for json in [&[][..], &["--json"]] {
        let missing = format!("version:{HOSTILE_NAME} that no version has");
        let output = run_motet(server.tcp, &[&["diff", "minutes", &missing][..], json].concat(), "");
        assert!(!output.status.success());
        assert_eq!(controls(&output.stderr), [], "{:?}", String::from_utf8_lossy(&output.stderr));
    }
}
