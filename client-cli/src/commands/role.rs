//! `motet role`: who may do what in a room.

use clap::Args;
use motet_protocol::{
    access::{AccountId, Member, Role},
    ids::{ParticipantId, RoomId},
    room::{Public, RoleOf, Standing},
};
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::cli::{Failure, Globals, output::Output};

/// Lists the roles in a room, or sets one. Setting a role requires the host role.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet role minutes\n  motet role minutes ann editor\n  motet role minutes ann none      # what everybody may\n  motet role minutes participant:00c0ffee00c0ffee ban"
)]
pub(crate) struct RoleCommand {
    /// The room.
    room: RoomId,
    /// An account, or participant:ID for a guest of this moment (`motet log --json` and blame tell the ids).
    #[arg(value_parser = member, requires = "standing")]
    member: Option<Member>,
    /// viewer, editor or host; none for what everybody may; ban to keep them out.
    #[arg(value_parser = standing, value_name = "ROLE")]
    standing: Option<Standing>,
}

/// Who may do what.
#[derive(Serialize, Deserialize)]
struct Roles {
    owner: Option<AccountId>,
    public: Public,
    role: Option<Role>,
    roles: Vec<RoleOf>,
}

#[derive(Deserialize)]
struct Decided {
    revision: u64,
}

impl RoleCommand {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let path = format!("/rooms/{}/roles", self.room);
        let mut out = Output::new();
        if let (Some(member), Some(standing)) = (self.member, self.standing) {
            let decision = RoleOf { member, standing };
            let Decided { revision } = globals.api()?.send(Method::PUT, &path, &decision)?;
            if globals.json {
                out.json(&serde_json::json!({ "revision": revision, "decided": decision }))?;
            } else {
                out.line(format_args!("{}: {}", name_of(&decision.member), word_of(decision.standing)))?;
            }
            return out.flush();
        }
        let roles: Roles = globals.api()?.get(&path)?;
        if globals.json {
            out.json(&roles)?;
            return out.flush();
        }
        if let Some(owner) = &roles.owner {
            out.line(format_args!("{owner}\towner"))?;
        }
        for decision in &roles.roles {
            out.line(format_args!("{}\t{}", name_of(&decision.member), word_of(decision.standing)))?;
        }
        out.line(format_args!("everybody\t{}", public_word(roles.public)))?;
        if let Some(role) = roles.role {
            out.line(format_args!("you\t{role}"))?;
        }
        out.flush()
    }
}

fn member(text: &str) -> Result<Member, String> {
    let Some(id) = text.strip_prefix("participant:") else {
        return AccountId::new(text).map(Member::Account).map_err(|error| error.to_string());
    };
    let id = serde_json::from_value::<ParticipantId>(id.into()).map_err(|error| error.to_string())?;
    Ok(Member::Participant(id))
}

/// As [`member`] reads it.
fn name_of(member: &Member) -> String {
    match member {
        Member::Account(account) => account.to_string(),
        Member::Participant(participant) => format!("participant:{participant}"),
    }
}

fn standing(word: &str) -> Result<Standing, String> {
    match word {
        "none" => Ok(Standing::Public),
        "ban" => Ok(Standing::Banned),
        word => word.parse().map(Standing::Role).map_err(|_| "viewer, editor, host, none or ban".to_owned()),
    }
}

fn word_of(standing: Standing) -> &'static str {
    match standing {
        Standing::Public => "none",
        Standing::Role(role) => role.as_str(),
        Standing::Banned => "ban",
    }
}

fn public_word(public: Public) -> &'static str {
    match public {
        Public::ServerDefault => "what the server says",
        Public::Nobody => "nothing",
        Public::Viewer => "viewer",
        Public::Editor => "editor",
        Public::Host => "host",
    }
}
