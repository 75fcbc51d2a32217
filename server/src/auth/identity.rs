//! Who somebody is to the server.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, ProjectId, Role},
    error::ErrorCode,
    ids::{RoomId, UnixMs},
    limits::NAME_BYTES_MAX,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token::TokenId;
use crate::refusal::Refusal;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One room.
    #[schema(value_type = String)]
    Room(RoomId),
    /// A project, and so all of its rooms.
    #[schema(value_type = String)]
    Project(ProjectId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(room) => write!(f, "room/{room}"),
            Self::Project(project) => write!(f, "project/{project}"),
        }
    }
}

/// What a link allows whoever follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub target: Target,
    /// What.
    pub role: Role,
    /// The link.
    pub link: TokenId,
}

/// Who somebody is. It was true when [`Authenticator::identify`](super::Authenticator::identify) said so; whether it is
/// still is asked with [`still_valid`](Self::still_valid).
#[derive(Clone, Debug)]
pub struct Identity {
    /// The account; none for a guest.
    pub account: Option<AccountId>,
    /// What others see: an account's own name, or what a guest calls themselves, which may be empty. Without control
    /// characters.
    pub name: String,
    /// Whether they look after the server: everything is allowed.
    pub admin: bool,
    /// What a link that they followed allows, beside what their roles do.
    pub grant: Option<Grant>,
    /// When they are nobody any more, unless they sign in again before.
    pub expires_ms: Option<UnixMs>,
    /// The session, or the share token, or what stands for somebody else's token; none for a guest without a token.
    pub token_id: Option<TokenId>,
    /// What can be revoked before it expires.
    pub(super) marks: Vec<Mark>,
}

impl Identity {
    /// Somebody without an account.
    ///
    /// # Errors
    ///
    /// `bad_argument` for a name that is too long or has control characters in it.
    pub fn guest(name: &str) -> Result<Self, Refusal> {
        let name = name.trim();
        if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let words = format!("a name has at most {NAME_BYTES_MAX} bytes and no control characters");
            return Err(Refusal::new(ErrorCode::BadArgument, words));
        }
        Ok(Self {
            account: None,
            name: name.to_owned(),
            admin: false,
            grant: None,
            expires_ms: None,
            token_id: None,
            marks: Vec::new(),
        })
    }

    /// Whether the token that they showed is neither expired nor revoked by now. It takes no lock and touches no disk:
    /// ask as often as you like.
    pub fn still_valid(&self, now_ms: UnixMs) -> bool {
        self.expires_ms.is_none_or(|expires_ms| now_ms < expires_ms) && !self.marks.iter().any(Mark::is_set)
    }
}

/// Set when something is revoked; everyone who got in by it shares one.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark(pub(super) Arc<AtomicBool>);

impl Mark {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_has_a_name_that_others_can_read() {
        assert_eq!(Identity::guest("  Ann ").unwrap().name, "Ann");
        assert_eq!(Identity::guest("").unwrap().name, "");
        for bad in ["a\nb", "\u{1b}[31m", &"x".repeat(NAME_BYTES_MAX + 1)] {
            assert_eq!(Identity::guest(bad).unwrap_err().code, ErrorCode::BadArgument, "{bad:?}");
        }
    }

    #[test]
    fn who_expired_or_was_revoked_is_nobody_any_more() {
        let mark = Mark::default();
        let identity = Identity { expires_ms: Some(10), marks: vec![mark.clone()], ..Identity::guest("Ann").unwrap() };
        assert!(identity.still_valid(9) && !identity.still_valid(10));
        mark.set();
        assert!(!identity.clone().still_valid(9));
    }
}
