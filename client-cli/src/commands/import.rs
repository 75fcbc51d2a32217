//! `motet import`: a room from a file.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use motet_protocol::{ids::RoomId, room::RoomInfo};

use crate::cli::{Failure, Globals, output::Output, progress};

/// Makes a room of a file that `motet export` wrote, of this or another server, with all of its history.
///
/// A text alone is no such file: `motet create` and `motet put` make a room of it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet import minutes minutes.jsonl\n  gunzip < minutes.jsonl.gz | motet import minutes-again -\n  motet export minutes | motet --server tcp://motet.example import minutes -"
)]
pub(crate) struct Import {
    /// The name of the new room.
    room: RoomId,
    /// The file; - is standard input.
    file: PathBuf,
}

impl Import {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (lines, total): (Box<dyn Read>, _) = match self.file.to_str() {
            Some("-") => (Box::new(io::stdin().lock()), None),
            _ => {
                let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", self.file.display()));
                let file = File::open(&self.file).map_err(cannot)?;
                let length = file.metadata().map_err(cannot)?.len();
                (Box::new(file), Some(length))
            }
        };
        let progress = progress::bytes(total);
        let path = format!("/rooms/{}/import", self.room);
        let made = globals.api().upload::<RoomInfo>(&path, "application/x-ndjson", progress.wrap_read(lines));
        progress.finish_and_clear();
        let room = made?;
        let mut out = Output::new();
        if globals.json {
            out.json(&room)?;
        } else {
            out.line(format_args!("{} is made, with {} revisions", room.room, room.head))?;
        }
        out.flush()
    }
}
