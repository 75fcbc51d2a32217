//! Trouble with the disk, as clients see it: a full one, and damage.

use std::{fs, io::Write, path::Path, time::Duration};

use crate::harness::{self, Peer, hello, id, insert, process::Process};
use crate::store_disk;
use motet_protocol::{
    chat::ChatCommand,
    codec,
    error::{About, ErrorCode},
    ids::SessionId,
    message::{Answer, At, ClientMessage, Command, Question, ServerMessage},
};
use motet_server::{
    hub::registry::RoomRecord,
    store::{self, Durability, StoreKind},
};
use uuid::Uuid;

fn greeted(server: &Process) -> Peer<std::net::TcpStream> {
    let mut peer = Peer::connect(server.tcp);
    peer.say(&hello(SessionId(Uuid::new_v4())));
    assert!(matches!(peer.hear(), ServerMessage::Welcome(_)));
    peer
}

#[test]
fn a_full_disk_makes_rooms_read_only_until_there_is_space_again() {
    if !store_disk::may_mount("a full disk under a server") {
        return;
    }
    for store in ["sled", "fjall"] {
        full_disk(store);
    }
}

fn full_disk(store: &str) {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    store_disk::make(&image, 96).unwrap();
    let disk = store_disk::mount(&image, &directory.path().join("disk")).unwrap();
    let data = disk.path().join("data");
    let server = Process::start(&data, &["--store", store]);
    let (mut ada, mut ben) = (greeted(&server), greeted(&server));
    ada.create("demo");
    ada.join(1, "demo");
    ben.join(1, "demo");
    let filler = disk.path().join("filler");
    fill(&filler);

    // Edits are acknowledged until the disk is full; the one that meets the end waits.
    let piece = "x".repeat(10_000);
    let mut len = 0;
    let mut revision = 0;
    loop {
        ada.submit(1, revision, insert(len, &piece, len));
        match ada.hear_within(Duration::from_secs(3)) {
            Some(ServerMessage::Ack { revision: acknowledged, .. }) => {
                revision = acknowledged;
                len += piece.len() as u64;
                assert_eq!(ben.entry().revision, revision);
            }
            None => break,
            Some(other) => panic!("{other:?}"),
        }
        assert!(revision < 50_000, "the disk did not fill up");
    }
    // Further ones are refused with a reason, and reading goes on.
    ben.submit(1, revision, insert(0, "b", len));
    let ServerMessage::Error(error) = ben.hear() else { panic!("an error was due") };
    assert_eq!((error.code, error.about), (ErrorCode::StorageFull, About::Submit { channel: 1, seq: 1 }), "{store}");
    assert!(error.retry_after_ms.is_some());
    ben.seq -= 1;
    assert_eq!(ben.text("demo", At::Head).len() as u64, len);
    assert!(harness::get(server.http, "/readyz").starts_with("HTTP/1.1 503"));

    // With space again, what waited is acknowledged, and edits are taken: the server was never restarted.
    fs::remove_file(&filler).unwrap();
    match ada.hear() {
        ServerMessage::Ack { revision: acknowledged, .. } => assert_eq!(acknowledged, revision + 1),
        other => panic!("{other:?}"),
    }
    revision = ben.entry().revision;
    len += piece.len() as u64;
    assert_eq!(ben.edit(1, revision, insert(0, "b", len)), revision + 1);
    assert!(harness::get(server.http, "/readyz").starts_with("HTTP/1.1 200"));
    let text = ben.text("demo", At::Head);
    drop((ada, ben));
    server.kill();
    let server = Process::start(&data, &["--store", store]);
    let (at, again) = greeted(&server).join(1, "demo");
    assert_eq!(at, revision + 1);
    assert!(again == text, "{store}: the text is another after a restart");
    server.kill();
}

/// Takes all the space that there is.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 20, 4 << 10] {
        let chunk = vec![0xaa; size];
        while file.write_all(&chunk).is_ok() {}
    }
    let _ = file.sync_all();
}

#[test]
fn a_damaged_room_is_refused_and_the_others_serve() {
    for kind in [StoreKind::Sled, StoreKind::Fjall] {
        let data = tempfile::tempdir().unwrap();
        let name = kind.to_string();
        let server = Process::start(data.path(), &["--store", &name]);
        let mut peer = greeted(&server);
        for room in ["sound", "flipped", "gap", "short"] {
            peer.create(room);
            peer.join(1, room);
            peer.seq = 0;
            for revision in 0..300 {
                peer.edit(1, revision, insert(0, "x", revision));
            }
            peer.say(&ClientMessage::Leave { channel: 1 });
            assert!(matches!(peer.hear(), ServerMessage::Left { .. }));
        }
        drop(peer);
        assert!(server.terminate());
        damage(data.path(), kind);

        let server = Process::start(data.path(), &["--store", &name]);
        let mut peer = greeted(&server);
        for (room, at) in [("flipped", "revision 257 "), ("gap", "revision 1 "), ("short", "revision 257 ")] {
            peer.say(&ClientMessage::Join { channel: 1, room: id(room), after: None, log: None, entries_only: false });
            let ServerMessage::Error(error) = peer.hear() else { panic!("{name}: {room} should be refused") };
            assert_eq!(error.code, ErrorCode::RoomDamaged, "{name} {room}");
            assert!(error.message.contains(at), "{name} {room}: {}", error.message);
        }
        let (revision, text) = peer.join(1, "sound");
        assert_eq!((revision, text.len()), (300, 300));
        peer.seq = 0;
        assert_eq!(peer.edit(1, 300, insert(0, "y", 300)), 301);
    }
}

#[test]
fn a_room_of_which_a_message_is_damaged_can_be_deleted_and_the_server_starts_again() {
    for kind in [StoreKind::Sled, StoreKind::Fjall] {
        let data = tempfile::tempdir().unwrap();
        let name = kind.to_string();
        let server = Process::start(data.path(), &["--store", &name]);
        let mut peer = greeted(&server);
        peer.create("hurt");
        peer.join(1, "hurt");
        for seq in 1..=3 {
            let say = ChatCommand::Say { text: "x".repeat(4_000), thread: None, quote: None, mentions: Vec::new() };
            peer.say(&ClientMessage::Submit { channel: 1, seq, base: 0, command: Command::Chat(Box::new(say)) });
            assert!(matches!(peer.hear(), ServerMessage::Ack { .. }), "{name}");
        }
        drop(peer);
        assert!(server.terminate());
        damage_pairs(data.path(), kind);

        let server = Process::start(data.path(), &["--store", &name]);
        let mut peer = greeted(&server);
        peer.say(&ClientMessage::Ask {
            request: 1,
            question: Question::ListRooms { filter: Box::default(), after: None, limit: 10 },
        });
        let ServerMessage::Answer { answer: Answer::Rooms { rooms, .. }, .. } = peer.hear() else {
            panic!("{name}: a list was due")
        };
        assert_eq!(rooms.len(), 1, "{name}");
        peer.say(&ClientMessage::Ask { request: 1, question: Question::DeleteRoom { room: id("hurt") } });
        assert!(matches!(peer.hear(), ServerMessage::Answer { request: 1, answer: Answer::Deleted { .. } }), "{name}");
        drop(peer);
        server.kill();
        let server = Process::start(data.path(), &["--store", &name]);
        greeted(&server).create("hurt");
        assert!(server.terminate());
        let store = store::open(kind, data.path(), Durability::Sync).unwrap();
        for prefix in ["chat/", "purge/"] {
            assert_eq!(store.scan(prefix, None, 10).unwrap(), [], "{name}: nothing is left of it");
        }
    }
}

/// Damages every message, card and list of events.
fn damage_pairs(data: &Path, kind: StoreKind) {
    let beside =
        |key: &[u8]| ["kchat/", "kcard/", "kactivity/"].iter().any(|prefix| key.starts_with(prefix.as_bytes()));
    let flip = |value: &[u8]| [&[value[0] ^ 0x10], &value[1..]].concat();
    let mut damaged = 0;
    match kind {
        StoreKind::Sled => {
            let db = sled::open(data.join("sled")).unwrap();
            for (key, value) in db.iter().map(Result::unwrap).filter(|(key, _)| beside(key)) {
                db.insert(key, flip(&value)).unwrap();
                damaged += 1;
            }
            db.flush().unwrap();
        }
        StoreKind::Fjall => {
            let db = fjall::Database::builder(data.join("fjall")).open().unwrap();
            let names = db.list_keyspace_names();
            let map = db.keyspace(&names[0], fjall::KeyspaceCreateOptions::default).unwrap();
            let pairs: Vec<_> = map.iter().map(|pair| pair.into_inner().unwrap()).collect();
            for (key, value) in pairs.into_iter().filter(|(key, _)| beside(key)) {
                map.insert(key, flip(&value)).unwrap();
                damaged += 1;
            }
            db.persist(fjall::PersistMode::SyncAll).unwrap();
        }
        StoreKind::Memory => unreachable!("it has no disk"),
    }
    assert!(damaged > 5, "{damaged}");
}

/// Damages the rooms that are named for it, below the store's own notice: with its engine, not with its code.
fn damage(data: &Path, kind: StoreKind) {
    let logs: Vec<(String, u64)> = {
        let store = store::open(kind, data, Durability::Sync).unwrap();
        let rooms = store.scan("room/", None, 10).unwrap();
        rooms.into_iter().map(|(key, value)| (key, codec::decode::<RoomRecord>(&value).unwrap().log)).collect()
    };
    let log = |room: &str| logs.iter().find(|(key, _)| key.ends_with(room)).unwrap().1;
    let key = |region: u8, log: u64, revision: u64| {
        let mut key = vec![region];
        key.extend_from_slice(&log.to_be_bytes());
        key.extend_from_slice(&revision.to_be_bytes());
        key
    };
    // A log's entries stand in chunks of 256, under the last revision of each.
    let (flipped, gap, short) =
        (key(b'e', log("flipped"), 300), key(b'e', log("gap"), 256), key(b'e', log("short"), 300));
    let flip = |value: &[u8]| {
        let mut value = value.to_vec();
        let middle = value.len() / 2;
        value[middle] ^= 0x10;
        value
    };
    // Snapshots would hide what is before them, but for the one that tells that entries are missing at the end.
    let snapshots = [log("flipped"), log("gap")].map(|log| key(b's', log, 300));
    match kind {
        StoreKind::Sled => {
            let db = sled::open(data.join("sled")).unwrap();
            let value = db.get(&flipped).unwrap().unwrap();
            db.insert(&flipped, flip(&value)).unwrap();
            for key in [&gap, &short].into_iter().chain(&snapshots) {
                assert!(db.remove(key).unwrap().is_some());
            }
            db.flush().unwrap();
        }
        StoreKind::Fjall => {
            let db = fjall::Database::builder(data.join("fjall")).open().unwrap();
            let names = db.list_keyspace_names();
            let map = db.keyspace(&names[0], fjall::KeyspaceCreateOptions::default).unwrap();
            let value = map.get(&flipped).unwrap().unwrap();
            map.insert(&flipped, flip(&value)).unwrap();
            for key in [&gap, &short].into_iter().chain(&snapshots) {
                assert!(map.get(key).unwrap().is_some());
                map.remove(key.as_slice()).unwrap();
            }
            db.persist(fjall::PersistMode::SyncAll).unwrap();
        }
        StoreKind::Memory => unreachable!("it has no disk"),
    }
}
