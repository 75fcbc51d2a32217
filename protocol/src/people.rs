//! What one reader knows of the people in a room: a fold over the [`Presence`](crate::message::ServerMessage::Presence)
//! messages and the entries in between.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    ids::ParticipantId,
    message::Entry,
    ot::Operation,
    presence::{Person, Presence, PresenceOf},
};

/// The people in a room and their presence. All positions are based on the last entry that was folded in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    known: BTreeMap<ParticipantId, Known>,
    present: u32,
}

/// A person in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The person's name, account and role.
    #[serde(flatten)]
    pub person: Person,
    /// The person's presence; none until the first one comes.
    pub presence: Option<Presence>,
}

/// The content of a [`Presence`](crate::message::ServerMessage::Presence) message, without channel and revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// Whether this replaces all that was sent before.
    pub whole: bool,
    /// Connections that have the room open.
    pub present: u32,
    /// People who came, or whose name, account or role changed.
    pub people: Vec<Person>,
    /// The presence of those for whom it changed.
    pub presence: Vec<PresenceOf>,
    /// People who left.
    pub left: Vec<ParticipantId>,
}

impl People {
    /// Folds a message of the server in. Those who left go first: one of them may have come back, without a presence
    /// yet.
    pub fn hear(&mut self, news: News) {
        if news.whole {
            self.known.clear();
        }
        self.present = news.present;
        for participant in news.left {
            self.known.remove(&participant);
        }
        for person in news.people {
            let presence = self.known.remove(&person.participant).and_then(|known| known.presence);
            self.known.insert(person.participant, Known { person, presence });
        }
        for PresenceOf { participant, presence } in news.presence {
            if let Some(known) = self.known.get_mut(&participant) {
                known.presence = Some(presence);
            }
        }
    }

    /// Folds an entry of another session in: all positions move with the text.
    pub fn fold(&mut self, entry: &Entry) {
        if let Some(operation) = entry.command.operation() {
            self.move_over(entry.participant, operation);
        }
    }

    /// Moves all positions over an edit that is in the log, as the client's own is once it is acknowledged. The
    /// operation is based on the
    /// revision before.
    pub fn move_over(&mut self, author: ParticipantId, operation: &Operation) {
        let placed = |known: &&mut Known| known.presence.as_ref().is_some_and(|presence| !presence.is_placeless());
        let mut placed = self.known.values_mut().filter(placed).peekable();
        if placed.peek().is_none() {
            return;
        }
        let shift = operation.shift();
        for Known { person, presence } in placed {
            if let Some(presence) = presence {
                presence.move_over(&shift, person.participant == author);
            }
        }
    }

    /// Connections that have the room open. Where it is more than [`len`](Self::len), only those who may edit are
    /// known.
    pub fn present(&self) -> u32 {
        self.present
    }

    /// The people that are known, by participant.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// A person by participant, if known.
    pub fn get(&self, participant: ParticipantId) -> Option<&Known> {
        self.known.get(&participant)
    }

    /// How many people are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no person is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
