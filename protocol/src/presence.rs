//! What is live in a room and not logged: who is there, their carets, whether they type.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    ids::{ParticipantId, UnixMs},
    ot::{Scalar, Shift, position::Bias},
    room::Author,
};

/// What a participant shows of itself. It is sent whole each time; only the newest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// Carets and selections, at most [`SELECTIONS_MAX`](crate::limits::SELECTIONS_MAX). The anchor is where a
    /// selection was begun, the
    /// head is where the caret stands; for a plain caret the two are equal.
    pub selections: Vec<Selection>,
    /// What the participant sees: the first and the last visible position.
    pub viewport: Option<Selection>,
    /// Whether the participant is active.
    pub status: Status,
    /// Whether the participant is typing a chat message.
    pub typing: bool,
    /// The colour of its caret, 0xRRGGBB.
    pub color: Option<u32>,
    /// The participant whose viewport it follows.
    pub following: Option<ParticipantId>,
    /// Its part in the room's call, if it takes part.
    pub call: Option<Call>,
}

impl Presence {
    /// Moves all positions over an edit, so that they stay at their characters. What the participant itself (`own`)
    /// inserts at a caret
    /// moves the caret on, as typing does; what others insert there comes behind the caret.
    pub fn move_over(&mut self, shift: &Shift, own: bool) {
        for selection in self.selections.iter_mut().chain(&mut self.viewport) {
            *selection = selection.moved_over(shift, own);
        }
    }

    /// Moves positions beyond the end of a text of `length` scalars to its end.
    pub fn clamp(&mut self, length: u64) {
        for selection in self.selections.iter_mut().chain(&mut self.viewport) {
            selection.anchor.0 = selection.anchor.0.min(length);
            selection.head.0 = selection.head.0.min(length);
        }
    }

    /// Whether there are no positions that an edit could move.
    pub fn is_placeless(&self) -> bool {
        self.selections.is_empty() && self.viewport.is_none()
    }
}

/// A range with a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Selection {
    /// Where the selection was begun.
    pub anchor: Scalar,
    /// Where the caret stands.
    pub head: Scalar,
}

impl Selection {
    /// An empty selection at a position.
    pub fn caret(at: Scalar) -> Self {
        Self { anchor: at, head: at }
    }

    fn moved_over(self, shift: &Shift, own: bool) -> Self {
        if self.anchor == self.head {
            return Self::caret(shift.map_position(self.head, if own { Bias::After } else { Bias::Before }));
        }
        let forward = self.anchor < self.head;
        let range = shift.map_range(self.anchor.min(self.head)..self.anchor.max(self.head));
        if forward {
            Self { anchor: range.start, head: range.end }
        } else {
            Self { anchor: range.end, head: range.start }
        }
    }
}

/// Whether a participant is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There was input lately.
    #[default]
    Active,
    /// There was none for a while. The client sets it, or the server after
    /// [`PRESENCE_IDLE_MS`](crate::limits::PRESENCE_IDLE_MS) without a message about presence.
    Idle,
    /// The user has gone away and left the room open.
    Away,
}

/// A participant's part in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    /// It sends sound.
    pub audio: bool,
    /// It sends a picture.
    pub video: bool,
    /// It sends its screen.
    pub screen: bool,
}

/// A person who has the room open.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// The person's participant.
    pub participant: ParticipantId,
    /// The person's name and account.
    pub author: Author,
    /// The person's role in the room.
    pub role: Role,
    /// When the person joined.
    pub joined_ms: UnixMs,
}

/// A participant's newest presence.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PresenceOf {
    /// The participant.
    pub participant: ParticipantId,
    /// The presence, with positions based on the revision of the message.
    pub presence: Presence,
}

/// The steps by which one participant sets up a call with another (WebRTC). The server passes them on and keeps nothing
/// of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// A session description that offers a call.
    Offer,
    /// A session description that answers an offer.
    Answer,
    /// An ICE candidate.
    Candidate,
    /// The end of the call.
    Hangup,
}
