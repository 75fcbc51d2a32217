//! Completion as somebody who types sees it.

use super::*;
use crate::assist::limits::{INDENT_CHARS_MAX, NEAR_CHARS};

/// What is offered where `|` stands in a text.
fn at_mark(marked: &str, language: Language) -> Vec<Completion> {
    let at = marked.chars().position(|c| c == '|').expect("a mark");
    let text = Rope::from(marked.replacen('|', "", 1));
    complete(&text, Scalar(at as u64), language, &WordIndex::of(&text), 10)
}

fn texts(completions: &[Completion]) -> Vec<&str> {
    completions.iter().map(|completion| &*completion.text).collect()
}

/// What is put in the text, in place of what was typed.
fn accepted(marked: &str, language: Language, index: usize) -> String {
    let at = marked.chars().position(|c| c == '|').expect("a mark");
    let completion = at_mark(marked, language).swap_remove(index);
    let mut text = Rope::from(marked.replacen('|', "", 1));
    text.remove(completion.replace_from.0 as usize..at);
    text.insert(completion.replace_from.0 as usize, &completion.insert);
    text.to_string()
}

#[test]
fn a_word_that_was_begun_is_gone_on_with() {
    assert_eq!(accepted("the größere one, and a grö|!", Language::PlainText, 0), "the größere one, and a größere!");
    assert_eq!(accepted("value_of(x); val| + 1", Language::PlainText, 0), "value_of(x); value_of + 1");
}

#[test]
fn what_is_being_typed_is_no_answer_to_itself() {
    assert_eq!(at_mark("uniqu|e", Language::PlainText), []);
    assert_eq!(at_mark("unique|", Language::PlainText), []);
    assert_eq!(texts(&at_mark("unique uniq|", Language::PlainText)), ["unique"]);
    assert_eq!(texts(&at_mark("unique unique|", Language::PlainText)), Vec::<&str>::new());
}

#[test]
fn the_nearer_word_comes_first_and_of_two_far_ones_the_one_used_more() {
    let far = " filler".repeat(2 * NEAR_CHARS / 7);
    let text = format!("counter counted counted counted counted{far} country\n coun|");
    assert_eq!(texts(&at_mark(&text, Language::PlainText)), ["country", "counted", "counter"]);
}

#[test]
fn the_case_that_was_typed_comes_first() {
    assert_eq!(texts(&at_mark("result result result Result Re|", Language::PlainText)), ["Result", "result"]);
    assert_eq!(texts(&at_mark("Result Result Result result re|", Language::PlainText)), ["result", "Result"]);
}

#[test]
fn keywords_and_snippets_of_the_language_are_offered() {
    let offered = at_mark("whi|", Language::Rust);
    assert_eq!(texts(&offered), ["while", "while"]);
    assert_eq!(offered[0].kind, CompletionKind::Keyword);
    assert_eq!((offered[1].kind, &*offered[1].detail), (CompletionKind::Snippet, "while loop"));
    assert_eq!(at_mark("whi|", Language::PlainText), []);
}

#[test]
fn a_keyword_that_the_text_uses_is_offered_once() {
    let offered = at_mark("struct A; struct B; str|", Language::Rust);
    let keywords = offered.iter().filter(|offer| offer.text == "struct" && offer.kind != CompletionKind::Snippet);
    assert_eq!(keywords.count(), 1, "{offered:?}");
    assert_eq!((&*offered[0].text, offered[0].kind), ("struct", CompletionKind::Keyword));
}

#[test]
fn a_snippet_is_indented_as_the_line_it_is_put_in() {
    assert_eq!(accepted("fn main() {\n    loop|", Language::Rust, 0), "fn main() {\n    loop {\n        $0\n    }");
    assert_eq!(accepted("\tiferr|", Language::Go, 0), "\tif err != nil {\n\t\treturn ${1:err}\n\t}$0");
}

#[test]
fn keywords_with_signs_are_replaced_as_a_whole() {
    assert_eq!(accepted("a { background-c|", Language::Css, 0), "a { background-color");
    assert_eq!(accepted("#inc|", Language::C, 0), "#include");
}

#[test]
fn sql_goes_on_in_the_case_that_was_begun() {
    assert_eq!(accepted("SELE|", Language::Sql, 0), "SELECT");
    assert_eq!(accepted("sele|", Language::Sql, 0), "select");
}

#[test]
fn where_nothing_was_typed_what_is_near_and_used_is_offered() {
    let offered = at_mark("alpha beta beta |", Language::Rust);
    assert_eq!(texts(&offered)[..2], ["beta", "alpha"]);
    assert!(offered.iter().all(|offer| offer.kind != CompletionKind::Snippet));
}

#[test]
fn a_large_text_whose_words_are_sampled_still_offers_the_near_ones() {
    let mut text: String = (0..80_000).map(|n| format!("some{n} ")).collect();
    text.push_str("zephyr zep");
    let text = Rope::from(text);
    let index = WordIndex::of(&text);
    assert!(index.is_sample());
    let at = Scalar(text.len_chars() as u64);
    assert_eq!(texts(&complete(&text, at, Language::PlainText, &index, 10)), ["zephyr"]);
}

#[test]
fn a_word_that_the_edge_of_what_is_near_cuts_is_not_offered_in_half() {
    // The edge falls into the last word.
    let text = format!("xyz|\n{}abcdefxyzabc", "xyzzy ".repeat(NEAR_CHARS / 6 - 1));
    for shift in 0..12 {
        let text = text.replacen('\n', &"\n".repeat(shift + 1), 1);
        assert_eq!(texts(&at_mark(&text, Language::PlainText)), ["xyzzy"], "{shift}");
    }
}

#[test]
fn hostile_positions_limits_and_texts_are_answered() {
    let index = WordIndex::of(&Rope::new());
    assert_eq!(complete(&Rope::new(), Scalar(u64::MAX), Language::PlainText, &index, usize::MAX), []);
    assert_eq!(complete(&Rope::new(), Scalar(0), Language::Rust, &index, 0), []);
    assert_eq!(complete(&Rope::new(), Scalar(0), Language::Rust, &index, usize::MAX).len(), COMPLETIONS_MAX);
    let run = Rope::from("x".repeat(100_000));
    let index = WordIndex::of(&run);
    assert_eq!(complete(&run, Scalar(50_000), Language::Rust, &index, 10), []);
    let blank = Rope::from(format!("{}loop", " ".repeat(100_000)));
    let offered = complete(&blank, Scalar(100_004), Language::Rust, &WordIndex::of(&blank), 10);
    assert!(offered[0].insert.len() < 4 * INDENT_CHARS_MAX);
}

#[test]
fn an_index_of_a_moment_ago_still_serves() {
    let text = Rope::from("older newer newest n");
    let stale = WordIndex::of(&Rope::from("older never"));
    let offered = complete(&text, Scalar(20), Language::PlainText, &stale, 10);
    assert_eq!(texts(&offered), ["newest", "newer", "never"]);
}
