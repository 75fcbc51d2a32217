//! `motet login`: signs in.

use clap::Args;

use crate::cli::{Failure, Globals, output::Output, password};
use crate::http::session;

/// Signs in on the server. Every command is yours from then on, until you sign out.
///
/// The password is asked for, or read from standard input. What the server gives in place of it is kept in
/// ~/.config/motet/credentials.json (or below $XDG_CONFIG_HOME), which only you can read, and renewed by itself.
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
        let password = password::ask(false)?;
        let account = session::login(&globals.api_as_nobody(), &globals.credentials()?, &self.name, &password)?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "account": account, "server": globals.http.as_str() }))?;
        } else {
            out.line(format_args!("signed in as {account} on {}", globals.http))?;
        }
        out.flush()
    }
}
