//! One connection: bytes on their way in both directions, and the server's end of it.

use bytes::BytesMut;
use motet_protocol::{
    codec::{self, Frame, FrameDecoder},
    ids::Channel,
    json,
    limits::{FRAME_BYTES_MAX, JSON_BYTES_MAX},
    message::{ClientMessage, ServerMessage},
};
use motet_server::{
    room::{Outlet, ReaderId},
    session::Session,
    wire::Wire,
};
use tokio_util::codec::Decoder;

/// What a channel is joined to.
#[derive(Clone, Copy, Debug)]
pub struct Joined {
    pub room: usize,
    pub reader: ReaderId,
}

/// A connection. It lives until both ends have let go of it.
pub struct Link {
    pub client: usize,
    pub server: usize,
    /// Whether the client's end is open.
    pub client_open: bool,
    /// Whether the server's end is open.
    pub server_open: bool,
    /// It is from before its client's room was removed.
    pub stale: bool,
    pub session: Session<Joined>,
    pub wire: Wire,
    /// From the client, not yet at the server.
    up: BytesMut,
    /// At the server, not yet a whole frame.
    arrived_up: BytesMut,
    frames_up: FrameDecoder,
    pub outbox: Outbox,
    /// From the server, not yet at the client.
    down: BytesMut,
    arrived_down: BytesMut,
    frames_down: FrameDecoder,
}

/// The server's bounded buffer for a connection.
pub struct Outbox {
    buffer: BytesMut,
    bytes_max: usize,
    pub wire: Wire,
    pub lagging: Vec<Channel>,
}

impl Outlet for Outbox {
    fn has_room(&self) -> bool {
        self.buffer.len() < self.bytes_max
    }

    fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    fn put(&mut self, message: &ServerMessage) {
        self.wire.put(message, &mut self.buffer);
    }

    fn lag(&mut self, channel: Channel) {
        if !self.lagging.contains(&channel) {
            self.lagging.push(channel);
        }
    }
}

impl Link {
    pub fn new(client: usize, server: usize, wire: Wire, outbox_bytes: usize, now: u64) -> Self {
        Self {
            client,
            server,
            client_open: true,
            server_open: true,
            stale: false,
            session: Session::new(now),
            wire,
            up: BytesMut::new(),
            arrived_up: BytesMut::new(),
            frames_up: FrameDecoder::new(JSON_BYTES_MAX),
            outbox: Outbox { buffer: BytesMut::new(), bytes_max: outbox_bytes, wire, lagging: Vec::new() },
            down: BytesMut::new(),
            arrived_down: BytesMut::new(),
            frames_down: FrameDecoder::new(FRAME_BYTES_MAX),
        }
    }

    /// The client says something.
    pub fn say(&mut self, message: &ClientMessage) {
        match self.wire {
            Wire::WsJson => {
                let text = json::encode(message);
                self.up.extend_from_slice(&(text.len() as u32).to_be_bytes());
                self.up.extend_from_slice(text.as_bytes());
            }
            Wire::Tcp | Wire::WsBinary => codec::frame_into(message, &mut self.up),
        }
    }

    pub fn bytes_up(&self) -> usize {
        self.up.len()
    }

    pub fn bytes_down(&self) -> usize {
        self.down.len()
    }

    pub fn bytes_out(&self) -> usize {
        self.outbox.buffer.len()
    }

    /// Some bytes of the client's arrive: the messages that are whole now.
    pub fn arrive_up(&mut self, bytes: usize) -> Vec<ClientMessage> {
        self.arrived_up.unsplit(self.up.split_to(bytes));
        let mut messages = Vec::new();
        while let Some(frame) = self.frames_up.decode(&mut self.arrived_up).unwrap() {
            let Frame::Message(bytes) = frame else { panic!("a client sent {frame:?}") };
            messages.push(match self.wire {
                Wire::WsJson => json::decode(std::str::from_utf8(&bytes).unwrap()).unwrap(),
                Wire::Tcp | Wire::WsBinary => codec::decode(&bytes).unwrap(),
            });
        }
        messages
    }

    /// The rest of what the client sent is lost on its way, but for some bytes.
    pub fn cut_up(&mut self, keep: usize) {
        self.up.truncate(keep);
        self.client_open = false;
    }

    /// The server's socket takes some bytes.
    pub fn flush(&mut self, bytes: usize) {
        let taken = self.outbox.buffer.split_to(bytes);
        self.down.unsplit(taken);
    }

    /// Some bytes of the server's arrive: the messages that are whole now.
    pub fn arrive_down(&mut self, bytes: usize) -> Vec<ServerMessage> {
        self.arrived_down.unsplit(self.down.split_to(bytes));
        let mut messages = Vec::new();
        loop {
            match self.wire {
                Wire::Tcp => match self.frames_down.decode(&mut self.arrived_down).unwrap() {
                    Some(Frame::Message(bytes)) => messages.push(codec::decode(&bytes).unwrap()),
                    Some(skipped) => panic!("a server sent {skipped:?}"),
                    None => return messages,
                },
                Wire::WsBinary | Wire::WsJson => match take_websocket_frame(&mut self.arrived_down) {
                    Some((0x82, bytes)) => messages.push(codec::decode(&bytes).unwrap()),
                    Some((0x81, bytes)) => messages.push(json::decode(std::str::from_utf8(&bytes).unwrap()).unwrap()),
                    Some((first, _)) => panic!("a server sent a WebSocket frame {first:#x}"),
                    None => return messages,
                },
            }
        }
    }
}

/// A whole frame without a mask (RFC 6455, section 5.2), if one is there.
fn take_websocket_frame(bytes: &mut BytesMut) -> Option<(u8, BytesMut)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (header, length) = match second {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize),
        length => (2, usize::from(length)),
    };
    if bytes.len() < header + length {
        return None;
    }
    let mut frame = bytes.split_to(header + length);
    Some((first, frame.split_off(header)))
}
