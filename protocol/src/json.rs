//! The JSON encoding of the same messages: `{"type": "submit", …}`, names in snake_case, operations as ot.js writes them
//! (`[5, "text", -2]`). On WebSocket one text message is one JSON message.

use std::io;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    codec::CodecError,
    error::About,
    ids::{Channel, ParticipantId, RequestId, Revision, Seq, UnixMs},
    message::{ClientMessage, Command, Entry, ServerMessage},
    ot::Operation,
};

/// Decodes one message from one JSON text.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, CodecError> {
    serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        match words.strip_prefix(BAD_OPERATION) {
            Some(operation) => CodecError::BadOperation(operation.to_owned()),
            None => CodecError::Malformed(words),
        }
    })
}

/// Decodes what a client says: the same as [`decode`], in half the time for an edit, which is nearly all that comes.
///
/// A message that is told from others by a field is decoded in two steps, and all of it is kept in between, since that
/// field may be the last one. An edit takes one step here. Whatever is not exactly that is left to the other way, and so
/// are all errors.
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
    decode(text)
}

/// Decodes what a server says: the same as [`decode`], and faster for an entry that is an edit, as [`decode_client`] is.
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
    decode(text)
}

/// The one command that is frequent.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edit {
    Edit(Operation),
}

/// Whether a message begins with this type, as JavaScript or Python write it. It saves others an attempt that fails.
fn begins(text: &str, kind: &str) -> bool {
    let rest = text.strip_prefix(r#"{"type":"#).map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    let rest = rest.and_then(|rest| rest.strip_prefix('"')?.strip_prefix(kind));
    rest.is_some_and(|rest| rest.starts_with('"'))
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

/// Marks an operation's own errors among those of serde.
pub const BAD_OPERATION: &str = "operation: ";

/// What a message that failed to decode was about, as far as it is JSON and its fields tell.
pub fn about_of(text: &str) -> About {
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Known {
        #[serde(alias = "watch_presence", alias = "set_presence", alias = "signal")]
        Join {
            channel: Channel,
        },
        Submit {
            channel: Channel,
            seq: Seq,
        },
        #[serde(
            alias = "create_room",
            alias = "delete_room",
            alias = "list_rooms",
            alias = "show_room",
            alias = "read_text",
            alias = "read_log",
            alias = "hash_text",
            alias = "authenticate",
            alias = "read_settings",
            alias = "read_versions",
            alias = "read_chat",
            alias = "read_comments",
            alias = "mark_read",
            alias = "watch_rooms",
            alias = "unwatch_rooms",
            alias = "turn_credentials",
            alias = "complete",
            alias = "summarize"
        )]
        Question {
            request: RequestId,
        },
    }
    match serde_json::from_str(text) {
        Ok(Known::Join { channel }) => About::Channel(channel),
        Ok(Known::Submit { channel, seq }) => About::Submit { channel, seq },
        Ok(Known::Question { request }) => About::Request(request),
        Err(_) => About::Connection,
    }
}
