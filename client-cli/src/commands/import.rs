//! `motet import`: a room from a file.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
};

use clap::Args;
use motet_client::error::{Error, ErrorKind};
use motet_protocol::{error::ErrorCode, ids::RoomId, room::RoomInfo};

use crate::cli::{Failure, Globals, output::Output, progress};

/// Makes a room with its whole history from a file that `motet export` wrote on this or another server.
///
/// For a text alone, use `motet create` and `motet put`.
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
        let api = globals.api()?;
        let (lines, total): (Box<dyn Read>, _) = match self.file.to_str() {
            Some("-") => (Box::new(io::stdin().lock()), None),
            _ => {
                let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", self.file.display()));
                let file = File::open(&self.file).map_err(cannot)?;
                let length = file.metadata().map_err(cannot)?.len();
                (Box::new(file), Some(length))
            }
        };
        let mut lines = BufReader::new(lines);
        let file = self.file.display();
        let start = lines.fill_buf().map_err(|error| Failure::Failed(format!("cannot read {file}: {error}")))?;
        if let Some(message) = not_an_export(start) {
            let message = format!("line 1 of {file}: {message}");
            return Err(Error::new(ErrorKind::Refused(ErrorCode::BadMessage), message).into());
        }
        let progress = progress::bytes(total);
        let path = format!("/rooms/{}/import", self.room);
        let made = api.upload::<RoomInfo>(&path, "application/x-ndjson", progress.wrap_read(lines));
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

/// What is wrong with a file that begins like this, and what to do; none if it may be an export.
fn not_an_export(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x1f, 0x8b, ..] => Some("the file is compressed; use `gunzip < FILE | motet import ROOM -`"),
        [b'{', ..] | [] => None,
        _ => Some("not a file of `motet export`; for a text use `motet create ROOM` and `motet put ROOM FILE`"),
    }
}
