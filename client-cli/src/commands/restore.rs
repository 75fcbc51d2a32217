//! `motet restore`: gets an earlier text back.

use clap::Args;
use motet_protocol::ids::{Revision, RoomId};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{Failure, Globals, output::Output, place::Place};

/// Gets an earlier text of a room back, as a new edit: nothing is taken from the history, and what others type meanwhile
/// stays.
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
        let path = format!("/rooms/{}/restore", self.room);
        let Restored { revision } = globals.api().send(Method::POST, &path, &Wanted { at: self.at.as_str() })?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "room": self.room, "revision": revision }))?;
        } else {
            out.line(format_args!("revision {revision}: the text is that of {} again", self.at))?;
        }
        out.flush()
    }
}
