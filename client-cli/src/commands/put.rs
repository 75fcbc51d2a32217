//! `motet put`: makes a room's text that of a file.

use std::{
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use motet_client::{error::Error, room::Room};
use motet_protocol::{
    ids::{Revision, RoomId},
    ot::{Component, Operation},
};
use tokio::time::interval;

use crate::cli::{Failure, Globals, notice, output::Output, progress};

/// How often a long upload shows how far it is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Makes a room's text that of a file, as a minimal edit: what is equal stays, and what others type meanwhile is merged.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet put minutes minutes.md\n  sort list.txt | motet put list -")]
pub(crate) struct Put {
    /// The room.
    room: RoomId,
    /// The file with the new text (UTF-8); - is standard input.
    file: PathBuf,
}

impl Put {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let after = self.read()?;
        let client = globals.connect().await?;
        let (room, events) = client.join(self.room.clone()).await?;
        notice::only_put_off(events, globals.json);
        let mut operation = Ok(Operation::default());
        let edited = room.update(|before| {
            operation = Operation::diff_rope(before, &after);
            operation.as_ref().ok().filter(|operation| !operation.is_noop()).cloned()
        })?;
        let operation = operation.map_err(|error| Failure::Failed(error.to_string()))?;
        let is_long = operation.inserted_bytes() as u64 > client.welcome().limits.edit_bytes_max;
        let revision = match is_long {
            true => with_progress(&room, operation.inserted_bytes()).await?,
            false => room.synchronized().await?,
        };
        let (inserted, deleted) = extent(&operation);
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({
                "room": self.room, "revision": revision, "changed": edited, "inserted": inserted, "deleted": deleted,
            }))?;
        } else if edited {
            out.line(format_args!("revision {revision}: {inserted} characters inserted, {deleted} deleted"))?;
        } else {
            out.line(format_args!("revision {revision}: the text is that already"))?;
        }
        out.flush()
    }

    fn read(&self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let read = match self.file.to_str() {
            Some("-") => io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
            _ => std::fs::read(&self.file).map(|read| bytes = read),
        };
        read.map_err(|error| Failure::Failed(format!("cannot read {}: {error}", self.file.display())))?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Failure::Failed(format!("{} is no UTF-8 text: byte {at} is wrong", self.file.display()))
        })
    }
}

/// Waits until all of an edit that inserts so many bytes is acknowledged, and shows how far it is.
async fn with_progress(room: &Room, bytes: usize) -> Result<Revision, Error> {
    let progress = progress::bytes(Some(bytes as u64));
    let mut ticks = interval(PROGRESS_EVERY);
    let synchronized = room.synchronized();
    tokio::pin!(synchronized);
    let done = loop {
        tokio::select! {
            done = &mut synchronized => break done,
            _ = ticks.tick() => progress.set_position(bytes.saturating_sub(room.unacknowledged_bytes()) as u64),
        }
    };
    progress.finish_and_clear();
    done
}

/// How many characters an operation inserts and deletes.
fn extent(operation: &Operation) -> (u64, u64) {
    operation.components().fold((0, 0), |(inserted, deleted), component| match component {
        Component::Retain(_) => (inserted, deleted),
        Component::Insert(text) => (inserted + text.chars().count() as u64, deleted),
        Component::Delete(n) => (inserted, deleted + n),
    })
}
