//! What a room is besides its text: its settings, its people's roles, its named versions.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::{AccountId, Member, ProjectId, Role},
    ids::{ParticipantId, Revision, RoomId, UnixMs},
};

/// What people set in a room. The default is that of a new room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RoomSettings {
    /// A name for people; may be empty.
    pub title: String,
    /// The language of the text, a name from the server's list; empty for none.
    pub language: String,
    /// What the room is for; may be empty.
    pub description: String,
    /// Words to find it by, without doubles, in order.
    pub tags: Vec<String>,
    /// What those may do who were given no role.
    pub public: Public,
    /// The project that it is a file of.
    pub project: Option<ProjectId>,
    /// Its path in the project (`src/main.rs`); empty for none.
    pub path: String,
    /// It is deleted after so many seconds in which nothing happened; 0 for what the server says, which is never unless
    /// told otherwise. Who is there is told before.
    pub ttl_s: u64,
}

/// What those may do in a room who were given no role there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Public {
    /// What the server was started to allow.
    #[default]
    ServerDefault,
    /// Nothing: they cannot tell that it is there.
    Nobody,
    /// What a viewer may.
    Viewer,
    /// What an editor may.
    Editor,
    /// Everything.
    Host,
}

impl Public {
    /// The role that it gives, where the server's default gives `default`.
    pub fn role(self, default: Option<Role>) -> Option<Role> {
        match self {
            Self::ServerDefault => default,
            Self::Nobody => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Editor => Some(Role::Editor),
            Self::Host => Some(Role::Host),
        }
    }
}

/// A change of settings: what is not named stays. An empty text, an empty list, or 0 takes the setting away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SettingsPatch {
    /// See [`RoomSettings::title`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// See [`RoomSettings::language`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// See [`RoomSettings::description`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`RoomSettings::tags`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// See [`RoomSettings::public`]. Only a host may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<Public>,
    /// See [`RoomSettings::project`]; empty for none. Only a host may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// See [`RoomSettings::path`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// See [`RoomSettings::ttl_s`]. Only a host may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
}

/// What becomes of a member's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may do what everybody may.
    Public,
    /// It has this role.
    Role(Role),
    /// It may not come in, whatever everybody may.
    Banned,
}

/// Who somebody is to the others, as the room's log has it from the first of its entries on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Author {
    /// A name for people; may be empty.
    pub name: String,
    /// The account, if it has signed in.
    pub account: Option<AccountId>,
}

/// A revision that was given a name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// The name, of which there is one in a room.
    pub name: String,
    /// The revision that it names.
    pub revision: Revision,
    /// Words; may be empty.
    pub description: String,
    /// Who named it.
    pub by: ParticipantId,
    /// When.
    pub time_ms: UnixMs,
}

/// Which rooms are wanted; what is not named does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomFilter {
    /// A part of the room's id or title, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// A language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// A project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Only those in which the asker was given a role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
}

/// What is known of a room without reading its history.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomId,
    /// When it was made.
    pub created_ms: UnixMs,
    /// Who made it, where that was an account.
    pub owner: Option<AccountId>,
    /// Its newest committed revision.
    pub head: Revision,
    /// When its newest entry was ordered; when it was made if there is none.
    pub changed_ms: UnixMs,
    /// Connections that have it open.
    pub present: u32,
    /// The length of its text in UTF-8 bytes.
    pub text_bytes: u64,
    /// The beginning of its text, for lists.
    pub preview: String,
    /// What people set in it.
    pub settings: RoomSettings,
    /// What the asker may do there.
    pub role: Role,
    /// Chat messages that the asker's account has not read.
    pub unread: u64,
    /// The newest chat message's beginning, if there is one.
    pub last_message: Option<String>,
}

/// A member of a room or a project and what was decided of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleOf {
    /// Who.
    pub member: Member,
    /// What was decided.
    pub standing: Standing,
}
