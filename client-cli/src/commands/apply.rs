//! `motet apply`: operations from standard input.

use std::io::{self, BufRead};

use clap::Args;
use motet_client::{client::Client, room::Room};
use motet_protocol::{
    ids::{Revision, RoomId},
    limits::PAGE_MAX,
    message::Command,
    ot::Operation,
};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{Failure, Globals, notice, output::Output};

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
    /// Nothing: somebody else's chat, a connection that was lost.
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
        // What was taken before a bad line stays, so it is waited for all the same.
        let revision = room.synchronized().await?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "revision": revision, "applied": applied }))?;
        } else {
            out.line(format_args!("revision {revision}: {applied} operations applied"))?;
        }
        out.flush()?;
        match wrong {
            None => Ok(()),
            Some((_, failure)) if failure.is_about_connection() => Err(failure),
            Some((line, failure)) => Err(Failure::Failed(format!("line {line}: {failure}"))),
        }
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

/// Moves an operation from an older revision to now, entry by entry as the server would, and applies it.
async fn apply_based(client: &Client, room: &Room, base: Revision, operation: Operation) -> Result<(), Failure> {
    let (mut moved, mut at) = (operation, base);
    loop {
        let now = room.synchronized().await?;
        if base > now {
            return Err(Failure::Failed(format!("revision {base} does not exist yet; the room is at {now}")));
        }
        while at < now {
            let limit = (now - at).min(PAGE_MAX.into()) as u32;
            let (entries, _) = client.read_log(room.id().clone(), at + 1, limit).await?;
            if entries.is_empty() {
                return Err(Failure::Failed(format!("the server does not give revision {}", at + 1)));
            }
            for entry in entries.into_iter().take(limit as usize) {
                if let Command::Edit(other) = &entry.command {
                    (moved, _) = moved.transform(other).map_err(|error| {
                        Failure::Failed(format!("it does not fit the text of revision {base}: {error}"))
                    })?;
                }
                at = entry.revision;
            }
        }
        // Somebody else's entry may have come since; then what is missing is read too.
        if room.update_at(now, |_| Some(moved.clone()))? {
            return Ok(());
        }
    }
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
