//! `motet rm`: deletes a room.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use motet_protocol::ids::RoomId;

use crate::cli::{Failure, Globals, output::Output};

/// Deletes a room with its history, for good.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet rm minutes          # asks first\n  motet rm minutes --yes")]
pub(crate) struct Rm {
    /// The room.
    room: RoomId,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if !self.yes && !confirmed(&self.room)? {
            return Err(Failure::Failed("nothing was deleted".to_owned()));
        }
        globals.connect().await?.delete_room(self.room.clone()).await?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "deleted": self.room }))?;
        }
        out.flush()
    }
}

fn confirmed(room: &RoomId) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "standard input is no terminal; give --yes to delete without a question".to_owned(),
        ));
    }
    // An answer is waited for also where the question cannot be seen.
    let _ = write!(io::stderr(), "Delete room {room} with its history, for good? [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
