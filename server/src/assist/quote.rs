//! Texts of others, made fit to be shown.

/// A text in one line of at most `chars_max` scalars, without what a terminal would take for commands. It reads no more of the text
/// than it shows, but for what it leaves out.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        // A scalar more than fits, to see whether something is left out.
        line.extend(word.chars().take(chars_max + 1));
        if let Some((end, _)) = line.char_indices().nth(chars_max) {
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_becomes_one_that_is_not_too_long() {
        assert_eq!(one_line(" two\r\n\n lines\u{1b}[2J\t", 20), "two lines [2J");
        assert_eq!(one_line("größer als", 10), "größer als");
        assert_eq!(one_line("größer als", 9), "größer al…");
        assert_eq!(one_line(&"x".repeat(1 << 20), 3), "xxx…");
    }
}
