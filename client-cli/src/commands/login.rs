//! `motet login`: signs in.

use clap::Args;

use crate::cli::{Failure, Globals, output::Output, password};
use crate::http::session;

/// Signs in on the server. All later commands use your account, until you sign out.
///
/// Reads the password from the terminal or from standard input. The server's tokens are kept in
/// ~/.config/motet/credentials.json (or below $XDG_CONFIG_HOME), which only you can read, and are renewed automatically.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet login ann\n  motet --server tcp://motet.example login ann\n  pass show motet | motet login ann"
)]
pub(crate) struct Login {
    /// The account's name.
    name: String,
}

impl Login {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        // The server is found first: without it, nothing is asked for.
        let api = globals.api_without_token()?;
        let password = password::ask(false)?;
        let account = session::login(&api, &globals.credentials()?, &self.name, &password)?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "account": account, "server": globals.http()?.as_str() }))?;
        } else {
            out.line(format_args!("signed in as {account} on {}", globals.http()?))?;
        }
        out.flush()
    }
}
