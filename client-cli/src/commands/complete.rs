//! `motet complete`: tells how a text might go on at a place.

use std::str::FromStr;

use clap::Args;
use motet_protocol::{
    ids::RoomId,
    limits::COMPLETIONS_MAX,
    message::{At, Completion, CompletionKind},
    ot::Scalar,
};
use ropey::Rope;

use crate::cli::{Failure, Globals, foreign::one_line, output::Output};

/// Tells how a room's text might go on at a place: words of it, and what its language has, the best first.
///
/// A line for each: what sort it is, from where on the text is replaced, by what, and words about it. What takes more than
/// one line is shown as it stands in JSON.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet complete main-rs --at 12:9\n  motet complete minutes --at 120 --limit 5\n  motet complete minutes --json | jq -r .insert"
)]
pub(crate) struct Complete {
    /// The room.
    room: RoomId,
    /// The place: so many characters (Unicode scalar values) from the beginning (120), or a line and a column, both from 1
    /// (12:9); without it, the text's end.
    #[arg(long, value_name = "POSITION|LINE:COLUMN")]
    at: Option<Spot>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=COMPLETIONS_MAX as i64))]
    limit: u32,
}

/// A place in a text, as people type it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    /// So many characters from the beginning.
    Scalar(u64),
    /// A line and a column, both from 1.
    Line(usize, usize),
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no place; write 120, or a line and a column, both from 1, as in 12:9");
        match text.split_once(':') {
            None => text.parse().map(Self::Scalar).map_err(|_| wrong()),
            Some((line, column)) => match (line.parse(), column.parse()) {
                (Ok(line), Ok(column)) if line > 0 && column > 0 => Ok(Self::Line(line, column)),
                _ => Err(wrong()),
            },
        }
    }
}

impl Complete {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let text = client.read_text(self.room.clone(), At::Head).await?;
        let position = place(&Rope::from_str(&text.text), self.at)?;
        let found = client.complete(self.room, text.revision, position, self.limit).await?;
        let mut out = Output::new();
        for completion in &found {
            if globals.json { out.json(completion)? } else { out.line(row(completion))? }
        }
        out.flush()
    }
}

fn place(text: &Rope, spot: Option<Spot>) -> Result<Scalar, Failure> {
    let end = text.len_chars();
    let at = match spot {
        None => Some(end),
        Some(Spot::Scalar(at)) => usize::try_from(at).ok().filter(|at| *at <= end),
        Some(Spot::Line(line, column)) => text.get_line(line - 1).and_then(|found| {
            let is_break = |letter: &char| matches!(letter, '\n' | '\r');
            let length = found.len_chars() - found.chars_at(found.len_chars()).reversed().take_while(is_break).count();
            (column - 1 <= length).then(|| text.line_to_char(line - 1) + column - 1)
        }),
    };
    let words = || {
        Failure::Failed(format!("there is no such place; the text has {} lines and {end} characters", text.len_lines()))
    };
    at.map(|at| Scalar(at as u64)).ok_or_else(words)
}

/// A line for people.
fn row(completion: &Completion) -> String {
    let Completion { kind, from, insert, detail, .. } = completion;
    let kind = match kind {
        CompletionKind::Word => "word",
        CompletionKind::Keyword => "keyword",
        CompletionKind::Snippet => "snippet",
        CompletionKind::Proposal => "proposal",
    };
    let insert = match insert.contains(['\n', '\t']) {
        true => serde_json::Value::from(insert.as_str()).to_string(),
        false => one_line(insert),
    };
    format!("{kind}\t{}\t{insert}\t{}", from.0, one_line(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_number_and_by_line_and_column() {
        let text = Rope::from_str("größe\r\nzwei\n");
        let at = |spot: &str| place(&text, Some(spot.parse().unwrap())).ok().map(|at| at.0);
        for (spot, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("13", None),
            ("1:1", Some(0)),
            ("1:6", Some(5)),
            ("1:7", None),
            ("2:5", Some(11)),
            ("3:1", Some(12)),
            ("3:2", None),
            ("4:1", None),
        ] {
            assert_eq!(at(spot), expected, "{spot}");
        }
        assert_eq!(place(&text, None).ok(), Some(Scalar(12)));
        for bad in ["", "x", "-1", "0:1", "1:0", "1:", ":", "1:2:3"] {
            assert!(bad.parse::<Spot>().is_err(), "{bad}");
        }
    }
}
