//! `motet summary`: tells what happened in a room.

use clap::Args;
use motet_protocol::{ids::RoomId, message::At};
use serde_json::{Value, json};

use crate::cli::{Failure, Globals, at, foreign::one_line, output::Output};

/// Tells what happened in a room: who wrote and removed how much and where, what was discussed, what is open.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet summary minutes\n  motet summary minutes --since 1d\n  motet summary minutes --since 17 --to 2026-07-01T12:00:00Z\n  motet summary minutes --since 2h --json | jq .facts"
)]
pub(crate) struct Summary {
    /// The room.
    room: RoomId,
    /// What came after this revision (17), this time (2026-07-01T12:00:00Z), or in this time (10m, units s, m, h, d).
    #[arg(long, value_name = "REVISION|TIME", value_parser = at::parse, default_value = "0", hide_default_value = true)]
    since: At,
    /// Nothing that came after this.
    #[arg(long, value_name = "REVISION|TIME", value_parser = at::parse, default_value = "head", hide_default_value = true)]
    to: At,
}

impl Summary {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let told = globals.connect().await?.summarize(self.room.clone(), self.since, self.to).await?;
        let mut out = Output::new();
        if globals.json {
            let facts: Value = serde_json::from_str(&told.facts)
                .map_err(|error| Failure::Failed(format!("the server's summary is no JSON: {error}")))?;
            out.json(&json!({ "room": self.room, "text": told.text, "facts": facts }))?;
        } else {
            for line in told.text.lines() {
                out.line(one_line(line))?;
            }
        }
        out.flush()
    }
}
