//! How messages look on each kind of connection: bincode or JSON, in Motet's own frames or in those of WebSocket
//! (RFC 6455, section 5.2; a server's frames are not masked).

use bytes::{BufMut, Bytes, BytesMut};
use motet_protocol::{
    codec,
    ids::{Channel, Revision, Seq},
    json,
    message::{Entry, ServerMessage},
    people::News,
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

/// A message of presence that is encoded at most once in each form, however many are told the same.
#[derive(Clone, Debug)]
pub struct SharedNews {
    message: ServerMessage,
    binary: Option<Bytes>,
    json: Option<Bytes>,
}

impl SharedNews {
    /// The channel that it is encoded for, before it becomes a message on others.
    const CHANNEL: Channel = 0;

    /// For these news, whose places count on a revision.
    pub fn new(revision: Revision, news: News) -> Self {
        let News { whole, present, people, presence, left } = news;
        let channel = Self::CHANNEL;
        let message = ServerMessage::Presence { channel, revision, whole, present, people, presence, left };
        Self { message, binary: None, json: None }
    }

    /// The bincode form, after the channel.
    fn binary(&mut self) -> &Bytes {
        let prefix = codec::presence_prefix(Self::CHANNEL);
        self.binary.get_or_insert_with(|| codec::encode(&self.message).slice(prefix.as_ref().len()..))
    }

    /// The JSON form, after the channel.
    fn json(&mut self) -> &Bytes {
        let prefix = presence_prefix(Self::CHANNEL);
        self.json.get_or_insert_with(|| Bytes::from(json::encode(&self.message)).slice(prefix.len()..))
    }
}

fn presence_prefix(channel: Channel) -> String {
    format!(r#"{{"type":"presence","channel":{channel}"#)
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
                self.put_binary(codec::entry_prefix(channel).as_ref(), &encoded.bytes, out);
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

    /// Puts [`ServerMessage::Presence`] that others are told too.
    pub fn put_news(self, channel: Channel, news: &mut SharedNews, out: &mut BytesMut) {
        match self {
            Self::Tcp | Self::WsBinary => {
                self.put_binary(codec::presence_prefix(channel).as_ref(), news.binary(), out);
            }
            Self::WsJson => {
                let (prefix, text) = (presence_prefix(channel), news.json());
                ws_header(TEXT, prefix.len() + text.len(), out);
                out.put_slice(prefix.as_bytes());
                out.put_slice(text);
            }
        }
    }

    /// Puts a bincode message that is there in two pieces.
    fn put_binary(self, prefix: &[u8], rest: &[u8], out: &mut BytesMut) {
        let length = prefix.len() + rest.len();
        match self {
            Self::Tcp => out.put_u32(length as u32),
            _ => ws_header(BINARY, length, out),
        }
        out.put_slice(prefix);
        out.put_slice(rest);
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

    #[test]
    fn news_encoded_once_are_the_same_message_as_news_encoded_whole() {
        for length in [1, 20, 10_000] {
            let left = vec![ParticipantId(9); length];
            let news = News { whole: true, present: 3, left: left.clone(), ..News::default() };
            let mut shared = SharedNews::new(7, news);
            for wire in [Wire::Tcp, Wire::WsBinary, Wire::WsJson] {
                for channel in [0, 300] {
                    let (mut once, mut whole) = (BytesMut::new(), BytesMut::new());
                    wire.put_news(channel, &mut shared, &mut once);
                    let message = ServerMessage::Presence {
                        channel,
                        revision: 7,
                        whole: true,
                        present: 3,
                        people: Vec::new(),
                        presence: Vec::new(),
                        left: left.clone(),
                    };
                    wire.put(&message, &mut whole);
                    assert_eq!(once, whole, "{wire:?}");
                }
            }
        }
    }
}
