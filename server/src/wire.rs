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
        self.json.get_or_insert_with(|| {
            let mut prefix = BytesMut::new();
            put_channel("presence", Self::CHANNEL, &mut prefix);
            Bytes::from(json::encode(&self.message)).slice(prefix.len()..)
        })
    }
}

impl Wire {
    /// Puts a message at the end of a buffer.
    pub fn put(self, message: &ServerMessage, out: &mut BytesMut) {
        match self {
            Self::Tcp => codec::frame_into(message, out),
            Self::WsBinary => ws_message(BINARY, out, |out| codec::encode_into(message, out)),
            Self::WsJson => ws_message(TEXT, out, |out| json::encode_into(message, out)),
        }
    }

    /// Puts [`ServerMessage::Entry`] for an entry that others read too.
    pub fn put_entry(self, channel: Channel, entry: &Entry, encoded: &mut Encoded, out: &mut BytesMut) {
        match self {
            Self::Tcp | Self::WsBinary => {
                self.put_binary(codec::entry_prefix(channel).as_ref(), &encoded.bytes, out);
            }
            Self::WsJson => ws_message(TEXT, out, |out| {
                put_channel("entry", channel, out);
                out.put_slice(br#","entry":"#);
                match &encoded.json {
                    Some(text) => out.put_slice(text),
                    None => {
                        let start = out.len();
                        json::encode_into(entry, out);
                        encoded.json = Some(Bytes::copy_from_slice(&out[start..]));
                    }
                }
                out.put_u8(b'}');
            }),
        }
    }

    /// Puts [`ServerMessage::Presence`] that others are told too.
    pub fn put_news(self, channel: Channel, news: &mut SharedNews, out: &mut BytesMut) {
        match self {
            Self::Tcp | Self::WsBinary => {
                self.put_binary(codec::presence_prefix(channel).as_ref(), news.binary(), out);
            }
            Self::WsJson => ws_message(TEXT, out, |out| {
                put_channel("presence", channel, out);
                out.put_slice(news.json());
            }),
        }
    }

    /// Puts a bincode message that is there in two pieces.
    fn put_binary(self, prefix: &[u8], rest: &[u8], out: &mut BytesMut) {
        let put = |out: &mut BytesMut| {
            out.put_slice(prefix);
            out.put_slice(rest);
        };
        match self {
            Self::Tcp => {
                out.put_u32((prefix.len() + rest.len()) as u32);
                put(out);
            }
            _ => ws_message(BINARY, out, put),
        }
    }

    /// Puts [`ServerMessage::Ack`].
    pub fn put_ack(self, channel: Channel, seq: Seq, revision: Revision, out: &mut BytesMut) {
        self.put(&ServerMessage::Ack { channel, seq, revision }, out);
    }
}

/// Puts the beginning of a message for a channel as JSON.
fn put_channel(kind: &str, channel: Channel, out: &mut BytesMut) {
    out.put_slice(br#"{"type":""#);
    out.put_slice(kind.as_bytes());
    out.put_slice(br#"","channel":"#);
    json::encode_into(&channel, out);
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// Puts one WebSocket message whose length is known when it is there. It is expected to be as short as most are, and moved
/// where its header turns out to be longer.
fn ws_message(first: u8, out: &mut BytesMut, put: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_slice(&[first, 0]);
    let body = out.len();
    put(out);
    let length = out.len() - body;
    let mut extended = |mark: u8, bytes: &[u8]| {
        out.put_bytes(0, bytes.len());
        out.copy_within(body..body + length, body + bytes.len());
        out[body..body + bytes.len()].copy_from_slice(bytes);
        mark
    };
    out[start + 1] = match length {
        0..126 => length as u8,
        126..65_536 => extended(126, &(length as u16).to_be_bytes()),
        _ => extended(127, &(length as u64).to_be_bytes()),
    };
}

#[cfg(test)]
mod tests {
    use motet_protocol::{ids::ParticipantId, message::Command, ot::Operation};
    use tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    use super::*;

    #[test]
    fn a_message_of_any_length_is_the_frame_that_others_would_write() {
        for length in [0, 1, 125, 126, 127, 1_000, 65_535, 65_536, 70_000] {
            let body: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
            let (mut out, mut expected) = (BytesMut::from("before"), b"before".to_vec());
            ws_message(TEXT, &mut out, |out| out.put_slice(&body));
            Frame::message(body, OpCode::Data(Data::Text), true).format(&mut expected).unwrap();
            assert_eq!(out, expected, "{length} bytes");
        }
    }

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
