//! Identifiers and counters.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::ROOM_ID_BYTES_MAX;

/// The position of an entry in its room's log: 1, 2, 3 … without gaps. Revision 0 is the empty room.
pub type Revision = u64;

/// A session's own counter of submits in a room, from 1. By it a submit that is sent twice is appended once.
pub type Seq = u64;

/// The number that a client gives to one room on its connection; messages name the room by it.
pub type Channel = u32;

/// The number that a client gives to a question; the answer carries it.
pub type RequestId = u32;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMs = u64;

/// A room's name: 1 to 64 of `a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RoomId(Box<str>);

/// A text that is not a room's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room's name is 1 to {ROOM_ID_BYTES_MAX} of a-z, 0-9, '-' and '_'")]
pub struct BadRoomId;

impl RoomId {
    /// Checks a text. The error says what a name may be.
    pub fn new(name: &str) -> Result<Self, BadRoomId> {
        let of_alphabet = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if name.is_empty() || name.len() > ROOM_ID_BYTES_MAX || !name.bytes().all(of_alphabet) {
            return Err(BadRoomId);
        }
        Ok(Self(name.into()))
    }

    /// The name of a room that was made without one: a UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.hyphenated().to_string().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoomId {
    type Err = BadRoomId;

    fn from_str(name: &str) -> Result<Self, BadRoomId> {
        Self::new(name)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
    }
}

/// One client's stay in rooms: a random UUID that the client chooses and keeps across reconnects. It is a secret
/// between the client and the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// The participant that others see for this session. It cannot be turned back into the session, so that a reader of
    /// a room cannot
    /// submit in another's name.
    pub fn participant(&self) -> ParticipantId {
        // UUID version 5 is SHA-1 over a namespace and a name (RFC 9562, section 5.5); six of its bits are fixed.
        const NAMESPACE: Uuid = Uuid::from_u128(0x6d6f_7465_7400_5000_8000_7061_7274_6963);
        let (high, _) = Uuid::new_v5(&NAMESPACE, self.0.as_bytes()).as_u64_pair();
        ParticipantId(high)
    }
}

impl fmt::Debug for SessionId {
    /// A session is a secret: logs show its participant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId(of {})", self.participant())
    }
}

/// Which server answers: a random UUID that is made at the first start of a data directory and kept in it. A client compares
/// it to make sure that two addresses (of TCP and of HTTP) lead to the same server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerId(pub Uuid);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A room's log. A room that is deleted and made anew under the same name has another log, whose revisions count from 1 again;
/// a client that resumes compares the two by this. Opaque: two logs of a server never have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogIdentity(pub Uuid);

impl fmt::Display for LogIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session as the others see it. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u64);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParticipantId({self})")
    }
}

impl Serialize for ParticipantId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Formatting would take longer than the rest of an entry.
        let digits: [u8; 16] = std::array::from_fn(|at| b"0123456789abcdef"[(self.0 >> (60 - 4 * at)) as usize & 15]);
        serializer.serialize_str(str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

impl<'de> Deserialize<'de> for ParticipantId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        if digits.len() != 16 {
            return Err(serde::de::Error::custom("a participant is 16 hexadecimal digits"));
        }
        u64::from_str_radix(&digits, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
