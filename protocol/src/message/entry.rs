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
    /// Changes the text.
    Edit(Operation),
    /// Tells a participant's name and account. The server puts it before the participant's first entry and where they
    /// change; its seq is 0.
    Introduce(Author),
    /// Changes settings.
    Settings(Box<SettingsPatch>),
    /// Decides what a member may do. Only a host may.
    SetRole(RoleOf),
    /// Gives a revision a name, or moves the name to another revision.
    NameVersion {
        /// The name, 1 to [`VERSION_NAME_BYTES_MAX`](crate::limits::VERSION_NAME_BYTES_MAX) bytes.
        name: String,
        /// The revision; 0 for the one before this entry.
        #[serde(default)]
        revision: Revision,
        /// A description for people; may be empty.
        #[serde(default)]
        description: String,
    },
    /// Removes a name.
    RemoveVersion {
        /// The name to remove.
        name: String,
    },
    /// Changes the chat.
    Chat(Box<ChatCommand>),
    /// Changes the comments.
    Comment(Box<CommentCommand>),
}

impl Command {
    /// The operation, if this is an edit.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Edit(operation) => Some(operation),
            _ => None,
        }
    }

    /// Transforms it over an edit that was ordered before it: from here on its positions are based on the text with
    /// that edit. Clients and
    /// servers both call this, so that a submit sent again becomes exactly what is in the log.
    ///
    /// Returns the other edit as it stands after this one, if this is an edit; other commands leave it as it is.
    ///
    /// # Errors
    ///
    /// The two are operations on texts of different lengths.
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

    /// Whether `logged` can be what the server has made of this submit. What the server adds or normalizes is not
    /// compared.
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

/// One durable thing that happened in a room. Stores keep its bincode form.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Its position in the log.
    pub revision: Revision,
    /// The participant that submitted it.
    pub participant: ParticipantId,
    /// The seq of its submit.
    pub seq: Seq,
    /// When the server ordered it; never before the entry in front of it.
    pub time_ms: UnixMs,
    /// What happened, transformed to be based on the revision before.
    pub command: Command,
}
