//! `motet show`: describes a room.

use clap::Args;
use motet_protocol::ids::RoomId;

use crate::cli::{
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
            out.line(format_args!("text      {} bytes", room.text_bytes))?;
            out.line(format_args!("present   {}", room.present))?;
            out.line(format_args!("created   {}", time_of(room.created_ms)))?;
            out.line(format_args!("changed   {}", time_of(room.changed_ms)))?;
            if let Some(owner) = &room.owner {
                out.line(format_args!("owner     {owner}"))?;
            }
            out.line(format_args!("your role {}", room.role))?;
            let settings = &room.settings;
            let tags = settings.tags.join(", ");
            let project = settings.project.as_ref().map(ToString::to_string).unwrap_or_default();
            let words = [
                ("title", &settings.title),
                ("language", &settings.language),
                ("about", &settings.description),
                ("tags", &tags),
                ("project", &project),
                ("path", &settings.path),
            ];
            for (what, words) in words.into_iter().filter(|(_, words)| !words.is_empty()) {
                out.line(format_args!("{what:<9} {words}"))?;
            }
        }
        out.flush()
    }
}
