//! What is known of a language, read from its data file when it is first asked for.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::Language;

/// What is known of a language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vocabulary {
    /// Its name as people write it.
    pub title: String,
    /// Other names, in lower case.
    pub aliases: Vec<String>,
    /// Extensions of its files, in lower case, without the dot. `.bashrc` has the extension `bashrc`.
    pub extensions: Vec<String>,
    /// One level of indentation.
    pub indent: String,
    /// Characters that stand in its keywords besides those of words: `-` in CSS.
    pub joins: String,
    /// Whether its keywords may be written in any case: a completion then goes on in the case that was begun.
    pub any_case: bool,
    /// Its keywords, and what else is always at hand in it.
    #[serde(deserialize_with = "words")]
    pub keywords: Vec<String>,
    /// Its snippets.
    pub snippets: Vec<Snippet>,
}

/// Something longer that a short word stands for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snippet {
    /// What is typed for it.
    pub trigger: String,
    /// What it is.
    pub detail: String,
    /// What it becomes, in the snippet syntax of LSP (3.17, *Snippet Syntax*): `$1` and `${1:name}` are places to fill in, `$0` is the
    /// last one. A tab at the beginning of a line is one level of indentation.
    pub body: String,
}

impl Vocabulary {
    pub(super) fn of(language: Language) -> &'static Self {
        static ALL: LazyLock<BTreeMap<Language, Vocabulary>> = LazyLock::new(|| {
            let read = |language: &Language| {
                let vocabulary = toml::from_str(language.source());
                (*language, vocabulary.expect("the data files are part of the program, and a test reads them all"))
            };
            Language::ALL.iter().map(read).collect()
        });
        &ALL[&language]
    }
}

/// Words in one string, with white space between them.
fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::assist::words::is_word_part;

    #[test]
    fn every_language_has_sound_data() {
        for language in Language::ALL {
            let vocabulary = language.vocabulary();
            assert!(!vocabulary.title.is_empty() && !vocabulary.indent.is_empty(), "{language}");
            assert!(!vocabulary.extensions.is_empty(), "{language}");
            assert_eq!(vocabulary.keywords.is_empty(), *language == Language::PlainText, "{language}");
            let part = |c: char| is_word_part(c) || vocabulary.joins.contains(c);
            let mut seen = HashSet::new();
            for keyword in &vocabulary.keywords {
                assert!(keyword.chars().all(part), "{language}: {keyword} could not be typed as a prefix");
                assert!(seen.insert(keyword), "{language}: {keyword} is there twice");
            }
            let mut seen = HashSet::new();
            for Snippet { trigger, detail, body } in &vocabulary.snippets {
                assert!(trigger.chars().all(part), "{language}: {trigger} could not be typed as a prefix");
                assert!(seen.insert(trigger), "{language}: {trigger} is there twice");
                assert!(!detail.is_empty() && !body.is_empty(), "{language}: {trigger}");
                assert!(body.contains("$0"), "{language}: {trigger} does not say where one goes on");
                let lines = body.lines().all(|line| !line.starts_with(' ') && line.trim_end() == line);
                assert!(lines, "{language}: {trigger} is not indented with tabs");
            }
        }
    }
}
