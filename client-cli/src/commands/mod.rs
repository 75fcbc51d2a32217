//! The commands of `motet`, one file each.

mod apply;
mod at;
mod cat;
mod chat;
mod cli;
mod comment;
mod create;
mod failure;
mod latency;
mod list;
mod load;
mod log;
mod output;
mod people;
mod put;
mod replay;
mod rm;
mod settings;
mod show;
mod watch;
mod who;

use std::time::Duration;

use motet_protocol::ids::SessionId;
use uuid::Uuid;

pub use cli::{Cli, run};
pub use failure::Failure;

use crate::{
    address::Address,
    client::{Client, Options},
    connection::Greeting,
};

/// How long a command that ends by itself waits for a lost server to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every command is told.
#[derive(Clone, Debug)]
pub struct Globals {
    /// The server.
    pub server: Address,
    /// Proof of who one is.
    pub token: Option<String>,
    /// Whether the output is for programs.
    pub json: bool,
}

impl Globals {
    /// A greeting with a session of its own.
    pub fn greeting(&self) -> Greeting {
        Greeting { session: SessionId(Uuid::new_v4()), name: String::new(), token: self.token.clone() }
    }

    /// A client that waits a while for a lost server.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        self.connect_as("").await
    }

    /// The same, with a name for people.
    pub(crate) async fn connect_as(&self, name: &str) -> Result<Client, Failure> {
        let greeting = Greeting { name: name.to_owned(), ..self.greeting() };
        let mut options = Options::new(self.server.clone(), greeting);
        options.give_up_after = Some(PATIENCE);
        Ok(Client::connect(options).await?)
    }
}
