//! `motet create`: makes a room.

use clap::Args;
use motet_protocol::ids::RoomId;

use crate::cli::{Failure, Globals, output::Output, settings::Settings};

/// Makes a room and prints its name.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet create minutes\n  motet create main-rs --language rust --project motet --path src/main.rs\n  ROOM=$(motet create)   # a new UUID for a name"
)]
pub(crate) struct Create {
    /// The room's name: 1 to 64 of a-z, 0-9, '-' and '_'. A new UUID if left out.
    room: Option<RoomId>,
    #[command(flatten)]
    settings: Settings,
}

impl Create {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let room = globals.connect().await?.create_room_with(self.room, self.settings.patch()).await?;
        let mut out = Output::new();
        if globals.json {
            out.json(&room)?
        } else {
            out.line(&room.room)?
        }
        out.flush()
    }
}
