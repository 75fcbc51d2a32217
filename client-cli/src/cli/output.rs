//! What goes to standard output.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use serde::Serialize;

use super::{
    Failure,
    foreign::{Escaped, write_json},
};

/// Standard output: text as it is, or one JSON value a line. If its reader goes away, the command ends with success.
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self { out: BufWriter::new(io::stdout().lock()) }
    }

    /// Text, byte for byte.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// A line for people, with what a terminal would act on as visible [escapes](Escaped).
    pub(crate) fn line(&mut self, line: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{}", Escaped(line))?)
    }

    /// The same in a colour, given as the parameters of SGR (`31`).
    pub(crate) fn coloured(&mut self, colour: &str, line: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "\x1b[{colour}m{}\x1b[m", Escaped(line))?)
    }

    /// A line of JSON for programs, which is safe to print on a terminal, too.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        Ok(write_json(&mut self.out, value)?)
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// Whether a person sees standard error, so that progress is worth showing.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// A time as RFC 3339 writes it, in UTC.
pub(crate) fn time_of(unix_ms: u64) -> String {
    let (seconds, ms) = (unix_ms / 1_000, unix_ms % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = motet_protocol::time::date_of_days(days as i64);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}
