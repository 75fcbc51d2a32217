//! The real binary, killed at random moments under load: nothing acknowledged is lost, nothing is doubled, all converge.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::harness::{Peer, hello, id, process::Process, replica::Replica};
use motet_protocol::{
    ids::{ParticipantId, Revision, Seq, SessionId},
    message::{Answer, ClientMessage, Entry, Question, ServerMessage},
    ot::Operation,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

const ROOMS: usize = 10;
const CLIENTS: usize = 20;

#[test]
fn killed_a_hundred_times_under_load_with_sled() {
    killed_under_load("sled", rounds(100));
}

#[test]
fn killed_a_hundred_times_under_load_with_fjall() {
    killed_under_load("fjall", rounds(100));
}

/// Rounds of killing; `MOTET_CRASH_ROUNDS` sets another number.
fn rounds(default: usize) -> usize {
    std::env::var("MOTET_CRASH_ROUNDS").map_or(default, |rounds| rounds.parse().unwrap())
}

fn killed_under_load(store: &str, rounds: usize) {
    let seed: u64 = std::env::var("MOTET_CRASH_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("MOTET_CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), &["--store", store]);
    let (tcp, http) = (server.tcp, server.http);
    let mut host = Peer::connect(tcp);
    host.say(&hello(SessionId(Uuid::new_v4())));
    host.hear();
    for room in 0..ROOMS {
        host.create(&room_name(room));
    }

    let (stop, edits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let (stop, edits, seed) = (Arc::clone(&stop), Arc::clone(&edits), random.random());
            thread::spawn(move || load(n, tcp, seed, &stop, &edits))
        })
        .collect();
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(random.random_range(5..250)));
        server.kill();
        server = Process::start_at(data.path(), tcp, http, &["--store", store]);
    }
    stop.store(true, Ordering::Relaxed);
    let replicas: Vec<Replica> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    println!("{rounds} kills, {} edits acknowledged", edits.load(Ordering::Relaxed));
    check(tcp, replicas);
    // And once more from the disk alone.
    drop(server);
    check_reopened(data.path(), store, tcp, http);
}

fn room_name(n: usize) -> String {
    format!("room-{n}")
}

/// Edits as fast as acknowledgements come, with something always typed ahead, over every loss.
fn load(n: usize, server: SocketAddr, seed: u64, stop: &AtomicBool, edits: &AtomicU64) -> Replica {
    let mut random = StdRng::seed_from_u64(seed);
    let mut replica = Replica::new(&room_name(n % ROOMS));
    while !stop.load(Ordering::Relaxed) {
        if replica.connect(server).is_err() {
            thread::sleep(Duration::from_millis(random.random_range(1..20)));
            continue;
        }
        let before = replica.acknowledged.len();
        let edited = replica.edit(some_edit(&mut random, replica.text.len_chars() as u64));
        let stepped = edited.and_then(|()| replica.step());
        edits.fetch_add((replica.acknowledged.len() - before) as u64, Ordering::Relaxed);
        if stepped.is_err() {
            thread::sleep(Duration::from_millis(random.random_range(1..20)));
        }
    }
    replica.settle(server, None);
    replica
}

fn some_edit(random: &mut StdRng, len: u64) -> Operation {
    let at = random.random_range(0..=len);
    if len > 200 && random.random_bool(0.6) {
        let n = random.random_range(0..=(len - at).min(5));
        return Operation::builder().retain(at).delete(n).retain(len - at - n).build().unwrap();
    }
    let text: String = (0..random.random_range(1..4)).map(|_| random.random_range('a'..='ж')).collect();
    Operation::builder().retain(at).insert(&text).retain(len - at).build().unwrap()
}

/// The whole log of a room, as the server tells it.
fn log_of(server: SocketAddr, room: &str) -> Vec<Entry> {
    let mut peer = Peer::connect(server);
    peer.say(&hello(SessionId(Uuid::new_v4())));
    peer.hear();
    let mut all = Vec::new();
    loop {
        peer.say(&ClientMessage::Ask {
            request: 1,
            question: Question::ReadLog { room: id(room), from: all.len() as u64 + 1, limit: 1_000 },
        });
        let ServerMessage::Answer { answer: Answer::Log { entries, head, .. }, .. } = peer.hear() else {
            panic!("a page of the log was due")
        };
        all.extend(entries);
        if all.len() as u64 == head {
            return all;
        }
    }
}

fn check(server: SocketAddr, mut replicas: Vec<Replica>) {
    for room in 0..ROOMS {
        let name = room_name(room);
        let log = log_of(server, &name);
        let mut places: HashMap<(ParticipantId, Seq), Revision> = HashMap::new();
        for (entry, due) in log.iter().zip(1..) {
            assert_eq!(entry.revision, due, "revisions of {name} are dense");
            let twice = places.insert((entry.participant, entry.seq), entry.revision);
            assert_eq!(twice, None, "seq {} of {} is in {name} twice", entry.seq, entry.participant);
        }
        let mut peer = Peer::connect(server);
        peer.say(&hello(SessionId(Uuid::new_v4())));
        peer.hear();
        let (_, text) = peer.join(1, &name);
        for replica in replicas.iter_mut().skip(room).step_by(ROOMS) {
            replica.settle(server, Some(log.len() as u64));
            assert_eq!(replica.text.to_string(), text, "a replica of {name}");
            for (seq, revision) in &replica.acknowledged {
                let place = places.get(&(replica.participant(), *seq));
                assert_eq!(place, Some(revision), "seq {seq} of {name} was acknowledged");
            }
        }
    }
}

fn check_reopened(data: &Path, store: &str, tcp: SocketAddr, http: SocketAddr) {
    let server = Process::start_at(data, tcp, http, &["--store", store]);
    for room in 0..ROOMS {
        let name = room_name(room);
        let mut text = ropey::Rope::new();
        for entry in log_of(server.tcp, &name) {
            if let Some(operation) = entry.command.operation() {
                operation.apply_to_rope(&mut text).unwrap();
            }
        }
        let mut peer = Peer::connect(server.tcp);
        peer.say(&hello(SessionId(Uuid::new_v4())));
        peer.hear();
        assert_eq!(peer.join(1, &name).1, text.to_string(), "the log of {name} adds up to its text");
    }
    assert!(server.terminate(), "a server ends well on SIGTERM");
}
