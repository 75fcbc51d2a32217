//! The words and snippets of the language.

use ropey::Rope;

use super::{
    CompletionKind,
    candidate::Candidate,
    prefix::Prefix,
    rank::{KEYWORD_SCORE, SNIPPET_SCORE, TYPED_SNIPPET_SCORE},
};
use crate::assist::{
    languages::{Language, Vocabulary},
    limits::INDENT_CHARS_MAX,
};

/// The keywords and snippets of a language that a prefix may become.
pub(super) fn of_language(prefix: &Prefix, language: Language, vocabulary: &Vocabulary) -> Vec<Candidate> {
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
    let triggered =
        vocabulary.snippets.iter().filter(|snippet| !prefix.typed.is_empty() && prefix.starts(&snippet.trigger));
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
pub(super) struct Indent {
    line: String,
    level: &'static str,
}

impl Indent {
    pub(super) fn at(text: &Rope, at: usize, vocabulary: &'static Vocabulary) -> Self {
        let start = text.line_to_char(text.char_to_line(at));
        let blank = |c: &char| *c == ' ' || *c == '\t';
        let line = text.slice(start..at).chars().take(INDENT_CHARS_MAX).take_while(blank).collect();
        Self { line, level: &vocabulary.indent }
    }

    pub(super) fn apply(&self, body: &str) -> String {
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
