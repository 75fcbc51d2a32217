//! `motet blame`: who wrote each line.

use std::io::Read;

use clap::Args;
use motet_client::error::Error;
use motet_protocol::{
    ids::{ParticipantId, Revision, RoomId, UnixMs},
    room::Author,
};
use serde::{Deserialize, Serialize};

use crate::cli::{
    Failure, Globals,
    output::{Output, time_of},
    people,
    place::Place,
};
use crate::http::api::with_query;

/// Prints each line of a room's text with who changed it last: revision, name, time, line.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet blame minutes\n  motet blame minutes --at draft\n  motet blame minutes --json | jq -r 'select(.author.account == \"ann\").text'"
)]
pub(crate) struct Blame {
    /// The room.
    room: RoomId,
    /// The text of this place in history: a revision, a time, how long ago, or the name of a version.
    #[arg(long)]
    at: Option<Place>,
}

/// Who wrote what, as the server tells it.
#[derive(Deserialize)]
struct Blamed {
    revision: Revision,
    ranges: Vec<Range>,
}

/// A part of the text by one entry.
#[derive(Clone, Debug, Deserialize)]
struct Range {
    /// In characters (Unicode scalars).
    start: u64,
    end: u64,
    #[serde(flatten)]
    by: Written,
}

/// The entry that a part is from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written {
    revision: Revision,
    participant: ParticipantId,
    author: Author,
    time_ms: UnixMs,
}

/// A line of the output.
#[derive(Serialize)]
struct Line<'a> {
    line: usize,
    #[serde(flatten)]
    by: &'a Written,
    text: &'a str,
}

/// The longest name that is printed whole, in characters.
const NAME_CHARS_MAX: usize = 20;

impl Blame {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let api = globals.api()?;
        let at = self.at.as_ref().map_or("head", Place::as_str);
        let blamed: Blamed = api.get(&with_query(&format!("/rooms/{}/blame", self.room), &[("at", at)]))?;
        let revision = blamed.revision.to_string();
        let mut text = String::new();
        let mut answer = api.read(&with_query(&format!("/rooms/{}/text", self.room), &[("at", &revision)]))?;
        answer.read_to_string(&mut text).map_err(|error| api.broke_off(&error))?;
        let lines = by_line(&text, &blamed.ranges)
            .ok_or_else(|| Error::bad_server(format_args!("its parts do not fit the text of revision {revision}")))?;
        let names: Vec<String> = lines.iter().map(|(by, _)| name_of(by)).collect();
        let name_chars = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let (revision_chars, number_chars) = (revision.len(), lines.len().to_string().len());
        let mut out = Output::new();
        for (index, ((by, text), name)) in lines.into_iter().zip(names).enumerate() {
            let line = index + 1;
            if globals.json {
                out.json(&Line { line, by, text })?;
                continue;
            }
            let (revision, time) = (by.revision, time_of(by.time_ms));
            // To the second.
            let time = time.get(..19).unwrap_or(&time);
            let text = text.trim_end_matches('\r');
            out.line(format_args!(
                "{revision:>revision_chars$} {name:<name_chars$} {time}Z {line:>number_chars$}) {text}"
            ))?;
        }
        out.flush()
    }
}

/// The lines of a text, each with the newest of the entries that are in it, its end included. None where the parts do not
/// cover the text.
fn by_line<'a>(text: &'a str, ranges: &'a [Range]) -> Option<Vec<(&'a Written, &'a str)>> {
    let mut left = ranges;
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = at + line.chars().count() as u64;
        let mut newest: Option<&Written> = None;
        while let Some((range, rest)) = left.split_first().filter(|(range, _)| range.start < end) {
            if range.end > at && newest.is_none_or(|newest| newest.revision < range.by.revision) {
                newest = Some(&range.by);
            }
            if range.end > end {
                break;
            }
            left = rest;
        }
        lines.push((newest?, line.strip_suffix('\n').unwrap_or(line)));
        at = end;
    }
    Some(lines)
}

/// Who it was, in a column of its own.
fn name_of(by: &Written) -> String {
    people::name_of(by.participant, &by.author).chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(parts: &[(u64, Revision)]) -> Vec<Range> {
        let mut start = 0;
        let each = parts.iter().map(|(length, revision)| {
            let by = Written {
                revision: *revision,
                participant: ParticipantId(*revision),
                author: Author::default(),
                time_ms: 0,
            };
            let range = Range { start, end: start + length, by };
            start += length;
            range
        });
        each.collect()
    }

    #[test]
    fn a_line_is_by_the_author_of_its_last_change() {
        let told = |text, parts: &[(u64, Revision)]| {
            let ranges = ranges(parts);
            let lines = by_line(text, &ranges)?;
            Some(lines.into_iter().map(|(by, text)| (by.revision, text.to_owned())).collect::<Vec<_>>())
        };
        let owned = |lines: &[(Revision, &str)]| -> Option<Vec<(Revision, String)>> {
            Some(lines.iter().map(|(revision, text)| (*revision, (*text).to_owned())).collect())
        };
        assert_eq!(told("one\ntwo\n", &[(8, 1)]), owned(&[(1, "one"), (1, "two")]));
        assert_eq!(told("öne\ntwo", &[(1, 3), (4, 1), (2, 2)]), owned(&[(3, "öne"), (2, "two")]));
        // A line's end belongs to it, also where the line is empty.
        assert_eq!(told("\n\n\n", &[(1, 1), (1, 5), (1, 2)]), owned(&[(1, ""), (5, ""), (2, "")]));
        assert_eq!(told("", &[]), owned(&[]));
        assert_eq!(told("a\nb", &[(2, 1)]), None);
    }
}
