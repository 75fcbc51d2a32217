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

/// The people in a room and where they are. All places count on the last entry that was taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    known: BTreeMap<ParticipantId, Known>,
    present: u32,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Who it is.
    #[serde(flatten)]
    pub person: Person,
    /// What it tells; none if it has told nothing yet.
    pub presence: Option<Presence>,
}

/// What a [`Presence`](crate::message::ServerMessage::Presence) message says, without channel and revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// Whether what was told before no longer counts.
    pub whole: bool,
    /// Connections that have the room open.
    pub present: u32,
    /// Who came, or is somebody else now.
    pub people: Vec<Person>,
    /// What they tell now.
    pub presence: Vec<PresenceOf>,
    /// Who left.
    pub left: Vec<ParticipantId>,
}

impl People {
    /// Takes in what the server tells. Who left goes first: it may have come back, and then it has told nothing yet.
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

    /// Takes in somebody else's entry: everybody's places move with the text.
    pub fn fold(&mut self, entry: &Entry) {
        if let Some(operation) = entry.command.operation() {
            self.move_over(entry.participant, operation);
        }
    }

    /// Takes in an edit that is in the log now, as one's own is when it is acknowledged: the operation counts on the revision
    /// before.
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

    /// Connections that have the room open; where it is more than [`len`](Self::len), only those are known who may edit.
    pub fn present(&self) -> u32 {
        self.present
    }

    /// Those that are known, by participant.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// One of them.
    pub fn get(&self, participant: ParticipantId) -> Option<&Known> {
        self.known.get(&participant)
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
