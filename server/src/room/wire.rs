//! How messages look on each kind of connection: bincode or JSON, in Motet's own frames or in those of WebSocket
//! (RFC 6455, section 5.2; a server's frames are not masked).

use bytes::{BufMut, Bytes, BytesMut};
use motet_protocol::{
    codec,
    ids::{Channel, Revision, Seq},
    json,
    message::{Entry, ServerMessage},
};

/// The form of what a connection is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// bincode in length-prefixed frames.
    Tcp,
    /// bincode, one binary WebSocket message each.
    WsBinary,
    /// JSON, one WebSocket text message each.
    WsJson,
}

/// An entry that is encoded at most once in each form, however many read it.
#[derive(Clone, Debug)]
pub struct Encoded {
    bytes: Bytes,
    json: Option<Bytes>,
}

impl Encoded {
    /// From the entry's bincode form.
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes, json: None }
    }

    /// The bincode form, as stores keep it.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Wire {
    /// Puts a message at the end of a buffer.
    pub fn put(self, message: &ServerMessage, out: &mut BytesMut) {
        match self {
            Self::Tcp => codec::frame_into(message, out),
            Self::WsBinary => {
                let bytes = codec::encode(message);
                ws_header(BINARY, bytes.len(), out);
                out.put_slice(&bytes);
            }
            Self::WsJson => {
                let text = json::encode(message);
                ws_header(TEXT, text.len(), out);
                out.put_slice(text.as_bytes());
            }
        }
    }

    /// Puts [`ServerMessage::Entry`] for an entry that others read too.
    pub fn put_entry(self, channel: Channel, entry: &Entry, encoded: &mut Encoded, out: &mut BytesMut) {
        match self {
            Self::Tcp | Self::WsBinary => {
                let prefix = codec::entry_prefix(channel);
                let length = prefix.as_ref().len() + encoded.bytes.len();
                match self {
                    Self::Tcp => out.put_u32(length as u32),
                    _ => ws_header(BINARY, length, out),
                }
                out.put_slice(prefix.as_ref());
                out.put_slice(&encoded.bytes);
            }
            Self::WsJson => {
                let text = encoded.json.get_or_insert_with(|| Bytes::from(json::encode(entry)));
                let prefix = format!(r#"{{"type":"entry","channel":{channel},"entry":"#);
                ws_header(TEXT, prefix.len() + text.len() + 1, out);
                out.put_slice(prefix.as_bytes());
                out.put_slice(text);
                out.put_u8(b'}');
            }
        }
    }

    /// Puts [`ServerMessage::Ack`].
    pub fn put_ack(self, channel: Channel, seq: Seq, revision: Revision, out: &mut BytesMut) {
        self.put(&ServerMessage::Ack { channel, seq, revision }, out);
    }
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

fn ws_header(first: u8, length: usize, out: &mut BytesMut) {
    out.put_u8(first);
    match length {
        0..126 => out.put_u8(length as u8),
        126..65_536 => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::{ids::ParticipantId, message::Command, ot::Operation};

    use super::*;

    #[test]
    fn an_entry_encoded_once_is_the_same_message_as_one_encoded_whole() {
        for length in [1, 100, 130, 70_000] {
            let operation = Operation::builder().insert(&"\"é".repeat(length)).build().unwrap();
            let entry = Entry {
                revision: 7,
                participant: ParticipantId(9),
                seq: 3,
                time_ms: 4,
                command: Command::Edit(operation),
            };
            let mut encoded = Encoded::new(codec::encode(&entry));
            for wire in [Wire::Tcp, Wire::WsBinary, Wire::WsJson] {
                let (mut once, mut whole) = (BytesMut::new(), BytesMut::new());
                wire.put_entry(300, &entry, &mut encoded, &mut once);
                wire.put(&ServerMessage::Entry { channel: 300, entry: entry.clone() }, &mut whole);
                assert_eq!(once, whole, "{wire:?}");
            }
        }
    }
}
