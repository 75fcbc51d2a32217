use motet_protocol::error::About;

use super::*;

const ROOM: &str = "minutes";
const LOG: LogIdentity = LogIdentity(uuid::Uuid::from_u128(7));

/// A replica of a room with this text, joined.
fn open(text: &str, limits: &Limits) -> Replica {
    let mut replica = Replica::new(limits, ParticipantId(1));
    replica.join(1, RoomId::new(ROOM).unwrap());
    replica.joined(LOG, 1, Some(SnapshotInfo { revision: 1, bytes: text.len() as u64 }));
    replica.piece(text, true);
    assert!(replica.is_open() && *replica.text() == text);
    replica
}

fn later(code: ErrorCode, wait_ms: u32) -> ErrorMessage {
    let message = "not now".to_owned();
    ErrorMessage { about: About::Connection, code, message, retry_after_ms: Some(wait_ms) }
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
fn a_long_edit_is_seen_to_become_less_piece_by_piece() {
    let mut replica = open("text", &Limits { edit_bytes_max: 4, ..Limits::default() });
    replica.edit(replace(&replica, 0, "0123456789")).unwrap();
    let mut left = vec![replica.unacknowledged_bytes()];
    for seq in 1..=3 {
        replica.poll(1, Instant::now());
        replica.acknowledged(seq, 1 + seq);
        left.push(replica.unacknowledged_bytes());
    }
    assert_eq!(left, [10, 6, 2, 0]);
}

/// A time that has come and stays would wake the task again and again.
#[test]
fn a_join_that_was_put_off_leaves_no_time_to_wake_at_behind() {
    let start = Instant::now();
    let mut replica = open("text", &Limits::default());
    replica.turned_away(&later(ErrorCode::StorageUnavailable, 50), start);
    let due = replica.wake_at().unwrap();
    assert!(!replica.is_due_to_join(start) && replica.is_due_to_join(due));
    replica.join(2, RoomId::new(ROOM).unwrap());
    assert_eq!(replica.wake_at(), None);
    replica.joined(LOG, 1, None);
    assert_eq!((replica.poll(2, due), replica.wake_at()), (Vec::new(), None));
}

#[test]
fn a_submit_that_was_put_off_and_is_no_more_leaves_no_time_to_wake_at_behind() {
    let start = Instant::now();
    let mut replica = open("text", &Limits::default());
    replica.edit(replace(&replica, 0, "a")).unwrap();
    assert_eq!(replica.poll(1, start).len(), 1);
    replica.refused(1, &later(ErrorCode::Overloaded, 50), start);
    let due = replica.wake_at().unwrap();
    assert!(replica.poll(1, start).is_empty());
    assert_eq!((replica.poll(1, due).len(), replica.wake_at()), (1, None));
}

#[test]
fn what_is_put_off_for_long_is_told_once_and_given_up_in_the_end() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut replica = open("text", &Limits::default());
    replica.set_patience(Some(Duration::from_secs(5)));
    replica.edit(replace(&replica, 0, "a")).unwrap();
    let mut refuse = |ms| {
        replica.poll(1, at(ms));
        replica.refused(1, &later(ErrorCode::StorageFull, 1_000), at(ms))
    };
    // A busy moment is nothing to speak of.
    assert!(matches!(refuse(0), Answered::Nothing));
    let Answered::Event(Event::PutOff { error }) = refuse(1_000) else { panic!("nothing was reported") };
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::StorageFull));
    for ms in [2_000, 3_000, 4_000] {
        assert!(matches!(refuse(ms), Answered::Nothing), "{ms}");
    }
    assert!(matches!(refuse(5_000), Answered::Closed(_)));
    assert_eq!(replica.closed().unwrap().kind(), ErrorKind::Refused(ErrorCode::StorageFull));
}

#[test]
fn patience_begins_anew_when_something_is_taken() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut replica = open("text", &Limits::default());
    replica.set_patience(Some(Duration::from_secs(2)));
    for (seq, ms) in [(1, 0), (2, 1_500), (3, 3_000)] {
        replica.edit(replace(&replica, 0, "a")).unwrap();
        replica.poll(1, at(ms));
        assert!(matches!(replica.refused(seq, &later(ErrorCode::Overloaded, 1_000), at(ms)), Answered::Nothing));
        replica.poll(1, at(ms + 1_000));
        assert!(matches!(replica.acknowledged(seq, 1 + seq), Answered::Event(Event::Acknowledged { .. })));
    }
}

#[test]
fn a_room_made_anew_is_joined_without_anything_of_the_old_one() {
    let mut replica = open("text", &Limits::default());
    replica.edit(replace(&replica, 0, "unsaved ")).unwrap();
    assert_eq!(replica.poll(1, Instant::now()).len(), 1);
    replica.lost();
    let room = || RoomId::new(ROOM).unwrap();
    let ClientMessage::Join { after, log, .. } = replica.join(1, room()) else { panic!("no join") };
    assert_eq!((after, log), (Some(1), Some(LOG)));
    let error = ErrorMessage {
        about: About::Channel(1),
        code: ErrorCode::RoomReplaced,
        message: "made anew".to_owned(),
        retry_after_ms: None,
    };
    let Answered::Rejoin(Some(Event::Refused { error, lost, .. })) = replica.turned_away(&error, Instant::now()) else {
        panic!("unacknowledged edits are reported as refused")
    };
    assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomReplaced));
    assert_eq!(lost.inserted_bytes(), 8);
    let ClientMessage::Join { after, log, .. } = replica.join(2, room()) else { panic!("no join") };
    assert_eq!((after, log), (None, None));
    replica.joined(LogIdentity(uuid::Uuid::from_u128(8)), 0, Some(SnapshotInfo { revision: 0, bytes: 0 }));
    replica.piece("", true);
    assert!(replica.poll(2, Instant::now()).is_empty());
    // The session has submitted nothing there: it begins with the first seq.
    replica.edit(replace(&replica, 0, "a")).unwrap();
    assert!(matches!(replica.poll(2, Instant::now())[..], [ClientMessage::Submit { seq: 1, base: 0, .. }]));
}
