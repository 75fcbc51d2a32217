//! `motet rooms`: lists rooms.

use clap::Args;
use motet_protocol::{
    access::{AccountId, ProjectId},
    limits::PAGE_MAX,
    room::RoomFilter,
};

use crate::cli::{
    Failure, Globals,
    output::{Output, time_of},
};

/// Lists the rooms by name: name, newest revision, connections, when it was made.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet rooms\n  motet rooms notes --tag work\n  motet rooms --json | jq -r .room")]
pub(crate) struct Rooms {
    /// Only those with this in their name or title.
    name: Option<String>,
    /// Only those with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those in this language.
    #[arg(long)]
    language: Option<String>,
    /// Only those of this project.
    #[arg(long)]
    project: Option<ProjectId>,
    /// Only those that this account made.
    #[arg(long, value_name = "ACCOUNT")]
    owner: Option<AccountId>,
    /// Only those in which you were given a role.
    #[arg(long)]
    mine: bool,
}

impl Rooms {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let Self { name, tag, language, project, owner, mine } = self;
        let filter = RoomFilter { name, tag, language, project, owner, mine };
        let mut out = Output::new();
        let mut after = None;
        loop {
            let (rooms, next) = client.list_rooms(filter.clone(), after, PAGE_MAX).await?;
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
