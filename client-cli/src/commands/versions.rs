//! `motet versions`: revisions with names.

use clap::Args;
use motet_protocol::{
    ids::{Revision, RoomId},
    room::Version,
};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{
    Failure, Globals,
    output::{Output, time_of},
};
use crate::http::api::escaped;

/// Prints the named versions of a room: revision, when it was named, name, words. Or names one, or takes a name away.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet versions minutes\n  motet versions minutes --name draft --description 'before the meeting'\n  motet versions minutes --name first --at 17\n  motet versions minutes --remove draft\n  motet cat minutes --at 17"
)]
pub(crate) struct Versions {
    /// The room.
    room: RoomId,
    /// Gives a revision this name; one that is taken names the other revision from here on.
    #[arg(long, conflicts_with = "remove")]
    name: Option<String>,
    /// The revision that is named; the newest one without this.
    #[arg(long, requires = "name", value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    at: Option<Revision>,
    /// Words for it.
    #[arg(long, requires = "name", value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Takes this name away; the revision stays.
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct NewVersion<'a> {
    name: &'a str,
    revision: Option<Revision>,
    description: &'a str,
}

impl Versions {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (api, path) = (globals.api(), format!("/rooms/{}/versions", self.room));
        let mut out = Output::new();
        if let Some(name) = &self.remove {
            api.delete(&format!("{path}/{}", escaped(name)))?;
            if globals.json {
                out.json(&serde_json::json!({ "removed": name }))?;
            }
            return out.flush();
        }
        let versions = match &self.name {
            Some(name) => {
                let new = NewVersion { name, revision: self.at, description: &self.description };
                vec![api.send(Method::POST, &path, &new)?]
            }
            None => api.get::<Listed>(&path)?.versions,
        };
        for version in &versions {
            if globals.json {
                out.json(version)?;
            } else {
                let Version { name, revision, description, time_ms, .. } = version;
                out.line(format!("{revision}\t{}\t{name}\t{description}", time_of(*time_ms)).trim_end())?;
            }
        }
        out.flush()
    }
}
