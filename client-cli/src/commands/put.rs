//! `motet put`: makes a room's text that of a file.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use motet_protocol::{
    ids::RoomId,
    ot::{Component, Operation},
};

use super::{Failure, Globals, notice, output::Output};

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
        let (room, events) = globals.connect().await?.join(self.room.clone()).await?;
        notice::only_put_off(events, globals.json);
        let mut operation = Ok(Operation::default());
        let edited = room.update(|before| {
            operation = Operation::diff_rope(before, &after);
            operation.as_ref().ok().filter(|operation| !operation.is_noop()).cloned()
        })?;
        let operation = operation.map_err(|error| Failure::Failed(error.to_string()))?;
        let revision = room.synchronized().await?;
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

/// How many characters an operation inserts and deletes.
fn extent(operation: &Operation) -> (u64, u64) {
    operation.components().fold((0, 0), |(inserted, deleted), component| match component {
        Component::Retain(_) => (inserted, deleted),
        Component::Insert(text) => (inserted + text.chars().count() as u64, deleted),
        Component::Delete(n) => (inserted, deleted + n),
    })
}
