//! What happens in a room and is kept: commands, and the entries of a log.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    chat::ChatCommand,
    comment::CommentCommand,
    ids::{ParticipantId, Revision, Seq, UnixMs},
    ot::{Mismatch, Operation},
    room::{Author, RoleOf, SettingsPatch},
};

/// What a submit asks for, and what an entry says happened.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A change of the text.
    Edit(Operation),
    /// Who a participant is. Put in by the server before a participant's first entry, and when it has changed; its seq is 0.
    Introduce(Author),
    /// A change of the settings.
    Settings(Box<SettingsPatch>),
    /// A decision on what somebody may do. Only a host takes it.
    SetRole(RoleOf),
    /// Gives a revision a name, or a name another revision.
    NameVersion {
        /// The name, 1 to [`VERSION_NAME_BYTES_MAX`](crate::limits::VERSION_NAME_BYTES_MAX) bytes.
        name: String,
        /// The revision; 0 for that of this entry, less one.
        #[serde(default)]
        revision: Revision,
        /// Words; may be empty.
        #[serde(default)]
        description: String,
    },
    /// Takes a name of a revision away.
    RemoveVersion {
        /// The name.
        name: String,
    },
    /// Something in the chat.
    Chat(Box<ChatCommand>),
    /// Something with comments.
    Comment(Box<CommentCommand>),
}

impl Command {
    /// What it does to the text, if it is an edit.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Edit(operation) => Some(operation),
            _ => None,
        }
    }

    /// Moves it over an edit that was ordered before it and that it did not know: from here on its positions count on the
    /// text with that edit in it. Clients and servers both call this, so that a submit sent again has become exactly
    /// what is in the log.
    ///
    /// Returns that edit as it stands after this one, where this is an edit too; others leave it as it is.
    pub fn move_over(&mut self, other: &Operation) -> Result<Option<Operation>, Mismatch> {
        match self {
            Self::Edit(operation) => {
                let (moved, other) = operation.transform(other)?;
                *operation = moved;
                Ok(Some(other))
            }
            Self::Comment(command) => {
                command.move_over(other);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Whether this, as it was submitted, is what has become of `logged`: what the server puts in or makes neat is passed
    /// over.
    pub fn asks_the_same_as(&self, logged: &Self) -> bool {
        match (self, logged) {
            (Self::Chat(asked), Self::Chat(logged)) => asked.asks_the_same_as(logged),
            (Self::Comment(asked), Self::Comment(logged)) => asked.asks_the_same_as(logged),
            // Settings are trimmed before they are logged.
            (Self::Settings(_), Self::Settings(_)) => true,
            _ => self == logged,
        }
    }
}

/// One durable thing that happened in a room. Its bincode form is also what stores keep.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Its position in the log.
    pub revision: Revision,
    /// Whose it is.
    pub participant: ParticipantId,
    /// The seq of its submit.
    pub seq: Seq,
    /// When the server ordered it; never before the entry in front of it.
    pub time_ms: UnixMs,
    /// What happened, transformed to count on the revision before.
    pub command: Command,
}
