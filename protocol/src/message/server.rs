//! What a server says.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Completion, Entry};
use crate::{
    access::{AccountId, Role},
    chat::ChatMessage,
    comment::Comment,
    error::ErrorMessage,
    ids::{Channel, ParticipantId, RequestId, Revision, RoomId, Seq, ServerId, UnixMs},
    limits::Limits,
    presence::{Person, PresenceOf, SignalKind},
    room::{RoleOf, RoomInfo, RoomSettings, Version},
};

/// What a server says.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `Hello`.
    Welcome(Welcome),
    /// Something was refused or failed.
    Error(ErrorMessage),
    /// Asks for a `Pong`, to see whether the client is there.
    Ping {
        /// Any number.
        nonce: u64,
    },
    /// Answers a client's `Ping`.
    Pong {
        /// The number of the ping.
        nonce: u64,
    },
    /// A channel is open. With a snapshot, its pieces follow, then the entries after it; without one, the entries after
    /// the revision that the client named.
    Joined {
        /// The channel.
        channel: Channel,
        /// The newest committed revision at this moment: who has it has caught up.
        head: Revision,
        /// What one may do here.
        role: Role,
        /// The text that follows in pieces, if one does.
        #[serde(skip_serializing_if = "Option::is_none")]
        snapshot: Option<SnapshotInfo>,
    },
    /// A piece of the snapshot's text; the last one may be empty.
    Snapshot {
        /// The channel.
        channel: Channel,
        /// The next piece.
        text: String,
        /// Whether it was the last one.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// What somebody else appended.
    Entry {
        /// The channel.
        channel: Channel,
        /// The entry; its revision is one more than that of the entry or acknowledgement before it.
        entry: Entry,
    },
    /// The session's own entry, at its place among the others: what it submitted is durable.
    Ack {
        /// The channel.
        channel: Channel,
        /// The seq of the submit.
        seq: Seq,
        /// The revision it became.
        revision: Revision,
    },
    /// A channel was closed, as the client asked.
    Left {
        /// The channel.
        channel: Channel,
    },
    /// A room was made.
    Created {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: Box<RoomInfo>,
    },
    /// A room was deleted.
    Deleted {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// A page of rooms.
    Rooms {
        /// The question's number.
        request: RequestId,
        /// The rooms, by name.
        rooms: Vec<RoomInfo>,
        /// Where to go on (as `after`), if there are more.
        next: Option<RoomId>,
    },
    /// One room.
    Room {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: Box<RoomInfo>,
    },
    /// A piece of a text; the last one may be empty.
    Text {
        /// The question's number.
        request: RequestId,
        /// The revision that the text is of.
        revision: Revision,
        /// The next piece.
        text: String,
        /// Whether it was the last one.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// A page of the log.
    Log {
        /// The question's number.
        request: RequestId,
        /// The entries, without gaps.
        entries: Vec<Entry>,
        /// The newest committed revision: there is more where the last entry is below it.
        head: Revision,
    },
    /// The hash of a text.
    Hash {
        /// The question's number.
        request: RequestId,
        /// The revision that the text is of.
        revision: Revision,
        /// CRC-32 (IEEE 802.3, as zlib's) of its UTF-8 bytes.
        crc32: u32,
        /// Its length in UTF-8 bytes.
        bytes: u64,
    },
    /// The server ends this connection on purpose; why, in words, and whether to come back.
    Bye {
        /// The reason.
        error: ErrorMessage,
    },
    /// Another token holds for this connection now.
    Authenticated {
        /// The question's number.
        request: RequestId,
        /// When it expires, if it does.
        expires_ms: Option<UnixMs>,
    },
    /// One's own role in a room is another from here on.
    Role {
        /// The channel.
        channel: Channel,
        /// What one may do now.
        role: Role,
        /// Why, for people.
        reason: String,
    },
    /// What people set in a room, and who may do what.
    Settings {
        /// The question's number.
        request: RequestId,
        /// The revision that it is of.
        revision: Revision,
        /// The settings.
        settings: Box<RoomSettings>,
        /// Who made the room, where that was an account.
        owner: Option<AccountId>,
        /// Every decision on a member.
        roles: Vec<RoleOf>,
    },
    /// The named versions of a room, by revision.
    Versions {
        /// The question's number.
        request: RequestId,
        /// The versions.
        versions: Vec<Version>,
    },
    /// A page of the chat, the newest first.
    Chat {
        /// The question's number.
        request: RequestId,
        /// The messages as they stand.
        messages: Vec<ChatMessage>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Comments by their place; all of them, in one or more of these.
    Comments {
        /// The question's number.
        request: RequestId,
        /// The revision that they are of.
        revision: Revision,
        /// The next of them.
        comments: Vec<Comment>,
        /// Whether these were the last.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// The chat is marked as read.
    Marked {
        /// The question's number.
        request: RequestId,
        /// Messages that are still unread.
        unread: u64,
    },
    /// A room in a list that is followed came or changed.
    RoomChanged {
        /// The number of the `WatchRooms`.
        request: RequestId,
        /// The room as it is now.
        room: Box<RoomInfo>,
    },
    /// A room went out of a list that is followed.
    RoomGone {
        /// The number of the `WatchRooms`.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Who is in a room and where: what changed since the last of these.
    Presence {
        /// The channel.
        channel: Channel,
        /// The revision that all positions count on, which the reader has seen by now.
        revision: Revision,
        /// Whether everything that was told before no longer counts: so begins the first of these after a
        /// `WatchPresence`, and each one where the server can no longer tell what changed.
        whole: bool,
        /// Connections that have the room open. Where it is more than the people that were told of, the room is large
        /// and only those are told of who may edit.
        present: u32,
        /// Who came, or is somebody else now.
        people: Vec<Person>,
        /// What they tell now.
        presence: Vec<PresenceOf>,
        /// Who left.
        left: Vec<ParticipantId>,
    },
    /// What another participant passed on.
    Signal {
        /// The channel.
        channel: Channel,
        /// Whose it is.
        from: ParticipantId,
        /// What it is.
        kind: SignalKind,
        /// As it was given.
        payload: String,
    },
    /// Credentials of the relay for calls.
    Turn {
        /// The question's number.
        request: RequestId,
        /// The relay's addresses (`turn:…`).
        urls: Vec<String>,
        /// The user's name.
        username: String,
        /// The password.
        credential: String,
        /// When they expire.
        expires_ms: UnixMs,
    },
    /// How what is before a place might go on, the best first.
    Completions {
        /// The question's number.
        request: RequestId,
        /// The revision that the places count on.
        revision: Revision,
        /// The completions.
        completions: Vec<Completion>,
    },
    /// What happened in a span of the log.
    Summary {
        /// The question's number.
        request: RequestId,
        /// For people.
        text: String,
        /// For programs: a JSON object, described in docs/assist.md.
        facts: String,
    },
    /// The room is deleted soon unless something happens in it: an edit, somebody who joins, a word of presence.
    Expiring {
        /// The channel.
        channel: Channel,
        /// When.
        expires_ms: UnixMs,
    },
}

/// Most pieces are not the last: JSON says only which one is.
fn is_false(word: &bool) -> bool {
    !word
}

/// The answer to `Hello`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of the protocol that is spoken from here on.
    pub protocol: u16,
    /// The server's name and version.
    pub server: String,
    /// Which server this is. `/api/server` tells the same over HTTP.
    pub server_id: ServerId,
    /// Where its HTTP API is; none where it serves none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpAddress>,
    /// What others see of this session.
    pub participant: ParticipantId,
    /// The account that the token is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The name that others see.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When the token expires, if it does: the connection ends then, unless another is given before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<UnixMs>,
    /// What an acknowledgement promises on this server.
    pub durability: Durability,
    /// What the server allows. JSON leaves them out where they are those that docs/protocol.md names.
    #[serde(default, skip_serializing_if = "Limits::are_default")]
    pub limits: Limits,
}

/// Where a server's HTTP API is, for a client that knows only the address of its TCP connection.
///
/// A server behind a proxy or an address translation does not know how it is reached; so what this leads to may be another
/// server, or none. A client compares [`Welcome::server_id`] with what `/api/server` tells there before it does anything.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpAddress {
    /// On the host that the client is connected to, at this port, without TLS.
    Port(u16),
    /// The base URL, `http://…` or `https://…`, as the operator configured it.
    Url(String),
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The entry survives a crash of the process and a power cut.
    Sync,
    /// The entry survives a crash of the process, not a power cut.
    Os,
    /// The entry is in memory.
    None,
}

impl Durability {
    /// The word for it in flags, JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Os => "os",
            Self::None => "none",
        }
    }
}

/// The text that follows a `Joined`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// The revision that the text is of.
    pub revision: Revision,
    /// Its length in UTF-8 bytes.
    pub bytes: u64,
}
