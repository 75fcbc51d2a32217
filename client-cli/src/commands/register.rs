//! `motet register`: makes an account.

use clap::Args;

use crate::cli::{Failure, Globals, output::Output, password};
use crate::http::session;

/// Makes an account for you on the server, and signs in with it.
///
/// The password (at least 8 characters) is asked for, or read from standard input.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet register ann\n  motet --server tcp://motet.example register ann\n  head -1 password.txt | motet register ann"
)]
pub(crate) struct Register {
    /// The account's name: 3 to 32 of a-z, 0-9, '-' and '_'.
    name: String,
}

impl Register {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        // The server is found first: without it, nothing is asked for.
        let api = globals.api_without_token()?;
        let password = password::ask(true)?;
        let account = session::register(&api, &globals.credentials()?, &self.name, &password)?;
        let mut out = Output::new();
        if globals.json {
            out.json(&serde_json::json!({ "account": account, "server": globals.http()?.as_str() }))?;
        } else {
            out.line(format_args!("account {account} is made; signed in on {}", globals.http()?))?;
        }
        out.flush()
    }
}
