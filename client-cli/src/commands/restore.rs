//! `motet restore`: gets an earlier text back.

use clap::Args;
use motet_protocol::{
    ids::{Revision, RoomId},
    message::At,
    room::RoomInfo,
};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{
    Failure, Globals, at,
    output::{Output, time_of},
    place::Place,
};

/// Restores an earlier text of a room as a new edit: the history stays complete, and concurrent edits of others stay.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet restore minutes draft\n  motet restore minutes 17\n  motet restore minutes 10m     # as it was ten minutes ago"
)]
pub(crate) struct Restore {
    /// The room.
    room: RoomId,
    /// A revision, a time, how long ago, or the name of a version.
    at: Place,
}

#[derive(Serialize)]
struct Wanted<'a> {
    at: &'a str,
}

#[derive(Deserialize)]
struct Restored {
    revision: Revision,
}

impl Restore {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let api = globals.api()?;
        if let Ok(At::Time(time_ms)) = at::parse(self.at.as_str()) {
            let room: RoomInfo = api.get(&format!("/rooms/{}", self.room))?;
            if time_ms < room.created_ms {
                return Err(Failure::Failed(format!(
                    "the room is younger than that: it was created at {}; to empty it, restore revision 0",
                    time_of(room.created_ms)
                )));
            }
        }
        let path = format!("/rooms/{}/restore", self.room);
        let Restored { revision } = api.send(Method::POST, &path, &Wanted { at: self.at.as_str() })?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "revision": revision }))?;
        } else {
            out.line(format_args!("revision {revision}: the text is that of {} again", self.at))?;
        }
        out.flush()
    }
}
