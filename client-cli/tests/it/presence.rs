//! People who see each other, through the library and the command.

use std::{
    io::{BufRead, BufReader},
    time::Duration,
};

use crate::harness::{Server, client, id, line::Line, motet};
use motet_client::{
    error::ErrorKind,
    room::{Event, Events, Room},
};
use motet_protocol::{
    error::ErrorCode,
    ids::ParticipantId,
    ot::{Operation, Scalar},
    presence::{Presence, Selection, SignalKind},
};
use serde_json::Value;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

fn caret(at: u64) -> Presence {
    Presence { selections: vec![Selection::caret(Scalar(at))], ..Presence::default() }
}

/// Takes events until a caret is at this place.
async fn until_at(room: &Room, events: &mut Events, who: ParticipantId, at: u64) {
    let here = || {
        let people = room.people();
        let presence = people.get(who).and_then(|known| known.presence.clone());
        presence.is_some_and(|presence| presence.selections == caret(at).selections)
    };
    while !here() {
        let event = timeout(PATIENCE, events.next()).await;
        assert!(event.is_ok_and(|event| event.is_some()), "{:?}", room.people());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caret_is_seen_on_its_character_while_both_type_and_after_a_lost_connection() {
    let server = Server::start(&[]);
    let line = Line::to(server.tcp).await;
    let (here, away) = (client(server.tcp).await, client(line.address).await);
    here.create_room(Some(id("a"))).await.unwrap();
    let (mine, mut events) = here.join(id("a")).await.unwrap();
    let (theirs, _) = away.join(id("a")).await.unwrap();
    let who = away.welcome().participant;
    mine.watch_presence(true);
    mine.edit(Operation::builder().insert("one two").build().unwrap()).unwrap();
    theirs.reached(1).await.unwrap();
    // Told before the edit that comes with it is acknowledged.
    theirs.edit(Operation::builder().insert("zero ").retain(7).build().unwrap()).unwrap();
    theirs.set_presence(caret(9));
    until_at(&mine, &mut events, who, 9).await;
    mine.edit(Operation::builder().delete(5).retain(7).build().unwrap()).unwrap();
    mine.synchronized().await.unwrap();
    until_at(&mine, &mut events, who, 4).await;
    line.cut();
    theirs.set_presence(caret(4));
    mine.edit(Operation::builder().insert("!!").retain(7).build().unwrap()).unwrap();
    until_at(&mine, &mut events, who, 6).await;
    assert_eq!(mine.people().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_set_up_and_what_is_refused_closes_nothing() {
    let server = Server::start(&[]);
    let (ann, ben) = (client(server.tcp).await, client(server.tcp).await);
    ann.create_room(Some(id("a"))).await.unwrap();
    let (anns, mut anns_events) = ann.join(id("a")).await.unwrap();
    let (_bens, mut bens_events) = ben.join(id("a")).await.unwrap();
    anns.signal(ben.welcome().participant, SignalKind::Offer, "v=0".to_owned()).unwrap();
    loop {
        if let Event::Signal { from, kind, payload } = timeout(PATIENCE, bens_events.next()).await.unwrap().unwrap() {
            assert_eq!((from, kind, payload.as_str()), (ann.welcome().participant, SignalKind::Offer, "v=0"));
            break;
        }
    }
    anns.signal(ParticipantId(9), SignalKind::Hangup, String::new()).unwrap();
    loop {
        match timeout(PATIENCE, anns_events.next()).await.unwrap().unwrap() {
            Event::Declined { error } => break assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::NotFound)),
            Event::Joined { .. } | Event::Replaced { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    anns.edit(Operation::builder().insert("x").build().unwrap()).unwrap();
    anns.synchronized().await.unwrap();
}

#[test]
fn who_tells_who_is_there_and_goes_on_if_asked() {
    let server = Server::start(&[]);
    server.motet(&["create", "a"]);
    assert_eq!(server.motet(&["who", "a"]), "");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (ann, (room, _)) = runtime.block_on(async {
        let ann = client(server.tcp).await;
        let joined = ann.join(id("a")).await.unwrap();
        (ann, joined)
    });
    room.edit(Operation::builder().insert("text").build().unwrap()).unwrap();
    room.set_presence(caret(2));
    runtime.block_on(room.synchronized()).unwrap();
    let participant = ann.welcome().participant;
    let mut who = motet(server.tcp, &["who", "a", "--follow", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(who.stdout.take().unwrap()).lines();
    let mut until = |done: &dyn Fn(&Value) -> bool| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        // Others that ask come and go meanwhile, too.
        if line["participant"] == participant.to_string() && done(&line) {
            break;
        }
    };
    until(&|line| line["type"] == "is" && line["presence"]["selections"][0]["head"] == 2);
    assert_eq!(
        server.motet(&["who", "a"]).lines().find(|line| line.contains("active")),
        Some(format!("{participant}\t-\thost\tactive\t2").as_str())
    );
    room.set_presence(caret(4));
    until(&|line| line["presence"]["selections"][0]["head"] == 4);
    drop((room, ann));
    until(&|line| line["type"] == "left");
    who.kill().unwrap();
    who.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_learns_that_the_connection_is_lost_and_back() {
    use std::{
        io::{BufRead, BufReader},
        sync::mpsc::RecvTimeoutError,
        time::{Duration, Instant},
    };
    let server = crate::harness::Server::start(&[]);
    server.motet(&["create", "a"]);
    let line = crate::harness::line::Line::to(server.tcp).await;
    let mut who = crate::harness::motet(line.address, &["who", "a", "--follow"]).spawn().unwrap();
    let stderr = BufReader::new(who.stderr.take().unwrap());
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
    let begun = Instant::now();
    let mut lines: Vec<String> = Vec::new();
    while !lines.iter().any(|line| line.contains("connected again")) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{lines:?}");
        match heard.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => lines.push(line),
            // Not connected yet, or the cut came too early.
            Err(RecvTimeoutError::Timeout) if lines.is_empty() => line.cut(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the command ended: {lines:?}"),
        }
    }
    who.kill().unwrap();
    who.wait().unwrap();
    assert!(lines[0].contains("connection lost"), "{lines:?}");
}
