//! `motet export`: a room as a file.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use motet_client::error::Error;
use motet_protocol::ids::{Revision, RoomId};
use serde::Deserialize;

use crate::cli::{Failure, Globals, output::Output, progress};
use crate::http::{Api, api::with_query};

/// Writes a room to a file: its whole log, from which `motet import` makes a room again, or its text alone.
///
/// A file that is given is there when all of it is there, and not before.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet export minutes -o minutes.jsonl\n  motet export minutes | gzip > minutes.jsonl.gz\n  motet export minutes --format text -o minutes.md"
)]
pub(crate) struct Export {
    /// The room.
    room: RoomId,
    /// What is written.
    #[arg(long, value_enum, default_value_t = Format::Log)]
    format: Format,
    /// Where to; standard output without it.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Every entry as a line of JSON, after a line that says what this is
    Log,
    /// The text
    Text,
}

/// What is needed of the first line of a log.
#[derive(Deserialize)]
struct Head {
    /// How many entries follow.
    head: Revision,
}

impl Export {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let form = match self.format {
            Format::Log => "log",
            Format::Text => "text",
        };
        let path = with_query(&format!("/rooms/{}/export", self.room), &[("format", form)]);
        let api = globals.api()?;
        let mut lines = BufReader::new(api.read(&path)?);
        let Some(file) = &self.output else {
            self.copy(&api, &mut lines, &mut BufWriter::new(io::stdout().lock()))?;
            return Ok(());
        };
        let bytes = replaced(file, |out| self.copy(&api, &mut lines, out))?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "file": file, "bytes": bytes }))?;
        } else {
            out.line(format_args!("{bytes} bytes in {}", file.display()))?;
        }
        out.flush()
    }

    /// Copies all of it. A log says how many lines it has, so a part of it is not taken for the whole.
    fn copy(&self, api: &Api, lines: &mut impl BufRead, out: &mut impl Write) -> Result<u64, Failure> {
        let progress = progress::bytes(None);
        let (mut bytes, mut count, mut line) = (0, 0, Vec::new());
        let mut due = None;
        while lines.read_until(b'\n', &mut line).map_err(|error| api.broke_off(&error))? > 0 {
            if count == 0 && self.format == Format::Log {
                let head: Head = serde_json::from_slice(&line)
                    .map_err(|error| Error::bad_server(format_args!("no log of a room: {error}")))?;
                due = Some(head.head + 1);
            }
            out.write_all(&line)?;
            bytes += line.len() as u64;
            count += 1;
            progress.set_position(bytes);
            line.clear();
        }
        out.flush()?;
        progress.finish_and_clear();
        match due {
            None if self.format == Format::Log => Err(Error::bad_server("a log without its first line").into()),
            Some(due) if due != count => {
                Err(Error::bad_server(format_args!("{count} lines of a log that has {due}")).into())
            }
            _ => Ok(bytes),
        }
    }
}

/// Writes a file so that it has all of what it is to have, or is as it was.
fn replaced<T>(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<T, Failure>) -> Result<T, Failure> {
    let cannot = |error: io::Error| Failure::Failed(format!("cannot write {}: {error}", path.display()));
    let mut name = path.file_name().ok_or_else(|| cannot(io::ErrorKind::InvalidInput.into()))?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut out = BufWriter::new(File::create(&part).map_err(cannot)?);
    let written = write(&mut out).and_then(|written| {
        drop(out.into_inner().map_err(|error| cannot(error.into_error()))?);
        fs::rename(&part, path).map_err(cannot)?;
        Ok(written)
    });
    if written.is_err() {
        // The first error is reported; a partial file that stays matters less.
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Export {
        Export { room: RoomId::new("a").unwrap(), format: Format::Log, output: None }
    }

    fn unreachable() -> Api {
        Api::new("http://127.0.0.1:1".parse().unwrap(), None)
    }

    #[test]
    fn a_part_of_a_log_is_not_taken_for_the_whole() {
        let mut out = Vec::new();
        let whole = "{\"head\":2}\n{}\n{}\n";
        assert_eq!(log().copy(&unreachable(), &mut whole.as_bytes(), &mut out).unwrap(), whole.len() as u64);
        assert_eq!(out, whole.as_bytes());
        for cut in ["", "{\"head\":2}\n{}\n", "<html>"] {
            assert!(log().copy(&unreachable(), &mut cut.as_bytes(), &mut Vec::new()).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_file_stays_as_it_was_when_the_export_fails() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("minutes.jsonl");
        fs::write(&file, "before").unwrap();
        replaced(&file, |out| log().copy(&unreachable(), &mut "{\"head\":1}\n".as_bytes(), out)).unwrap_err();
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        replaced(&file, |out| log().copy(&unreachable(), &mut "{\"head\":0}\n".as_bytes(), out)).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "{\"head\":0}\n");
    }
}
