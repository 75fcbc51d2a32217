//! What questions and answers are made of.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Revision, UnixMs},
    ot::Scalar,
};

/// A place in a room's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The newest committed revision.
    #[default]
    Head,
    /// This revision.
    Revision(Revision),
    /// The last revision at or before this time.
    Time(UnixMs),
}

/// One way for a text to go on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Completion {
    /// What it is called in a list.
    pub label: String,
    /// What sort it is.
    pub kind: CompletionKind,
    /// Where what it replaces begins; it ends at the place that was asked for.
    pub from: Scalar,
    /// What comes in its place.
    pub insert: String,
    /// Words; may be empty.
    pub detail: String,
}

/// Where a completion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A word of the text.
    Word,
    /// A word of the language.
    Keyword,
    /// A pattern of the language.
    Snippet,
    /// A provider's proposal.
    Proposal,
}
