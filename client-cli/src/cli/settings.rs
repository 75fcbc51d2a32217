//! What can be set in a room, as flags of several commands.

use clap::Args;
use motet_protocol::room::{Public, SettingsPatch};

/// Settings; what is not given stays. An empty text takes a setting away.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Settings {
    /// A name for people.
    #[arg(long)]
    title: Option<String>,
    /// The language of the text, as in rust or python.
    #[arg(long)]
    language: Option<String>,
    /// What the room is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A word to find it by; several by commas or by repeating this.
    #[arg(long, value_delimiter = ',', value_name = "TAG")]
    tags: Option<Vec<String>>,
    /// What those may do who were given no role: default (what the server says), nobody, viewer, editor or host.
    #[arg(long, value_parser = public, value_name = "ROLE")]
    public: Option<Public>,
    /// The project that it is a file of.
    #[arg(long)]
    project: Option<String>,
    /// Its path in the project.
    #[arg(long)]
    path: Option<String>,
    /// Seconds without anybody after which it is deleted; 0 for never.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
}

impl Settings {
    pub(crate) fn patch(self) -> SettingsPatch {
        let Self { title, language, description, tags, public, project, path, ttl } = self;
        SettingsPatch { title, language, description, tags, public, project, path, ttl_s: ttl }
    }
}

fn public(word: &str) -> Result<Public, String> {
    match word {
        "default" => Ok(Public::ServerDefault),
        "nobody" => Ok(Public::Nobody),
        "viewer" => Ok(Public::Viewer),
        "editor" => Ok(Public::Editor),
        "host" => Ok(Public::Host),
        _ => Err("default, nobody, viewer, editor or host".to_owned()),
    }
}
