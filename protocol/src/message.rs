//! What clients and servers say to each other. One set of types; [`codec`](crate::codec) and [`json`](crate::json) are
//! its two encodings. Variants are only ever appended: their order is the wire format.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    error::ErrorMessage,
    ids::{Channel, ParticipantId, RequestId, Revision, RoomId, Seq, SessionId, UnixMs},
    limits::Limits,
    ot::Operation,
};

/// What a client says.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message of a connection. Answered by [`ServerMessage::Welcome`] or an error and the end.
    Hello(Hello),
    /// Asks for a [`ServerMessage::Pong`] with the same nonce.
    Ping {
        /// Any number.
        nonce: u64,
    },
    /// Answers a [`ServerMessage::Ping`].
    Pong {
        /// The number of the ping.
        nonce: u64,
    },
    /// Opens a room on a channel. Answered by [`ServerMessage::Joined`], then everything from there on.
    Join {
        /// A number of the client's choice that is not in use.
        channel: Channel,
        /// The room.
        room: RoomId,
        /// The last revision that the client holds; without one it gets the text first.
        #[serde(default)]
        after: Option<Revision>,
        /// A client that holds unacknowledged edits, or wants all of the history, must have every entry after `after`.
        /// Without this the server may send the text instead where that is shorter.
        #[serde(default)]
        entries_only: bool,
    },
    /// Closes a channel. Answered by [`ServerMessage::Left`].
    Leave {
        /// The channel.
        channel: Channel,
    },
    /// Asks for an entry to be appended. Answered by [`ServerMessage::Ack`] at the entry's place among the others, or
    /// by an error, and then nothing was appended and the seq is free.
    Submit {
        /// The room's channel.
        channel: Channel,
        /// One more than the session's last one in this room, from 1.
        seq: Seq,
        /// The revision that the command counts on.
        base: Revision,
        /// What to append.
        command: Command,
    },
    /// Makes a room. Answered by [`ServerMessage::Created`].
    CreateRoom {
        /// The question's number.
        request: RequestId,
        /// Its name, or none for a new UUID.
        #[serde(default)]
        room: Option<RoomId>,
    },
    /// Deletes a room with its history. Answered by [`ServerMessage::Deleted`].
    DeleteRoom {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Lists rooms by name. Answered by [`ServerMessage::Rooms`].
    ListRooms {
        /// The question's number.
        request: RequestId,
        /// Rooms after this one.
        #[serde(default)]
        after: Option<RoomId>,
        /// At most this many, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX).
        limit: u32,
    },
    /// Asks about one room. Answered by [`ServerMessage::Room`].
    ShowRoom {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Asks for the text. Answered by one or more [`ServerMessage::Text`].
    ReadText {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// When.
        at: At,
    },
    /// Asks for a page of the log. Answered by one [`ServerMessage::Log`].
    ReadLog {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// The first revision wanted, from 1.
        from: Revision,
        /// At most this many entries, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX); fewer come where they are large.
        limit: u32,
    },
    /// Asks for the hash of the text, to check one's own. Answered by [`ServerMessage::Hash`].
    HashText {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// When.
        at: At,
    },
}

/// The first message of a connection.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`](crate::limits::PROTOCOL_VERSION) of the client.
    pub protocol: u16,
    /// Proof of who it is, where the server wants one.
    #[serde(default)]
    pub token: Option<String>,
    /// The client's session, the same after a reconnect.
    pub session: SessionId,
    /// A name for people, at most [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX) bytes; may be empty.
    #[serde(default)]
    pub name: String,
}

/// A place in a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The newest committed revision.
    Head,
    /// This revision.
    Revision(Revision),
    /// The last revision at or before this time.
    Time(UnixMs),
}

/// What a submit asks for, and what an entry says happened.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A change of the text.
    Edit(Operation),
}

/// One durable thing that happened in a room. Its bincode form is also what stores keep.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Entry {
    /// Its position in the log.
    pub revision: Revision,
    /// Whose it is.
    pub participant: ParticipantId,
    /// The seq of its submit.
    pub seq: Seq,
    /// When the server ordered it; never before the entry in front of it.
    pub time_ms: UnixMs,
    /// What happened, transformed to count on the revision before.
    pub command: Command,
}

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
        /// The text that follows in pieces, if one does.
        snapshot: Option<SnapshotInfo>,
    },
    /// A piece of the snapshot's text; the last one may be empty.
    Snapshot {
        /// The channel.
        channel: Channel,
        /// The next piece.
        text: String,
        /// Whether it was the last one.
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
        room: RoomInfo,
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
        room: RoomInfo,
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
}

/// The answer to `Hello`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of the protocol that is spoken from here on.
    pub protocol: u16,
    /// The server's name and version.
    pub server: String,
    /// What others see of this session.
    pub participant: ParticipantId,
    /// What an acknowledgement promises on this server.
    pub durability: Durability,
    /// What the server allows.
    pub limits: Limits,
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
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

/// What is known of a room without reading its text.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomId,
    /// When it was made.
    pub created_ms: UnixMs,
    /// Its newest committed revision.
    pub head: Revision,
    /// Connections that have it open.
    pub present: u32,
    /// The length of its text in UTF-8 bytes; told by `ShowRoom` and `CreateRoom`, not in lists.
    pub text_bytes: Option<u64>,
}
