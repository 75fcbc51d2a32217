//! What a room is besides its text: its settings, its people's roles, its named versions.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::{AccountId, Member, ProjectId, Role},
    ids::{ParticipantId, Revision, RoomId, UnixMs},
};

/// The settings of a room. The default is that of a new room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RoomSettings {
    /// A title for people; may be empty.
    pub title: String,
    /// The language of the text, a name from the server's list; empty for none.
    pub language: String,
    /// What the room is for; may be empty.
    pub description: String,
    /// Tags to find the room by, each once, in alphabetical order.
    pub tags: Vec<String>,
    /// The role of those who were given none.
    pub public: Public,
    /// The project that the room is a file of, if it is one.
    pub project: Option<ProjectId>,
    /// Its path in the project (`src/main.rs`); empty for none.
    pub path: String,
    /// Seconds without any event after which the room is deleted; 0 for the server's default, which is never unless it
    /// is
    /// configured. Those who have the room open are warned before.
    pub ttl_s: u64,
}

/// The role in a room of those who were given none there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Public {
    /// The server's default.
    #[default]
    ServerDefault,
    /// None: they cannot tell that the room exists.
    Nobody,
    /// Viewer.
    Viewer,
    /// Editor.
    Editor,
    /// Host.
    Host,
}

impl Public {
    /// The role that it gives, on a server with this default.
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

/// A change of settings. A field that is none stays as it is; an empty text, an empty list or 0 takes the setting away.
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

/// What was decided on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The member has the role that the room gives everybody.
    Public,
    /// The member has this role.
    Role(Role),
    /// The member may not come in, even if everybody else may.
    Banned,
}

/// A participant's name and account, as the room's log has them before the participant's first entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Author {
    /// The name that others see; may be empty.
    pub name: String,
    /// The account, if the participant has signed in.
    pub account: Option<AccountId>,
}

/// A revision with a name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// The name, unique in the room.
    pub name: String,
    /// The revision that it names.
    pub revision: Revision,
    /// A description for people; may be empty.
    pub description: String,
    /// The participant that named it.
    pub by: ParticipantId,
    /// When it was named.
    pub time_ms: UnixMs,
}

/// Which rooms a list shows. A field that is none does not restrict it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomFilter {
    /// A part of the room's id or title, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A tag that the room has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The room's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The room's project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The account that made the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Only rooms in which the caller was given a role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
}

/// What can be told of a room without reading its history.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomInfo {
    /// The room's name.
    pub room: RoomId,
    /// When it was made.
    pub created_ms: UnixMs,
    /// The account that made it, if an account did.
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
    /// Its settings.
    pub settings: RoomSettings,
    /// The caller's role in it.
    pub role: Role,
    /// Chat messages that the caller's account has not read.
    pub unread: u64,
    /// The beginning of the newest chat message, if there is one.
    pub last_message: Option<String>,
}

/// What was decided on one member of a room or a project.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleOf {
    /// The member.
    pub member: Member,
    /// What was decided.
    pub standing: Standing,
}
