//! The JSON encoding of the same messages: `{"type": "submit", …}`, names in snake_case, operations as ot.js writes them
//! (`[5, "text", -2]`). On WebSocket one text message is one JSON message.

use std::io;

use bytes::{BufMut, BytesMut};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    codec::CodecError,
    error::About,
    ids::{Channel, ParticipantId, RequestId, Revision, Seq, UnixMs},
    message::{
        ClientMessage, Command, Entry, ServerMessage,
        flat::{Message, is_numbered},
    },
    ot::Operation,
};

/// Decodes one message from one JSON text.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, CodecError> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        match message.strip_prefix(BAD_OPERATION) {
            Some(operation) => CodecError::BadOperation(operation.to_owned()),
            None => CodecError::Malformed(message),
        }
    })
}

/// Decodes a message of a client: as [`decode`], and in half the time for an edit, which nearly all of them are.
///
/// A message that a field tells from others is decoded in two steps, and all of it is kept in between, since that field
/// may be the
/// last one. An edit takes one step here. Everything else, and every error, is left to the other way.
pub fn decode_client(text: &str) -> Result<ClientMessage, CodecError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Submit<'a> {
        r#type: &'a str,
        channel: Channel,
        seq: Seq,
        base: Revision,
        command: Edit,
    }

    if begins(text, "submit")
        && let Ok(Submit { r#type: "submit", channel, seq, base, command: Edit::Edit(operation) }) =
            serde_json::from_str(text)
    {
        return Ok(ClientMessage::Submit { channel, seq, base, command: Command::Edit(operation) });
    }
    decode_message(text)
}

/// Decodes a message of a server: as [`decode`], and faster for an entry that is an edit, as [`decode_client`] is.
pub fn decode_server(text: &str) -> Result<ServerMessage, CodecError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Told<'a> {
        r#type: &'a str,
        channel: Channel,
        entry: Logged,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Logged {
        revision: Revision,
        participant: ParticipantId,
        seq: Seq,
        time_ms: UnixMs,
        command: Edit,
    }

    if begins(text, "entry")
        && let Ok(Told { r#type: "entry", channel, entry }) = serde_json::from_str(text)
    {
        let Logged { revision, participant, seq, time_ms, command: Edit::Edit(operation) } = entry;
        let command = Command::Edit(operation);
        return Ok(ServerMessage::Entry { channel, entry: Entry { revision, participant, seq, time_ms, command } });
    }
    decode_message(text)
}

/// Decodes any message: as [`decode`], without keeping the fields of one whose type comes first and is not that of a
/// question or an
/// answer.
fn decode_message<M: Message + DeserializeOwned>(text: &str) -> Result<M, CodecError> {
    if kind_at_beginning(text).is_some_and(|kind| !is_numbered::<M>(kind)) {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let message = M::own(&mut deserializer).and_then(|message| deserializer.end().map(|()| message));
        if let Ok(message) = message {
            return Ok(message);
        }
    }
    decode(text)
}

/// The only command that is frequent.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edit {
    Edit(Operation),
}

/// Whether a message begins with this type. It spares other messages an attempt that fails.
fn begins(text: &str, kind: &str) -> bool {
    kind_at_beginning(text) == Some(kind)
}

/// The type of a message that begins with it, as JavaScript and Python write it, if nothing in it is escaped.
fn kind_at_beginning(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(r#"{"type":"#)?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest).strip_prefix('"')?;
    let end = rest.find(|char: char| !char.is_ascii_lowercase() && char != '_')?;
    rest[end..].starts_with('"').then(|| &rest[..end])
}

/// Encodes one message.
pub fn encode<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).expect(ENCODES)
}

/// Encodes one message at the end of a buffer.
pub fn encode_into<T: Serialize>(message: &T, buffer: &mut BytesMut) {
    struct End<'a>(&'a mut BytesMut);
    impl io::Write for End<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.put_slice(bytes);
            Ok(bytes.len())
        }

        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.put_slice(bytes);
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(End(buffer), message).expect(ENCODES);
}

/// Why encoding cannot fail.
const ENCODES: &str = "messages hold only strings as keys and no failing types, and the buffer grows";

/// Begins the messages of an operation's own errors among those of serde.
pub const BAD_OPERATION: &str = "operation: ";

/// What a message that failed to decode is about, as far as it is JSON and its fields tell.
pub fn about_of(text: &str) -> About {
    #[derive(Deserialize)]
    struct Beginning {
        r#type: IgnoredAny,
        request: Option<RequestId>,
        channel: Option<Channel>,
        seq: Option<Seq>,
    }
    match serde_json::from_str(text) {
        Ok(Beginning { r#type: IgnoredAny, request, channel, seq }) => match (request, channel, seq) {
            (Some(request), ..) => About::Request(request),
            (None, Some(channel), Some(seq)) => About::Submit { channel, seq },
            (None, Some(channel), None) => About::Channel(channel),
            (None, None, _) => About::Connection,
        },
        Err(_) => About::Connection,
    }
}
