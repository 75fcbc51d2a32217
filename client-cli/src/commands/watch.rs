//! `motet watch`: tells everything that happens in a room.

use clap::Args;
use motet_client::{client::Client, room::Event};
use motet_protocol::{
    ids::{Revision, RoomId},
    message::Entry,
    people::News,
};
use serde::Serialize;

use crate::cli::{Failure, Globals, output::Output};

/// Prints everything that happens in a room as JSON lines, until it is stopped. After a lost connection, it continues
/// where it was.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet watch minutes\n  motet watch minutes --from 1 | jq -c 'select(.type == \"entry\")'"
)]
pub(crate) struct Watch {
    /// The room.
    room: RoomId,
    /// The first revision to print [default: the next one].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<Revision>,
    /// Print presence, too: who comes, moves and leaves.
    #[arg(long)]
    presence: bool,
}

/// A line of the output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Joined {
        room: RoomId,
        head: Revision,
    },
    Entry {
        #[serde(flatten)]
        entry: Entry,
    },
    Presence {
        revision: Revision,
        #[serde(flatten)]
        news: News,
    },
    Disconnected {
        reason: String,
    },
    PutOff {
        reason: String,
    },
}

impl Watch {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = Client::connect(globals.options()).await?;
        let after = match self.from {
            Some(from) => from - 1,
            None => client.show_room(self.room.clone()).await?.head,
        };
        let mut follower = client.follow(self.room.clone(), after).await?;
        follower.watch_presence(self.presence);
        let mut out = Output::new();
        while let Some(event) = follower.next().await {
            let line = match event {
                Event::Joined { head } => Line::Joined { room: self.room.clone(), head },
                Event::Entry { entry, .. } => Line::Entry { entry },
                Event::Disconnected { reason } => Line::Disconnected { reason },
                Event::PutOff { error } => Line::PutOff { reason: error.to_string() },
                Event::Closed { error } => return Err(error.into()),
                Event::Presence { revision, news } => Line::Presence { revision, news },
                Event::Acknowledged { .. }
                | Event::Replaced { .. }
                | Event::Refused { .. }
                | Event::Signal { .. }
                | Event::Declined { .. } => continue,
            };
            out.json(&line)?;
            out.flush()?;
        }
        Ok(())
    }
}
