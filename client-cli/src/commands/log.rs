//! `motet log`: prints a room's log.

use clap::Args;
use motet_protocol::{
    ids::RoomId,
    limits::PAGE_MAX,
    message::{Command, Entry},
};

use crate::cli::{
    Failure, Globals,
    output::{Output, time_of},
};

/// Prints a room's log: revision, time, participant, what happened.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet log minutes\n  motet log minutes --from 100 --limit 20\n  motet log minutes --json | motet apply copy"
)]
pub(crate) struct Log {
    /// The room.
    room: RoomId,
    /// The first revision.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// At most this many entries.
    #[arg(long)]
    limit: Option<u64>,
}

impl Log {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let mut out = Output::new();
        let (mut from, mut left) = (self.from, self.limit.unwrap_or(u64::MAX));
        while left > 0 {
            let page = left.min(PAGE_MAX.into()) as u32;
            let (entries, head) = client.read_log(self.room.clone(), from, page).await?;
            for entry in &entries {
                if globals.json { out.json(entry)? } else { out.line(line_of(entry))? }
            }
            out.flush()?;
            let Some(last) = entries.last() else { break };
            left -= (entries.len() as u64).min(left);
            from = last.revision + 1;
            if from > head {
                break;
            }
        }
        Ok(())
    }
}

/// An entry for people.
fn line_of(entry: &Entry) -> String {
    let operation = match &entry.command {
        Command::Edit(operation) => motet_protocol::json::encode(operation),
        command => motet_protocol::json::encode(command),
    };
    format!("{}\t{}\t{}\t{operation}", entry.revision, time_of(entry.time_ms), entry.participant)
}
