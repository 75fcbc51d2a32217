//! A completion with what it is ranked by.

use motet_protocol::ot::position::Scalar;

use super::{Completion, CompletionKind, language::Indent};

/// A completion with what it is ranked by.
pub(super) struct Candidate {
    pub(super) score: u32,
    pub(super) kind: CompletionKind,
    pub(super) text: String,
    pub(super) insert: String,
    pub(super) detail: String,
    pub(super) replace_from: usize,
}

impl Candidate {
    pub(super) fn finish(self, indent: &Indent) -> Completion {
        let insert = if self.kind == CompletionKind::Snippet { indent.apply(&self.insert) } else { self.insert };
        let replace_from = Scalar(self.replace_from as u64);
        Completion { text: self.text, kind: self.kind, replace_from, insert, detail: self.detail }
    }
}
