//! What a summary is made of, and what it says.

use std::{collections::HashMap, ops::Range};

use motet_protocol::{
    ids::{ParticipantId, Revision, UnixMs},
    ot::position::Scalar,
};
use serde::{Deserialize, Serialize};

/// What a summary tells besides the edits.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The names of participants, as far as they are known.
    pub names: HashMap<ParticipantId, String>,
    /// The chat messages of the span, in order.
    pub messages: Vec<Message>,
    /// The comments that are open at the end of the span.
    pub comments: Vec<Comment>,
}

/// A chat message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whose.
    pub participant: ParticipantId,
    /// When.
    pub time_ms: UnixMs,
    /// What.
    pub text: String,
}

/// A comment that is open.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Whose.
    pub participant: ParticipantId,
    /// When it was made.
    pub time_ms: UnixMs,
    /// What it is on, in the text at the end of the span.
    pub on: Range<Scalar>,
    /// What it says.
    pub text: String,
    /// How many replies it has.
    pub replies: u32,
}

/// What happened in a span of a room's log. Its size is bounded, whatever the span is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Which span.
    pub span: Span,
    /// The text before and after it.
    pub text: TextChange,
    /// What everybody changed, together.
    pub changes: Changes,
    /// Where: lines of the text at the end of the span, from 1.
    pub lines: Vec<LineRange>,
    /// Who, in the order of who changed most.
    pub people: Vec<Person>,
    /// Those who are not among [`people`](Self::people), if any.
    pub others: Option<Others>,
    /// What was discussed.
    pub chat: Chat,
    /// What is open.
    pub open: OpenComments,
}

/// A span of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// It begins after this revision.
    pub after: Revision,
    /// Its last revision.
    pub up_to: Revision,
    /// When its first entry was ordered; 0 if it has none.
    pub first_ms: UnixMs,
    /// When its last entry was ordered; 0 if it has none.
    pub last_ms: UnixMs,
    /// Whether it goes on after `up_to` and was too long for one summary.
    pub cut_off: bool,
}

/// A text before and after a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextChange {
    /// Scalars before.
    pub scalars_before: u64,
    /// Scalars after.
    pub scalars_after: u64,
    /// Lines before; an empty text has one.
    pub lines_before: u64,
    /// Lines after.
    pub lines_after: u64,
}

/// How much was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// How many edits.
    pub edits: u64,
    /// Scalars written. What is removed again later counts too.
    pub inserted: u64,
    /// Scalars removed.
    pub deleted: u64,
}

/// One participant's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub participant: ParticipantId,
    /// The name, if it is known.
    pub name: Option<String>,
    /// How much.
    #[serde(flatten)]
    pub changes: Changes,
    /// When: stays with pauses of less than half an hour in them.
    pub sittings: Vec<Sitting>,
    /// Where what was written stands, and where something was removed.
    pub lines: Vec<LineRange>,
}

/// A stay without a long pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sitting {
    /// The first edit.
    pub first_ms: UnixMs,
    /// The last edit.
    pub last_ms: UnixMs,
    /// How many edits.
    pub edits: u64,
}

/// Lines of the text at the end of the span: from the first to the last, both included, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRange {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Participants who are not told one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// How many.
    pub participants: u64,
    /// How much they changed.
    #[serde(flatten)]
    pub changes: Changes,
}

/// What was discussed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// How many messages.
    pub messages: u64,
    /// By how many participants.
    pub participants: u64,
    /// The words that most messages say, the most frequent first.
    pub topics: Vec<String>,
    /// The last messages.
    pub last: Vec<Quote>,
}

/// What is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenComments {
    /// How many comments.
    pub comments: u64,
    /// The first of them in the text.
    pub first: Vec<Quote>,
}

/// What somebody said, shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Who.
    pub participant: ParticipantId,
    /// The name, if it is known.
    pub name: Option<String>,
    /// When.
    pub time_ms: UnixMs,
    /// What, in one line.
    pub text: String,
    /// What a comment is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineRange>,
    /// How many replies a comment has.
    #[serde(default)]
    pub replies: u32,
}
