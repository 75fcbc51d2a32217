//! What is live in a room and not logged: who is there, where they look, whether they type.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    ids::{ParticipantId, UnixMs},
    ot::Scalar,
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

/// A range with a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Selection {
    /// Where it was begun.
    pub anchor: Scalar,
    /// Where it ends.
    pub head: Scalar,
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
