//! `motet set`: changes what is set in a room.

use clap::Args;
use motet_protocol::{
    ids::RoomId,
    room::{RoomInfo, SettingsPatch},
};
use ureq::http::Method;

use crate::cli::{Failure, Globals, output::Output, settings::Settings};

/// Changes what is set in a room: its title, language, tags, who may come in, and the like.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet set minutes --title 'Minutes of Monday' --language markdown\n  motet set minutes --public viewer\n  motet set minutes --description ''      # takes it away\n  motet set scratch --ttl 1800"
)]
pub(crate) struct Set {
    /// The room.
    room: RoomId,
    #[command(flatten)]
    settings: Settings,
}

impl Set {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let patch = self.settings.patch();
        if patch == SettingsPatch::default() {
            let message = "nothing is to be set; `motet set --help` lists the settings, `motet show` prints them";
            return Err(Failure::Usage(message.to_owned()));
        }
        let room: RoomInfo = globals.api()?.send(Method::PATCH, &format!("/rooms/{}", self.room), &patch)?;
        let mut out = Output::new();
        if globals.json {
            out.json(&room)?;
        } else {
            out.line(format_args!("revision {}: set", room.head))?;
        }
        out.flush()
    }
}
