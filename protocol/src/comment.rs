//! Comments on places in the text. A comment's id is the revision of the entry that opened it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::Member,
    chat::Deleted,
    ids::{ParticipantId, Revision, UnixMs},
    ot::{Operation, Scalar},
    room::Author,
};

/// What a submit does with comments.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommentCommand {
    /// Comments on a range of the text at the submit's base; the entry has it at the entry's own revision.
    Open {
        /// Where the range begins.
        start: Scalar,
        /// Where it ends; as `start` for a place between two characters.
        end: Scalar,
        /// The comment, 1 to [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX) bytes.
        text: String,
        /// Who is meant by the `@name`s in it: found by the server, whatever the client says here.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Answers a comment.
    Reply {
        /// The comment.
        comment: Revision,
        /// The answer.
        text: String,
        /// As in `Open`.
        #[serde(default)]
        mentions: Vec<Member>,
    },
    /// Puts another text in place of a comment's or a reply's. Only its author may.
    Rewrite {
        /// The comment.
        comment: Revision,
        /// The revision of what is rewritten: the comment itself, or one of its replies.
        item: Revision,
        /// Its new text.
        text: String,
    },
    /// Takes a reply away, or a comment with its replies. Its author may, and a host.
    Delete {
        /// The comment.
        comment: Revision,
        /// The revision of what is deleted: the comment itself, or one of its replies.
        item: Revision,
    },
    /// Says that a comment is dealt with.
    Resolve {
        /// The comment.
        comment: Revision,
    },
    /// Says that it is not, after all.
    Reopen {
        /// The comment.
        comment: Revision,
    },
}

impl CommentCommand {
    /// Moves its range over an edit that was ordered before it.
    pub fn move_over(&mut self, other: &Operation) {
        if let Self::Open { start, end, .. } = self {
            let range = other.map_range(*start..*end);
            (*start, *end) = (range.start, range.end);
        }
    }

    /// Whether this, as it was submitted, is what has become of `logged`: mentions are the server's.
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

/// A comment as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comment {
    /// Its id: the revision at which it was opened.
    pub comment: Revision,
    /// Where its range begins now.
    pub start: Scalar,
    /// Where it ends now; as `start` when all of its text was deleted.
    pub end: Scalar,
    /// The beginning of the text that it was made on.
    pub on: String,
    /// What was said: the comment itself, then its replies.
    pub items: Vec<CommentItem>,
    /// Who resolved it, and when.
    pub resolved: Option<Deleted>,
}

/// A comment's own words, or a reply's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommentItem {
    /// Its id: the revision at which it was said.
    pub item: Revision,
    /// Who said it.
    pub participant: ParticipantId,
    /// Who that is.
    pub author: Author,
    /// When.
    pub time_ms: UnixMs,
    /// The text; empty if it was deleted.
    pub text: String,
    /// Who is meant in it.
    pub mentions: Vec<Member>,
    /// When its text was changed last.
    pub rewritten_ms: Option<UnixMs>,
    /// Who took it away, and when.
    pub deleted: Option<Deleted>,
}
