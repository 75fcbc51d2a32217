//! What can be set in a room, as flags of several commands.

use clap::Args;
use motet_protocol::room::{Public, SettingsPatch};

/// Settings; those that are not given stay. An empty text removes a setting.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Settings {
    /// A title.
    #[arg(long)]
    title: Option<String>,
    /// The language of the text, as in rust or python.
    #[arg(long)]
    language: Option<String>,
    /// What the room is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A tag; several separated by commas or by repeating the flag.
    #[arg(long, value_delimiter = ',', value_name = "TAG")]
    tags: Option<Vec<String>>,
    /// The role of everyone without a role of their own: default (the server's), nobody (none), viewer, editor or host.
    #[arg(long, value_parser = public, value_name = "ROLE")]
    public: Option<Public>,
    /// The project that the room belongs to.
    #[arg(long)]
    project: Option<String>,
    /// Its path in the project.
    #[arg(long)]
    path: Option<String>,
    /// Delete the room after this many seconds without participants; 0 for never.
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
