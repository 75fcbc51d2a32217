//! `motet diff`: what differs between two places in a room's history.

use std::{
    env,
    io::{self, BufRead, BufReader, IsTerminal},
};

use clap::Args;
use motet_protocol::ids::RoomId;

use crate::cli::{Failure, Globals, output::Output, place::Place};
use crate::http::api::with_query;

/// Prints the differences between two texts of a room as a unified diff for patch; nothing if they are equal.
///
/// A place in history is a revision (17), a time (2026-07-01T12:00:00Z), how long ago (10m, 2h), the name of a version
/// (draft; version:17 if it reads as something else) or head. With --json, prints the operation from one text to the other.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet diff minutes draft\n  motet diff minutes 17 42\n  motet diff minutes 1h > minutes.patch\n  motet diff minutes 0 head --json | jq -c .operation"
)]
pub(crate) struct Diff {
    /// The room.
    room: RoomId,
    /// The earlier place.
    from: Place,
    /// The later place.
    #[arg(default_value = "head")]
    to: Place,
}

impl Diff {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let form = if globals.json { "json" } else { "unified" };
        let arguments = [("from", self.from.as_str()), ("to", self.to.as_str()), ("format", form)];
        let path = with_query(&format!("/rooms/{}/diff", self.room), &arguments);
        let api = globals.api()?;
        let mut out = Output::new();
        if globals.json {
            out.json(&api.get::<serde_json::Value>(&path)?)?;
            return out.flush();
        }
        let on_terminal = io::stdout().is_terminal();
        let coloured = on_terminal && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let mut lines = BufReader::new(api.read(&path)?);
        let (mut line, mut number) = (Vec::new(), 0);
        // The two lines of the header are held until a change follows: equal texts print nothing.
        let mut header = String::new();
        while lines.read_until(b'\n', &mut line).map_err(|error| api.broke_off(&error))? > 0 {
            let text = String::from_utf8_lossy(&line);
            number += 1;
            if number <= 2 {
                header.push_str(&text);
                line.clear();
                continue;
            }
            for text in std::mem::take(&mut header).split_inclusive('\n').chain([text.as_ref()]) {
                let shown = text.trim_end_matches('\n').trim_end_matches('\r');
                let is_header = number == 3 && (text.starts_with("--- ") || text.starts_with("+++ "));
                match colour_of(is_header, text).filter(|_| coloured) {
                    Some(colour) => out.coloured(colour, shown)?,
                    None if on_terminal => out.line(shown)?,
                    // For patch.
                    None => out.text(text)?,
                }
            }
            line.clear();
        }
        out.flush()
    }
}

/// The terminal's colour of a line of a unified diff, as git has it.
fn colour_of(is_header: bool, line: &str) -> Option<&'static str> {
    match line.as_bytes().first()? {
        _ if is_header => Some("1"),
        b'-' => Some("31"),
        b'+' => Some("32"),
        b'@' => Some("36"),
        _ => None,
    }
}
