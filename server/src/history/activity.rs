//! What happened around a room's text: who came and went, and what was decided. The newest events only; the log has all
//! that was decided, and nobody keeps for ever who was there when.

use std::collections::VecDeque;

use bincode::{Decode, Encode};
use motet_protocol::{
    ids::{ParticipantId, Revision, UnixMs},
    message::{Command, Entry},
    room::{Author, RoleOf},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Events that are kept of a room: with the longest names they stay below what the store takes as one value.
pub const EVENTS_MAX: usize = 160;

/// What is kept of a name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The newest events of a room.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Activity {
    /// The revision up to which entries are in it.
    pub revision: Revision,
    /// Connections that had the room open at once, at most.
    pub present_max: u32,
    events: VecDeque<Event>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, ToSchema)]
pub struct Event {
    /// When.
    pub time_ms: UnixMs,
    /// Whose doing it was.
    pub participant: ParticipantId,
    /// Who that is.
    pub author: Author,
    /// The entry, where there is one.
    pub revision: Option<Revision>,
    /// What.
    pub event: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// Somebody opened the room.
    Joined,
    /// Somebody closed it, or was sent away.
    Left,
    /// Settings were changed.
    Settings,
    /// A role was decided.
    Role(RoleOf),
    /// A version was saved under this name.
    Saved(String),
    /// A version's name was taken away.
    Removed(String),
}

impl Activity {
    /// Somebody opened the room, which so many have open now.
    pub fn joined(&mut self, participant: ParticipantId, author: &Author, present: u32, now: UnixMs) {
        self.present_max = self.present_max.max(present);
        self.add(now, participant, author, None, Happened::Joined);
    }

    /// Somebody left.
    pub fn left(&mut self, participant: ParticipantId, author: &Author, now: UnixMs) {
        self.add(now, participant, author, None, Happened::Left);
    }

    /// Takes the next entry, of which `author` is known. Most entries are edits, which are no events.
    pub fn fold(&mut self, entry: &Entry, author: Option<&Author>) {
        self.revision = entry.revision;
        let event = match &entry.command {
            Command::Settings(_) => Happened::Settings,
            Command::SetRole(role) => Happened::Role(role.clone()),
            Command::NameVersion { name, .. } => Happened::Saved(name.clone()),
            Command::RemoveVersion { name } => Happened::Removed(name.clone()),
            Command::Edit(_) | Command::Introduce(_) | Command::Chat(_) | Command::Comment(_) => return,
        };
        let author = author.cloned().unwrap_or_default();
        self.add(entry.time_ms, entry.participant, &author, Some(entry.revision), event);
    }

    fn add(
        &mut self,
        time_ms: UnixMs,
        participant: ParticipantId,
        author: &Author,
        revision: Option<Revision>,
        event: Happened,
    ) {
        let name = author.name[..author.name.floor_char_boundary(NAME_BYTES_MAX)].to_owned();
        let author = Author { name, account: author.account.clone() };
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event { time_ms, participant, author, revision, event });
    }

    /// Lets go of room for more.
    pub fn rest(&mut self) {
        self.events.shrink_to_fit();
    }

    /// The events, the newest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::{
        access::{AccountId, Member},
        codec,
        limits::ACCOUNT_ID_BYTES_MAX,
        room::Standing,
    };

    use super::*;

    #[test]
    fn the_newest_events_are_kept_and_fit_what_the_store_takes() {
        let account = AccountId::new(&"x".repeat(ACCOUNT_ID_BYTES_MAX)).unwrap();
        let author = Author { name: "ß".repeat(128), account: Some(account.clone()) };
        let role = RoleOf { member: Member::Account(account), standing: Standing::Banned };
        let mut activity = Activity::default();
        for revision in 1..=1_000 {
            let command = Command::SetRole(role.clone());
            let participant = ParticipantId(u64::MAX);
            activity.fold(&Entry { revision, participant, seq: 1, time_ms: u64::MAX, command }, Some(&author));
        }
        activity.joined(ParticipantId(1), &author, 7, 5);
        activity.left(ParticipantId(1), &author, 6);
        assert_eq!((activity.events().count(), activity.revision, activity.present_max), (EVENTS_MAX, 1_000, 7));
        assert_eq!(activity.events().next().map(|event| event.event.clone()), Some(Happened::Left));
        assert!(codec::encode(&activity).len() <= 64 * 1024);
    }
}
