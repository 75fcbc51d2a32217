//! What lists tell of a room that nobody has open: a card, kept beside its log and made anew where it is behind.

use bincode::{Decode, Encode};
use motet_protocol::{
    codec,
    ids::{Revision, RoomId, UnixMs},
    limits::PREVIEW_BYTES_MAX,
    room::{RoleOf, RoomSettings},
};
use ropey::Rope;

use super::{
    hint, history,
    registry::{RoomRecord, stands},
};
use crate::{
    room::{AccessDefaults, Principal, RoomState, access, people::People},
    store::{LogId, Store, StoreError, Swap},
};
use motet_protocol::access::Role;

/// A room as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    /// The revision that it is of.
    pub head: Revision,
    /// When that was ordered; 0 in an empty room.
    pub changed_ms: UnixMs,
    /// When somebody was last seen in the room; 0 if that is not known.
    pub active_ms: UnixMs,
    /// The length of the text in UTF-8 bytes.
    pub text_bytes: u64,
    /// The beginning of the text.
    pub preview: String,
    /// What people set.
    pub settings: RoomSettings,
    /// What was decided on whom.
    pub roles: Vec<RoleOf>,
    /// How many messages were said.
    pub messages: u64,
    /// The beginning of the newest of them, unless it was deleted.
    pub last_message: Option<String>,
}

impl Card {
    /// The card of a state.
    pub fn of(state: &RoomState) -> Self {
        let decided = state.decided();
        Self {
            head: state.revision(),
            changed_ms: state.time_ms(),
            active_ms: 0,
            text_bytes: state.text().len_bytes() as u64,
            preview: preview(&state.text().rope()),
            settings: decided.settings.clone(),
            roles: decided.people.roles().collect(),
            messages: state.chat().count(),
            last_message: state.chat().last().map(|last| last.beginning.clone()).filter(|text| !text.is_empty()),
        }
    }

    /// What somebody may do in the room.
    pub fn role_of(&self, who: &Principal, ground: &AccessDefaults) -> Option<Role> {
        let mut people = People::default();
        self.roles.iter().for_each(|role| people.decide(role));
        access::role_of(who, &people, self.settings.public.role(ground.public), ground)
    }
}

/// The first line that has something in it, as far as lists show it.
fn preview(text: &Rope) -> String {
    let line = text.lines().take(16).map(|line| {
        let end = line.len_bytes().min(PREVIEW_BYTES_MAX);
        line.byte_slice(..line.char_to_byte(line.byte_to_char(end))).to_string().trim().to_owned()
    });
    line.into_iter().find(|line| !line.is_empty()).unwrap_or_default()
}

/// Where it is kept.
pub(super) fn key(log: LogId) -> String {
    format!("card/{log}")
}

/// The card of a room that is not open. One that is damaged, or behind the log, is made from the log and kept. Waits for
/// the disk.
pub fn read(store: &dyn Store, room: &RoomId, record: &RoomRecord) -> Result<Card, StoreError> {
    let log = record.log();
    let kept = hint(store, &key(log));
    let card = kept.as_ref().and_then(|kept| codec::decode::<Card>(kept).ok());
    let head = store.head(log)?.revision;
    if let Some(card) = card
        && card.head == head
    {
        return Ok(card);
    }
    let card = Card::of(&history::state_at(store, log, None)?.state);
    if head > 0 {
        tracing::debug!(%room, head, "the room's card is made anew");
        // Not after the room was removed, when nobody would take it away any more.
        let keep = Swap { key: key(log), expected: kept, new: Some(codec::encode(&card)) };
        store.swap_all(&[stands(room, record), keep])?;
    }
    Ok(card)
}

/// Keeps the card of a state, for when the room is not open any more. A failure is passed over: it is made anew then.
pub fn keep(store: &dyn Store, log: LogId, state: &RoomState, active_ms: UnixMs) {
    let kept = hint(store, &key(log));
    let new = codec::encode(&Card { active_ms, ..Card::of(state) });
    if kept.as_ref() != Some(&new)
        && let Err(error) = store.compare_and_swap(&key(log), kept.as_deref(), Some(&new))
    {
        tracing::debug!(%log, %error, "a room's card could not be kept");
    }
}
