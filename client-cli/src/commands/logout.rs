//! `motet logout`: signs out.

use clap::Args;

use crate::cli::{Failure, Globals, output::Output};
use crate::http::session;

/// Signs out on the server, and forgets what was kept. Connections of this session that are open end too.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  motet logout\n  motet --server tcp://motet.example logout")]
pub(crate) struct Logout {}

impl Logout {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let account = session::logout(&globals.api_without_token()?, &globals.credentials()?)?;
        let mut out = Output::new();
        match account {
            _ if globals.json => out.json(&serde_json::json!({ "signed_out": account }))?,
            Some(account) => out.line(format_args!("{account} is signed out on {}", globals.http()?))?,
            None => out.line(format_args!("no account was signed in on {}", globals.http()?))?,
        }
        out.flush()
    }
}
