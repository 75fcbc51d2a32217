//! [`WordIndex`]: the words of one text, with how often each stands in it.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
};

use motet_protocol::ot::{Component, Mismatch, Operation};
use ropey::Rope;

use super::scan::{each_word, folded, is_word_part};
use crate::assist::limits::{WORD_CHARS_MAX, WORDS_MAX};

/// The words of a text and how often each stands in it, kept up edit by edit at a cost that depends on the edit alone.
///
/// It remembers at most [`WORDS_MAX`] different words. In a text that has more, a word is kept if its hash begins with enough zero
/// bits, and one more is asked for whenever the index is full: a sample of the words (P. Gibbons, *Distinct Sampling*, 2001),
/// which forgets without losing count, so that **whatever is kept is counted exactly**, always. The hash has no secret: who
/// fills a room with words that begin with zeros spoils the completion of far words in that room, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordIndex {
    counts: BTreeMap<Key, u32>,
    sample: Sample,
    words_max: usize,
}

/// A word, ordered without its case first, so that the words with a prefix stand together however they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    folded: Box<str>,
    /// The word as it is written, if that is not how it is folded.
    written: Option<Box<str>>,
}

impl Key {
    fn of(word: &str) -> Self {
        let folded = folded(word);
        let written = (folded != word).then(|| word.into());
        Self { folded: folded.into(), written }
    }

    fn as_str(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.folded)
    }
}

/// Which words are kept: those whose hash begins with this many zero bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sample {
    zero_bits: u32,
}

impl Sample {
    fn keeps(self, word: &str) -> bool {
        // A fixed hash: two indexes of the same text are the same.
        let hash = || {
            let mut hasher = DefaultHasher::new();
            word.hash(&mut hasher);
            hasher.finish()
        };
        self.zero_bits == 0 || hash().leading_zeros() >= self.zero_bits
    }
}

impl WordIndex {
    /// Reads a whole text.
    pub fn of(text: &Rope) -> Self {
        Self::with_words_max(text, WORDS_MAX)
    }

    fn with_words_max(text: &Rope, words_max: usize) -> Self {
        // Counted in a hash table first: most words of a text stand in it many times, and the tree is slower to search.
        let mut counts: HashMap<String, u32> = HashMap::new();
        let mut sample = Sample::default();
        each_word(text.chars(), |_, word| {
            if let Some(count) = counts.get_mut(word) {
                *count += 1;
            } else if sample.keeps(word) {
                counts.insert(word.to_owned(), 1);
                while counts.len() > words_max {
                    sample.zero_bits += 1;
                    counts.retain(|word, _| sample.keeps(word));
                }
            }
        });
        let counts = counts.into_iter().map(|(word, count)| (Key::of(&word), count)).collect();
        Self { counts, sample, words_max }
    }

    /// Follows an operation on the text `before` it. On a mismatch the index is as it was.
    ///
    /// It reads what the operation inserts and deletes, and at most [`WORD_CHARS_MAX`] and one more scalars on each side of each
    /// change.
    pub fn update(&mut self, before: &Rope, operation: &Operation) -> Result<(), Mismatch> {
        let found = before.len_chars() as u64;
        if found != operation.base_len() {
            return Err(Mismatch { expected: operation.base_len(), found });
        }
        for stretch in stretches(before, operation) {
            each_word(before.slice(stretch.before).chars(), |_, word| self.remove(word));
            each_word(stretch.after.chars(), |_, word| self.add(word));
        }
        Ok(())
    }

    fn add(&mut self, word: &str) {
        if !self.sample.keeps(word) {
            return;
        }
        *self.counts.entry(Key::of(word)).or_insert(0) += 1;
        while self.counts.len() > self.words_max {
            self.sample.zero_bits += 1;
            self.counts.retain(|key, _| self.sample.keeps(key.as_str()));
        }
    }

    fn remove(&mut self, word: &str) {
        if !self.sample.keeps(word) {
            return;
        }
        let key = Key::of(word);
        let count = self.counts.get_mut(&key);
        debug_assert!(count.is_some(), "the word {word:?} was in the text and not in its index");
        match count {
            Some(1) => {
                self.counts.remove(&key);
            }
            Some(count) => *count -= 1,
            None => {}
        }
    }

    /// How many different words are remembered.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no word is remembered.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Whether the text had more words than are remembered.
    pub fn is_sample(&self) -> bool {
        self.sample.zero_bits > 0
    }

    /// How often a word stands in the text, as far as it is remembered.
    pub fn count(&self, word: &str) -> u32 {
        self.counts.get(&Key::of(word)).copied().unwrap_or(0)
    }

    /// The words that begin with `prefix`, however they are written, with how often each stands in the text.
    pub fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&str, u32)> {
        let folded: Box<str> = folded(prefix).into();
        let from = Key { folded: folded.clone(), written: None };
        self.counts
            .range(from..)
            .take_while(move |(key, _)| key.folded.starts_with(&*folded))
            .map(|(key, count)| (key.as_str(), *count))
    }
}

/// A part of the text in which words may have changed: where it stood, and what stands there now. It begins and ends between two
/// words, or in the middle of a run that is too long to be a word whatever happens at its other end.
struct Stretch {
    before: Range<usize>,
    after: String,
}

/// The stretches of a text that an operation touches, apart from each other and in order.
fn stretches(before: &Rope, operation: &Operation) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    // Where the operation is in the text, and up to where the last stretch's `after` is complete.
    let (mut at, mut copied) = (0, 0);
    for component in operation.components() {
        if let Component::Retain(n) = component {
            at += n as usize;
            continue;
        }
        let start = run_start(before, at);
        match stretches.last_mut() {
            Some(last) if start <= last.before.end => last.after.extend(before.slice(copied..at).chunks()),
            last => {
                if let Some(last) = last {
                    last.after.extend(before.slice(copied..last.before.end).chunks());
                }
                stretches.push(Stretch { before: start..at, after: before.slice(start..at).into() });
            }
        }
        let last = stretches.last_mut().expect("one was there or has been pushed");
        match component {
            Component::Insert(text) => last.after.push_str(text),
            Component::Delete(n) => at += n as usize,
            Component::Retain(_) => {}
        }
        copied = at;
        last.before.end = run_end(before, at);
    }
    if let Some(last) = stretches.last_mut() {
        last.after.extend(before.slice(copied..last.before.end).chunks());
    }
    stretches
}

/// More of a run than this is too long for a word, so that nobody needs to know where it ends.
const RUN_CHARS_SEEN: usize = WORD_CHARS_MAX + 1;

fn run_start(text: &Rope, at: usize) -> usize {
    at - text.chars_at(at).reversed().take(RUN_CHARS_SEEN).take_while(|c| is_word_part(*c)).count()
}

fn run_end(text: &Rope, at: usize) -> usize {
    at + text.chars_at(at).take(RUN_CHARS_SEEN).take_while(|c| is_word_part(*c)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters that make and break words, of one to four bytes, some with a case.
    const ALPHABET: [char; 10] = ['a', 'B', 'ß', ' ', '_', '7', '\n', '中', '𝒳', '-'];

    fn any_text(length_max: usize) -> impl Strategy<Value = String> {
        let run = prop_oneof![
            8 => prop::collection::vec(prop::sample::select(&ALPHABET[..]), 0..6).prop_map(String::from_iter),
            2 => Just("word".to_owned()),
            // Runs about as long as the longest word, and longer than two of them.
            1 => (WORD_CHARS_MAX - 2..WORD_CHARS_MAX + 3).prop_map(|n| "w".repeat(n)),
            1 => (2 * WORD_CHARS_MAX..2 * WORD_CHARS_MAX + 6).prop_map(|n| "w".repeat(n)),
        ];
        prop::collection::vec(run, 0..length_max).prop_map(|runs| runs.concat())
    }

    #[derive(Clone, Debug)]
    enum Step {
        Retain(u64),
        Insert(String),
        Delete(u64),
    }

    fn any_operation() -> impl Strategy<Value = Vec<Step>> {
        let length = || prop_oneof![0_u64..6, 0_u64..200];
        let step = prop_oneof![
            length().prop_map(Step::Retain),
            any_text(3).prop_map(Step::Insert),
            length().prop_map(Step::Delete)
        ];
        prop::collection::vec(step, 0..12)
    }

    fn operation(base: u64, steps: &[Step]) -> Operation {
        let mut builder = Operation::builder();
        let mut rest = base;
        for step in steps {
            let n = |n: &u64| (*n).min(rest);
            let component = match step {
                Step::Retain(length) => Component::Retain(n(length)),
                Step::Insert(text) => Component::Insert(text),
                Step::Delete(length) => Component::Delete(n(length)),
            };
            if let Component::Retain(n) | Component::Delete(n) = component {
                rest -= n;
            }
            builder.push(component);
        }
        builder.retain(rest).build().unwrap()
    }

    proptest! {
        #[test]
        fn an_index_that_followed_every_edit_is_the_one_made_anew(
            text in any_text(30),
            edits in prop::collection::vec(any_operation(), 0..8),
        ) {
            let mut text = Rope::from(text);
            let mut index = WordIndex::of(&text);
            for steps in &edits {
                let operation = operation(text.len_chars() as u64, steps);
                index.update(&text, &operation).unwrap();
                operation.apply_to_rope(&mut text).unwrap();
                prop_assert_eq!(&index, &WordIndex::of(&text));
            }
        }

        #[test]
        fn an_index_that_is_full_counts_exactly_what_it_still_remembers(
            text in any_text(30),
            edits in prop::collection::vec(any_operation(), 0..8),
        ) {
            const FEW: usize = 4;
            let mut text = Rope::from(text);
            let mut index = WordIndex::with_words_max(&text, FEW);
            for steps in &edits {
                let operation = operation(text.len_chars() as u64, steps);
                index.update(&text, &operation).unwrap();
                operation.apply_to_rope(&mut text).unwrap();
                let mut all = WordIndex::of(&text).counts;
                all.retain(|key, _| index.sample.keeps(key.as_str()));
                prop_assert_eq!(&index.counts, &all);
                prop_assert!(index.len() <= FEW);
            }
        }
    }

    #[test]
    fn a_text_of_more_words_than_are_remembered_stays_within_the_limit() {
        let text: String = (0..2 * WORDS_MAX).map(|n| format!("word{n} ")).collect();
        let index = WordIndex::of(&Rope::from(text));
        assert!(index.is_sample());
        assert!(index.len() <= WORDS_MAX && index.len() > WORDS_MAX / 8, "{}", index.len());
    }

    #[test]
    fn words_are_found_by_a_prefix_however_they_are_written() {
        let index = WordIndex::of(&Rope::from("Rope rope ropes ROPE trope rop"));
        let found: Vec<_> = index.starting_with("rOpe").collect();
        assert_eq!(found, [("rope", 1), ("ROPE", 1), ("Rope", 1), ("ropes", 1)]);
        assert_eq!(index.starting_with("").count(), index.len());
    }

    #[test]
    fn an_operation_on_another_text_changes_nothing() {
        let text = Rope::from("three words here");
        let mut index = WordIndex::of(&text);
        let operation = Operation::builder().insert("more").build().unwrap();
        assert!(index.update(&text, &operation).is_err());
        assert_eq!(index, WordIndex::of(&text));
    }
}
