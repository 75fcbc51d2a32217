//! `motet rooms`: lists rooms.

use clap::Args;
use motet_protocol::limits::PAGE_MAX;

use super::{
    Failure, Globals,
    output::{Output, time_of},
};

/// Lists the rooms by name: name, newest revision, connections, when it was made.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet rooms\n  motet rooms --json | jq -r .room")]
pub(crate) struct Rooms {}

impl Rooms {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let mut out = Output::new();
        let mut after = None;
        loop {
            let (rooms, next) = client.list_rooms(after, PAGE_MAX).await?;
            for room in &rooms {
                if globals.json {
                    out.json(room)?;
                } else {
                    out.line(format_args!(
                        "{}\t{}\t{}\t{}",
                        room.room,
                        room.head,
                        room.present,
                        time_of(room.created_ms)
                    ))?;
                }
            }
            out.flush()?;
            match next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
