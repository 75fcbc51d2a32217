//! Errors on the wire: a stable code, what the error is about, and a message for people.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{Channel, RequestId, Seq};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Stable codes of errors. New ones are only ever appended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, in the order of the wire.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)*];

            /// The code as JSON, HTTP and people see it.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    /// The message cannot be decoded. The connection goes on.
    BadMessage = "bad_message",
    /// The frame is larger than `frame_bytes_max`; it was skipped.
    FrameTooLarge = "frame_too_large",
    /// The bytes are not frames of this protocol; the connection closes.
    FramingLost = "framing_lost",
    /// The server does not speak this version of the protocol.
    UnsupportedProtocol = "unsupported_protocol",
    /// A message came before `Hello`.
    HelloRequired = "hello_required",
    /// `Hello` came a second time.
    HelloRepeated = "hello_repeated",
    /// No `Hello` came in time.
    HandshakeTimeout = "handshake_timeout",
    /// The token is missing, wrong, expired or revoked.
    Unauthorized = "unauthorized",
    /// The role does not allow this.
    Forbidden = "forbidden",
    /// There is no such room.
    RoomNotFound = "room_not_found",
    /// There is such a room already.
    RoomExists = "room_exists",
    /// The room was deleted.
    RoomDeleted = "room_deleted",
    /// The room's log on the server's disk is damaged; the room is refused, the others serve.
    RoomDamaged = "room_damaged",
    /// The channel is not joined.
    ChannelUnknown = "channel_unknown",
    /// The channel is joined already.
    ChannelInUse = "channel_in_use",
    /// More rooms on one connection than `channels_max`.
    TooManyChannels = "too_many_channels",
    /// The operation is malformed.
    BadOperation = "bad_operation",
    /// The operation does not fit the text at its base revision.
    OperationMismatch = "operation_mismatch",
    /// The edit inserts more than `edit_bytes_max`.
    EditTooLarge = "edit_too_large",
    /// The text would become longer than `text_bytes_max`.
    TextTooLarge = "text_too_large",
    /// The seq is not the next one of the session.
    SeqGap = "seq_gap",
    /// The seq was used for another edit.
    SeqConflict = "seq_conflict",
    /// The revision does not exist yet.
    RevisionUnknown = "revision_unknown",
    /// The base is more than `base_age_revisions_max` behind the head.
    BaseTooOld = "base_too_old",
    /// The server's disk is full: rooms can be read, edits are not taken for now.
    StorageFull = "storage_full",
    /// The server's storage does not work for now.
    StorageUnavailable = "storage_unavailable",
    /// Too much is waiting to be made durable; send again after `retry_after_ms`.
    Overloaded = "overloaded",
    /// Nothing came from the client for `idle_timeout_ms`.
    IdleTimeout = "idle_timeout",
    /// The same session joined the room elsewhere, and this channel is closed.
    SessionReplaced = "session_replaced",
    /// The server takes no more connections.
    TooManyConnections = "too_many_connections",
    /// The server ends; connect again.
    ShuttingDown = "shutting_down",
    /// An argument is out of its range.
    BadArgument = "bad_argument",
    /// The server has made a mistake.
    Internal = "internal",
    /// There is no such thing (a message, a comment, a version, a link, a participant).
    NotFound = "not_found",
    /// There is such an account already.
    AccountExists = "account_exists",
    /// Too many attempts to sign in.
    TooManyAttempts = "too_many_attempts",
    /// A room or a message has as many of these as it may.
    LimitReached = "limit_reached",
    /// Sent faster than allowed.
    RateLimited = "rate_limited",
    /// The server is not configured for this.
    NotConfigured = "not_configured",
    /// The room expired: nothing happened in it for as long as it is set to.
    RoomExpired = "room_expired",
    /// A condition of the HTTP request does not hold (`If-Match`, or an idempotency key used for something else).
    PreconditionFailed = "precondition_failed",
    /// The room was deleted and made anew: the log that the client resumes is gone.
    RoomReplaced = "room_replaced",
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The connection as a whole.
    Connection,
    /// The question with this number.
    Request(RequestId),
    /// The room on this channel: a `Join` that failed, or a room that is closed; or a message about presence or a call
    /// was refused,
    /// and then the channel stays.
    Channel(Channel),
    /// One submit. Its seq is free again: nothing was appended.
    Submit {
        /// The channel that it was sent on.
        channel: Channel,
        /// The seq of the submit.
        seq: Seq,
    },
}

/// An error as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// What it is about.
    pub about: About,
    /// The kind of error; programs decide by this.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// After how many milliseconds the same may succeed; none if it will fail again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}
