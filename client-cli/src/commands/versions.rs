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
    foreign::one_line,
    output::{Output, time_of},
};
use crate::http::api::escaped;

/// Lists the named versions of a room: revision, time, name, description. Or names a revision, or removes a name.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet versions minutes\n  motet versions minutes --name draft --description 'before the meeting'\n  motet versions minutes --name first --at 17\n  motet versions minutes --remove draft\n  motet cat minutes --at 17"
)]
pub(crate) struct Versions {
    /// The room.
    room: RoomId,
    /// Give a revision this name.
    #[arg(long, conflicts_with = "remove")]
    name: Option<String>,
    /// Let a name that is in use name this revision from now on, with the new description.
    #[arg(long = "move", requires = "name")]
    moves: bool,
    /// The revision to name [default: the newest].
    #[arg(long, requires = "name", value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    at: Option<Revision>,
    /// A description of the version.
    #[arg(long, requires = "name", value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Remove this name; the revision stays.
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
        let (api, path) = (globals.api()?, format!("/rooms/{}/versions", self.room));
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
                if !self.moves {
                    let taken = api.get::<Listed>(&path)?.versions.into_iter().find(|version| version.name == *name);
                    if let Some(Version { revision, .. }) = taken {
                        return Err(Failure::Failed(format!(
                            "{name:?} is the name of revision {revision} already; --move gives it to another revision"
                        )));
                    }
                }
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
                out.line(
                    format!("{revision}\t{}\t{}\t{}", time_of(*time_ms), one_line(name), one_line(description))
                        .trim_end(),
                )?;
            }
        }
        out.flush()
    }
}
