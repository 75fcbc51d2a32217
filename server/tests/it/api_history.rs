//! Time travel over HTTP: the text, and who wrote it, at any revision of a long history, on a server that was just started.

use std::time::Instant;

use crate::harness::{Server, http::Http};
use motet_protocol::{
    ids::ParticipantId,
    message::{Command, Entry},
    ot::Operation,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

/// Revisions that are looked at.
const LOOKS: usize = 200;

/// How long the history is: two snapshots, unless told otherwise.
fn entry_count() -> u64 {
    std::env::var("MOTET_HISTORY_ENTRIES").map_or(10_000, |count| count.parse().unwrap())
}

/// A text as somebody types it: mostly forward, sometimes elsewhere, sometimes backward. Returns a room's file, and the
/// text at each revision that is looked at.
fn typed(random: &mut StdRng, count: u64) -> (String, Vec<(u64, String)>) {
    let mut looks: Vec<u64> = (0..LOOKS).map(|_| random.random_range(0..=count)).collect();
    looks.sort_unstable();
    let head =
        json!({ "kind": "motet-room", "version": 1, "room": "r", "created_ms": 1, "owner": null, "head": count });
    let (mut file, mut text, mut at, mut texts) = (format!("{head}\n"), Vec::<char>::new(), 0, Vec::new());
    for revision in 0..=count {
        while looks.first() == Some(&revision) {
            texts.push((revision, text.iter().collect()));
            looks.remove(0);
        }
        if revision == count {
            break;
        }
        let length = text.len() as u64;
        if random.random_bool(0.02) {
            at = random.random_range(0..=text.len());
        }
        let builder = Operation::builder();
        let operation = if at > 0 && random.random_bool(0.2) {
            at -= 1;
            text.remove(at);
            builder.retain(at as u64).delete(1).retain(length - at as u64 - 1)
        } else {
            let c = ['a', 'b', ' ', '\n', 'ß', '😀'][random.random_range(0..6)];
            text.insert(at, c);
            at += 1;
            builder.retain(at as u64 - 1).insert(&c.to_string()).retain(length + 1 - at as u64)
        };
        let command = Command::Edit(operation.build().unwrap());
        let participant = ParticipantId(revision % 5);
        let entry =
            Entry { revision: revision + 1, participant, seq: revision / 5 + 1, time_ms: revision * 1_000, command };
        file.push_str(&serde_json::to_string(&entry).unwrap());
        file.push('\n');
    }
    (file, texts)
}

#[test]
fn every_revision_is_what_it_was_after_a_restart() {
    let seed = 20_260_701;
    println!("seed {seed}");
    let (file, texts) = typed(&mut StdRng::seed_from_u64(seed), entry_count());
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path().to_owned(), &["--durability", "os"]);
    let kind = [("content-type", "application/x-ndjson")];
    Http::connect(server.http).send("POST", "/api/rooms/r/import", &kind, file.as_bytes()).is(201);
    server.stop();

    let server = Server::start_in(data.path().to_owned(), &["--durability", "os"]);
    let mut http = Http::connect(server.http);
    let mut times = Vec::new();
    for (revision, due) in &texts {
        let start = Instant::now();
        let read = http.get(&format!("/api/rooms/r/text?at={revision}")).is(200);
        times.push(start.elapsed());
        assert_eq!(read.text(), due, "revision {revision}");
    }
    times.sort_unstable();
    println!("GET …?at=: median {:?}, the slowest {:?}", times[LOOKS / 2], times[LOOKS - 1]);
    // The last revision at or before a time: each is a second after the one before it.
    let (revision, due) = texts.iter().rev().find(|(revision, _)| *revision > 1_000).unwrap();
    let seconds = revision - 1;
    let (minutes, hours) = (seconds / 60 % 60, seconds / 3_600);
    let at = format!("1970-01-{:02}T{:02}:{minutes:02}:{:02}.999Z", 1 + hours / 24, hours % 24, seconds % 60);
    assert_eq!(http.get(&format!("/api/rooms/r/text?at={at}")).is(200).text(), due, "{at}");

    for (revision, due) in texts.iter().step_by(LOOKS / 5) {
        let blame = http.get(&format!("/api/rooms/r/blame?at={revision}")).is(200).json();
        let mut end = 0;
        for range in blame["ranges"].as_array().unwrap() {
            assert_eq!(range["start"], end, "revision {revision}");
            end = range["end"].as_u64().unwrap();
            let by = range["revision"].as_u64().unwrap();
            assert!(by <= *revision && range["participant"] == ParticipantId((by - 1) % 5).to_string());
        }
        assert_eq!(end as usize, due.chars().count(), "revision {revision}");
    }
    let sums = http.get("/api/rooms/r/statistics").is(200).json();
    assert_eq!((&sums["edits"], &sums["people_count"]), (&json!(entry_count()), &json!(5)));
}
