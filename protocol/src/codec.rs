//! The binary encoding: bincode 2 in length-prefixed frames. The only module that configures or calls bincode; messages
//! only derive.
//!
//! ```text
//! ┌───────────────┬──────────────────────────────┐
//! │ length: u32be │ one message (bincode 2,       │
//! │               │ config::standard, `length` B) │
//! └───────────────┴──────────────────────────────┘
//! ```
//! On WebSocket one binary message is one frame without the length.

use std::marker::PhantomData;

use bincode::{
    Decode, Encode,
    config::{Configuration, Limit, LittleEndian, Varint},
    de::Decoder as BincodeDecoder,
    enc::Encoder as BincodeEncoder,
    error::{DecodeError, EncodeError},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use uuid::Uuid;

use crate::{
    access::{AccountId, ProjectId},
    error::About,
    ids::{Channel, LogIdentity, ParticipantId, Revision, RoomId, Seq, ServerId, SessionId},
    limits::{DECODE_BYTES_MAX, FRAME_BYTES_MAX, FRAME_SKIP_BYTES_MAX},
    message::{ClientMessage, ServerMessage},
    ot::Operation,
};

/// Bytes of the length in front of a frame.
pub const LENGTH_BYTES: usize = 4;

type Config = Configuration<LittleEndian, Varint, Limit<DECODE_BYTES_MAX>>;

/// Memory that decoding a stored state may claim, in bytes.
const STATE_BYTES_MAX: usize = 64 * 1024 * 1024;

const CONFIG: Config = bincode::config::standard().with_limit::<DECODE_BYTES_MAX>();

/// Bytes that do not decode to the message.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// They are malformed; the text says where.
    #[error("the message cannot be decoded: {0}")]
    Malformed(String),
    /// The operation in them breaks a rule.
    #[error("the operation is malformed: {0}")]
    BadOperation(String),
    /// There are bytes after the message's end.
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
}

/// Decodes exactly one value from exactly these bytes.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    decode_with(bytes, CONFIG)
}

/// As [`decode`], for a room's state as a server has stored it, which is larger than any message.
pub fn decode_state<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    decode_with(bytes, bincode::config::standard().with_limit::<STATE_BYTES_MAX>())
}

fn decode_with<T: Decode<()>>(bytes: &[u8], config: impl bincode::config::Config) -> Result<T, CodecError> {
    let (value, used) = bincode::decode_from_slice(bytes, config).map_err(|error| match error {
        DecodeError::OtherString(text) if text.starts_with(BAD_OPERATION) => {
            CodecError::BadOperation(text[BAD_OPERATION.len()..].to_owned())
        }
        other => CodecError::Malformed(other.to_string()),
    })?;
    match bytes.len() - used {
        0 => Ok(value),
        rest => Err(CodecError::Trailing(rest)),
    }
}

/// Encodes a value at the end of a buffer.
pub fn encode_into<T: Encode>(value: &T, buffer: &mut BytesMut) {
    struct End<'a>(&'a mut BytesMut);
    impl bincode::enc::write::Writer for End<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.put_slice(bytes);
            Ok(())
        }
    }
    bincode::encode_into_writer(value, End(buffer), bincode::config::standard())
        .expect("a message holds only types that always encode, and the buffer grows");
}

/// Encodes a value into a buffer of its own.
pub fn encode<T: Encode>(value: &T) -> Bytes {
    let mut buffer = BytesMut::with_capacity(64);
    encode_into(value, &mut buffer);
    buffer.freeze()
}

/// Puts one whole frame, length first, at the end of a buffer.
pub fn frame_into<T: Encode>(message: &T, buffer: &mut BytesMut) {
    let start = buffer.len();
    buffer.put_u32(0);
    encode_into(message, buffer);
    let length = (buffer.len() - start - LENGTH_BYTES) as u32;
    buffer[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

/// The bytes of [`ServerMessage::Entry`] before those of the entry: with them an entry that was encoded once becomes a
/// message on any
/// channel. `entry_prefix(c)` followed by `encode(&entry)` is `encode(&ServerMessage::Entry { channel: c, entry })`; a
/// test
/// holds this.
pub fn entry_prefix(channel: Channel) -> ChannelPrefix {
    /// The position of `Entry` among the variants of [`ServerMessage`].
    const ENTRY_VARIANT: u32 = 6;
    ChannelPrefix::new(ENTRY_VARIANT, channel)
}

/// The bytes of [`ServerMessage::Presence`] up to and with its channel: put in place of those of a message that was
/// encoded for one
/// channel, they make it that of another. A test holds this.
pub fn presence_prefix(channel: Channel) -> ChannelPrefix {
    /// The position of `Presence` among the variants of [`ServerMessage`].
    const PRESENCE_VARIANT: u32 = 13;
    ChannelPrefix::new(PRESENCE_VARIANT, channel)
}

/// The beginning of a message for a channel: its variant and the channel's number.
#[derive(Clone, Copy, Debug)]
pub struct ChannelPrefix {
    bytes: [u8; 8],
    length: usize,
}

impl ChannelPrefix {
    fn new(variant: u32, channel: Channel) -> Self {
        let mut bytes = [0; 8];
        let length = bincode::encode_into_slice((variant, channel), &mut bytes, CONFIG)
            .expect("a small variant and a channel take at most six bytes");
        Self { bytes, length }
    }
}

impl AsRef<[u8]> for ChannelPrefix {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// What a message that failed to decode is about, as far as its beginning tells: a submit names its channel and seq before
/// its operation, a question its number before anything else.
pub fn about_of(bytes: &[u8]) -> About {
    // The positions of these among the variants of `ClientMessage`; the test of the golden vectors compares them.
    const JOIN: u32 = 3;
    const LEAVE: u32 = 4;
    const SUBMIT: u32 = 5;
    const ASK: u32 = 6;
    const AUTHENTICATE: u32 = 7;
    const WATCH_PRESENCE: u32 = 8;
    const SET_PRESENCE: u32 = 9;
    const SIGNAL: u32 = 10;
    let Ok(((variant, number), used)) = bincode::decode_from_slice::<(u32, u32), _>(bytes, CONFIG) else {
        return About::Connection;
    };
    match variant {
        JOIN | LEAVE | WATCH_PRESENCE | SET_PRESENCE | SIGNAL => About::Channel(number),
        SUBMIT => match bincode::decode_from_slice::<Seq, _>(&bytes[used..], CONFIG) {
            Ok((seq, _)) => About::Submit { channel: number, seq },
            Err(_) => About::Connection,
        },
        ASK | AUTHENTICATE => About::Request(number),
        _ => About::Connection,
    }
}

/// The revision of an entry that is still encoded, without decoding the rest.
pub fn revision_of_entry(bytes: &[u8]) -> Result<Revision, CodecError> {
    bincode::decode_from_slice::<Revision, _>(bytes, CONFIG)
        .map(|(revision, _)| revision)
        .map_err(|error| CodecError::Malformed(error.to_string()))
}

/// A frame cut out of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// The bytes of one message.
    Message(Bytes),
    /// A frame of this many bytes was larger than the limit; its bytes were skipped.
    Skipped(usize),
}

/// The bytes are not a stream of frames.
#[derive(Debug, thiserror::Error)]
pub enum FramingError {
    /// A length above [`FRAME_SKIP_BYTES_MAX`].
    #[error("a frame claims {0} bytes; this is not a stream of Motet's frames")]
    Lost(usize),
    /// The bytes could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Cuts a stream of bytes into frames. A frame above `bytes_max` is skipped without being kept.
#[derive(Debug)]
pub struct FrameDecoder {
    bytes_max: usize,
    /// Bytes of a frame that are still to be skipped, and the length that it claimed.
    skipping: Option<(usize, usize)>,
}

impl FrameDecoder {
    /// A decoder for frames up to `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, skipping: None }
    }
}

impl Decoder for FrameDecoder {
    type Item = Frame;
    type Error = FramingError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, FramingError> {
        if self.skipping.is_none() {
            let Some(prefix) = source.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
            let length = u32::from_be_bytes(*prefix) as usize;
            if length > FRAME_SKIP_BYTES_MAX {
                return Err(FramingError::Lost(length));
            }
            if length <= self.bytes_max {
                if source.len() < LENGTH_BYTES + length {
                    return Ok(None);
                }
                source.advance(LENGTH_BYTES);
                return Ok(Some(Frame::Message(source.split_to(length).freeze())));
            }
            source.advance(LENGTH_BYTES);
            self.skipping = Some((length, length));
        }
        let Some((rest, length)) = &mut self.skipping else { return Ok(None) };
        let passed = source.len().min(*rest);
        source.advance(passed);
        *rest -= passed;
        if *rest > 0 {
            return Ok(None);
        }
        let length = *length;
        self.skipping = None;
        Ok(Some(Frame::Skipped(length)))
    }
}

/// Frames with messages of one type in each direction, for `tokio_util::codec::Framed`: `In` is read, `Out` is written.
#[derive(Debug)]
pub struct MessageCodec<In, Out> {
    frames: FrameDecoder,
    kinds: PhantomData<fn(Out) -> In>,
}

/// The codec of a client's end of a TCP connection.
pub type ClientCodec = MessageCodec<ServerMessage, ClientMessage>;

impl<In, Out> Default for MessageCodec<In, Out> {
    fn default() -> Self {
        Self { frames: FrameDecoder::new(FRAME_BYTES_MAX), kinds: PhantomData }
    }
}

/// Why a stream cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The framing is lost.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A message in it does not decode.
    #[error(transparent)]
    Message(#[from] CodecError),
    /// A frame is over the limit.
    #[error("a frame of {0} bytes is over the limit of {FRAME_BYTES_MAX}")]
    TooLarge(usize),
    /// The bytes could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl<In: Decode<()>, Out> Decoder for MessageCodec<In, Out> {
    type Item = In;
    type Error = StreamError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<In>, StreamError> {
        match self.frames.decode(source)? {
            None => Ok(None),
            Some(Frame::Message(bytes)) => Ok(Some(decode(&bytes)?)),
            Some(Frame::Skipped(length)) => Err(StreamError::TooLarge(length)),
        }
    }
}

impl<In, Out: Encode> Encoder<Out> for MessageCodec<In, Out> {
    type Error = StreamError;

    /// Writes a frame. A message over the limit is refused, and the buffer is left as it was.
    fn encode(&mut self, message: Out, buffer: &mut BytesMut) -> Result<(), StreamError> {
        let start = buffer.len();
        frame_into(&message, buffer);
        let length = buffer.len() - start - LENGTH_BYTES;
        if length > FRAME_BYTES_MAX {
            buffer.truncate(start);
            return Err(StreamError::TooLarge(length));
        }
        Ok(())
    }
}

/// Names are checked when they are read.
macro_rules! names {
    ($($name:ident),*) => {$(
        impl Encode for $name {
            fn encode<E: BincodeEncoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                self.as_str().encode(encoder)
            }
        }

        impl<C> Decode<C> for $name {
            fn decode<D: BincodeDecoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                let name = String::decode(decoder)?;
                $name::new(&name).map_err(|error| DecodeError::OtherString(error.to_string()))
            }
        }

        bincode::impl_borrow_decode!($name);
    )*};
}

names!(AccountId, ProjectId, RoomId);

/// Eight bytes, little-endian: a hash gains nothing from a varint.
impl Encode for ParticipantId {
    fn encode<E: BincodeEncoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.to_le_bytes().encode(encoder)
    }
}

impl<C> Decode<C> for ParticipantId {
    fn decode<D: BincodeDecoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        <[u8; 8]>::decode(decoder).map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

/// UUIDs are sixteen bytes.
macro_rules! uuids {
    ($($id:ident),*) => {$(
        impl Encode for $id {
            fn encode<E: BincodeEncoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                self.0.as_bytes().encode(encoder)
            }
        }

        impl<C> Decode<C> for $id {
            fn decode<D: BincodeDecoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                <[u8; 16]>::decode(decoder).map(|bytes| Self(Uuid::from_bytes(bytes)))
            }
        }

        bincode::impl_borrow_decode!($id);
    )*};
}

uuids!(LogIdentity, ServerId, SessionId);

/// Begins the messages of an operation's own errors among those of bincode.
const BAD_OPERATION: &str = "operation: ";

/// The operation's compact form as a byte string: its length, then [`Operation::to_compact`].
impl Encode for Operation {
    fn encode<E: BincodeEncoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.to_compact().as_slice().encode(encoder)
    }
}

impl<C> Decode<C> for Operation {
    fn decode<D: BincodeDecoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = Vec::<u8>::decode(decoder)?;
        Operation::from_compact(&bytes).map_err(|error| DecodeError::OtherString(format!("{BAD_OPERATION}{error}")))
    }
}

bincode::impl_borrow_decode!(ParticipantId);
bincode::impl_borrow_decode!(Operation);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Command, Entry};

    fn entry() -> Entry {
        let operation = Operation::builder().retain(5).insert("ß").delete(2).build().unwrap();
        Entry { revision: 300, participant: ParticipantId(7), seq: 9, time_ms: 1, command: Command::Edit(operation) }
    }

    #[test]
    fn an_entry_encoded_once_is_a_message_on_any_channel() {
        for channel in [0, 1, 250, 251, 70_000, u32::MAX] {
            let mut glued = BytesMut::from(entry_prefix(channel).as_ref());
            glued.extend_from_slice(&encode(&entry()));
            assert_eq!(glued.freeze(), encode(&ServerMessage::Entry { channel, entry: entry() }));
        }
    }

    #[test]
    fn a_presence_encoded_once_is_a_message_on_any_channel() {
        let presence = |channel| ServerMessage::Presence {
            channel,
            revision: 300,
            whole: false,
            present: 2,
            people: Vec::new(),
            presence: Vec::new(),
            left: vec![ParticipantId(7)],
        };
        let of_zero = encode(&presence(0));
        for channel in [0, 1, 250, 251, 70_000, u32::MAX] {
            let mut glued = BytesMut::from(presence_prefix(channel).as_ref());
            glued.extend_from_slice(&of_zero[presence_prefix(0).as_ref().len()..]);
            assert_eq!(glued.freeze(), encode(&presence(channel)));
        }
    }

    #[test]
    fn a_submit_that_fails_to_decode_still_names_its_seq() {
        let submit = ClientMessage::Submit { channel: 3, seq: 700, base: 1, command: entry().command };
        assert_eq!(about_of(&encode(&submit)), About::Submit { channel: 3, seq: 700 });
        assert_eq!(about_of(&encode(&ClientMessage::Ping { nonce: 3 })), About::Connection);
    }
}
