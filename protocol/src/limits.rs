//! Every limit of the protocol, each with its reason. Those that a server may set differently stand in
//! [`Welcome`](crate::message::Welcome) as [`Limits`].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u16 = 1;

/// A room's name fits a file name, a URL segment and a storage key.
pub const ROOM_ID_BYTES_MAX: usize = 64;

/// An account's name, or the subject of a token that another service issued.
pub const ACCOUNT_ID_BYTES_MAX: usize = 128;

/// A project's name, for the same reasons as a room's.
pub const PROJECT_ID_BYTES_MAX: usize = 64;

/// The largest frame, after its length prefix, in either direction. Longer texts travel in pieces; one frame never
/// delays the others on its connection for long.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;

/// The largest JSON message that a client may send, in bytes: an edit of [`EDIT_BYTES_MAX`], each byte of which may take
/// six in JSON (`\u0001`), and the rest of its message.
pub const JSON_BYTES_MAX: usize = 6 * EDIT_BYTES_MAX + 64 * 1024;

/// A frame that is too large is skipped and answered with an error, so that a paste does not cost the connection.
/// A length above this means that the stream is not one of frames (the peer speaks another protocol); the connection
/// closes.
pub const FRAME_SKIP_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Memory that decoding one frame may claim: bincode counts what it is asked to allocate, not bytes on the wire.
pub const DECODE_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

/// The most text that one edit inserts. It leaves an entry below 256 KiB, what a replicated log takes as one record.
pub const EDIT_BYTES_MAX: usize = 192 * 1024;

/// The most components of one operation: bounds what one transform costs.
pub const OPERATION_COMPONENTS_MAX: usize = 10_000;

/// The most components that a client puts in one edit: half of what a server takes, since entries that were ordered
/// first may cut
/// its components into more of them.
pub const EDIT_COMPONENTS_MAX: usize = OPERATION_COMPONENTS_MAX / 2;

/// The longest text, in UTF-8 bytes, that a server accepts unless it is configured otherwise; and, in Unicode scalar
/// values, the
/// largest length in an operation, so that no sum of lengths can overflow.
pub const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Lengths in operations from outside stay below this whatever the server's limit is (4 GiB of scalars).
pub const LENGTH_MAX: u64 = u32::MAX as u64;

/// Pieces of a text on its way to a client, in UTF-8 bytes (at most; a piece ends at a character).
pub const TEXT_CHUNK_BYTES: usize = 64 * 1024;

/// A participant's name, in UTF-8 bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// A token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Rooms joined on one connection.
pub const CHANNELS_MAX: u32 = 1_024;

/// Entries in one answer to `ReadLog`, and rooms in one answer to `ListRooms`.
pub const PAGE_MAX: u32 = 1_000;

/// Commands other than edits that a client holds until they are acknowledged: what a person does while a connection is
/// lost, and not what a program may flood it with.
pub const COMMANDS_WAITING_MAX: usize = 256;

/// How far behind the head the base of an edit may be: older than this, the client joins at its revision and
/// transforms, instead of the server.
pub const BASE_AGE_REVISIONS_MAX: u64 = 10_000;

/// Time for a `Hello` after connecting, in milliseconds.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;

/// A peer from which nothing came for this long is sent a `Ping`, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;

/// A peer from which nothing came for this long is disconnected, in milliseconds.
pub const IDLE_TIMEOUT_MS: u64 = 45_000;

/// Messages a second that one connection may send. Above it the server reads slower and refuses nothing.
pub const MESSAGES_PER_SECOND_MAX: u32 = 50_000;

/// Questions of one connection (`ReadText`, `ReadLog`, …) under way at once; further ones wait.
pub const REQUESTS_MAX: usize = 16;

/// A room's title, in UTF-8 bytes.
pub const TITLE_BYTES_MAX: usize = 128;

/// A room's description, in UTF-8 bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 1_024;

/// Tags of one room.
pub const TAGS_MAX: usize = 16;

/// One tag, in UTF-8 bytes.
pub const TAG_BYTES_MAX: usize = 32;

/// A room's path in its project, in UTF-8 bytes.
pub const PATH_BYTES_MAX: usize = 256;

/// The longest time after which a room may be set to expire, in seconds: ten years.
pub const TTL_S_MAX: u64 = 10 * 366 * 86_400;

/// Members of one room with a decision on their role: all of them fit one value of a store.
pub const ROLES_MAX: usize = 256;

/// Named versions of one room: all of them fit one frame.
pub const VERSIONS_MAX: usize = 256;

/// A version's name, in UTF-8 bytes.
pub const VERSION_NAME_BYTES_MAX: usize = 64;

/// A version's description, in UTF-8 bytes.
pub const VERSION_DESCRIPTION_BYTES_MAX: usize = 512;

/// A chat message, a comment or a reply, in UTF-8 bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// People that one message mentions; further ones are not looked up.
pub const MENTIONS_MAX: usize = 32;

/// One emoji, in UTF-8 bytes: the longest sequences of Unicode's have 35.
pub const EMOJI_BYTES_MAX: usize = 48;

/// Different emoji on one message.
pub const REACTIONS_MAX: usize = 32;

/// People that reacted to one message with one emoji.
pub const REACTION_PARTICIPANTS_MAX: usize = 256;

/// Reactions to one message, over all emoji: they are kept with the message, in one value of a store.
pub const REACTIONS_GIVEN_MAX: usize = 512;

/// Comments of one room, resolved ones included: each is moved with every edit.
pub const COMMENTS_MAX: usize = 1_024;

/// Replies to one comment.
pub const REPLIES_MAX: usize = 128;

/// All comments of a room together, in UTF-8 bytes: they are part of each snapshot.
pub const COMMENTS_BYTES_MAX: usize = 1024 * 1024;

/// One comment with its replies, in UTF-8 bytes: it fits one frame.
pub const COMMENT_BYTES_MAX: usize = 128 * 1024;

/// What a comment keeps of the text that it was made on, in UTF-8 bytes.
pub const COMMENT_ON_BYTES_MAX: usize = 256;

/// Carets and selections of one participant.
pub const SELECTIONS_MAX: usize = 64;

/// A participant without a message about presence for this long is shown as idle, in milliseconds.
pub const PRESENCE_IDLE_MS: u64 = 120_000;

/// A reader is sent presence at most once in this time, in milliseconds.
pub const PRESENCE_PAUSE_MS: u64 = 40;

/// Up to this many people in a room, all are listed; above it, only those who may edit, and how many there are.
pub const ROSTER_MAX: usize = 500;

/// The payload of one signal to another participant, in UTF-8 bytes: a session description has a few KiB.
pub const SIGNAL_BYTES_MAX: usize = 64 * 1024;

/// Signals a second that one connection may send.
pub const SIGNALS_PER_SECOND_MAX: u32 = 100;

/// Completions in one answer.
pub const COMPLETIONS_MAX: u32 = 100;

/// Lists of rooms that one connection follows.
pub const ROOM_WATCHES_MAX: usize = 16;

/// The part of a room's text that lists show, in UTF-8 bytes at most.
pub const PREVIEW_BYTES_MAX: usize = 160;

/// The limits that hold on a server, sent to every client in `Welcome`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Largest frame or WebSocket message, in bytes.
    pub frame_bytes_max: u64,
    /// Most UTF-8 bytes that one edit inserts.
    pub edit_bytes_max: u64,
    /// Most components of one operation.
    pub operation_components_max: u32,
    /// Longest text of a room, in UTF-8 bytes.
    pub text_bytes_max: u64,
    /// Most rooms joined on one connection.
    pub channels_max: u32,
    /// How many revisions an edit's base may be behind the head.
    pub base_age_revisions_max: u64,
    /// Most messages a second read from one connection.
    pub messages_per_second_max: u32,
    /// Milliseconds of silence after which the server sends a client a `Ping`.
    pub heartbeat_ms: u64,
    /// Milliseconds of silence after which the server closes a connection.
    pub idle_timeout_ms: u64,
}

/// The values in docs/protocol.md. They are a part of the protocol's version, since JSON leaves them out: a change of
/// one would be
/// misread by clients of before.
impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: FRAME_BYTES_MAX as u64,
            edit_bytes_max: EDIT_BYTES_MAX as u64,
            operation_components_max: OPERATION_COMPONENTS_MAX as u32,
            text_bytes_max: TEXT_BYTES_MAX as u64,
            channels_max: CHANNELS_MAX,
            base_age_revisions_max: BASE_AGE_REVISIONS_MAX,
            messages_per_second_max: MESSAGES_PER_SECOND_MAX,
            heartbeat_ms: HEARTBEAT_MS,
            idle_timeout_ms: IDLE_TIMEOUT_MS,
        }
    }
}

impl Limits {
    /// Whether they are the values in docs/protocol.md, which a client knows without reading them in `Welcome`.
    pub fn are_default(&self) -> bool {
        *self == Self::default()
    }
}
