//! Several clients edit one text at once, over real sockets.

use crate::harness::{self, Peer, Server, WsPeer, hello, id, insert};
use motet_protocol::{
    error::{About, ErrorCode},
    ids::SessionId,
    message::{Answer, At, ClientMessage, Command, Question, ServerMessage},
    ot::Operation,
};
use uuid::Uuid;

#[test]
fn an_edit_reaches_the_other_and_comes_back_as_an_acknowledgement() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    let mut ben = server.peer_in("demo");
    assert_eq!(ada.edit(1, 0, insert(0, "hello", 0)), 1);
    let entry = ben.entry();
    assert_eq!((entry.revision, entry.command), (1, Command::Edit(insert(0, "hello", 0))));
    assert_eq!(ben.text("demo", At::Head), "hello");
}

#[test]
fn concurrent_edits_meet_in_one_text() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    let mut ben = server.peer_in("demo");
    ada.edit(1, 0, insert(0, "ac", 0));
    ben.entry();
    // Both count on revision 1.
    ada.edit(1, 1, insert(1, "b", 2));
    assert_eq!(ben.edit(1, 1, insert(2, "d", 2)), 3);
    assert_eq!(ada.entry().command, Command::Edit(insert(3, "d", 3)));
    assert_eq!(ada.text("demo", At::Head), "abcd");
    assert_eq!(ada.text("demo", At::Revision(1)), "ac");
    assert_eq!(ada.text("demo", At::Revision(0)), "");
}

#[test]
fn a_submit_sent_twice_is_appended_once() {
    let server = Server::start(&[]);
    let session = SessionId(Uuid::new_v4());
    let mut ada = Peer::greeted_as(&server, session);
    ada.create("demo");
    ada.join(1, "demo");
    ada.edit(1, 0, insert(0, "once", 0));
    drop(ada);
    let mut again = Peer::greeted_as(&server, session);
    again.say(&ClientMessage::Join { channel: 5, room: id("demo"), after: Some(0), log: None, entries_only: true });
    assert!(matches!(again.hear(), ServerMessage::Joined { head: 1, snapshot: None, .. }));
    assert_eq!(again.hear(), ServerMessage::Ack { channel: 5, seq: 1, revision: 1 });
    again.submit(5, 0, insert(0, "once", 0));
    assert_eq!(again.hear(), ServerMessage::Ack { channel: 5, seq: 1, revision: 1 });
    assert_eq!(again.text("demo", At::Head), "once");
}

#[test]
fn a_room_that_was_made_anew_is_not_resumed_as_if_it_were_the_old_one() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    let mut ben = Peer::greeted(&server);
    let mut channel = 0;
    let mut join = |after, log| {
        channel += 1;
        ben.say(&ClientMessage::Join { channel, room: id("demo"), after, log, entries_only: true });
        match ben.hear() {
            ServerMessage::Joined { log, .. } => {
                while !matches!(ben.hear(), ServerMessage::Entry { entry, .. } if entry.revision == 2) {}
                Ok(log)
            }
            ServerMessage::Error(error) => Err((error.code, error.about)),
            other => panic!("{other:?}"),
        }
    };
    for n in 0..2 {
        ada.edit(1, n, insert(n, "x", n));
    }
    let old = join(Some(0), None).unwrap();
    assert_eq!(join(Some(1), Some(old)), Ok(old));

    ada.say(&ClientMessage::Ask { request: 5, question: Question::DeleteRoom { room: id("demo") } });
    let gone = |message| matches!(message, ServerMessage::Answer { answer: Answer::Deleted { .. }, .. });
    while !gone(ada.hear()) {}
    let mut eve = server.peer_in("demo");
    for n in 0..2 {
        eve.edit(1, n, insert(n, "y", n));
    }
    // Its connection is told first that its channels are closed.
    let mut ben = Peer::greeted(&server);
    let mut join = |channel, after, log| {
        ben.say(&ClientMessage::Join { channel, room: id("demo"), after, log, entries_only: true });
        match ben.hear() {
            ServerMessage::Joined { log, .. } => Ok(log),
            ServerMessage::Error(error) => Err((error.code, error.about)),
            other => panic!("{other:?}"),
        }
    };
    for after in [0, 2, 7] {
        assert_eq!(join(1, Some(after), Some(old)), Err((ErrorCode::RoomReplaced, About::Channel(1))));
    }
    // Who resumes nothing names no log, or has no use for it.
    let new = join(1, Some(2), None).unwrap();
    assert_ne!(new, old);
    assert_eq!(join(2, Some(2), Some(new)), Ok(new));
}

#[test]
fn a_reader_who_was_away_gets_what_it_missed() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    for n in 0..2_000 {
        ada.edit(1, n, insert(n, "x", n));
    }
    let mut ben = Peer::greeted(&server);
    ben.say(&ClientMessage::Join { channel: 1, room: id("demo"), after: Some(3), log: None, entries_only: true });
    assert!(matches!(ben.hear(), ServerMessage::Joined { head: 2_000, snapshot: None, .. }));
    for revision in 4..=2_000 {
        assert_eq!(ben.entry().revision, revision);
    }
    ada.edit(1, 2_000, insert(0, "y", 2_000));
    assert_eq!(ben.entry().revision, 2_001);
}

#[test]
fn an_edit_on_an_old_base_is_transformed_over_the_history_on_disk() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    let mut ben = server.peer_in("demo");
    for n in 0..1_500 {
        ada.edit(1, n, insert(n, "x", n));
    }
    ben.submit(1, 1, insert(1, "!", 1));
    for revision in 1..=1_500 {
        assert_eq!(ben.entry().revision, revision);
    }
    assert!(matches!(ben.hear(), ServerMessage::Ack { revision: 1_501, .. }));
    // What was typed after the first "x" since stands behind it: the newest insertion goes to the left.
    assert_eq!(ada.text("demo", At::Head), format!("x!{}", "x".repeat(1_499)));
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    for store in ["sled", "fjall"] {
        let data = data.path().join(store);
        let server = Server::start_in(data.clone(), &["--store", store]);
        let mut ada = server.peer_in("demo");
        for n in 0..300 {
            ada.edit(1, n, insert(0, "é", n));
        }
        server.stop();
        let server = Server::start_in(data, &["--store", store]);
        let mut ben = Peer::greeted(&server);
        assert_eq!(ben.join(1, "demo"), (300, "é".repeat(300)));
        assert_eq!(ben.text("demo", At::Revision(17)), "é".repeat(17));
        assert_eq!(ben.edit(1, 300, insert(0, "z", 300)), 301);
    }
}

#[test]
fn a_server_that_ends_says_goodbye() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    ada.edit(1, 0, insert(0, "x", 0));
    server.stop();
    assert_eq!(ada.hear_code(), motet_protocol::error::ErrorCode::ShuttingDown);
    assert!(ada.try_hear().is_none());
}

#[test]
fn tcp_websocket_and_json_are_one_room() {
    let server = Server::start(&[]);
    let mut tcp = server.peer_in("demo");
    let mut binary = WsPeer::connect(&server);
    binary.say(&hello(SessionId(Uuid::new_v4())));
    assert!(matches!(binary.hear(), (ServerMessage::Welcome(_), false)));
    binary.say(&ClientMessage::Join { channel: 2, room: id("demo"), after: Some(0), log: None, entries_only: true });
    assert!(matches!(binary.hear(), (ServerMessage::Joined { .. }, false)));
    let mut json = WsPeer::connect(&server);
    json.say_json(&format!(r#"{{"type":"hello","protocol":1,"session":"{}"}}"#, Uuid::new_v4()));
    assert!(matches!(json.hear(), (ServerMessage::Welcome(_), true)));
    json.say_json(r#"{"type":"join","channel":3,"room":"demo","after":0}"#);
    assert!(matches!(json.hear(), (ServerMessage::Joined { .. }, true)));

    json.say_json(r#"{"type":"submit","channel":3,"seq":1,"base":0,"command":{"edit":["hé"]}}"#);
    assert_eq!(json.hear(), (ServerMessage::Ack { channel: 3, seq: 1, revision: 1 }, true));
    assert_eq!(tcp.entry().command, Command::Edit(Operation::builder().insert("hé").build().unwrap()));
    let (ServerMessage::Entry { channel: 2, entry }, false) = binary.hear() else { panic!("an entry was due") };
    assert_eq!(entry.revision, 1);
    tcp.edit(1, 1, insert(2, "!", 2));
    let (ServerMessage::Entry { entry, .. }, true) = json.hear() else { panic!("an entry was due") };
    assert_eq!(entry.command, Command::Edit(insert(2, "!", 2)));
}

#[test]
fn a_session_that_joins_anew_replaces_its_old_connection() {
    let server = Server::start(&[]);
    let session = SessionId(Uuid::new_v4());
    let mut old = Peer::greeted_as(&server, session);
    old.create("demo");
    old.join(1, "demo");
    let mut new = Peer::greeted_as(&server, session);
    new.join(1, "demo");
    assert_eq!(old.hear_code(), motet_protocol::error::ErrorCode::SessionReplaced);
    old.submit(1, 0, insert(0, "x", 0));
    assert_eq!(old.hear_code(), motet_protocol::error::ErrorCode::ChannelUnknown);
    assert_eq!(new.edit(1, 0, insert(0, "y", 0)), 1);
}

#[test]
fn health_and_figures_are_told_over_http() {
    let server = Server::start(&[]);
    let mut ada = server.peer_in("demo");
    ada.edit(1, 0, insert(0, "x", 0));
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(harness::figure(server.http, "motet_entries_total"), 1.0);
    assert!(harness::figure(server.http, "process_cpu_seconds_total") > 0.0);
    assert!(harness::figure(server.http, "process_resident_memory_bytes") > 1e6);
    assert!(server.get("/nothing").starts_with("HTTP/1.1 404"));
}
