//! Corners of a room that the simulator or a review once found wrong.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use motet_protocol::{
    codec,
    error::ErrorCode,
    ids::{Channel, LogIdentity, ParticipantId, Revision, Seq},
    limits::OPERATION_COMPONENTS_MAX,
    message::{Command, Entry, ServerMessage},
    ot::Operation,
};

use super::*;
use crate::{
    room::{Join, Outlet, ReaderId, Submit, Submitted, limits::WINDOW_QUIET_BYTES},
    wire::Wire,
};

const ANN: ParticipantId = ParticipantId(1);
const BEN: ParticipantId = ParticipantId(2);
const LOG: LogIdentity = LogIdentity(uuid::Uuid::nil());

fn room(limits: RoomLimits) -> OpenRoom<&'static str> {
    OpenRoom::new(RoomState::default(), 0, limits)
}

fn join(room: &mut OpenRoom<&'static str>, key: &'static str, participant: ParticipantId) -> ReaderId {
    let principal = Arc::new(Principal::nobody(participant));
    let join = Join { key, principal, channel: 1, wire: Wire::Tcp, log: LOG, after: None, entries_only: false, now: 0 };
    room.join(join, &mut Unlimited::default()).unwrap()
}

/// An outlet that takes everything.
#[derive(Default)]
struct Unlimited(BytesMut);

impl Outlet for Unlimited {
    fn has_room(&self) -> bool {
        true
    }

    fn buffer(&mut self) -> &mut BytesMut {
        &mut self.0
    }

    fn put(&mut self, message: &ServerMessage) {
        Wire::Tcp.put(message, &mut self.0);
    }

    fn lag(&mut self, _channel: Channel) {}
}

fn insert(at: u64, text: &str, rest: u64) -> Operation {
    Operation::builder().retain(at).insert(text).retain(rest).build().unwrap()
}

fn submit(participant: ParticipantId, seq: Seq, base: Revision, operation: Operation) -> Submit {
    Submit { participant, seq, base, command: Command::Edit(operation) }
}

fn decoded(entries: &[Bytes]) -> Vec<(Entry, Bytes)> {
    entries.iter().map(|bytes| (codec::decode(bytes).unwrap(), bytes.clone())).collect()
}

/// Submits one edit and makes it durable; returns its bytes in the log.
fn commit(room: &mut OpenRoom<&'static str>, reader: ReaderId, submit: Submit) -> Bytes {
    assert!(matches!(room.handle_submit(reader, submit, &[], 0), Ok(Submitted::Ordered(_))));
    let entries = room.take_append().unwrap().entries;
    room.handle_appended(0, 0);
    entries.into_iter().next().unwrap()
}

/// An entry that another server appended.
fn foreign(revision: Revision, participant: ParticipantId, seq: Seq, operation: Operation) -> (Entry, Bytes) {
    let entry = Entry { revision, participant, seq, time_ms: 0, command: Command::Edit(operation) };
    let bytes = codec::encode(&entry);
    (entry, bytes)
}

#[test]
fn history_from_the_log_that_is_ahead_of_the_room_is_counted_once() {
    let mut room = room(RoomLimits { window_entries_max: 1, ..RoomLimits::default() });
    let (ann, ben) = (join(&mut room, "a", ANN), join(&mut room, "b", BEN));
    let mut log = vec![commit(&mut room, ann, submit(ANN, 1, 0, insert(0, "1", 0)))];
    log.push(commit(&mut room, ann, submit(ANN, 2, 1, insert(1, "2", 0))));
    room.handle_submit(ann, submit(ANN, 3, 2, insert(2, "3", 0)), &[], 0).unwrap();
    // The log has it already; its answer is still on the way.
    log.extend(room.take_append().unwrap().entries);

    let late = submit(BEN, 1, 0, insert(0, "b", 0));
    assert_eq!(room.handle_submit(ben, late.clone(), &[], 0), Ok(Submitted::NeedsHistory(late.clone())));
    let older: Vec<Entry> = decoded(&log).into_iter().map(|(entry, _)| entry).collect();
    assert_eq!(room.handle_submit(ben, late, &older, 0), Ok(Submitted::Ordered(4)));
    room.handle_appended(0, 0);
    room.take_append().unwrap();
    room.handle_appended(0, 0);
    assert_eq!(room.state().text().to_string(), "b123");
}

#[test]
fn a_room_at_rest_lets_go_of_a_long_edit_and_goes_on_for_who_has_it_and_for_who_has_not() {
    let mut room = room(RoomLimits::default());
    let (ann, ben) = (join(&mut room, "a", ANN), join(&mut room, "b", BEN));
    let long = "é".repeat(WINDOW_QUIET_BYTES);
    let log = vec![commit(&mut room, ann, submit(ANN, 1, 0, insert(0, &long, 0)))];
    room.shrink();
    assert_eq!(room.recent(0).count(), 0);
    assert_eq!(room.state().text().to_string(), long);

    let late = submit(BEN, 1, 0, insert(0, "b", 0));
    assert_eq!(room.handle_submit(ben, late.clone(), &[], 0), Ok(Submitted::NeedsHistory(late.clone())));
    commit(&mut room, ann, submit(ANN, 2, 1, insert(0, "a", long.chars().count() as u64)));
    let older: Vec<Entry> = decoded(&log).into_iter().map(|(entry, _)| entry).collect();
    assert_eq!(room.handle_submit(ben, late, &older, 0), Ok(Submitted::Ordered(3)));
    room.take_append().unwrap();
    room.handle_appended(0, 0);
    assert_eq!(room.state().text().to_string(), format!("ba{long}"));
}

#[test]
fn who_sends_a_waiting_edit_again_hears_that_it_came_to_nothing() {
    let mut room = room(RoomLimits { text_bytes_max: 4, ..RoomLimits::default() });
    let old = join(&mut room, "old connection", ANN);
    room.handle_submit(old, submit(ANN, 1, 0, insert(0, "aaa", 0)), &[], 0).unwrap();
    room.take_append().unwrap();
    let new = join(&mut room, "new connection", ANN);
    let again = room.handle_submit(new, submit(ANN, 1, 0, insert(0, "aaa", 0)), &[], 0);
    assert_eq!(again, Ok(Submitted::Repeat(1)));
    assert_eq!(room.take_effects().dropped[0].reader, old);
    room.handle_conflict(vec![foreign(1, BEN, 1, insert(0, "bbb", 0))], 0, 0);
    let effects = room.take_effects();
    let [(key, ServerMessage::Error(error))] = &effects.messages[..] else { panic!("{effects:?}") };
    assert_eq!((*key, error.code), ("new connection", ErrorCode::TextTooLarge));
    assert_eq!(effects.refused, [ErrorCode::TextTooLarge]);
    assert!(room.readers().get(new).is_some());
}

#[test]
fn an_edit_that_the_log_has_is_not_refused_because_the_window_is_past_it() {
    for base_age_revisions_max in [1, 100] {
        let mut room = room(RoomLimits { window_entries_max: 1, base_age_revisions_max, ..RoomLimits::default() });
        let ann = join(&mut room, "a", ANN);
        room.handle_submit(ann, submit(ANN, 1, 0, insert(0, "a", 0)), &[], 0).unwrap();
        room.take_append().unwrap();
        let entries = vec![
            foreign(1, BEN, 1, insert(0, "b", 0)),
            foreign(2, ANN, 1, insert(0, "a", 1)),
            foreign(3, BEN, 2, insert(2, "c", 0)),
        ];
        room.handle_conflict(entries, 0, 0);
        let effects = room.take_effects();
        assert!(effects.refused.is_empty() && effects.failed.is_none(), "{effects:?}");
        assert!(!room.has_pending());
        assert_eq!(room.state().text().to_string(), "abc");
    }
}

#[test]
fn an_edit_that_is_in_the_text_being_sent_is_acknowledged_when_it_is_sent_again() {
    let mut room = room(RoomLimits::default());
    let old = join(&mut room, "old connection", ANN);
    commit(&mut room, old, submit(ANN, 1, 0, insert(0, "a", 0)));
    let new = join(&mut room, "new connection", ANN);
    let again = room.handle_submit(new, submit(ANN, 1, 0, insert(0, "a", 0)), &[], 0);
    assert_eq!(again, Ok(Submitted::Repeat(1)));
    let acknowledged = ServerMessage::Ack { channel: 1, seq: 1, revision: 1 };
    assert_eq!(room.take_effects().messages, [("new connection", acknowledged)]);
}

#[test]
fn an_edit_is_not_refused_for_good_because_of_what_only_waits() {
    let mut room = room(RoomLimits { text_bytes_max: 20, ..RoomLimits::default() });
    let ann = join(&mut room, "a", ANN);
    commit(&mut room, ann, submit(ANN, 1, 0, insert(0, "0123456789", 0)));
    let delete = Operation::builder().delete(10).build().unwrap();
    room.handle_submit(ann, submit(ANN, 2, 1, delete), &[], 0).unwrap();
    room.take_append().unwrap();
    let next = submit(ANN, 3, 1, insert(10, "abcdefgh", 0));
    let refusal = room.handle_submit(ann, next.clone(), &[], 0).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Overloaded);
    assert!(refusal.retry_after_ms.is_some());
    room.handle_appended(0, 0);
    assert_eq!(room.handle_submit(ann, next, &[], 0), Ok(Submitted::Ordered(3)));
}

#[test]
fn an_edit_that_others_cut_to_pieces_never_makes_an_entry_that_cannot_be_read_again() {
    const PLACES: u64 = OPERATION_COMPONENTS_MAX as u64 / 2 - 1;
    let scattered = |step: u64, length: u64| {
        let mut operation = Operation::builder();
        for _ in 0..PLACES {
            operation = operation.retain(step).insert("·");
        }
        operation.retain(length - PLACES * step).build().unwrap()
    };
    let mut room = room(RoomLimits::default());
    let ann = join(&mut room, "a", ANN);
    let length = 4 * PLACES;
    commit(&mut room, ann, submit(ANN, 1, 0, insert(0, &"x".repeat(length as usize), 0)));
    commit(&mut room, ann, submit(ANN, 2, 1, scattered(2, length)));
    commit(&mut room, ann, submit(ANN, 3, 2, scattered(5, length + PLACES)));

    let all = Operation::builder().delete(length).build().unwrap();
    let refusal = room.handle_submit(ann, submit(BEN, 1, 1, all), &[], 0).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::EditTooLarge);
    assert!(!room.has_pending());
}

/// Everything about who may do what that holds beside the table of commands.
mod roles {
    use motet_protocol::{
        access::Member,
        room::{Author, Public, RoleOf, SettingsPatch, Standing},
    };

    use super::*;

    fn closed(owner: &str) -> OpenRoom<&'static str> {
        let owner = Some(motet_protocol::access::AccountId::new(owner).unwrap());
        room(RoomLimits::default()).on(AccessDefaults { owner, public: None })
    }

    fn named(n: u64, account: &str) -> Arc<Principal> {
        let account = motet_protocol::access::AccountId::new(account).ok();
        let author = Author { name: account.as_ref().map(ToString::to_string).unwrap_or_default(), account };
        Arc::new(Principal { author, ..Principal::nobody(ParticipantId(n)) })
    }

    fn enter(
        room: &mut OpenRoom<&'static str>,
        key: &'static str,
        principal: &Arc<Principal>,
    ) -> Result<ReaderId, Refusal> {
        let principal = Arc::clone(principal);
        let join =
            Join { key, principal, channel: 1, wire: Wire::Tcp, log: LOG, after: None, entries_only: false, now: 0 };
        room.join(join, &mut Unlimited::default())
    }

    fn give(account: &str, standing: Standing) -> Command {
        let member = Member::Account(motet_protocol::access::AccountId::new(account).unwrap());
        Command::SetRole(RoleOf { member, standing })
    }

    fn say(
        room: &mut OpenRoom<&'static str>,
        reader: ReaderId,
        participant: ParticipantId,
        seq: Seq,
        command: Command,
    ) -> Result<Submitted, Refusal> {
        let base = room.revision();
        room.handle_submit(reader, Submit { participant, seq, base, command }, &[], 0)
    }

    fn append_all(room: &mut OpenRoom<&'static str>) {
        while room.take_append().is_some() {
            room.handle_appended(0, 0);
            room.feed_following(|_, _| ());
        }
    }

    #[test]
    fn a_role_that_is_taken_away_holds_from_its_place_in_the_order_and_is_told() {
        let mut room = closed("ann");
        let (ann, ben) = (named(1, "ann"), named(2, "ben"));
        assert_eq!(enter(&mut room, "ben", &ben).unwrap_err().code, ErrorCode::RoomNotFound);
        let host = enter(&mut room, "ann", &ann).unwrap();
        say(&mut room, host, ANN, 1, give("ben", Standing::Role(Role::Editor))).unwrap();
        append_all(&mut room);
        let editor = enter(&mut room, "ben", &ben).unwrap();
        say(&mut room, editor, BEN, 1, Command::Edit(insert(0, "b", 0))).unwrap();
        say(&mut room, host, ANN, 2, give("ben", Standing::Role(Role::Viewer))).unwrap();
        // It is not durable yet, and nobody has seen it; what comes after it in the order is refused all the same.
        let refusal = say(&mut room, editor, BEN, 2, Command::Edit(insert(0, "c", 0))).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::Forbidden);
        append_all(&mut room);
        let effects = room.take_effects();
        let [("ben", ServerMessage::Role { role: Role::Viewer, .. })] = &effects.messages[..] else {
            panic!("{effects:?}")
        };
        say(&mut room, host, ANN, 3, give("ben", Standing::Banned)).unwrap();
        append_all(&mut room);
        let effects = room.take_effects();
        assert!(effects.messages.is_empty() && effects.dropped[0].key == "ben", "{effects:?}");
        assert_eq!(room.readers().len(), 1);
        assert_eq!(enter(&mut room, "ben", &ben).unwrap_err().code, ErrorCode::RoomNotFound);
        assert_eq!(room.state().text().to_string(), "b");
    }

    #[test]
    fn a_room_is_never_left_without_a_host() {
        let mut room = room(RoomLimits::default());
        let reader = join(&mut room, "a", ANN);
        let close = Command::Settings(Box::new(SettingsPatch { public: Some(Public::Viewer), ..Default::default() }));
        assert_eq!(say(&mut room, reader, ANN, 1, close.clone()).unwrap_err().code, ErrorCode::BadArgument);
        let member = Member::Participant(ANN);
        let host = RoleOf { member: member.clone(), standing: Standing::Role(Role::Host) };
        say(&mut room, reader, ANN, 1, Command::SetRole(host)).unwrap();
        say(&mut room, reader, ANN, 2, close).unwrap();
        append_all(&mut room);
        let leave = RoleOf { member, standing: Standing::Public };
        assert_eq!(say(&mut room, reader, ANN, 3, Command::SetRole(leave)).unwrap_err().code, ErrorCode::BadArgument);
    }

    #[test]
    fn who_has_a_name_is_introduced_once_before_its_first_entry() {
        let mut room = closed("ann");
        let reader = enter(&mut room, "ann", &named(1, "ann")).unwrap();
        say(&mut room, reader, ANN, 1, Command::Edit(insert(0, "a", 0))).unwrap();
        append_all(&mut room);
        say(&mut room, reader, ANN, 2, Command::Edit(insert(1, "b", 0))).unwrap();
        append_all(&mut room);
        assert_eq!(room.revision(), 3, "one introduction and two edits");
        assert_eq!(room.state().decided().people.author(ANN).unwrap().name, "ann");
        assert_eq!(room.state().last_submit(ANN).unwrap().seq, 2);
        let again = room.handle_submit(reader, submit(ANN, 1, 0, insert(0, "a", 0)), &[], 0);
        assert_eq!(again, Ok(Submitted::Repeat(2)));
    }
}
