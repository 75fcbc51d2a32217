//! `motet share`: links into a room.

use clap::Args;
use motet_protocol::{
    access::{AccountId, Role},
    ids::{RoomId, UnixMs},
};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{
    Failure, Globals, at,
    output::{Output, time_of},
};
use crate::http::api::escaped;

/// Makes a link into a room and prints it. The link is shown only once. Requires the host role.
///
/// What stands behind the # is the secret: browsers do not send it to servers. `motet token --link` follows a link.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet share minutes\n  motet share minutes --role viewer --expires 1d --label 'for the board'\n  motet share minutes --list\n  motet share minutes --revoke 0f2c6a7e9b1d4c3f8e5a6b7c8d9e0f1a"
)]
pub(crate) struct Share {
    /// The room.
    room: RoomId,
    /// What they may do who have the link: viewer, editor or host.
    #[arg(long, default_value = "editor")]
    role: Role,
    /// When it ends: so long from now (30m, 2h, 1d); never without this.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<u64>,
    /// Words to know it by in the list.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    /// Lists the links that are good.
    #[arg(long, conflicts_with_all = ["role", "expires", "label", "revoke"])]
    list: bool,
    /// Takes a link back, with everybody who came by it.
    #[arg(long, value_name = "ID", conflicts_with_all = ["role", "expires", "label"])]
    revoke: Option<String>,
}

#[derive(Serialize)]
struct NewLink<'a> {
    role: Role,
    label: &'a str,
    expires_ms: Option<UnixMs>,
}

/// A link as the server lists it.
#[derive(Serialize, Deserialize)]
struct Link {
    id: String,
    role: Role,
    label: String,
    created_by: Option<AccountId>,
    created_ms: UnixMs,
    expires_ms: Option<UnixMs>,
}

/// A link that was just made.
#[derive(Deserialize)]
struct Made {
    link: Link,
    secret: String,
}

#[derive(Deserialize)]
struct Listed {
    links: Vec<Link>,
}

impl Share {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (api, path) = (globals.api()?, format!("/rooms/{}/links", self.room));
        let mut out = Output::new();
        if let Some(id) = &self.revoke {
            api.delete(&format!("{path}/{}", escaped(id)))?;
            if globals.json {
                out.json(&serde_json::json!({ "revoked": id }))?;
            }
            return out.flush();
        }
        if self.list {
            for link in &api.get::<Listed>(&path)?.links {
                if globals.json {
                    out.json(link)?;
                    continue;
                }
                let until =
                    link.expires_ms.map_or_else(|| "for ever".to_owned(), |ms| format!("until {}", time_of(ms)));
                let Link { id, role, label, .. } = link;
                out.line(format!("{id}\t{role}\t{until}\t{label}").trim_end())?;
            }
            return out.flush();
        }
        let expires_ms = self.expires.map(|from_now_ms| at::now_ms().saturating_add(from_now_ms));
        let new = NewLink { role: self.role, label: &self.label, expires_ms };
        let Made { link, secret } = api.send(Method::POST, &path, &new)?;
        let url = format!("{}/r/{}#{secret}", globals.http()?, self.room);
        if globals.json {
            out.json(&serde_json::json!({ "link": link, "secret": secret, "url": url }))?;
        } else {
            out.line(url)?;
        }
        out.flush()
    }
}

fn duration(text: &str) -> Result<u64, String> {
    at::duration_ms(text).filter(|ms| *ms > 0).ok_or_else(|| "write 30m, 2h or 1d (units s, m, h, d)".to_owned())
}
