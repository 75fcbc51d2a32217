//! What a server costs when there is much of something: rooms, history, text.

use std::{path::Path, time::Duration};

use crate::harness::{Peer, hello, id, insert, process::Process};
use motet_protocol::{
    codec,
    ids::{Revision, SessionId},
    limits::{EDIT_BYTES_MAX, TEXT_BYTES_MAX},
    message::{Answer, At, ClientMessage, Question, ServerMessage},
    ot::Operation,
};
use motet_server::{
    hub::history::state_at,
    store::{self, Durability, LogId, StoreKind},
};
use uuid::Uuid;

fn greeted(server: &Process) -> Peer<std::net::TcpStream> {
    let mut peer = Peer::connect(server.tcp);
    peer.say(&hello(SessionId(Uuid::new_v4())));
    assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
    peer
}

#[test]
fn ten_thousand_rooms_that_are_idle_cost_no_memory() {
    const ROOMS: u64 = 10_000;
    /// What rooms may leave behind, all that the store has in memory included: sled's cache and what it knows of each page of
    /// its file, and the journal.
    const GROWTH_BYTES_MAX: f64 = 20e6;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), &["--unload-after", "1", "--durability", "os"]);
    let mut peer = greeted(&server);
    let mut visit = |rooms: std::ops::Range<u64>| {
        for n in rooms {
            let room = format!("room-{n}");
            peer.create(&room);
            peer.join(1, &room);
            peer.seq = 0;
            peer.edit(1, 0, insert(0, "written once", 0));
            peer.say(&ClientMessage::Leave { channel: 1 });
            assert!(matches!(peer.hear(), ServerMessage::Left { .. }));
        }
    };
    // A first few bring the engine and the allocator to their working size.
    visit(0..200);
    let before = settled_memory(&server);
    visit(200..ROOMS);
    let after = settled_memory(&server);
    println!("memory before {:.1} MB, after {ROOMS} rooms {:.1} MB", before / 1e6, after / 1e6);
    assert!(after - before < GROWTH_BYTES_MAX, "memory grew from {} to {} MB", before / 1e6, after / 1e6);
    assert_eq!(peer.text("room-777", At::Head), "written once");
}

/// The memory of a server once no room is open.
fn settled_memory(server: &Process) -> f64 {
    for _ in 0..300 {
        if server.figure("motet_rooms_open") == 0.0 {
            return server.memory_bytes();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{} rooms are still open", server.figure("motet_rooms_open"));
}

#[test]
fn joining_a_room_with_much_history_transfers_its_text_only_and_opening_it_reads_a_snapshot() {
    const EDITS: u64 = 20_000;
    for store in ["sled", "fjall"] {
        let data = tempfile::tempdir().unwrap();
        let flags = ["--store", store, "--durability", "none"];
        let server = Process::start(data.path(), &flags);
        let mut peer = greeted(&server);
        peer.create("demo");
        peer.join(1, "demo");
        let mut len = 0;
        for revision in 0..EDITS {
            let operation = match revision % 4 {
                3 => Operation::builder().delete(1).retain(len - 1).build().unwrap(),
                _ => insert(len / 2, "x", len),
            };
            len = operation.target_len();
            peer.edit(1, revision, operation);
        }
        let mut joiner = greeted(&server);
        joiner.received_bytes = 0;
        let (revision, text) = joiner.join(1, "demo");
        assert_eq!((revision, text.len() as u64), (EDITS, len));
        assert!(joiner.received_bytes < text.len() as u64 + 2_048, "{} bytes for the text", joiner.received_bytes);
        drop((peer, joiner));
        assert!(server.terminate());
        opens_from_a_snapshot(data.path(), store, EDITS, &text);
    }
}

fn opens_from_a_snapshot(data: &Path, store: &str, edits: Revision, text: &str) {
    let kind: StoreKind = store.parse().unwrap();
    let store = store::open(kind, data, Durability::None).unwrap();
    let (_, record) = store.scan("room/", None, 1).unwrap().remove(0);
    let record: motet_server::hub::registry::RoomRecord = codec::decode(&record).unwrap();
    let log: LogId = record.log();
    let newest = state_at(store.as_ref(), log, None).unwrap();
    assert_eq!(newest.snapshot_revision, edits, "a clean end leaves a snapshot of the head");
    assert_eq!(newest.state.text().to_string(), text);
    for revision in [1, 4_095, 4_097, 9_999, edits - 1] {
        let then = state_at(store.as_ref(), log, Some(revision)).unwrap();
        assert_eq!(then.state.revision(), revision);
        assert!(revision - then.snapshot_revision <= 4_096 + 512, "revision {revision} is far from a snapshot");
    }
}

#[test]
fn a_text_of_the_full_length_is_typed_read_and_edited() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), &["--durability", "none"]);
    let mut peer = greeted(&server);
    peer.create("large");
    peer.join(1, "large");
    let piece = "x".repeat(EDIT_BYTES_MAX);
    let (mut revision, mut len) = (0, 0);
    while len < TEXT_BYTES_MAX as u64 {
        let size = EDIT_BYTES_MAX.min(TEXT_BYTES_MAX - len as usize);
        revision = peer.edit(1, revision, insert(len, &piece[..size], len));
        len += size as u64;
    }
    peer.submit(1, revision, insert(0, "y", len));
    assert_eq!(peer.hear_code(), motet_protocol::error::ErrorCode::TextTooLarge);
    peer.seq -= 1;
    let delete = Operation::builder().delete(1).retain(len - 1).build().unwrap();
    revision = peer.edit(1, revision, delete);
    revision = peer.edit(1, revision, insert(0, "y", len - 1));
    let mut reader = greeted(&server);
    let (at, text) = reader.join(1, "large");
    assert_eq!((at, text.len()), (revision, TEXT_BYTES_MAX));
    assert!(text.starts_with('y') && text[1..].bytes().all(|byte| byte == b'x'));
    drop((peer, reader));
    assert!(server.terminate());
    let server = Process::start(data.path(), &["--durability", "none"]);
    let mut reader = greeted(&server);
    reader.say(&ClientMessage::Ask { request: 1, question: Question::ShowRoom { room: id("large") } });
    let ServerMessage::Answer { answer: Answer::Room { room, .. }, .. } = reader.hear() else {
        panic!("a room was due")
    };
    assert_eq!((room.head, room.text_bytes), (revision, TEXT_BYTES_MAX as u64));
}
