//! What came in on a connection, cut into messages.

use std::{
    cell::Cell,
    io::{self, Read, Write},
};

use bytes::{Buf, Bytes, BytesMut};
use motet_protocol::{
    codec::{self, CodecError, Frame, FrameDecoder},
    error::About,
    json,
    limits::{FRAME_BYTES_MAX, JSON_BYTES_MAX},
    message::ClientMessage,
};
use tokio_util::codec::Decoder;
use tungstenite::{
    Message, WebSocket,
    protocol::{Role, WebSocketConfig},
};

use crate::wire::Wire;

/// A WebSocket message up to this size is read whole and then refused with words; a larger one ends the connection (RFC
/// 6455, status 1009).
const WS_MESSAGE_BYTES_MAX: usize = 16 * FRAME_BYTES_MAX;

/// What is left of a read between two messages is a part of one message: this is more than one.
const READ_BYTES: usize = 8 * 1024;

/// tungstenite's own buffer, which every connection keeps: a usual message fits, and it is filled with zeros before each
/// read.
const WS_READ_BYTES: usize = 512;

/// An empty buffer of at most this size is kept for the next connection that reads.
const SPARE_BYTES_MAX: usize = 2 * READ_BYTES;

thread_local! {
    /// A buffer for whoever reads next.
    static SPARE: Cell<BytesMut> = Cell::default();
}

/// The next thing on a connection.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(ClientMessage),
    /// A whole frame that is no message.
    Malformed(About, CodecError),
    /// A frame of this many bytes, passed over.
    Oversized(usize),
    /// The bytes are no frames: nothing more can be read.
    Lost(String),
    /// The peer says goodbye.
    Closed,
}

/// The reading half of a connection, fed with bytes.
#[derive(Debug)]
pub enum Inbound {
    /// Motet's own frames.
    Tcp {
        /// What came and is not yet taken.
        buffer: BytesMut,
        /// Where in a frame it is.
        frames: FrameDecoder,
    },
    /// WebSocket.
    Ws(Box<WsInbound>),
}

impl Inbound {
    /// For a TCP connection.
    pub fn tcp() -> Self {
        Self::Tcp { buffer: BytesMut::new(), frames: FrameDecoder::new(FRAME_BYTES_MAX) }
    }

    /// For a connection that was upgraded to WebSocket; `early` are bytes that came with the upgrade.
    pub fn websocket(early: Bytes) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(WS_READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(WS_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(WS_MESSAGE_BYTES_MAX));
        let pipe = Pipe { incoming: BytesMut::from(&early[..]), outgoing: Vec::new() };
        Self::Ws(Box::new(WsInbound(WebSocket::from_raw_socket(pipe, Role::Server, Some(config)))))
    }

    /// Where to read bytes into; at least [`READ_BYTES`] are free.
    pub fn buffer(&mut self) -> &mut BytesMut {
        let buffer = match self {
            Self::Tcp { buffer, .. } => buffer,
            Self::Ws(ws) => &mut ws.0.get_mut().incoming,
        };
        if buffer.capacity() == 0 {
            *buffer = SPARE.take();
        }
        buffer.reserve(READ_BYTES);
        buffer
    }

    /// Lets go of the buffer if it is empty: an idle connection keeps none. The thread's next one to read takes it.
    pub fn rest(&mut self) {
        let buffer = match self {
            Self::Tcp { buffer, .. } => buffer,
            Self::Ws(ws) => &mut ws.0.get_mut().incoming,
        };
        if buffer.is_empty() {
            let buffer = std::mem::take(buffer);
            if buffer.capacity() <= SPARE_BYTES_MAX {
                SPARE.set(buffer);
            }
        }
    }

    /// The next thing, if it is whole, and the form that its answers want.
    pub fn take(&mut self) -> Option<(Wire, Incoming)> {
        match self {
            Self::Tcp { buffer, frames } => match frames.decode(buffer) {
                Ok(None) => None,
                Ok(Some(Frame::Message(bytes))) => Some((Wire::Tcp, binary(&bytes))),
                Ok(Some(Frame::Skipped(bytes))) => Some((Wire::Tcp, Incoming::Oversized(bytes))),
                Err(error) => Some((Wire::Tcp, Incoming::Lost(error.to_string()))),
            },
            Self::Ws(ws) => ws.take(),
        }
    }

    /// Bytes that WebSocket itself has to say (pongs, the closing handshake), whole frames.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        match self {
            Self::Tcp { .. } => Vec::new(),
            Self::Ws(ws) => {
                // What could not be written for a moment is never an error here: the pipe takes all.
                let _ = ws.0.flush();
                std::mem::take(&mut ws.0.get_mut().outgoing)
            }
        }
    }
}

fn binary(bytes: &[u8]) -> Incoming {
    match codec::decode(bytes) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(codec::about_of(bytes), error),
    }
}

fn text(text: &str) -> Incoming {
    match json::decode_client(text) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(json::about_of(text), error),
    }
}

/// tungstenite over a pipe in memory: it unmasks, joins fragments and answers pings, and never sees the socket.
#[derive(Debug)]
pub struct WsInbound(WebSocket<Pipe>);

impl WsInbound {
    fn take(&mut self) -> Option<(Wire, Incoming)> {
        use tungstenite::Error;
        loop {
            return match self.0.read() {
                Ok(Message::Binary(bytes)) if bytes.len() > FRAME_BYTES_MAX => {
                    Some((Wire::WsBinary, Incoming::Oversized(bytes.len())))
                }
                Ok(Message::Text(words)) if words.len() > JSON_BYTES_MAX => {
                    Some((Wire::WsJson, Incoming::Oversized(words.len())))
                }
                Ok(Message::Binary(bytes)) => Some((Wire::WsBinary, binary(&bytes))),
                Ok(Message::Text(words)) => Some((Wire::WsJson, text(&words))),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Ok(Message::Close(_)) => Some((Wire::WsBinary, Incoming::Closed)),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => Some((Wire::WsBinary, Incoming::Closed)),
                Err(error) => Some((Wire::WsBinary, Incoming::Lost(error.to_string()))),
            };
        }
    }
}

/// Two buffers that look like a socket that would block.
#[derive(Debug)]
pub struct Pipe {
    incoming: BytesMut,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = into.len().min(self.incoming.len());
        self.incoming.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
