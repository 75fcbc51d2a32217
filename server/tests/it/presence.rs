//! Presence, following and calls over real sockets.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use crate::harness::{Peer, Server, WsPeer, hello, insert};
use motet_protocol::{
    error::{About, ErrorCode},
    ids::{ParticipantId, SessionId},
    limits::{SELECTIONS_MAX, SIGNAL_BYTES_MAX, SIGNALS_PER_SECOND_MAX},
    message::{Answer, ClientMessage, Question, ServerMessage},
    ot::Scalar,
    people::{News, People},
    presence::{Call, Presence, Selection, SignalKind},
};
use uuid::Uuid;

fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(n))
}

/// A peer in a room, and who it is.
fn peer(server: &Server, n: u128) -> (Peer<TcpStream>, ParticipantId) {
    let mut peer = Peer::greeted_as(server, session(n));
    peer.create("room");
    peer.join(1, "room");
    (peer, session(n).participant())
}

fn watch(peer: &mut Peer<TcpStream>) {
    peer.say(&ClientMessage::WatchPresence { channel: 1, on: true });
}

fn tell(peer: &mut Peer<TcpStream>, base: u64, presence: Presence) {
    peer.say(&ClientMessage::SetPresence { channel: 1, base, presence: Box::new(presence) });
}

fn caret(at: u64) -> Presence {
    Presence { selections: vec![Selection::caret(Scalar(at))], ..Presence::default() }
}

fn signal(to: ParticipantId, payload: &str) -> ClientMessage {
    ClientMessage::Signal { channel: 1, to, kind: SignalKind::Offer, payload: payload.to_owned() }
}

/// Reads until what is known of the people is so.
fn until(peer: &mut Peer<TcpStream>, people: &mut People, done: impl Fn(&People) -> bool) {
    while !done(people) {
        match peer.hear() {
            ServerMessage::Presence { whole, present, people: new, presence, left, .. } => {
                people.hear(News { whole, present, people: new, presence, left });
            }
            ServerMessage::Entry { entry, .. } => people.fold(&entry),
            other => panic!("{other:?}"),
        }
    }
}

fn presence_of(people: &People, participant: ParticipantId) -> Option<&Presence> {
    people.get(participant)?.presence.as_ref()
}

#[test]
fn people_see_each_other_come_move_and_go() {
    let server = Server::start(&[]);
    let ((mut ann, ann_id), (mut ben, ben_id)) = (peer(&server, 1), peer(&server, 2));
    let mut seen = People::default();
    watch(&mut ann);
    until(&mut ann, &mut seen, |people| people.len() == 2);
    assert_eq!(seen.get(ben_id).unwrap().person.participant, ben_id);
    let viewport = Some(Selection { anchor: Scalar(0), head: Scalar(0) });
    let call = Some(Call { audio: true, ..Call::default() });
    let presence = Presence { viewport, call, following: Some(ann_id), color: Some(7), ..caret(0) };
    tell(&mut ben, 0, presence.clone());
    until(&mut ann, &mut seen, |people| presence_of(people, ben_id) == Some(&presence));
    drop(ben);
    until(&mut ann, &mut seen, |people| people.len() == 1);
    ann.say(&ClientMessage::WatchPresence { channel: 1, on: false });
    let _ben = peer(&server, 2);
    assert!(ann.hear_within(Duration::from_millis(300)).is_none(), "who has stopped watching is told nothing");
}

#[test]
fn a_caret_that_comes_late_is_on_its_character_and_a_late_reader_sees_it_there() {
    let server = Server::start(&[]);
    let ((mut ann, ann_id), (mut ben, _)) = (peer(&server, 1), peer(&server, 2));
    ann.edit(1, 0, insert(0, "one two", 0));
    ann.edit(1, 1, insert(0, "zero ", 7));
    // In front of "two" at revision 1.
    tell(&mut ann, 1, caret(4));
    let mut seen = People::default();
    watch(&mut ben);
    until(&mut ben, &mut seen, |people| presence_of(people, ann_id) == Some(&caret(9)));
    ann.edit(1, 2, insert(0, "minus ", 12));
    until(&mut ben, &mut seen, |people| presence_of(people, ann_id) == Some(&caret(15)));
    let (mut carol, _) = peer(&server, 3);
    let mut seen = People::default();
    watch(&mut carol);
    until(&mut carol, &mut seen, |people| presence_of(people, ann_id) == Some(&caret(15)));
}

#[test]
fn a_flood_of_carets_is_one_caret_and_refused_ones_leave_the_channel_open() {
    let server = Server::start(&[]);
    let ((mut ann, ann_id), (mut ben, _)) = (peer(&server, 1), peer(&server, 2));
    ann.edit(1, 0, insert(0, &"x".repeat(50_000), 0));
    watch(&mut ben);
    let mut seen = People::default();
    until(&mut ben, &mut seen, |people| people.len() == 2);
    let before = ben.received_bytes;
    for at in 0..=20_000 {
        tell(&mut ann, 1, caret(at));
    }
    until(&mut ben, &mut seen, |people| presence_of(people, ann_id) == Some(&caret(20_000)));
    let bytes = ben.received_bytes - before;
    assert!(bytes < 20_000 * 10, "{bytes} bytes for 20000 carets");

    let selections = vec![Selection::default(); SELECTIONS_MAX + 1];
    tell(&mut ann, 1, Presence { selections, ..Presence::default() });
    assert_eq!(ann.hear_code(), ErrorCode::BadArgument);
    tell(&mut ann, 99, caret(0));
    assert_eq!(ann.hear_code(), ErrorCode::RevisionUnknown);
    ann.say(&ClientMessage::SetPresence { channel: 7, base: 0, presence: Box::default() });
    assert_eq!(ann.hear_code(), ErrorCode::ChannelUnknown);
    tell(&mut ann, 1, caret(5));
    until(&mut ben, &mut seen, |people| presence_of(people, ann_id) == Some(&caret(5)));
}

#[test]
fn a_reader_that_stopped_for_a_while_sees_the_newest_and_not_how_it_came_about() {
    let server = Server::start(&[]);
    let ((mut ann, ann_id), (mut ben, _)) = (peer(&server, 1), peer(&server, 2));
    ann.edit(1, 0, insert(0, &"x".repeat(1_000), 0));
    let mut others: Vec<_> = (10..15).map(|n| peer(&server, n).0).collect();
    watch(&mut ben);
    // As much at once as there may be, so that a short while is long.
    for n in 0..30 {
        let selections: Vec<_> = (0..SELECTIONS_MAX as u64).map(|at| Selection::caret(Scalar(300 + at + n))).collect();
        for other in &mut others {
            let selections = selections.clone();
            tell(other, 1, Presence { selections, color: Some(n as u32), ..Presence::default() });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    tell(&mut ann, 1, Presence { color: Some(0xff), ..caret(9) });
    let (mut seen, mut tidings) = (People::default(), 0);
    let color = |people: &People| presence_of(people, ann_id).and_then(|presence| presence.color);
    while color(&seen) != Some(0xff) {
        let before = seen.clone();
        until(&mut ben, &mut seen, |people| *people != before);
        tidings += 1;
    }
    // What is sent ahead of an answer is some 16 KiB; a caret takes 6 bytes here, and five people have 64 each.
    assert!(tidings < 16, "{tidings} of about 30 were seen");
}

#[test]
fn a_browser_sees_and_tells_in_json() {
    let server = Server::start(&[]);
    let (mut ann, ann_id) = peer(&server, 1);
    let mut ben = WsPeer::connect(&server);
    let ben_session = session(2).0;
    ben.say_json(&format!(r#"{{"type":"hello","protocol":1,"session":"{ben_session}","name":"Ben"}}"#));
    ben.say_json(r#"{"type":"join","channel":5,"room":"room","after":0}"#);
    ben.say_json(r#"{"type":"watch_presence","channel":5,"on":true}"#);
    ben.say_json(r#"{"type":"set_presence","channel":5,"base":0,"presence":{"typing":true}}"#);
    let mut seen = People::default();
    watch(&mut ann);
    let ben_id = session(2).participant();
    until(&mut ann, &mut seen, |people| presence_of(people, ben_id).is_some_and(|presence| presence.typing));
    ben.say_json(&format!(
        r#"{{"type":"signal","channel":5,"to":"{ann_id}","kind":"candidate","payload":"{{\"a\":1}}"}}"#
    ));
    let got = ann.hear();
    let (kind, payload) = (SignalKind::Candidate, r#"{"a":1}"#.to_owned());
    assert_eq!(got, ServerMessage::Signal { channel: 1, from: ben_id, kind, payload });
    ann.say(&signal(ben_id, "answer"));
    let mut whole = false;
    loop {
        let (message, json) = ben.hear();
        assert!(json);
        match message {
            ServerMessage::Presence { channel: 5, whole: true, people, .. } if !people.is_empty() => whole = true,
            ServerMessage::Signal { channel: 5, from, .. } => {
                assert_eq!(from, ann_id);
                break;
            }
            _ => {}
        }
    }
    assert!(whole);
}

#[test]
fn signals_reach_one_participant_in_the_room_and_nobody_else() {
    let server = Server::start(&[]);
    let ((mut ann, ann_id), (mut ben, ben_id), (mut carol, _)) = (peer(&server, 1), peer(&server, 2), peer(&server, 3));
    for n in 0..50 {
        ann.say(&signal(ben_id, &n.to_string()));
    }
    for n in 0..50 {
        let (kind, payload) = (SignalKind::Offer, n.to_string());
        assert_eq!(ben.hear(), ServerMessage::Signal { channel: 1, from: ann_id, kind, payload });
    }
    assert!(carol.hear_within(Duration::from_millis(100)).is_none());
    let mut refused = |message: ClientMessage| {
        ann.say(&message);
        match ann.hear() {
            ServerMessage::Error(error) => {
                assert_eq!(error.about, About::Channel(1));
                error.code
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(signal(ParticipantId(77), "x")), ErrorCode::NotFound);
    assert_eq!(refused(signal(ben_id, &"x".repeat(SIGNAL_BYTES_MAX + 1))), ErrorCode::BadArgument);
    // Somebody of another room is as far away as somebody who does not exist.
    let mut dave = Peer::greeted_as(&server, session(4));
    dave.create("other");
    dave.join(1, "other");
    assert_eq!(refused(signal(session(4).participant(), "x")), ErrorCode::NotFound);
    drop(ben);
    carol.say(&ClientMessage::WatchPresence { channel: 1, on: true });
    until(&mut carol, &mut People::default(), |people| people.len() == 2);
    assert_eq!(refused(signal(ben_id, "x")), ErrorCode::NotFound);
}

#[test]
fn who_sends_too_many_signals_is_refused_and_who_does_not_read_holds_no_more_than_an_outbox() {
    let server = Server::start(&[]);
    let ((mut ann, _), (ben, ben_id)) = (peer(&server, 1), peer(&server, 2));
    for _ in 0..3 * SIGNALS_PER_SECOND_MAX {
        ann.say(&signal(ben_id, "x"));
    }
    let ServerMessage::Error(error) = ann.hear() else { panic!("an error was due") };
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.retry_after_ms.is_some());
    // Large ones to somebody who reads nothing: the network takes some, the outbox 64 KiB, and then it is told.
    let payload = "x".repeat(SIGNAL_BYTES_MAX);
    let mut codes = Vec::new();
    while !codes.contains(&ErrorCode::Overloaded) {
        assert!(codes.len() < 10_000, "nobody says that the other does not read");
        ann.say(&signal(ben_id, &payload));
        while let Some(message) = ann.hear_within(Duration::from_millis(1)) {
            let ServerMessage::Error(error) = message else { panic!("{message:?}") };
            codes.push(error.code);
        }
        std::thread::sleep(Duration::from_millis(8));
    }
    drop(ben);
}

#[test]
fn credentials_of_a_relay_are_made_where_there_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "north").unwrap();
    let server = Server::start(&["--turn-url", "turn:a", "--turn-secret-file", secret.to_str().unwrap()]);
    let (mut ann, ann_id) = peer(&server, 1);
    ann.say(&ClientMessage::Ask { request: 8, question: Question::TurnCredentials {} });
    match ann.hear() {
        ServerMessage::Answer { request: 8, answer: Answer::Turn { urls, username, credential, expires_ms } } => {
            assert_eq!(urls, ["turn:a"]);
            assert_eq!(username, format!("{}:{ann_id}", expires_ms / 1_000));
            assert_eq!(credential.len(), 28);
        }
        other => panic!("{other:?}"),
    }
    let server = Server::start(&[]);
    let (mut ann, _) = peer(&server, 1);
    ann.say(&ClientMessage::Ask { request: 8, question: Question::TurnCredentials {} });
    assert_eq!(ann.hear_code(), ErrorCode::NotConfigured);
}

/// The log says everything that it can say, and the secret word of a signal is not in it, nor on the disk.
#[test]
fn what_is_passed_on_is_logged_and_stored_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_motetd"))
        .args(["--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log", "trace", "--data"])
        .arg(data.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let word = line.split_whitespace().find_map(|word| word.strip_prefix("tcp=")).unwrap();
    let greet = |n: u128| {
        let mut peer = Peer::connect(word.parse().unwrap());
        peer.say(&hello(session(n)));
        assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
        peer.create("room");
        peer.join(1, "room");
        peer
    };
    let (mut ann, mut ben) = (greet(1), greet(2));
    ann.edit(1, 0, insert(0, "in the log on the disk", 0));
    ann.say(&signal(session(2).participant(), "zxsecretxz"));
    loop {
        if let ServerMessage::Signal { payload, .. } = ben.hear() {
            assert_eq!(payload, "zxsecretxz");
            break;
        }
    }
    ann.say(&signal(ParticipantId(5), "zxsecretxz"));
    ann.hear_code();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let mut grep = Command::new("grep");
    assert!(!grep.args(["-r", "-q", "zxsecretxz"]).arg(data.path()).status().unwrap().success(), "it is there");
    let mut grep = Command::new("grep");
    let there = grep.args(["-r", "-q", "-a", "in the log on the disk"]).arg(data.path()).status().unwrap().success();
    assert!(there, "the search would find it");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
}
