//! One room with 300 people on real sockets: some type, many move their carets, all watch, and one stops reading for a
//! while. By hand, `MOTET_CROWD_SECONDS=30 cargo test --release -p motet-server --test it crowd -- --nocapture` prints what
//! that costs; `MOTET_CROWD_MOVING=0` is the same without presence.

mod member;

use std::time::Duration;

use self::member::{Kind, Member, Seen};
use crate::harness::{self, Peer, process::Process};
use motet_protocol::{
    limits::PRESENCE_PAUSE_MS,
    message::{Answer, At, ClientMessage, Question, ServerMessage},
};
use tokio::sync::watch;

const PEOPLE: usize = 300;
const TYPING: usize = 20;
const MOVING: usize = 50;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// What the members do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They join.
    Gathering,
    /// They type and move.
    Busy,
    /// They still do, and one of them reads nothing.
    BusyWithOneAsleep,
    /// They finish what they have begun.
    Finishing,
    /// They read until they are at this revision and have seen the mark in somebody's presence.
    Until(u64),
}

#[test]
fn three_hundred_people_in_one_room_see_the_same_and_who_was_away_sees_no_film() {
    let seconds = number("MOTET_CROWD_SECONDS", 4);
    let moving = number("MOTET_CROWD_MOVING", MOVING as u64) as usize;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), &[]);
    let (tcp, http) = (server.tcp, server.http);
    let mut host = peer(tcp);
    host.create("crowd");
    let text: String = "The quick brown fox jumps over the lazy dog. ".repeat(200);
    host.join(1, "crowd");
    host.edit(1, 0, harness::insert(0, &text, 0));

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (phases, phase) = watch::channel(Phase::Gathering);
    let figures =
        || ["process_cpu_seconds", "motet_sent_bytes", "motet_received_bytes"].map(|name| server.figure(name));
    let tasks: Vec<_> = (0..PEOPLE)
        .map(|n| {
            let kind = match n {
                0 => Kind::Marker,
                1 => Kind::Sleeper,
                n if n < 2 + TYPING => Kind::Typing,
                n if n < 2 + TYPING + moving => Kind::Moving,
                _ => Kind::Watching,
            };
            let watches = moving > 0;
            runtime.spawn(Member::join(tcp, n as u64, kind, watches, phase.clone()))
        })
        .collect();
    let pause = |seconds: f64| std::thread::sleep(Duration::from_secs_f64(seconds));
    pause(1.5);
    let before = figures();
    let memory = server.memory_bytes();
    phases.send(Phase::Busy).unwrap();
    pause(seconds as f64 * 0.2);
    phases.send(Phase::BusyWithOneAsleep).unwrap();
    pause(seconds as f64 * 0.65);
    phases.send(Phase::Busy).unwrap();
    pause(seconds as f64 * 0.15);
    let after = figures();
    let grown = server.memory_bytes() - memory;
    phases.send(Phase::Finishing).unwrap();
    pause(1.5);
    host.say(&ClientMessage::Ask {
        request: 5,
        question: Question::HashText { room: harness::id("crowd"), at: At::Head },
    });
    let (revision, hash) = loop {
        if let ServerMessage::Answer { answer: Answer::Hash { revision, crc32, .. }, .. } = host.hear() {
            break (revision, crc32);
        }
    };
    phases.send(Phase::Until(revision)).unwrap();
    let seen: Vec<Seen> = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();

    for (n, one) in seen.iter().enumerate() {
        assert_eq!((one.revision, one.crc32), (revision, hash), "member {n} holds the server's text");
        if moving > 0 {
            assert_eq!(one.people, seen[0].people, "member {n} sees everybody where member 0 does");
        }
    }
    let total = |count: fn(&Seen) -> u64| seen.iter().map(count).sum::<u64>();
    if moving > 0 {
        assert_eq!(seen[0].people.len(), PEOPLE + 1);
        let carets = seen[0].people.iter().filter(|known| known.presence.is_some()).count();
        assert!(carets > moving / 2, "{carets} are seen");
        let sleeper = &seen[1];
        // What the server sends ahead of an answer, and one message more.
        assert!(sleeper.film_bytes < 16 * 1024 + 2 * 32 * 1024, "{} bytes of a film", sleeper.film_bytes);
        assert!(sleeper.news > 0);
        let most = seconds * 1_000 / PRESENCE_PAUSE_MS;
        for (n, one) in seen.iter().enumerate() {
            // Gathering and finishing take as long as they take.
            assert!(one.news_busy <= most + most / 2 + 10, "member {n} was told {} times", one.news_busy);
        }
    }
    let [cpu, sent, received] = [0, 1, 2].map(|n| after[n] - before[n]);
    let (entries, news) = (total(|one| one.entries_busy), total(|one| one.news_busy));
    println!(
        "{seconds} s, {PEOPLE} people, {TYPING} typing, {moving} moving: server CPU {cpu:.2} s ({:.1} % of one), \
         {:.1} us per message delivered; {:.1} KB/s to each ({:.2} of it presence), {:.1} KB/s from all; \
         {entries} entries and {news} tidings delivered, {} updates told; memory grew by {:.1} MB; \
         the sleeper saw {} old tidings ({} bytes), others were told {} times meanwhile",
        cpu / seconds as f64 * 100.0,
        cpu * 1e6 / (entries + news) as f64,
        sent / 1e3 / seconds as f64 / PEOPLE as f64,
        total(|one| one.news_bytes) as f64 / (total(|one| one.news_bytes) + total(|one| one.entry_bytes)) as f64,
        received / 1e3 / seconds as f64,
        total(|one| one.told),
        grown / 1e6,
        seen[1].film,
        seen[1].film_bytes,
        seen[100].news_asleep,
    );
    let mut lags: Vec<u64> = seen.iter().flat_map(|one| one.lags_ms.iter().copied()).collect();
    lags.sort_unstable();
    if !lags.is_empty() {
        let at = |part: usize| lags[(lags.len() - 1) * part / 1_000];
        println!(
            "presence arrives after {} ms (p50), {} (p99), {} (p99.9), {} (most)",
            at(500),
            at(990),
            at(999),
            at(1_000)
        );
    }
    drop(phases);
    let _ = http;
    assert!(server.terminate());
}

fn peer(tcp: std::net::SocketAddr) -> Peer<std::net::TcpStream> {
    let mut peer = Peer::connect(tcp);
    peer.say(&harness::hello(motet_protocol::ids::SessionId(uuid::Uuid::new_v4())));
    assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
    peer
}
