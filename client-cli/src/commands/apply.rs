//! `motet apply`: operations from standard input.

use std::io::{self, BufRead};

use clap::Args;
use motet_protocol::{
    ids::{Revision, RoomId},
    limits::PAGE_MAX,
    message::Command,
    ot::Operation,
};
use serde::Deserialize;

use super::{Failure, Globals, notice, output::Output};
use crate::{client::Client, room::Room};

/// Applies operations from standard input, one JSON value a line.
///
/// A bare operation, as ot.js writes it, counts on the text as it is then: [5, "text", -2] passes over 5 characters,
/// inserts "text" and deletes 2. {"base": 17, "operation": [5, "text", -2]} counts on the text of revision 17 and is
/// transformed over what came since. A line of `motet log --json` or `motet watch` is taken too, for its operation.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  echo '[\"Hello\"]' | motet apply minutes\n  echo '{\"base\": 17, \"operation\": [5, \"text\"]}' | motet apply minutes"
)]
pub(crate) struct Apply {
    /// The room.
    room: RoomId,
}

/// A line of the input.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(Operation),
    Based { base: Revision, operation: Operation },
    Logged { command: Command },
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
            if let Err(failure) = apply(&client, &room, &line).await {
                wrong = Some((index + 1, failure));
                break;
            }
            applied += 1;
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

async fn apply(client: &Client, room: &Room, line: &str) -> Result<(), Failure> {
    let line = serde_json::from_str(line).map_err(|error| Failure::Failed(format!("no operation: {error}")))?;
    match line {
        Line::Bare(operation) | Line::Logged { command: Command::Edit(operation) } => Ok(room.edit(operation)?),
        // A room's log can be applied to another room: what is not text is passed over.
        Line::Logged { .. } => Ok(()),
        Line::Based { base, operation } => apply_based(client, room, base, operation).await,
    }
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
