//! What was typed already.

use ropey::Rope;

use super::rank::CASE_SCORE;
use crate::assist::{
    limits::WORD_CHARS_MAX,
    words::{folded, is_word_part},
};

/// What stands in front of the position and is to be gone on with.
pub(super) struct Prefix {
    pub(super) from: usize,
    pub(super) typed: String,
    folded: String,
}

impl Prefix {
    /// The characters of a kind right before a place; none if they are too many to be the beginning of a word.
    pub(super) fn before(text: &Rope, at: usize, of_kind: impl Fn(char) -> bool) -> Option<Self> {
        let run = || text.chars_at(at).reversed().take(WORD_CHARS_MAX + 1).take_while(|c| of_kind(*c));
        let length = run().count();
        let typed: String = text.slice(at - length..at).chars().collect();
        (length <= WORD_CHARS_MAX).then(|| Self { from: at - length, folded: folded(&typed), typed })
    }

    /// Whether a word begins with it, in any case.
    pub(super) fn starts(&self, word: &str) -> bool {
        match (word.as_bytes().get(..self.folded.len()), word.is_ascii() && self.folded.is_ascii()) {
            (Some(start), true) => start.eq_ignore_ascii_case(self.folded.as_bytes()),
            (None, true) => false,
            (_, false) => folded(word).starts_with(&self.folded),
        }
    }

    /// Whether it can be gone on with to become this word.
    pub(super) fn begins(&self, word: &str) -> bool {
        self.starts(word) && word != self.typed
    }

    /// What a word gets for being written in the case that was typed.
    pub(super) fn score_of(&self, word: &str) -> u32 {
        if word.starts_with(&self.typed) { CASE_SCORE } else { 0 }
    }
}

/// The word that a place is in or at the end of, if it is not too long for one.
pub(super) fn run_around(text: &Rope, at: usize) -> Option<String> {
    let part = |c: &char| is_word_part(*c);
    let before = text.chars_at(at).reversed().take(WORD_CHARS_MAX + 1).take_while(part).count();
    let after = text.chars_at(at).take(WORD_CHARS_MAX + 1).take_while(part).count();
    (before + after <= WORD_CHARS_MAX).then(|| text.slice(at - before..at + after).chars().collect())
}
