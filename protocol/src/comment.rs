//! Comments on parts of the text. The id of a comment is the revision of the entry that opened it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Member,
    chat::Deleted,
    ids::{ParticipantId, Revision, UnixMs},
    ot::{Operation, Scalar},
    room::Author,
};

/// What a submit does to the comments.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommentCommand {
    /// Comments on a range of the text. In the submit, the range is based on the submit's base; in the entry, on the
    /// entry's revision.
    Open {
        /// Where the range begins.
        start: Scalar,
        /// Where it ends; equal to `start` for a position between two characters.
        end: Scalar,
        /// The text, 1 to [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX) bytes.
        text: String,
        /// The members that the `@name`s in it mean. The server finds them; what the client puts here is ignored.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Replies to a comment.
    Reply {
        /// The comment to reply to.
        comment: Revision,
        /// The text of the reply.
        text: String,
        /// As in `Open`.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Replaces the text of a comment or a reply. Only its author may.
    Rewrite {
        /// The comment.
        comment: Revision,
        /// The revision of what is changed: that of the comment itself, or of one of its replies.
        item: Revision,
        /// The new text.
        text: String,
    },
    /// Deletes a reply, or a comment with all of its replies. Its author may, and a host.
    Delete {
        /// The comment.
        comment: Revision,
        /// The revision of what is deleted: that of the comment itself, or of one of its replies.
        item: Revision,
    },
    /// Marks a comment as resolved.
    Resolve {
        /// The comment to resolve.
        comment: Revision,
    },
    /// Takes the mark away again.
    Reopen {
        /// The comment to reopen.
        comment: Revision,
    },
}

impl CommentCommand {
    /// Moves the range over an edit that was ordered before the comment.
    pub fn move_over(&mut self, other: &Operation) {
        if let Self::Open { start, end, .. } = self {
            let range = other.map_range(*start..*end);
            (*start, *end) = (range.start, range.end);
        }
    }

    /// Whether `logged` can be what the server has made of this submit. It sets the mentions itself.
    pub fn asks_the_same_as(&self, logged: &Self) -> bool {
        let bare = |command: &Self| {
            let mut command = command.clone();
            if let Self::Open { mentions, .. } | Self::Reply { mentions, .. } = &mut command {
                mentions.clear();
            }
            command
        };
        bare(self) == bare(logged)
    }
}

/// A comment as it stands at some revision.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comment {
    /// Its id: the revision of the entry that opened it.
    pub comment: Revision,
    /// Where its range begins.
    pub start: Scalar,
    /// Where it ends; equal to `start` if all of its text was deleted.
    pub end: Scalar,
    /// The beginning of the text that the comment was made on.
    pub on: String,
    /// The comment itself, then its replies.
    pub items: Vec<CommentItem>,
    /// Who resolved it and when, if it is resolved.
    pub resolved: Option<Deleted>,
}

/// The text of a comment, or of one of its replies.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommentItem {
    /// Its id: the revision of the entry that brought it.
    pub item: Revision,
    /// The participant that wrote it.
    pub participant: ParticipantId,
    /// The author's name and account.
    pub author: Author,
    /// When it was written.
    pub time_ms: UnixMs,
    /// The text; empty if it was deleted.
    pub text: String,
    /// The members that it mentions.
    pub mentions: Vec<Member>,
    /// When its text was changed last, if it was.
    pub rewritten_ms: Option<UnixMs>,
    /// Who deleted it and when, if it was deleted.
    pub deleted: Option<Deleted>,
}
