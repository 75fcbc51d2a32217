//! What is live in a room and not logged: who is there, where they look, whether they type.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    ids::{ParticipantId, UnixMs},
    ot::{Scalar, Shift, position::Bias},
    room::Author,
};

/// What a participant tells of itself: all of it each time, only the newest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// Its carets and selections, at most [`SELECTIONS_MAX`](crate::limits::SELECTIONS_MAX). Each has an anchor, where
    /// it was begun, and a head, where the caret stands; for a plain caret the two are the same.
    pub selections: Vec<Selection>,
    /// What it looks at: the first and the last visible place.
    pub viewport: Option<Selection>,
    /// Whether it is at work.
    pub status: Status,
    /// Whether it writes a chat message.
    pub typing: bool,
    /// A colour for its caret, 0xRRGGBB.
    pub color: Option<u32>,
    /// Whose viewport it follows.
    pub following: Option<ParticipantId>,
    /// Its call, if it is in one.
    pub call: Option<Call>,
}

impl Presence {
    /// Moves its places over an edit, so that they stay on their characters. What its own participant inserts at a caret
    /// pushes the caret on, as typing does; what others insert there comes behind it.
    pub fn move_over(&mut self, shift: &Shift, own: bool) {
        for selection in self.selections.iter_mut().chain(&mut self.viewport) {
            *selection = selection.moved_over(shift, own);
        }
    }

    /// Brings places beyond the end of a text of `length` scalars to its end.
    pub fn clamp(&mut self, length: u64) {
        for selection in self.selections.iter_mut().chain(&mut self.viewport) {
            selection.anchor.0 = selection.anchor.0.min(length);
            selection.head.0 = selection.head.0.min(length);
        }
    }

    /// Whether no edit moves anything of it.
    pub fn is_placeless(&self) -> bool {
        self.selections.is_empty() && self.viewport.is_none()
    }
}

/// A range with a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Selection {
    /// Where it was begun.
    pub anchor: Scalar,
    /// Where it ends.
    pub head: Scalar,
}

impl Selection {
    /// A caret.
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

/// Whether somebody is at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There was input lately.
    #[default]
    Active,
    /// There was none for a while; said by the client, or by the server after
    /// [`PRESENCE_IDLE_MS`](crate::limits::PRESENCE_IDLE_MS) without a word.
    Idle,
    /// It has gone away and left the room open.
    Away,
}

/// A part in a call.
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

/// Somebody who is in a room.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Who.
    pub participant: ParticipantId,
    /// Who that is.
    pub author: Author,
    /// What it may do.
    pub role: Role,
    /// Since when it is there.
    pub joined_ms: UnixMs,
}

/// What somebody in a room told last.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PresenceOf {
    /// Who.
    pub participant: ParticipantId,
    /// What.
    pub presence: Presence,
}

/// What one participant tells another to set up a call (WebRTC). The server passes it on and keeps nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// A session description that asks.
    Offer,
    /// A session description that answers.
    Answer,
    /// An ICE candidate.
    Candidate,
    /// The end of the call.
    Hangup,
}
