//! What a word is.

use unicode_ident::is_xid_continue;

use crate::assist::limits::{WORD_CHARS_MAX, WORD_CHARS_MIN};

/// Whether a character can stand in a word: letters, marks, digits and connectors of all scripts, as in identifiers (UAX #31).
pub(in crate::assist) fn is_word_part(c: char) -> bool {
    // Most text is ASCII, which needs no table.
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { is_xid_continue(c) }
}

/// A word without its case. One character after the other, so that a prefix of a word, folded, is a prefix of the word folded.
pub(in crate::assist) fn folded(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// Calls `take` with each word and where it begins, counted in scalars from the first character.
///
/// A word is an unbroken run of [word parts](is_word_part) of [`WORD_CHARS_MIN`] to [`WORD_CHARS_MAX`] scalars that does
/// not begin with a digit.
pub(in crate::assist) fn each_word(chars: impl Iterator<Item = char>, mut take: impl FnMut(usize, &str)) {
    let mut word = String::new();
    let mut length = 0;
    let mut end = |word: &mut String, length: &mut usize, at: usize| {
        let numeric = word.starts_with(char::is_numeric);
        if (WORD_CHARS_MIN..=WORD_CHARS_MAX).contains(length) && !numeric {
            take(at - *length, word);
        }
        word.clear();
        *length = 0;
    };
    let mut at = 0;
    for c in chars {
        if is_word_part(c) {
            length += 1;
            if length <= WORD_CHARS_MAX {
                word.push(c);
            }
        } else if length > 0 {
            end(&mut word, &mut length, at);
        }
        at += 1;
    }
    if length > 0 {
        end(&mut word, &mut length, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        each_word(text.chars(), |at, word| found.push((at, word.to_owned())));
        found
    }

    #[test]
    fn words_of_all_scripts_are_found_where_they_begin() {
        assert_eq!(words("let größe_2 = 0xff;"), [(0, "let".to_owned()), (4, "größe_2".to_owned())]);
        assert_eq!(words("नमस्ते दुनिया"), [(0, "नमस्ते".to_owned()), (7, "दुनिया".to_owned())]);
        assert_eq!(words("e\u{301}te\u{301}"), [(0, "e\u{301}te\u{301}".to_owned())]);
    }

    #[test]
    fn what_is_too_short_too_long_or_a_number_is_no_word() {
        let longest = "x".repeat(WORD_CHARS_MAX);
        assert_eq!(words(&longest), [(0, longest.clone())]);
        assert_eq!(words(&format!("ab 123 {longest}y")), []);
    }

    #[test]
    fn a_folded_prefix_is_a_prefix_of_the_folded_word() {
        for word in ["ΟΔΟΣ", "İstanbul", "STRASSE", "Größe"] {
            for (at, _) in word.char_indices() {
                assert!(folded(word).starts_with(&folded(&word[..at])), "{word} at {at}");
            }
        }
    }
}
