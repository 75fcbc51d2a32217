//! `motet show`: describes a room.

use clap::Args;
use motet_protocol::ids::RoomId;

use super::{
    Failure, Globals,
    output::{Output, time_of},
};

/// Describes a room: its newest revision, the length of its text, who is there, when it was made.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet show minutes\n  motet show minutes --json | jq .head")]
pub(crate) struct Show {
    /// The room.
    room: RoomId,
}

impl Show {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let room = globals.connect().await?.show_room(self.room).await?;
        let mut out = Output::new();
        if globals.json {
            out.json(&room)?;
        } else {
            out.line(format_args!("room      {}", room.room))?;
            out.line(format_args!("revision  {}", room.head))?;
            if let Some(bytes) = room.text_bytes {
                out.line(format_args!("text      {bytes} bytes"))?;
            }
            out.line(format_args!("present   {}", room.present))?;
            out.line(format_args!("created   {}", time_of(room.created_ms)))?;
        }
        out.flush()
    }
}
