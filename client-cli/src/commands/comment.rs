//! `motet comment`: reads the comments on a room's text, and makes some.

use std::{fmt, str::FromStr};

use clap::{Args, Subcommand};
use motet_client::client::Client;
use motet_protocol::{
    comment::{Comment as Told, CommentCommand, CommentItem},
    ids::{Revision, RoomId},
    message::{At, Command},
    ot::Scalar,
};
use ropey::Rope;

use crate::cli::{
    Failure, Globals, at,
    foreign::one_line,
    output::{Output, time_of},
    people::{name_of, outcome},
};

/// Lists the comments on a room's text by their place, or makes, answers and resolves them.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet comment minutes\n  motet comment minutes add 12 'is this still true?'\n  motet comment minutes add 3:5-4:1 'why?'\n  motet comment minutes reply 17 'because'\n  motet comment minutes resolve 17\n  motet comment minutes list --at '1h ago' --json"
)]
pub(crate) struct Comment {
    /// The room.
    room: RoomId,
    /// The name that others see.
    #[arg(long, default_value = "", hide_default_value = true, global = true)]
    name: String,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists them; what is done without a subcommand.
    List {
        /// The comments as they were: at a revision, at a time, or a while ago.
        #[arg(long, value_name = "REVISION|TIME", value_parser = at::parse)]
        at: Option<At>,
        /// Only those that are not resolved.
        #[arg(long)]
        open: bool,
    },
    /// Comments on a line or a range; prints the comment's number.
    Add {
        /// LINE, LINE-LINE or LINE:COLUMN-LINE:COLUMN, all from 1; the end column is not in it.
        place: Span,
        /// The comment.
        text: String,
    },
    /// Answers a comment.
    Reply {
        /// The comment.
        comment: Revision,
        /// The answer.
        text: String,
    },
    /// Says that a comment is dealt with.
    Resolve {
        /// The comment.
        comment: Revision,
    },
    /// Says that it is not, after all.
    Reopen {
        /// The comment.
        comment: Revision,
    },
    /// Puts another text in place of one's own comment or reply.
    Rewrite {
        /// The comment.
        comment: Revision,
        /// The new text.
        text: String,
        /// The reply, if it is one.
        #[arg(long, value_name = "REPLY")]
        item: Option<Revision>,
    },
    /// Takes a comment with its replies away, or one reply.
    Delete {
        /// The comment.
        comment: Revision,
        /// The reply, if it is one.
        #[arg(long, value_name = "REPLY")]
        item: Option<Revision>,
    },
}

impl Comment {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect_as(&self.name).await?;
        let mentions = Vec::new();
        let command = match self.what {
            None => return list(&client, self.room, At::Head, false, globals.json).await,
            Some(What::List { at, open }) => {
                return list(&client, self.room, at.unwrap_or(At::Head), open, globals.json).await;
            }
            Some(What::Add { place, text }) => return add(&client, self.room, place, text, globals.json).await,
            Some(What::Reply { comment, text }) => CommentCommand::Reply { comment, text, mentions },
            Some(What::Resolve { comment }) => CommentCommand::Resolve { comment },
            Some(What::Reopen { comment }) => CommentCommand::Reopen { comment },
            Some(What::Rewrite { comment, text, item }) => {
                CommentCommand::Rewrite { comment, item: item.unwrap_or(comment), text }
            }
            Some(What::Delete { comment, item }) => CommentCommand::Delete { comment, item: item.unwrap_or(comment) },
        };
        let head = client.show_room(self.room.clone()).await?.head;
        let mut follower = client.follow(self.room, head).await?;
        follower.command(Command::Comment(Box::new(command)))?;
        loop {
            if let Some(outcome) = outcome(follower.next().await, globals.json) {
                return tell(outcome?, globals.json);
            }
        }
    }
}

async fn add(client: &Client, room: RoomId, place: Span, text: String, json: bool) -> Result<(), Failure> {
    let (room, mut events) = client.join(room).await?;
    // Others may type meanwhile: the place counts on the text as it is when the command is taken.
    room.command_at(|rope| {
        let (start, end) = place.in_text(rope)?;
        let open = CommentCommand::Open { start, end, text, mentions: Vec::new() };
        Ok::<_, Failure>(Command::Comment(Box::new(open)))
    })?;
    loop {
        if let Some(outcome) = outcome(events.next().await, json) {
            return tell(outcome?, json);
        }
    }
}

fn tell(revision: Revision, json: bool) -> Result<(), Failure> {
    let mut out = Output::new();
    match json {
        true => out.json(&serde_json::json!({ "revision": revision }))?,
        false => out.line(revision)?,
    }
    out.flush()
}

async fn list(client: &Client, room: RoomId, at: At, open: bool, json: bool) -> Result<(), Failure> {
    let (comments, revision) = client.read_comments(room.clone(), at).await?;
    let comments = comments.into_iter().filter(|comment| !open || comment.resolved.is_none());
    let mut out = Output::new();
    if json {
        for comment in comments {
            out.json(&comment)?;
        }
        return out.flush();
    }
    let text = Rope::from_str(&client.read_text(room, At::Revision(revision)).await?.text);
    for comment in comments {
        show(&mut out, &comment, &text)?;
    }
    out.flush()
}

fn show(out: &mut Output, comment: &Told, text: &Rope) -> Result<(), Failure> {
    let on = one_line(comment.on.lines().next().unwrap_or_default());
    let resolved = if comment.resolved.is_some() { " (resolved)" } else { "" };
    let gone = if comment.start == comment.end && !on.is_empty() { " (its text is gone)" } else { "" };
    let place = Place::of(comment.start, text);
    out.line(format!("{}\t{place}\t{on:?}{gone}{resolved}", comment.comment))?;
    for CommentItem { item, participant, author, time_ms, text, deleted, rewritten_ms, .. } in &comment.items {
        let said = if deleted.is_some() { "(deleted)".to_owned() } else { one_line(text) };
        let edited = if rewritten_ms.is_some() { " (edited)" } else { "" };
        out.line(format!("\t{item}\t{}\t{}: {said}{edited}", time_of(*time_ms), name_of(*participant, author)))?;
    }
    Ok(())
}

/// A line and a column, from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn of(scalar: Scalar, text: &Rope) -> Self {
        let at = usize::try_from(scalar.0).unwrap_or(usize::MAX).min(text.len_chars());
        let line = text.char_to_line(at);
        Self { line: line + 1, column: at - text.line_to_char(line) + 1 }
    }

    fn in_text(self, text: &Rope) -> Option<Scalar> {
        let start = text.try_line_to_char(self.line - 1).ok().filter(|_| self.line <= text.len_lines())?;
        let column = self.column - 1;
        (column <= length_of_line(text, self.line - 1)).then(|| Scalar((start + column) as u64))
    }
}

/// Without the end of the line.
fn length_of_line(text: &Rope, line: usize) -> usize {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let whole = text.line(line);
    whole.len_chars() - whole.chars_at(whole.len_chars()).reversed().take_while(|letter| ends.contains(letter)).count()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A part of the text as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// Whole lines, both of them in it.
    Lines(usize, usize),
    /// From a place to another.
    Places(Place, Place),
}

impl FromStr for Span {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let wrong = || format!("{words:?} is no part of a text; write 12, 12-14 or 3:5-4:1");
        let number = |digits: &str| digits.parse().ok().filter(|number| *number > 0).ok_or_else(wrong);
        let place = |word: &str| {
            let (line, column) = word.split_once(':').ok_or_else(wrong)?;
            Ok::<_, String>(Place { line: number(line)?, column: number(column)? })
        };
        let (from, to) = words.split_once('-').unwrap_or((words, words));
        if words.contains(':') {
            let (from, to) = (place(from)?, place(to)?);
            return if from <= to { Ok(Self::Places(from, to)) } else { Err(wrong()) };
        }
        let (from, to) = (number(from)?, number(to)?);
        if from <= to { Ok(Self::Lines(from, to)) } else { Err(wrong()) }
    }
}

impl Span {
    fn in_text(self, text: &Rope) -> Result<(Scalar, Scalar), Failure> {
        let (from, to) = match self {
            Self::Places(from, to) => (from, to),
            Self::Lines(from, to) => {
                let column = if to <= text.len_lines() { length_of_line(text, to - 1) + 1 } else { 1 };
                (Place { line: from, column: 1 }, Place { line: to, column })
            }
        };
        let scalar = |place: Place| {
            let gone = || Failure::Failed(format!("the text has no place {place}; it has {} lines", text.len_lines()));
            place.in_text(text).ok_or_else(gone)
        };
        Ok((scalar(from)?, scalar(to)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_ranges_are_found_in_the_text() {
        let text = Rope::from_str("ä first\r\nsecond\n\nlast");
        let found = |words: &str| {
            let (start, end) = words.parse::<Span>().unwrap().in_text(&text).ok()?;
            Some(text.slice(start.0 as usize..end.0 as usize).to_string())
        };
        assert_eq!(found("1").as_deref(), Some("ä first"));
        assert_eq!(found("1-2").as_deref(), Some("ä first\r\nsecond"));
        assert_eq!(found("3").as_deref(), Some(""));
        assert_eq!(found("2:3-4:3").as_deref(), Some("cond\n\nla"));
        assert_eq!(found("4:5-4:5").as_deref(), Some(""));
        for nowhere in ["5", "4-5", "2:8-2:8", "1:1-9:1"] {
            assert_eq!(found(nowhere), None, "{nowhere}");
        }
        for nonsense in ["", "0", "3-1", "1:0-1:1", "2:1-1:1", "1:1", "x", "1-", "1:1-2"] {
            let parsed = nonsense.parse::<Span>();
            assert!(parsed.is_err() || nonsense == "1:1", "{nonsense}");
        }
        assert_eq!(Place::of(Scalar(9), &text), Place { line: 2, column: 1 });
        assert_eq!(Place::of(Scalar(99), &text), Place { line: 4, column: 5 });
    }
}
