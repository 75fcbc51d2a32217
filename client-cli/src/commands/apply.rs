//! `motet apply`: operations from standard input.

use std::io::{self, BufRead};

use clap::Args;
use motet_client::{client::Client, room::Room};
use motet_protocol::{
    ids::{Revision, RoomId},
    message::Command,
    ot::Operation,
};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{Failure, Globals, based::apply_based, notice, output::Output};

/// Applies operations from standard input, one JSON value a line.
///
/// A bare operation, as ot.js writes it, counts on the text as it is then: [5, "text", -2] passes over 5 characters,
/// inserts "text" and deletes 2. {"base": 17, "operation": [5, "text", -2]} counts on the text of revision 17 and is
/// transformed over what came since. A line of `motet log --json` or `motet watch` is taken too, for its operation; what
/// else they tell is passed over.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  echo '[\"Hello\"]' | motet apply minutes\n  echo '{\"base\": 17, \"operation\": [5, \"text\"]}' | motet apply minutes"
)]
pub(crate) struct Apply {
    /// The room.
    room: RoomId,
}

/// What a line of the input asks for.
#[derive(Debug, PartialEq)]
enum Line {
    /// To apply this to the text as it is then.
    Bare(Operation),
    /// To apply what counts on an older text.
    Based(Based),
    /// Nothing: a chat message, a connection that was lost.
    Nothing,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Based {
    base: Revision,
    operation: Operation,
}

impl Line {
    fn read(line: &str) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Failed(format!("no operation: {error}"));
        let mut value: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        if value.is_array() {
            return serde_json::from_value(value).map(Self::Bare).map_err(|error| wrong(&error));
        }
        if value.get("operation").is_some() {
            return serde_json::from_value(value).map(Self::Based).map_err(|error| wrong(&error));
        }
        if let Some(command) = value.get_mut("command") {
            return match serde_json::from_value(command.take()) {
                Ok(Command::Edit(operation)) => Ok(Self::Bare(operation)),
                // A room's log can be applied to another room: what is not text is passed over.
                Ok(_) => Ok(Self::Nothing),
                Err(error) => Err(wrong(&error)),
            };
        }
        match value.get("type").and_then(Value::as_str) {
            Some(kind) if kind != "entry" => Ok(Self::Nothing),
            _ => Err(wrong(&"write [5, \"text\", -2], or {\"base\": 17, \"operation\": [5, \"text\", -2]}")),
        }
    }
}

impl Apply {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let (room, events) = client.join(self.room.clone()).await?;
        notice::only_put_off(events, globals.json);
        let mut applied = 0_u64;
        let mut wrong = None;
        for (index, line) in io::stdin().lock().lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            match apply(&client, &room, &line).await {
                Ok(is_applied) => applied += u64::from(is_applied),
                Err(failure) => {
                    wrong = Some((index + 1, failure));
                    break;
                }
            }
        }
        // The operations before a wrong line stay applied, so they are waited for.
        let revision = room.synchronized().await?;
        if let Some((line, failure)) = wrong {
            if failure.is_about_connection() {
                return Err(failure);
            }
            let before = match applied {
                0 => "nothing was applied".to_owned(),
                _ => format!("{} applied before it, up to revision {revision}", operations(applied)),
            };
            return Err(Failure::Failed(format!("line {line}: {failure}; {before}")));
        }
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "revision": revision, "applied": applied }))?;
        } else {
            out.line(format_args!("revision {revision}: {} applied", operations(applied)))?;
        }
        out.flush()
    }
}

fn operations(count: u64) -> String {
    match count {
        1 => "1 operation".to_owned(),
        _ => format!("{count} operations"),
    }
}

/// Does what a line asks for; returns whether that is an operation.
async fn apply(client: &Client, room: &Room, line: &str) -> Result<bool, Failure> {
    match Line::read(line)? {
        Line::Bare(operation) => room.edit(operation)?,
        Line::Based(Based { base, operation }) => apply_based(client, room, base, operation).await?,
        Line::Nothing => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        Operation::builder().retain(5).insert("text").build().unwrap()
    }

    #[test]
    fn lines_of_other_commands_are_taken_for_their_operations() {
        for (line, asked) in [
            (r#"[5,"text"]"#, Line::Bare(operation())),
            (r#"{"base":17,"operation":[5,"text"]}"#, Line::Based(Based { base: 17, operation: operation() })),
            (r#"{"type":"entry","revision":3,"command":{"edit":[5,"text"]}}"#, Line::Bare(operation())),
            (r#"{"revision":3,"command":{"chat":{"delete":{"message":2}}}}"#, Line::Nothing),
            (r#"{"type":"joined","room":"a","head":7}"#, Line::Nothing),
            (r#"{"type":"disconnected","reason":"gone"}"#, Line::Nothing),
        ] {
            assert_eq!(Line::read(line).unwrap(), asked, "{line}");
        }
    }

    #[test]
    fn what_is_no_operation_is_told_in_words_that_help() {
        for (line, words) in [
            ("hello", "no operation: expected value"),
            ("{}", "no operation: write [5, "),
            (r#"{"type":"entry"}"#, "no operation: write [5, "),
            (r#"{"operation":[5,"text"]}"#, "missing field `base`"),
        ] {
            let told = Line::read(line).unwrap_err().to_string();
            assert!(told.contains(words) && !told.contains("untagged"), "{line}: {told}");
        }
    }
}
