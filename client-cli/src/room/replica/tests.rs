use super::*;

const ROOM: &str = "minutes";

/// A replica of a room with this text, joined.
fn open(text: &str, limits: &Limits) -> Replica {
    let mut replica = Replica::new(limits, ParticipantId(1));
    replica.join(1, RoomId::new(ROOM).unwrap());
    replica.joined(1, Some(SnapshotInfo { revision: 1, bytes: text.len() as u64 }));
    replica.piece(text, true);
    assert!(replica.is_open() && *replica.text() == text);
    replica
}

/// Replaces so many characters at the beginning.
fn replace(replica: &Replica, deleted: u64, inserted: &str) -> Operation {
    let rest = replica.text().len_chars() as u64 - deleted;
    Operation::builder().delete(deleted).insert(inserted).retain(rest).build().unwrap()
}

#[test]
fn an_edit_that_would_make_the_text_too_long_is_not_taken() {
    let limits = Limits { text_bytes_max: 10, edit_bytes_max: 4, ..Limits::default() };
    let mut replica = open("ääää", &limits);
    let error = replica.edit(replace(&replica, 0, "abc")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::TextTooLarge));
    assert!(*replica.text() == "ääää" && replica.poll(1, Instant::now()).is_empty());
    // What is deleted makes room, by its bytes.
    replica.edit(replace(&replica, 1, "abcd")).unwrap();
    assert_eq!(*replica.text(), "abcdäää");
    assert!(replica.edit(replace(&replica, 1, "xy")).is_err());
    replica.edit(replace(&replica, 1, "x")).unwrap();
}

#[test]
fn a_text_that_is_too_long_already_can_be_made_shorter() {
    let mut replica = open("0123456789", &Limits::default());
    replica.set_limits(&Limits { text_bytes_max: 5, ..Limits::default() });
    assert!(replica.edit(replace(&replica, 2, "x")).is_err());
    replica.edit(replace(&replica, 2, "")).unwrap();
}
