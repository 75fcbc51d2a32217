//! What clients and servers say to each other. One set of types; [`codec`](crate::codec) and [`json`](crate::json) are
//! its two encodings. Variants are only ever appended: their order is the wire format.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    access::{AccountId, Role},
    chat::{ChatCommand, ChatMessage},
    comment::{Comment, CommentCommand},
    error::ErrorMessage,
    ids::{Channel, ParticipantId, RequestId, Revision, RoomId, Seq, ServerId, SessionId, UnixMs},
    limits::Limits,
    ot::{Mismatch, Operation, Scalar},
    presence::{Person, Presence, PresenceOf, SignalKind},
    room::{Author, RoleOf, RoomFilter, RoomInfo, RoomSettings, SettingsPatch, Version},
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

/// A place in a room's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The newest committed revision.
    #[default]
    Head,
    /// This revision.
    Revision(Revision),
    /// The last revision at or before this time.
    Time(UnixMs),
}

/// What a submit asks for, and what an entry says happened.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A change of the text.
    Edit(Operation),
    /// Who a participant is. Put in by the server before a participant's first entry, and when it has changed; its seq is 0.
    Introduce(Author),
    /// A change of the settings.
    Settings(Box<SettingsPatch>),
    /// A decision on what somebody may do. Only a host takes it.
    SetRole(RoleOf),
    /// Gives a revision a name, or a name another revision.
    NameVersion {
        /// The name, 1 to [`VERSION_NAME_BYTES_MAX`](crate::limits::VERSION_NAME_BYTES_MAX) bytes.
        name: String,
        /// The revision; 0 for that of this entry, less one.
        #[serde(default)]
        revision: Revision,
        /// Words; may be empty.
        #[serde(default)]
        description: String,
    },
    /// Takes a name of a revision away.
    RemoveVersion {
        /// The name.
        name: String,
    },
    /// Something in the chat.
    Chat(Box<ChatCommand>),
    /// Something with comments.
    Comment(Box<CommentCommand>),
}

impl Command {
    /// What it does to the text, if it is an edit.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Edit(operation) => Some(operation),
            _ => None,
        }
    }

    /// Moves it over an edit that was ordered before it and that it did not know: from here on its positions count on the
    /// text with that edit in it. Clients and servers both call this, so that a submit sent again has become exactly
    /// what is in the log.
    ///
    /// Returns that edit as it stands after this one, where this is an edit too; others leave it as it is.
    pub fn move_over(&mut self, other: &Operation) -> Result<Option<Operation>, Mismatch> {
        match self {
            Self::Edit(operation) => {
                let (moved, other) = operation.transform(other)?;
                *operation = moved;
                Ok(Some(other))
            }
            Self::Comment(command) => {
                command.move_over(other);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Whether this, as it was submitted, is what has become of `logged`: what the server puts in or makes neat is passed
    /// over.
    pub fn asks_the_same_as(&self, logged: &Self) -> bool {
        match (self, logged) {
            (Self::Chat(asked), Self::Chat(logged)) => asked.asks_the_same_as(logged),
            (Self::Comment(asked), Self::Comment(logged)) => asked.asks_the_same_as(logged),
            // Settings are trimmed before they are logged.
            (Self::Settings(_), Self::Settings(_)) => true,
            _ => self == logged,
        }
    }
}

/// One durable thing that happened in a room. Its bincode form is also what stores keep.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// One way for a text to go on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Completion {
    /// What it is called in a list.
    pub label: String,
    /// What sort it is.
    pub kind: CompletionKind,
    /// Where what it replaces begins; it ends at the place that was asked for.
    pub from: Scalar,
    /// What comes in its place.
    pub insert: String,
    /// Words; may be empty.
    pub detail: String,
}

/// Where a completion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A word of the text.
    Word,
    /// A word of the language.
    Keyword,
    /// A pattern of the language.
    Snippet,
    /// A provider's proposal.
    Proposal,
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
