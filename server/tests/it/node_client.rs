//! The client of docs/json.md in Node, with nothing but the platform's WebSocket, among binary clients.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::harness::{self, Server, replica::Replica};
use motet_protocol::{message::At, ot::Operation};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const EDITS: usize = 10_000;

/// One of the scripts in Node, if that is here in a version that has a WebSocket: 20 has it behind a flag, 22 without one.
fn node(script: &str) -> Option<Command> {
    let command = installed();
    if command.is_none() {
        assert!(std::env::var_os("MOTET_TESTS_NEED_ALL").is_none(), "this test takes Node 20 or newer");
        println!("NOT RUN: this test takes Node 20 or newer, which is not installed");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/node_client").join(script);
    command.map(|mut command| {
        command.arg(script).stdout(Stdio::piped());
        command
    })
}

fn installed() -> Option<Command> {
    let version = Command::new("node").arg("--version").output().ok()?;
    let version = String::from_utf8(version.stdout).ok()?;
    let major: u32 = version.trim_start_matches('v').split('.').next()?.parse().ok()?;
    let mut command = Command::new("node");
    command.args((major < 22).then_some("--experimental-websocket")).arg("--no-warnings");
    (major >= 20).then_some(command)
}

fn seed() -> u64 {
    let seed = std::env::var("SEED").map_or_else(|_| rand::random::<u32>().into(), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    seed
}

/// The last line that a script says, if it comes to its end.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
}

fn random_edit(random: &mut StdRng, length: u64) -> Operation {
    let at = random.random_range(0..=length);
    let most = if length > 400 { 20 } else { 3 };
    let gone = random.random_range(0..=(length - at).min(most));
    let word = ["x", "𝄞", "ö", "word", "\n"][random.random_range(0..5)];
    Operation::builder().retain(at).insert(word).delete(gone).retain(length - at - gone).build().unwrap()
}

#[test]
fn a_small_client_in_node_converges_with_binary_clients() {
    let seed = seed();
    let Some(mut node) = node("main.mjs") else { return };
    let server = Server::start(&["--store", "memory", "--durability", "none"]);
    server.peer_in("demo");
    let own = EDITS / 3;
    let mut child = node
        .args([format!("ws://{}/ws", server.http), "demo".into(), own.to_string(), seed.to_string()])
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let tcp = server.tcp;
    let typing: Vec<_> = (1..=2)
        .map(|n| {
            std::thread::spawn(move || {
                let mut random = StdRng::seed_from_u64(seed.wrapping_add(n));
                let mut replica = Replica::new("demo");
                replica.connect(tcp).unwrap();
                for _ in 0..(EDITS - own) / 2 {
                    let length = replica.text.len_chars() as u64;
                    replica.edit(random_edit(&mut random, length)).unwrap();
                    while !replica.is_synchronized() && random.random_bool(0.7) {
                        replica.step().unwrap();
                    }
                }
                replica.settle(tcp, None);
                replica
            })
        })
        .collect();
    let mut replicas: Vec<_> = typing.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(said.next().unwrap().unwrap(), "done");

    // The end is marked by one of them, when all others have said what they had to say.
    let last = replicas[0].client.revision();
    replicas[0].settle(tcp, Some(last));
    let end = {
        let mut peer = harness::Peer::greeted(&server);
        let (head, text) = peer.join(1, "demo");
        let length = text.chars().count() as u64;
        peer.edit(1, head, Operation::builder().insert("END").retain(length).build().unwrap())
    };
    for replica in &mut replicas {
        replica.settle(tcp, Some(end));
    }
    let theirs: String = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
    assert!(child.wait().unwrap().success());
    for replica in &replicas {
        assert_eq!(theirs, replica.text.to_string());
    }
    // What was typed while an edit was outstanding was composed, so that there are fewer entries than edits; but many.
    assert!(end > EDITS as u64 / 10, "{end}");
}

#[test]
fn what_is_typed_in_a_text_field_leaves_line_ends_as_they_are() {
    let seed = seed();
    let Some(mut node) = node("field.mjs") else { return };
    assert_eq!(said(node.arg(seed.to_string())), "held");
}

#[test]
fn a_long_paste_is_saved_and_what_is_refused_is_given_back_and_does_not_stop_the_rest() {
    let Some(mut node) = node("refused.mjs") else { return };
    let server = Server::start(&["--store", "memory", "--durability", "none", "--text-bytes-max", "500000"]);
    let theirs: String =
        serde_json::from_str(&said(node.args([format!("ws://{}/ws", server.http), "demo".into()]))).unwrap();
    assert!(theirs.starts_with("After all: "));
    assert!(harness::Peer::greeted(&server).text("demo", At::Head) == theirs);
}

#[test]
fn a_server_that_is_away_is_waited_for_and_one_that_has_another_room_of_the_name_gets_nothing_of_the_old_one() {
    let Some(mut node) = node("away.mjs") else { return };
    let flags = ["--store", "memory", "--durability", "none"];
    let [first, second] = [Server::start(&flags), Server::start(&flags)];
    assert_eq!(said(node.args([first.http.port(), second.http.port()].map(|port| port.to_string()))), "held");
}
