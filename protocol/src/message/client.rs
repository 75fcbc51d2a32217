//! What a client says.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{At, Command};
use crate::{
    ids::{Channel, ParticipantId, RequestId, Revision, RoomId, Seq, SessionId},
    ot::Scalar,
    presence::{Presence, SignalKind},
    room::{RoomFilter, SettingsPatch},
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
        /// What is set in it from the start: its first entry, if anything is.
        #[serde(default)]
        settings: Box<SettingsPatch>,
    },
    /// Deletes a room with its history. Answered by [`ServerMessage::Deleted`].
    DeleteRoom {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Lists the rooms that the asker may see, by name. Answered by [`ServerMessage::Rooms`].
    ListRooms {
        /// The question's number.
        request: RequestId,
        /// Which ones.
        #[serde(default)]
        filter: Box<RoomFilter>,
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
    /// Gives another token for this connection, before the one it has expires. Answered by
    /// [`ServerMessage::Authenticated`]. It must be of the same account.
    Authenticate {
        /// The question's number.
        request: RequestId,
        /// The token.
        token: String,
    },
    /// Reads what people set in a room, and who may do what. Answered by [`ServerMessage::Settings`].
    ReadSettings {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// When.
        at: At,
    },
    /// Reads the named versions of a room. Answered by [`ServerMessage::Versions`].
    ReadVersions {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Reads a page of the chat, the newest first. Answered by [`ServerMessage::Chat`].
    ReadChat {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// Messages said before this revision.
        #[serde(default)]
        before: Option<Revision>,
        /// Only the thread of this message, which itself is not in it; otherwise, only what is in no thread.
        #[serde(default)]
        thread: Option<Revision>,
        /// When: the messages as they stood then.
        #[serde(default)]
        at: At,
        /// At most this many, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX); fewer come where they are large.
        limit: u32,
    },
    /// Reads the comments by their place. Answered by one or more [`ServerMessage::Comments`].
    ReadComments {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// When.
        at: At,
    },
    /// Says that the asker's account has read the chat up to a message. Answered by [`ServerMessage::Marked`].
    MarkRead {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// The newest message that was read.
        message: Revision,
    },
    /// Follows the list of rooms. Answered by [`ServerMessage::Rooms`] with the first page, then
    /// [`ServerMessage::RoomChanged`] and [`ServerMessage::RoomGone`] under the same number, until `UnwatchRooms`.
    WatchRooms {
        /// The question's number.
        request: RequestId,
        /// Which ones.
        #[serde(default)]
        filter: Box<RoomFilter>,
    },
    /// Ends a `WatchRooms`.
    UnwatchRooms {
        /// Its number.
        request: RequestId,
    },
    /// Follows who is in the room and where: [`ServerMessage::Presence`] from here on, everybody first.
    WatchPresence {
        /// The room's channel.
        channel: Channel,
        /// Whether to go on or to stop.
        on: bool,
    },
    /// Tells the others in the room where one is. Only the newest counts; it is answered only if refused.
    SetPresence {
        /// The room's channel.
        channel: Channel,
        /// The revision that its positions count on.
        base: Revision,
        /// All of it.
        presence: Box<Presence>,
    },
    /// Passes something on to one participant, to set up a call. Answered only if refused.
    Signal {
        /// The room's channel.
        channel: Channel,
        /// Who is to have it.
        to: ParticipantId,
        /// What it is.
        kind: SignalKind,
        /// At most [`SIGNAL_BYTES_MAX`](crate::limits::SIGNAL_BYTES_MAX) bytes.
        payload: String,
    },
    /// Asks for credentials of the relay for calls. Answered by [`ServerMessage::Turn`].
    TurnCredentials {
        /// The question's number.
        request: RequestId,
    },
    /// Asks how what is before a place might go on. Answered by [`ServerMessage::Completions`].
    Complete {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// The revision that the place counts on.
        base: Revision,
        /// The place.
        position: Scalar,
        /// At most this many, 1 to [`COMPLETIONS_MAX`](crate::limits::COMPLETIONS_MAX).
        limit: u32,
    },
    /// Asks what happened in a room after one revision and up to another. Answered by [`ServerMessage::Summary`].
    Summarize {
        /// The question's number.
        request: RequestId,
        /// The room.
        room: RoomId,
        /// After this revision.
        from: At,
        /// Up to this one.
        to: At,
    },
}

impl ClientMessage {
    /// The number of the question that it is, if it is one.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::CreateRoom { request, .. }
            | Self::DeleteRoom { request, .. }
            | Self::ListRooms { request, .. }
            | Self::ShowRoom { request, .. }
            | Self::ReadText { request, .. }
            | Self::ReadLog { request, .. }
            | Self::HashText { request, .. }
            | Self::Authenticate { request, .. }
            | Self::ReadSettings { request, .. }
            | Self::ReadVersions { request, .. }
            | Self::ReadChat { request, .. }
            | Self::ReadComments { request, .. }
            | Self::MarkRead { request, .. }
            | Self::WatchRooms { request, .. }
            | Self::UnwatchRooms { request }
            | Self::TurnCredentials { request }
            | Self::Complete { request, .. }
            | Self::Summarize { request, .. } => Some(*request),
            Self::Hello(_)
            | Self::Ping { .. }
            | Self::Pong { .. }
            | Self::Join { .. }
            | Self::Leave { .. }
            | Self::Submit { .. }
            | Self::WatchPresence { .. }
            | Self::SetPresence { .. }
            | Self::Signal { .. } => None,
        }
    }
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
