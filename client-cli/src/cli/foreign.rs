//! Text that other people wrote, made safe for a terminal. All output of the commands goes through here, except texts that
//! are printed byte for byte (`motet cat`, `motet export`, and `motet diff` into a pipe).

use std::{
    fmt::{self, Display, Write},
    io,
};

/// Whether a terminal acts on this character, or reorders the characters around it: control characters except newline and
/// tab, and the marks of bidirectional text.
pub(crate) fn is_unsafe(letter: char) -> bool {
    let is_control = letter.is_control() && !matches!(letter, '\n' | '\t');
    is_control || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A field of a line: its line ends become visible, so that it cannot look like further lines. [`Output::line`] escapes the
/// rest.
///
/// [`Output::line`]: super::output::Output::line
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// Shows a value with its unsafe characters as escapes, as in `\u{1b}`.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

/// Escapes what is written to a formatter.
struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_unsafe) {
            let (before, unsafe_on) = rest.split_at(at);
            self.0.write_str(before)?;
            let mut letters = unsafe_on.chars();
            if let Some(letter) = letters.next() {
                write!(self.0, "{}", letter.escape_unicode())?;
            }
            rest = letters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// JSON as `serde_json` writes it, with the unsafe characters of its strings as `\u` escapes: the value stays the same.
pub(crate) struct SafeJson;

impl serde_json::ser::Formatter for SafeJson {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unsafe) {
            let (before, unsafe_on) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut letters = unsafe_on.chars();
            // All of these are in the first plane, so one unit is one character.
            if let Some(letter) = letters.next() {
                write!(writer, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Writes a value as a line of such JSON.
pub(crate) fn write_json(mut to: impl io::Write, value: &impl serde::Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut to, SafeJson)).map_err(io::Error::from)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown_as_an_escape() {
        for (text, shown) in [
            ("a\tb\nc", "a\tb\nc"),
            ("\u{1b}[2J\r\u{7f}", "\\u{1b}[2J\\u{d}\\u{7f}"),
            ("\u{9b}1m \u{202e}abc\u{2069}\u{200f}", "\\u{9b}1m \\u{202e}abc\\u{2069}\\u{200f}"),
            ("Zoë 👩‍🚀", "Zoë 👩‍🚀"),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = "a\"\u{1b}\u{9b}\u{202e}\u{7f}\nZoë";
        let mut json = Vec::new();
        write_json(&mut json, &value).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert!(!json.trim_end().contains(is_unsafe), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
    }
}
