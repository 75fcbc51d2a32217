//! The options of all commands, and the connections that follow from them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use motet_client::{
    address::Address,
    client::{Client, Options, TokenSource},
    connection::Greeting,
    error::Error,
};
use motet_protocol::ids::SessionId;
use uuid::Uuid;

use super::{Failure, at};
use crate::http::{Api, Credentials, HttpAddress, find::http_of, session};

/// How long a command that ends by itself waits for a lost server to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// The options that every command takes.
#[derive(Clone, Debug)]
pub(crate) struct Globals {
    /// The server.
    pub server: Address,
    /// Where `--http` says that its HTTP API is.
    pub http_given: Option<HttpAddress>,
    /// Where it is, once it was looked for.
    pub http_found: Arc<OnceLock<Result<HttpAddress, Error>>>,
    /// The access token, if there is one.
    pub token: Option<String>,
    /// Whether the token comes from the credentials file, and is renewed when it expires.
    pub is_kept: bool,
    /// The name of a guest; may be empty.
    pub name: String,
    /// Whether the output is for programs.
    pub json: bool,
}

impl Globals {
    /// A greeting with a session of its own.
    pub(crate) fn greeting(&self) -> Greeting {
        Greeting { session: SessionId(Uuid::new_v4()), name: self.name.clone(), token: self.token.clone() }
    }

    /// Where the HTTP API of the server is. The first call greets the server and compares identities, and blocks.
    ///
    /// # Errors
    ///
    /// See [`http_of`].
    pub(crate) fn http(&self) -> Result<&HttpAddress, Failure> {
        let found = self.http_found.get_or_init(|| http_of(&self.server, self.http_given.as_ref()));
        found.as_ref().map_err(|error| error.clone().into())
    }

    /// The HTTP API of the server, with the user's token.
    pub(crate) fn api(&self) -> Result<Api, Failure> {
        Ok(Api::new(self.http()?.clone(), self.token.clone()))
    }

    /// The same without a token, to sign in.
    pub(crate) fn api_without_token(&self) -> Result<Api, Failure> {
        Ok(Api::new(self.http()?.clone(), None))
    }

    /// Where it is kept who is signed in.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let message = "there is no place to keep who is signed in: neither XDG_CONFIG_HOME nor HOME is set";
        Credentials::of_user().ok_or_else(|| Failure::Failed(message.to_owned()))
    }

    /// How to connect, for as long as it takes.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(self.server.clone(), self.greeting());
        // A token is kept only for a server whose API was found; without one, nothing needs to be found here.
        if self.is_kept
            && let Some(credentials) = Credentials::of_user()
            && let Ok(api) = self.api_without_token()
        {
            // A failure here is reported by the server, which refuses the earlier token.
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
