//! The chat of a room. The id of a message is the revision of the entry that brought it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Member,
    ids::{ParticipantId, Revision, UnixMs},
    room::Author,
};

/// What a submit does to the chat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatCommand {
    /// Posts a message.
    Say {
        /// The text, 1 to [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX) bytes.
        text: String,
        /// The message that this is a reply to: it begins a thread, or belongs to one.
        #[serde(default)]
        thread: Option<Revision>,
        /// The part of the room's text that the message is about.
        #[serde(default)]
        quote: Option<Quote>,
        /// The members that the `@name`s in it mean. The server finds them; what the client puts here is ignored.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Replaces the text of a message. Only its author may.
    Rewrite {
        /// The message to change.
        message: Revision,
        /// The new text.
        text: String,
        /// As in `Say`.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Deletes a message; its place stays. Its author may, and a host.
    Delete {
        /// The message to delete.
        message: Revision,
    },
    /// Adds the sender's reaction to a message, or removes it.
    React {
        /// The message to react to.
        message: Revision,
        /// One emoji, at most [`EMOJI_BYTES_MAX`](crate::limits::EMOJI_BYTES_MAX) bytes.
        emoji: String,
        /// Whether to add it or to remove it.
        on: bool,
    },
}

impl ChatCommand {
    /// Whether `logged` can be what the server has made of this submit. It sets the mentions itself.
    pub fn asks_the_same_as(&self, logged: &Self) -> bool {
        let bare = |command: &Self| {
            let mut command = command.clone();
            if let Self::Say { mentions, .. } | Self::Rewrite { mentions, .. } = &mut command {
                mentions.clear();
            }
            command
        };
        bare(self) == bare(logged)
    }
}

/// A part of the text as it was at a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// The revision of that text.
    pub revision: Revision,
    /// Where the part begins, in scalars.
    pub start: u64,
    /// Where it ends, in scalars.
    pub end: u64,
}

/// A message as it stands at some revision.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatMessage {
    /// Its id: the revision of the entry that brought it.
    pub message: Revision,
    /// The participant that posted it.
    pub participant: ParticipantId,
    /// The author's name and account.
    pub author: Author,
    /// When it was posted.
    pub time_ms: UnixMs,
    /// The text; empty if the message was deleted.
    pub text: String,
    /// The message that began the thread, if this is a reply.
    pub thread: Option<Revision>,
    /// The part of the room's text that the message is about.
    pub quote: Option<Quote>,
    /// The members that it mentions.
    pub mentions: Vec<Member>,
    /// When its text was changed last, if it was.
    pub rewritten_ms: Option<UnixMs>,
    /// Who deleted it and when, if it was deleted.
    pub deleted: Option<Deleted>,
    /// How many replies are in the thread that it began.
    pub replies: u32,
    /// The reactions, in the order in which each emoji was first used.
    pub reactions: Vec<Reaction>,
}

/// Who deleted or resolved something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// The participant that did it.
    pub by: ParticipantId,
    /// When it was done.
    pub time_ms: UnixMs,
}

/// The participants that gave one emoji to a message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// The emoji they gave.
    pub emoji: String,
    /// The participants, in the order in which they gave it.
    pub participants: Vec<ParticipantId>,
}
