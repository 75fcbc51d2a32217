//! The messages of a server.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Answer, Entry, request::is_false};
use crate::{
    access::{AccountId, Role},
    error::ErrorMessage,
    ids::{Channel, LogIdentity, ParticipantId, RequestId, Revision, Seq, ServerId, UnixMs},
    limits::Limits,
    presence::{Person, PresenceOf, SignalKind},
};

/// A message of a server.
///
/// In JSON, [`Answer`](Self::Answer) is as flat as all others: `{"type": "text", "request": 5, …}`. Use [`json`](crate::json) or
/// serde's traits: the functions of the type itself named `serialize` and `deserialize`, which serde derives, leave `Answer` out.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `Hello`.
    Welcome(Welcome),
    /// Something was refused or failed.
    Error(ErrorMessage),
    /// Asks for a `Pong`, to see whether the client still responds.
    Ping {
        /// Any number.
        nonce: u64,
    },
    /// Answers a client's `Ping`.
    Pong {
        /// The nonce of the ping.
        nonce: u64,
    },
    /// A channel is open. With a snapshot, its pieces follow, then the entries after it; without one, the entries after
    /// the revision that the client named.
    Joined {
        /// The channel.
        channel: Channel,
        /// The room's log. A client that resumes later names it in `Join`.
        log: LogIdentity,
        /// The newest committed revision at this moment. A client that has reached it has caught up.
        head: Revision,
        /// The client's role in the room.
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
        /// Whether this is the last piece.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// An entry of another session.
    Entry {
        /// The channel.
        channel: Channel,
        /// The entry; its revision is one more than that of the entry or acknowledgement before it.
        entry: Entry,
    },
    /// An entry of the client's own session, at its place among the others: what it submitted is durable.
    Ack {
        /// The channel.
        channel: Channel,
        /// The seq of the submit.
        seq: Seq,
        /// The revision that the submit became.
        revision: Revision,
    },
    /// A channel was closed, as the client asked.
    Left {
        /// The channel.
        channel: Channel,
    },
    /// Answers a question, or is one of several messages that do.
    #[serde(skip)]
    Answer {
        /// The number of the question.
        request: RequestId,
        /// The answer, or a part of it.
        answer: Answer,
    },
    /// The newer token holds for this connection from here on.
    Authenticated {
        /// The number of the `Authenticate`.
        request: RequestId,
        /// When the token expires, if it does.
        expires_ms: Option<UnixMs>,
    },
    /// The server ends this connection on purpose.
    Bye {
        /// Why, and whether and when to connect again.
        error: ErrorMessage,
    },
    /// The client's role in a room has changed.
    Role {
        /// The channel.
        channel: Channel,
        /// The role from here on.
        role: Role,
        /// Why, for people.
        reason: String,
    },
    /// Who is in a room and where: what changed since the last of these messages.
    Presence {
        /// The channel.
        channel: Channel,
        /// The revision that all positions are based on; the reader has been sent it by now.
        revision: Revision,
        /// Whether this replaces all that was sent before. So does the first of these messages after a `WatchPresence`, and each
        /// one where the server can no longer tell what changed.
        whole: bool,
        /// Connections that have the room open. Where it is more than the people that were sent, the room is large and the list
        /// holds only those who may edit.
        present: u32,
        /// People who came, or whose name, account or role changed.
        people: Vec<Person>,
        /// The presence of those for whom it changed.
        presence: Vec<PresenceOf>,
        /// People who left.
        left: Vec<ParticipantId>,
    },
    /// A message that another participant passed on.
    Signal {
        /// The channel.
        channel: Channel,
        /// The sender.
        from: ParticipantId,
        /// The step of the call's setup.
        kind: SignalKind,
        /// The payload as the sender gave it.
        payload: String,
    },
    /// The room will be deleted unless something happens in it: an edit, a join, a change of presence.
    Expiring {
        /// The channel.
        channel: Channel,
        /// When it will be deleted.
        expires_ms: UnixMs,
    },
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
    /// How others see this session.
    pub participant: ParticipantId,
    /// The account of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The name that others see.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When the token expires, if it does: the connection ends then, unless the client gives a newer one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<UnixMs>,
    /// What an acknowledgement promises on this server.
    pub durability: Durability,
    /// The limits of this server. JSON leaves them out where they are those that docs/protocol.md names.
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
    /// The entry is in memory only.
    None,
}

impl Durability {
    /// Its name in flags, JSON and metrics.
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
    /// The revision of the text.
    pub revision: Revision,
    /// Its length in UTF-8 bytes.
    pub bytes: u64,
}
