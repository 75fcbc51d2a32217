//! What a writer types.

use std::sync::Arc;

use motet_protocol::ot::Operation;
use rand::{RngExt, rngs::StdRng};

use crate::trace::Trace;

const LETTERS: [&str; 16] = ["e", "t", "a", "o", "i", "n", "s", "h", "r", "d", "l", "u", " ", ".", "ä", "\n"];

/// Where a writer's edits come from.
#[derive(Clone)]
pub(super) enum Mix {
    /// At any place, in or out.
    Random {
        /// The length around which the text is kept, in characters.
        text_size: u64,
        /// The share of insertions; without it more goes in while the text is short, and more out while it is long.
        inserts: Option<f64>,
        /// Characters of an edit.
        length: u64,
    },
    /// A trace, from its begin again after its end.
    Trace {
        /// What is played.
        trace: Arc<Trace>,
        /// The next edit.
        next: usize,
    },
}

impl Mix {
    /// The text before the first edit.
    pub(super) fn start(&self) -> String {
        match self {
            Self::Random { text_size, .. } => "x".repeat(*text_size as usize),
            Self::Trace { trace, .. } => trace.start.clone(),
        }
    }

    /// The next edit, on a text of so many characters. Says what is wrong with a trace that does not fit its own text.
    pub(super) fn next(&mut self, text: u64, random: &mut StdRng) -> Result<Operation, String> {
        match self {
            Self::Random { text_size, inserts, length } => {
                let deletes = match inserts {
                    Some(share) => !random.random_bool(*share),
                    None => random.random_range(0..2 * *text_size) < text,
                };
                let deleted = (*length).min(text);
                let operation = if deletes && deleted > 0 {
                    let at = random.random_range(0..=text - deleted);
                    Operation::builder().retain(at).delete(deleted).retain(text - at - deleted)
                } else {
                    let at = random.random_range(0..=text);
                    let operation = Operation::builder().retain(at);
                    match *length {
                        1 => operation.insert(letter(random)),
                        length => operation.insert(&(0..length).map(|_| letter(random)).collect::<String>()),
                    }
                    .retain(text - at)
                };
                operation.build().map_err(|error| error.to_string())
            }
            Self::Trace { trace, next } => match trace.edits.get(*next) {
                Some(edit) => {
                    *next += 1;
                    edit.operation(text)
                }
                None => {
                    *next = 0;
                    let again = Operation::builder().insert(&trace.start).delete(text).build();
                    again.map_err(|error| error.to_string())
                }
            },
        }
    }
}

fn letter(random: &mut StdRng) -> &'static str {
    LETTERS[random.random_range(0..LETTERS.len())]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_share_of_insertions_and_the_length_are_as_asked() {
        let mut random = StdRng::seed_from_u64(1);
        let mut mix = Mix::Random { text_size: 1_000, inserts: Some(0.75), length: 3 };
        let grown = (0..1_000).filter(|_| mix.next(1_000, &mut random).unwrap().target_len() == 1_003).count();
        let shrunk = {
            let mut random = StdRng::seed_from_u64(1);
            (0..1_000).filter(|_| mix.next(1_000, &mut random).unwrap().target_len() == 997).count()
        };
        assert_eq!(grown + shrunk, 1_000);
        assert!((700..800).contains(&grown), "{grown}");
        assert_eq!(mix.next(0, &mut random).unwrap().target_len(), 3, "nothing can be deleted from an empty text");
    }
}
