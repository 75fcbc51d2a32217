//! Accounts, roles and members: who may do what in a room.

use std::{fmt, str::FromStr};

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ids::ParticipantId,
    limits::{ACCOUNT_ID_BYTES_MAX, PROJECT_ID_BYTES_MAX},
};

/// What a member may do in a room. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Changes the text and its settings, chats and comments.
    Editor,
    /// Does everything: gives roles, removes people, deletes the room.
    Host,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Host];

    /// Its name in flags, JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the name of a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, editor or host")]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(word: &str) -> Result<Self, BadRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or(BadRole)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $bad:ident, $words:literal, $max:ident, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        #[doc = concat!("A text that is not a valid [`", stringify!($name), "`].")]
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($words)]
        pub struct $bad;

        impl $name {
            /// Checks a text. The error says what a name may be.
            pub fn new(name: &str) -> Result<Self, $bad> {
                let valid: fn(u8) -> bool = $valid;
                if name.is_empty() || name.len() > $max || !name.bytes().all(valid) {
                    return Err($bad);
                }
                Ok(Self(name.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = $bad;

            fn from_str(name: &str) -> Result<Self, $bad> {
                Self::new(name)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::new(&name).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The name of an account of the server, or the subject of a token that another service issued: 1 to 128 visible
    /// ASCII characters.
    AccountId, BadAccountId, "an account is 1 to 128 visible ASCII characters", ACCOUNT_ID_BYTES_MAX,
    |byte| byte.is_ascii_graphic()
}

name! {
    /// The name of a project, whose files are rooms: 1 to 64 of `a-z 0-9 - _`.
    ProjectId, BadProjectId, "a project's name is 1 to 64 of a-z, 0-9, '-' and '_'", PROJECT_ID_BYTES_MAX,
    |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// Whom a role can be given to: an account, wherever it signs in, or the one session of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// An account, in all of its sessions.
    Account(AccountId),
    /// A participant, for as long as its session lasts.
    Participant(ParticipantId),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Participant(participant) => participant.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stronger_role_may_do_what_a_weaker_one_may() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Host);
        assert!(Role::ALL.into_iter().all(|role| role.as_str().parse() == Ok(role)));
        assert_eq!("Host".parse::<Role>(), Err(BadRole));
    }

    #[test]
    fn names_that_could_be_taken_for_something_else_are_refused() {
        assert!(AccountId::new("ann@example.org").is_ok());
        for bad in ["", "a b", "ann\n", "änn", &"a".repeat(129)] {
            assert_eq!(AccountId::new(bad), Err(BadAccountId), "{bad:?}");
        }
        for bad in ["", "A", "a/b", "..", &"a".repeat(65)] {
            assert_eq!(ProjectId::new(bad), Err(BadProjectId), "{bad:?}");
        }
    }
}
