//! `motet cat`: prints a text.

use clap::Args;
use motet_protocol::{ids::RoomId, message::At};

use crate::cli::{Failure, Globals, at, notice, output::Output};

/// Prints a room's text, byte for byte.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet cat minutes\n  motet cat minutes --at 17\n  motet cat minutes --at 2026-07-01T12:00:00Z\n  motet cat minutes --at '10m ago'\n  base=$(motet cat minutes --with-revision 2>&1 >minutes.md)"
)]
pub(crate) struct Cat {
    /// The room.
    room: RoomId,
    /// The text as it was: at a revision (17), at a time (2026-07-01T12:00:00Z), or a while ago (10m, units s, m, h, d).
    #[arg(long, value_name = "REVISION|TIME", value_parser = at::parse)]
    at: Option<At>,
    /// Print the text's revision on standard error, for `motet put --base`. JSON always has it.
    #[arg(long)]
    with_revision: bool,
}

impl Cat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let text = globals.connect().await?.read_text(self.room.clone(), self.at.unwrap_or(At::Head)).await?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "revision": text.revision, "text": text.text }))?;
        } else {
            out.text(&text.text)?;
        }
        out.flush()?;
        if self.with_revision && !globals.json {
            notice::number(text.revision);
        }
        Ok(())
    }
}
