//! The messages of a client.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Command, Question};
use crate::{
    ids::{Channel, LogIdentity, ParticipantId, RequestId, Revision, RoomId, Seq, SessionId},
    presence::{Presence, SignalKind},
};

/// A message of a client.
///
/// In JSON, [`Ask`](Self::Ask) is as flat as all others: `{"type": "read_text", "request": 5, …}`. Use [`json`](crate::json) or
/// serde's traits: the functions of the type itself named `serialize` and `deserialize`, which serde derives, leave `Ask` out.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message of a connection. Answered by [`Welcome`](super::ServerMessage::Welcome), or by
    /// [`Bye`](super::ServerMessage::Bye).
    Hello(Hello),
    /// Asks for a [`Pong`](super::ServerMessage::Pong) with the same nonce.
    Ping {
        /// Any number.
        nonce: u64,
    },
    /// Answers a [`Ping`](super::ServerMessage::Ping).
    Pong {
        /// The nonce of the ping.
        nonce: u64,
    },
    /// Opens a room on a channel. Answered by [`Joined`](super::ServerMessage::Joined), which the room's entries follow.
    Join {
        /// A number of the client's choice that no open channel of the connection has.
        channel: Channel,
        /// The room to open.
        room: RoomId,
        /// The last revision that the client holds; without it the server sends the text first.
        #[serde(default)]
        after: Option<Revision>,
        /// The log that `after` counts in, as the earlier `Joined` told it. If the room of that name has another log by now (it
        /// was deleted and made anew), the join is refused with `room_replaced`.
        #[serde(default)]
        log: Option<LogIdentity>,
        /// Whether the client needs every entry after `after`: because it holds unacknowledged edits, or wants the whole
        /// history. Without this the server may send the text instead where that is shorter.
        #[serde(default)]
        entries_only: bool,
    },
    /// Closes a channel. Answered by [`Left`](super::ServerMessage::Left).
    Leave {
        /// The channel to close.
        channel: Channel,
    },
    /// Asks for an entry to be appended. Answered by [`Ack`](super::ServerMessage::Ack) at the entry's place among the
    /// others, or by an error; then nothing was appended and the seq is free.
    Submit {
        /// The room's channel.
        channel: Channel,
        /// One more than the session's last seq in this room, from 1.
        seq: Seq,
        /// The revision that the command is based on.
        base: Revision,
        /// What to append.
        command: Command,
    },
    /// Asks a question. Answered by one or more [`Answer`](super::ServerMessage::Answer) with the same number, in any order
    /// with the answers to other questions, or by an error about that number.
    #[serde(skip)]
    Ask {
        /// A number of the client's choice, by which it knows the answer.
        request: RequestId,
        /// What is asked.
        question: Question,
    },
    /// Replaces the connection's token by a newer one of the same account, before it expires. Answered by
    /// [`Authenticated`](super::ServerMessage::Authenticated), or by an error about the number.
    Authenticate {
        /// A number of the client's choice, by which it knows the answer.
        request: RequestId,
        /// The newer token.
        token: String,
    },
    /// Starts or stops [`Presence`](super::ServerMessage::Presence) messages about a room. The first one tells everybody.
    WatchPresence {
        /// The room's channel.
        channel: Channel,
        /// Whether to start or to stop.
        on: bool,
    },
    /// Replaces what the others in the room see of this client's presence. Only the newest counts; it is answered only if
    /// it is refused.
    SetPresence {
        /// The room's channel.
        channel: Channel,
        /// The revision that the positions in `presence` are based on.
        base: Revision,
        /// The whole presence; it replaces the one before.
        presence: Box<Presence>,
    },
    /// Passes a message to one participant, to set up a call. It is answered only if it is refused.
    Signal {
        /// The room's channel.
        channel: Channel,
        /// The receiver.
        to: ParticipantId,
        /// The step of the call's setup.
        kind: SignalKind,
        /// At most [`SIGNAL_BYTES_MAX`](crate::limits::SIGNAL_BYTES_MAX) bytes, which the server passes on unread.
        payload: String,
    },
}

/// The first message of a connection.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Hello {
    /// The version that the client speaks: [`PROTOCOL_VERSION`](crate::limits::PROTOCOL_VERSION).
    pub protocol: u16,
    /// Proof of the client's identity, where the server asks for one.
    #[serde(default)]
    pub token: Option<String>,
    /// The client's session, the same after a reconnect.
    pub session: SessionId,
    /// The name that others see, at most [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX) bytes; may be empty.
    #[serde(default)]
    pub name: String,
}
