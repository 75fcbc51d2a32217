//! What may come at a position of a text: its words, and its language's keywords and snippets, best first.

mod candidate;
mod language;
mod prefix;
mod rank;
mod used;

use std::cmp::Reverse;

use motet_protocol::ot::position::Scalar;
use ropey::Rope;
use serde::{Deserialize, Serialize};

use super::{
    languages::Language,
    limits::COMPLETIONS_MAX,
    words::{WordIndex, is_word_part},
};
use candidate::Candidate;
use language::{Indent, of_language};
use prefix::Prefix;
use used::add_words;

/// Something that may come at a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// What to show.
    pub text: String,
    /// What it is.
    pub kind: CompletionKind,
    /// From here to the position the text is replaced, so that what was typed of a word is not there twice.
    pub replace_from: Scalar,
    /// What to put there.
    pub insert: String,
    /// More about it, for people.
    pub detail: String,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A word of the text.
    Word,
    /// A word of the language.
    Keyword,
    /// Something longer; `insert` is in the snippet syntax of LSP: `$1` and `${1:name}` are places to fill in.
    Snippet,
    /// What a remote provider suggests; `insert` is plain text.
    Suggestion,
}

/// What may come at a position, best first.
///
/// `words` is the index of `text`; one of a moment ago serves as well. `limit` is at most [`COMPLETIONS_MAX`], and a position behind
/// the end is the end. It reads [`NEAR_CHARS`] of the text on either side and the index's words with the prefix, so the time
/// does not depend on the length of the text. Where nothing was typed, only what is near is offered.
///
/// What begins with what stands in front of the position is offered, in any case. It is ranked by how near to the position it is
/// used, how often it is used at all, and whether its case is the one that was typed; keywords rank as words that are used a
/// few lines away, and a snippet whose trigger was typed in full comes first.
pub fn complete(text: &Rope, position: Scalar, language: Language, words: &WordIndex, limit: usize) -> Vec<Completion> {
    let limit = limit.min(COMPLETIONS_MAX);
    let at = usize::try_from(position.0).unwrap_or(usize::MAX).min(text.len_chars());
    let vocabulary = language.vocabulary();
    let word = Prefix::before(text, at, is_word_part);
    let keyword = Prefix::before(text, at, |c| is_word_part(c) || vocabulary.joins.contains(c));

    let mut candidates =
        keyword.iter().flat_map(|prefix| of_language(prefix, language, vocabulary)).collect::<Vec<_>>();
    if let Some(prefix) = &word {
        add_words(&mut candidates, text, at, prefix, words, limit);
    }
    candidates.sort_by(|a, b| {
        let rank = |c: &Candidate| (Reverse(c.score), c.text.len());
        rank(a).cmp(&rank(b)).then_with(|| a.text.cmp(&b.text))
    });
    candidates.truncate(limit);
    let indent = Indent::at(text, at, vocabulary);
    candidates.into_iter().map(|candidate| candidate.finish(&indent)).collect()
}

#[cfg(test)]
mod tests;
