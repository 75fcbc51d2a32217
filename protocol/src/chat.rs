//! The chat of a room. A message's id is the revision of the entry that said it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Member,
    ids::{ParticipantId, Revision, UnixMs},
    room::Author,
};

/// What a submit does in the chat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatCommand {
    /// Says something.
    Say {
        /// The message, 1 to [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX) bytes.
        text: String,
        /// The message that this one answers, which begins a thread or belongs to one.
        #[serde(default)]
        thread: Option<Revision>,
        /// The part of the text that it is about.
        #[serde(default)]
        quote: Option<Quote>,
        /// Who is meant by the `@name`s in it: found by the server, whatever the client says here.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Puts another text in place of a message's. Only its author may.
    Rewrite {
        /// The message.
        message: Revision,
        /// Its new text.
        text: String,
        /// As in `Say`.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Takes a message away; that there was one stays. Its author may, and a host.
    Delete {
        /// The message.
        message: Revision,
    },
    /// Gives a reaction to a message, or takes one's own back.
    React {
        /// The message.
        message: Revision,
        /// One emoji, at most [`EMOJI_BYTES_MAX`](crate::limits::EMOJI_BYTES_MAX) bytes.
        emoji: String,
        /// Whether it is given.
        on: bool,
    },
}

impl ChatCommand {
    /// Whether this, as it was submitted, is what has become of `logged`: mentions are the server's.
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
    /// The revision.
    pub revision: Revision,
    /// Its beginning, in scalars.
    pub start: u64,
    /// Its end, in scalars.
    pub end: u64,
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatMessage {
    /// Its id: the revision at which it was said.
    pub message: Revision,
    /// Who said it.
    pub participant: ParticipantId,
    /// Who that is.
    pub author: Author,
    /// When.
    pub time_ms: UnixMs,
    /// The text; empty if it was deleted.
    pub text: String,
    /// The message whose thread it is in.
    pub thread: Option<Revision>,
    /// The part of the text that it is about.
    pub quote: Option<Quote>,
    /// Who is meant in it.
    pub mentions: Vec<Member>,
    /// When its text was changed last.
    pub rewritten_ms: Option<UnixMs>,
    /// Who took it away, and when.
    pub deleted: Option<Deleted>,
    /// How many messages are in the thread that it began.
    pub replies: u32,
    /// Who reacted how, in the order of the first of each emoji.
    pub reactions: Vec<Reaction>,
}

/// That something was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// Who did it.
    pub by: ParticipantId,
    /// When.
    pub time_ms: UnixMs,
}

/// Who gave one emoji to a message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who, in order.
    pub participants: Vec<ParticipantId>,
}
