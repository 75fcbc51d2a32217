//! The words of the text.

use std::{cmp::Reverse, collections::HashMap};

use ropey::Rope;

use super::{
    CompletionKind,
    candidate::Candidate,
    prefix::{Prefix, run_around},
    rank::{nearness, use_score},
};
use crate::assist::{
    limits::NEAR_CHARS,
    words::{WordIndex, each_word, is_word_part},
};

/// A word that is used in the text.
struct Used<'a> {
    word: &'a str,
    count: u32,
    /// How far away it is, if it is near.
    distance: Option<usize>,
}

/// Adds the best `limit` words that the prefix may become to the candidates; a keyword that is among them ranks by its use.
pub(super) fn add_words(
    candidates: &mut Vec<Candidate>,
    text: &Rope,
    at: usize,
    prefix: &Prefix,
    words: &WordIndex,
    limit: usize,
) {
    let near = near_words(text, at, prefix);
    let keywords: HashMap<String, usize> = (candidates.iter().enumerate())
        .filter(|(_, candidate)| candidate.kind == CompletionKind::Keyword)
        .map(|(index, candidate)| (candidate.text.clone(), index))
        .collect();
    let mut found = Vec::new();
    for Used { word, count, distance } in used_words(text, at, prefix, words, &near) {
        let score = prefix.score_of(word) + nearness(distance) + use_score(count);
        match keywords.get(word) {
            Some(index) => candidates[*index].score = candidates[*index].score.max(score),
            None => found.push((Reverse(score), word.len(), word, count)),
        }
    }
    // Only as many words as can be shown are written out.
    if found.len() > limit && limit > 0 {
        found.select_nth_unstable(limit - 1);
        found.truncate(limit);
    }
    candidates.extend(found.into_iter().map(|(Reverse(score), _, word, count)| Candidate {
        score,
        kind: CompletionKind::Word,
        text: word.to_owned(),
        insert: word.to_owned(),
        detail: if count == 1 { "once in the text".to_owned() } else { format!("{count} times in the text") },
        replace_from: prefix.from,
    }));
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

/// The words that a prefix may become: those near the place, and, if something was typed, all those of the index.
fn used_words<'a>(
    text: &Rope,
    at: usize,
    prefix: &Prefix,
    words: &'a WordIndex,
    near: &'a HashMap<String, usize>,
) -> Vec<Used<'a>> {
    let near = near.iter().map(|(word, distance)| (&**word, *distance));
    if prefix.typed.is_empty() {
        // Far words would be nothing but noise here, and all there are.
        return near.map(|(word, at)| Used { word, count: words.count(word).max(1), distance: Some(at) }).collect();
    }
    let mut near: HashMap<&str, usize> = near.collect();
    let being_typed = run_around(text, at);
    let mut used = Vec::new();
    for (word, count) in words.starting_with(&prefix.typed) {
        let distance = near.remove(word);
        // The word that is being typed is in the index too, and is no answer to itself.
        let count = if being_typed.as_deref() == Some(word) { count - 1 } else { count };
        if count > 0 && word != prefix.typed {
            used.push(Used { word, count, distance });
        }
    }
    // What is near and not in the index: it holds a sample of the words of a very large text, or is of a moment ago.
    used.extend(near.into_iter().map(|(word, distance)| Used { word, count: 1, distance: Some(distance) }));
    used
}
