//! `motet put`: makes a room's text that of a file.

use std::{
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use motet_client::{client::Client, error::Error, room::Room};
use motet_protocol::{
    ids::{Revision, RoomId},
    message::At,
    ot::{Component, Operation},
};
use ropey::Rope;
use tokio::time::interval;

use crate::cli::{Failure, Globals, based::apply_based, notice, output::Output, progress};

/// How often a long upload shows how far it is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Makes a room's text that of a file, as a minimal edit.
///
/// Without --base, the file replaces the text as it is when the command runs: what others wrote since you took the text is
/// deleted, unless the file has it. With --base REVISION, the file is compared with the text of that revision, and only
/// your changes are made: what others wrote since stays. `motet cat --with-revision` tells the revision.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet put minutes minutes.md\n  sort list.txt | motet put list -\n  base=$(motet cat minutes --with-revision 2>&1 >minutes.md); vi minutes.md; motet put minutes minutes.md --base $base"
)]
pub(crate) struct Put {
    /// The room.
    room: RoomId,
    /// The file with the new text (UTF-8); - is standard input.
    file: PathBuf,
    /// The revision that the file was made from; what others wrote since then is kept.
    #[arg(long, value_name = "REVISION")]
    base: Option<Revision>,
}

impl Put {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let after = self.read()?;
        let client = globals.connect().await?;
        let (room, events) = client.join(self.room.clone()).await?;
        notice::only_put_off(events, globals.json);
        let (operation, edited) = match self.base {
            Some(base) => self.merge(&client, &room, base, &after).await?,
            None => replace(&room, &after)?,
        };
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
            let characters = if inserted == 1 { "character" } else { "characters" };
            out.line(format_args!("revision {revision}: {inserted} {characters} inserted, {deleted} deleted"))?;
        } else {
            out.line(format_args!("revision {revision}: the text is that already"))?;
        }
        out.flush()
    }

    /// Makes the changes from the text of an older revision to the new text; returns them, and whether there are any.
    async fn merge(
        &self,
        client: &Client,
        room: &Room,
        base: Revision,
        after: &str,
    ) -> Result<(Operation, bool), Failure> {
        let before = client.read_text(self.room.clone(), At::Revision(base)).await?;
        let operation = Operation::diff_rope(&Rope::from_str(&before.text), after).map_err(failed)?;
        let edited = !operation.is_noop();
        if edited {
            apply_based(client, room, base, operation.clone()).await?;
        }
        Ok((operation, edited))
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

/// Makes the newest text the new one; returns the edit, and whether it changes anything.
fn replace(room: &Room, after: &str) -> Result<(Operation, bool), Failure> {
    let mut operation = Ok(Operation::default());
    let edited = room.update(|before| {
        operation = Operation::diff_rope(before, after);
        operation.as_ref().ok().filter(|operation| !operation.is_noop()).cloned()
    })?;
    Ok((operation.map_err(failed)?, edited))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
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
