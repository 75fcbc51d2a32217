//! Writing a whole text over HTTP while somebody else types: nothing that either of them wrote is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Server, http::Http, insert};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

/// What the typist types; nobody else does.
const TYPED: char = 'ß';

/// What the writer writes, and takes away again.
const WRITTEN: char = '😀';

const WRITES: usize = 40;

fn count(text: &str, c: char) -> usize {
    text.chars().filter(|found| *found == c).count()
}

/// Reads the text and its revision.
fn read(http: &mut Http, room: &str) -> (String, String, u64) {
    let read = http.get(&format!("/api/rooms/{room}/text")).is(200);
    let revision = read.header("motet-revision").unwrap().parse().unwrap();
    (read.text().to_owned(), read.header("etag").unwrap().to_owned(), revision)
}

/// Types one character after the other, each in a text that may be old by then. Returns how many.
fn type_on(server: &Server, room: &str, random: &mut StdRng, until: &AtomicBool) -> usize {
    let (mut peer, mut http) = (server.peer_in(room), Http::connect(server.http));
    let mut typed = 0;
    while typed < 5 || !until.load(Ordering::Relaxed) {
        let (text, _, revision) = read(&mut http, room);
        for _ in 0..random.random_range(1..4) {
            let length = text.chars().count() as u64;
            // The same base each time: what it typed itself came in between, too.
            peer.edit(1, revision, insert(random.random_range(0..=length), &TYPED.to_string(), length));
            typed += 1;
        }
    }
    typed
}

/// Changes a text as an editor that saves a file would: here and there something more, here and there something less, and
/// never anything of others'.
fn change(text: &str, random: &mut impl Rng) -> String {
    let mut changed = String::new();
    for c in text.chars() {
        if c != WRITTEN || random.random_bool(0.8) {
            changed.push(c);
        }
        if random.random_bool(0.05) {
            changed.extend(std::iter::repeat_n(WRITTEN, random.random_range(1..5)));
        }
        if random.random_bool(0.01) {
            changed.push('\n');
        }
    }
    changed.push(WRITTEN);
    changed
}

#[test]
fn what_others_type_while_a_text_is_written_is_not_lost() {
    let server = Server::start(&["--durability", "none"]);
    for seed in 0..6 {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let room = format!("room-{seed}");
        let mut http = Http::connect(server.http);
        http.json("POST", "/api/rooms", &serde_json::json!({ "room": room, "text": "some text\nto begin with\n" }))
            .is(201);
        let done = AtomicBool::new(false);
        let mut typing = StdRng::seed_from_u64(seed + 1_000);
        let (typed, written) = std::thread::scope(|scope| {
            let typist = scope.spawn(|| type_on(&server, &room, &mut typing, &done));
            let mut written = 0_i64;
            for write in 0..WRITES {
                let (before, tag, revision) = read(&mut http, &room);
                let after = change(&before, &mut random);
                written += count(&after, WRITTEN) as i64 - count(&before, WRITTEN) as i64;
                let path = match write % 2 {
                    0 => format!("/api/rooms/{room}/text"),
                    _ => format!("/api/rooms/{room}/text?base={revision}"),
                };
                let headers: &[(&str, &str)] = if write % 2 == 0 { &[("if-match", &tag)] } else { &[] };
                http.send("PUT", &path, headers, after.as_bytes()).is(200);
            }
            done.store(true, Ordering::Relaxed);
            (typist.join().unwrap(), written)
        });
        let (text, ..) = read(&mut http, &room);
        assert_eq!(count(&text, TYPED), typed, "seed {seed}");
        assert_eq!(count(&text, WRITTEN) as i64, written, "seed {seed}");
        let begun: String = text.chars().filter(|c| c.is_ascii() && *c != '\n').collect();
        assert_eq!(begun, "some textto begin with", "seed {seed}");
    }
}

#[test]
fn a_text_that_is_too_long_for_one_edit_is_written_in_several_around_what_others_type() {
    let server = Server::start(&["--durability", "none"]);
    let mut http = Http::connect(server.http);
    http.json("POST", "/api/rooms", &serde_json::json!({ "room": "long", "text": "" })).is(201);
    let done = AtomicBool::new(false);
    // Lines that are all different, so that the difference is large and has many parts.
    let text =
        |of: &str| (0..60_000).map(|line| format!("{of} {line} {}\n", line * 7_919 % 60_013)).collect::<String>();
    let mut typing = StdRng::seed_from_u64(7);
    let typed = std::thread::scope(|scope| {
        let typist = scope.spawn(|| type_on(&server, "long", &mut typing, &done));
        let base = 0;
        for of in ["first", "second"] {
            let path = format!("/api/rooms/long/text?base={base}");
            http.send("PUT", &path, &[], text(of).as_bytes()).is(200);
        }
        done.store(true, Ordering::Relaxed);
        typist.join().unwrap()
    });
    let (found, ..) = read(&mut http, "long");
    assert_eq!(count(&found, TYPED), typed);
    // Both were made from the empty text, so that both are there, whole.
    let found: String = found.chars().filter(|c| *c != TYPED).collect();
    for line in text("first").lines().chain(text("second").lines()).step_by(1_009) {
        assert!(found.contains(line), "{line}");
    }
    assert_eq!(found.len(), text("first").len() + text("second").len());
}
