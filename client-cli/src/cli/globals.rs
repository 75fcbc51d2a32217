//! The options of all commands, and the connections that follow from them.

use std::time::Duration;

use motet_client::{
    address::Address,
    client::{Client, Options, TokenSource},
    connection::Greeting,
};
use motet_protocol::ids::SessionId;
use uuid::Uuid;

use super::{Failure, at};
use crate::http::{Api, Credentials, HttpAddress, session};

/// How long a command that ends by itself waits for a lost server to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// The options that every command takes.
#[derive(Clone, Debug)]
pub(crate) struct Globals {
    /// The server.
    pub server: Address,
    /// Where its HTTP API is.
    pub http: HttpAddress,
    /// Whether that was said, rather than found from the server's address.
    pub is_http_given: bool,
    /// Proof of who one is.
    pub token: Option<String>,
    /// Whether the token is one that is kept, and renewed when it expires.
    pub is_kept: bool,
    /// What one calls oneself; may be empty.
    pub name: String,
    /// Whether the output is for programs.
    pub json: bool,
}

impl Globals {
    /// A greeting with a session of its own.
    pub(crate) fn greeting(&self) -> Greeting {
        Greeting { session: SessionId(Uuid::new_v4()), name: self.name.clone(), token: self.token.clone() }
    }

    /// The HTTP API of the server.
    pub(crate) fn api(&self) -> Api {
        Api::new(self.http.clone(), self.token.clone())
    }

    /// The same for whoever is about to say who they are.
    pub(crate) fn api_as_nobody(&self) -> Api {
        Api::new(self.http.clone(), None)
    }

    /// Where it is kept who is signed in.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let words = "there is no place to keep who is signed in: neither XDG_CONFIG_HOME nor HOME is set";
        Credentials::of_user().ok_or_else(|| Failure::Failed(words.to_owned()))
    }

    /// How to connect, for as long as it takes.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(self.server.clone(), self.greeting());
        if let (true, Some(credentials)) = (self.is_kept, Credentials::of_user()) {
            let api = self.api_as_nobody();
            // What fails here is told by the server, which refuses the token that was there before.
            let next = move || session::access_token(&api, &credentials, at::now_ms()).ok().flatten();
            options.tokens = Some(TokenSource::new(next));
        }
        options
    }

    /// A client that waits a while for a lost server.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        self.connect_as("").await
    }

    /// The same, with a name for people, if one is given.
    pub(crate) async fn connect_as(&self, name: &str) -> Result<Client, Failure> {
        let mut options = self.options();
        if !name.is_empty() {
            options.greeting.name = name.to_owned();
        }
        options.give_up_after = Some(PATIENCE);
        Ok(Client::connect(options).await?)
    }
}
