//! `motet token`: prints a token.

use clap::Args;
use motet_protocol::{access::Role, ids::UnixMs};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{Failure, Globals, output::Output};

/// Prints your access token, for curl and for programs. It is valid for some minutes.
///
/// With --link, prints a token with the role of a share link.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  curl -H \"authorization: bearer $(motet token)\" localhost:6683/api/auth/me\n  export MOTET_TOKEN=$(motet token --link http://localhost:6683/r/minutes#mtl_…)"
)]
pub(crate) struct Token {
    /// A link as `motet share` prints it, or what stands in it behind the #.
    #[arg(long)]
    link: Option<String>,
}

#[derive(Serialize)]
struct Redeem<'a> {
    link: &'a str,
    name: &'a str,
}

/// What following a link gives.
#[derive(Serialize, Deserialize)]
struct Redeemed {
    token: String,
    role: Role,
    expires_ms: UnixMs,
}

impl Token {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mut out = Output::new();
        if let Some(link) = &self.link {
            let link = link.rsplit_once('#').map_or(link.as_str(), |(_, link)| link);
            let body = Redeem { link, name: &globals.name };
            let redeemed: Redeemed = globals.api()?.send(Method::POST, "/auth/redeem", &body)?;
            match globals.json {
                true => out.json(&redeemed)?,
                false => out.line(&redeemed.token)?,
            }
            return out.flush();
        }
        let Some(token) = &globals.token else {
            let message = format!("no account is signed in on {}; `motet login NAME` signs in", globals.http()?);
            return Err(Failure::Failed(message));
        };
        match globals.json {
            true => out.json(&serde_json::json!({ "token": token }))?,
            false => out.line(token)?,
        }
        out.flush()
    }
}
