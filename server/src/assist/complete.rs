//! What may come at a position of a text: its words, and its language's keywords and snippets, best first.

use std::{cmp::Reverse, collections::HashMap};

use motet_protocol::ot::position::Scalar;
use ropey::Rope;
use serde::{Deserialize, Serialize};

use super::{
    languages::{Language, Vocabulary},
    limits::{COMPLETIONS_MAX, INDENT_CHARS_MAX, NEAR_CHARS, WORD_CHARS_MAX},
    words::{WordIndex, each_word, folded, is_word_part},
};

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
/// does not depend on the length of the text.
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
        let near = near_words(text, at, prefix);
        let known: HashMap<&str, usize> = (candidates.iter().enumerate())
            .filter(|(_, candidate)| candidate.kind == CompletionKind::Keyword)
            .map(|(index, candidate)| (&*candidate.text, index))
            .collect();
        let mut boosts = Vec::new();
        let mut found = Vec::new();
        for (word, count, distance) in used_words(text, at, prefix, words, &near) {
            let score = prefix.score_of(word) + nearness(distance) + use_score(count);
            match known.get(word) {
                Some(index) => boosts.push((*index, score)),
                None => found.push((Reverse(score), word.len(), word, count)),
            }
        }
        // Only as many words as can be shown are written out.
        if found.len() > limit && limit > 0 {
            found.select_nth_unstable(limit - 1);
            found.truncate(limit);
        }
        let found = found.into_iter().map(|(Reverse(score), _, word, count)| Candidate {
            score,
            kind: CompletionKind::Word,
            text: word.to_owned(),
            insert: word.to_owned(),
            detail: if count == 1 { "once in the text".to_owned() } else { format!("{count} times in the text") },
            replace_from: prefix.from,
        });
        let found: Vec<Candidate> = found.collect();
        for (index, score) in boosts {
            candidates[index].score = candidates[index].score.max(score);
        }
        candidates.extend(found);
    }
    candidates.sort_by(|a, b| {
        let rank = |c: &Candidate| (Reverse(c.score), c.text.len());
        rank(a).cmp(&rank(b)).then_with(|| a.text.cmp(&b.text))
    });
    candidates.truncate(limit);
    let indent = Indent::at(text, at, vocabulary);
    candidates.into_iter().map(|candidate| candidate.finish(&indent)).collect()
}

/// What stands in front of the position and is to be gone on with.
struct Prefix {
    from: usize,
    typed: String,
    folded: String,
}

impl Prefix {
    /// The characters of a kind right before a place; none if they are too many to be the beginning of a word.
    fn before(text: &Rope, at: usize, of_kind: impl Fn(char) -> bool) -> Option<Self> {
        let run = || text.chars_at(at).reversed().take(WORD_CHARS_MAX + 1).take_while(|c| of_kind(*c));
        let length = run().count();
        let typed: String = text.slice(at - length..at).chars().collect();
        (length <= WORD_CHARS_MAX).then(|| Self { from: at - length, folded: folded(&typed), typed })
    }

    /// Whether it can be gone on with to become this word.
    fn begins(&self, word: &str) -> bool {
        word != self.typed && folded(word).starts_with(&self.folded)
    }

    fn score_of(&self, word: &str) -> u32 {
        if word.starts_with(&self.typed) { CASE_SCORE } else { 0 }
    }
}

/// What the case that was typed is worth: more than being near, since who types a capital letter means it.
const CASE_SCORE: u32 = 60;

/// A keyword counts as a word that stands 200 characters away and is used eight times.
const KEYWORD_SCORE: u32 = 3 * 7 + 2 * 3;

/// A snippet that was not typed in full comes after the keywords.
const SNIPPET_SCORE: u32 = KEYWORD_SCORE - 1;

/// More than any word can have.
const TYPED_SNIPPET_SCORE: u32 = 1_000;

/// Falls by three for each doubling of the distance, from 42.
fn nearness(distance: Option<usize>) -> u32 {
    distance.map_or(0, |distance| 3 * 14_u32.saturating_sub(usize::BITS - distance.leading_zeros()))
}

/// Rises by two for each doubling of the uses, to 32: nearness decides until a word is used very often.
fn use_score(count: u32) -> u32 {
    2 * (u32::BITS - count.leading_zeros()).min(16)
}

/// The words near a place that a prefix may become, and how far away the nearest is.
fn near_words(text: &Rope, at: usize, prefix: &Prefix) -> HashMap<String, usize> {
    let (start, end) = (at.saturating_sub(NEAR_CHARS), (at + NEAR_CHARS).min(text.len_chars()));
    let cuts = |edge: usize| {
        let inside = |at: usize| text.get_char(at).is_some_and(is_word_part);
        edge > 0 && inside(edge - 1) && inside(edge)
    };
    let (cut_start, cut_end) = (cuts(start), cuts(end));
    let mut near: HashMap<String, usize> = HashMap::new();
    each_word(text.slice(start..end).chars(), |offset, word| {
        if !prefix.begins(word) {
            return;
        }
        let from = start + offset;
        let to = from + word.chars().count();
        let whole = !(cut_start && from == start || cut_end && to == end);
        let being_typed = from <= at && at <= to;
        if whole && !being_typed {
            let distance = if to < at { at - to } else { from - at };
            match near.get_mut(word) {
                Some(nearest) => *nearest = distance.min(*nearest),
                None => drop(near.insert(word.to_owned(), distance)),
            }
        }
    });
    near
}

/// The words that a prefix may become: those of the index, and those near the place that the index has not (it holds a sample of
/// the words of a very large text). With how often each is used, and how far away if near.
fn used_words<'a>(
    text: &Rope,
    at: usize,
    prefix: &'a Prefix,
    words: &'a WordIndex,
    near: &'a HashMap<String, usize>,
) -> impl Iterator<Item = (&'a str, u32, Option<usize>)> {
    let being_typed = run_around(text, at);
    let indexed = words.starting_with(&prefix.typed).filter_map(move |(word, count)| {
        // The word that is being typed is in the index too, and is no answer to itself.
        let count = if being_typed.as_deref() == Some(word) { count - 1 } else { count };
        let offered = count > 0 && word != prefix.typed;
        offered.then(|| (word, count, near.get(word).copied()))
    });
    let others = near.iter().filter(|(word, _)| words.count(word) == 0);
    indexed.chain(others.map(|(word, distance)| (&**word, 1, Some(*distance))))
}

/// The word that a place is in or at the end of, if it is not too long for one.
fn run_around(text: &Rope, at: usize) -> Option<String> {
    let part = |c: &char| is_word_part(*c);
    let before = text.chars_at(at).reversed().take(WORD_CHARS_MAX + 1).take_while(part).count();
    let after = text.chars_at(at).take(WORD_CHARS_MAX + 1).take_while(part).count();
    (before + after <= WORD_CHARS_MAX).then(|| text.slice(at - before..at + after).chars().collect())
}

/// A completion with what it is ranked by.
struct Candidate {
    score: u32,
    kind: CompletionKind,
    text: String,
    insert: String,
    detail: String,
    replace_from: usize,
}

impl Candidate {
    fn finish(self, indent: &Indent) -> Completion {
        let insert = if self.kind == CompletionKind::Snippet { indent.apply(&self.insert) } else { self.insert };
        let replace_from = Scalar(self.replace_from as u64);
        Completion { text: self.text, kind: self.kind, replace_from, insert, detail: self.detail }
    }
}

/// The keywords and snippets of a language that a prefix may become.
fn of_language(prefix: &Prefix, language: Language, vocabulary: &Vocabulary) -> Vec<Candidate> {
    let capitals = vocabulary.any_case && prefix.typed.starts_with(char::is_uppercase);
    let keywords = vocabulary.keywords.iter().map(|word| if capitals { word.to_uppercase() } else { word.clone() });
    let keywords = keywords.filter(|word| prefix.begins(word)).map(|word| Candidate {
        score: KEYWORD_SCORE + prefix.score_of(&word),
        kind: CompletionKind::Keyword,
        insert: word.clone(),
        text: word,
        detail: language.vocabulary().title.clone(),
        replace_from: prefix.from,
    });
    // Where nothing was typed nobody means a snippet.
    let triggered = vocabulary
        .snippets
        .iter()
        .filter(|snippet| !prefix.typed.is_empty() && folded(&snippet.trigger).starts_with(&prefix.folded));
    let snippets = triggered.map(|snippet| Candidate {
        score: match snippet.trigger == prefix.typed {
            true => TYPED_SNIPPET_SCORE,
            false => SNIPPET_SCORE + prefix.score_of(&snippet.trigger),
        },
        kind: CompletionKind::Snippet,
        text: snippet.trigger.clone(),
        insert: snippet.body.clone(),
        detail: snippet.detail.clone(),
        replace_from: prefix.from,
    });
    keywords.chain(snippets).collect()
}

/// How the lines of a snippet are indented at a place: as the line that it is put in, and by levels of the language.
struct Indent {
    line: String,
    level: &'static str,
}

impl Indent {
    fn at(text: &Rope, at: usize, vocabulary: &'static Vocabulary) -> Self {
        let start = text.line_to_char(text.char_to_line(at));
        let blank = |c: &char| *c == ' ' || *c == '\t';
        let line = text.slice(start..at).chars().take(INDENT_CHARS_MAX).take_while(blank).collect();
        Self { line, level: &vocabulary.indent }
    }

    fn apply(&self, body: &str) -> String {
        let mut indented = String::with_capacity(2 * body.len());
        for (number, line) in body.split('\n').enumerate() {
            let content = line.trim_start_matches('\t');
            let levels = line.len() - content.len();
            if number > 0 {
                indented.push('\n');
                if !content.is_empty() {
                    indented.push_str(&self.line);
                }
            }
            indented.extend(std::iter::repeat_n(self.level, levels));
            indented.push_str(content);
        }
        indented
    }
}

#[cfg(test)]
mod tests;
