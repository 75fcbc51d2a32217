//! The client's end of a connection: messages over TCP frames or WebSocket, and how many bytes that takes.

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use motet_protocol::{
    codec::{Frame, FrameDecoder},
    limits::FRAME_BYTES_MAX,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::codec::Decoder;

use crate::Failure;

/// Longest message that is read: a join's answer with all of a long history in it.
const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// What is said in one message.
pub(crate) enum Payload {
    Binary(Bytes),
    Text(String),
}

/// Bytes on the sockets that share it, with all framing, as the client sees them.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) up: Cell<u64>,
    pub(crate) down: Cell<u64>,
}

/// A connection that says and hears messages.
pub(crate) enum Wire {
    Tcp { stream: Counted, buffer: BytesMut, frames: FrameDecoder },
    WebSocket(Box<WebSocketStream<Counted>>),
}

impl Wire {
    pub(crate) async fn tcp(address: SocketAddr, traffic: Rc<Traffic>) -> Result<Self, Failure> {
        let stream = Counted::connect(address, traffic).await?;
        Ok(Self::Tcp { stream, buffer: BytesMut::new(), frames: FrameDecoder::new(FRAME_BYTES_MAX) })
    }

    pub(crate) async fn websocket(address: SocketAddr, path: &str, traffic: Rc<Traffic>) -> Result<Self, Failure> {
        let stream = Counted::connect(address, traffic).await?;
        // The buffer is cleared before each read, so that a large one would cost more than the message.
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let url = format!("ws://{address}/{path}");
        Ok(Self::WebSocket(Box::new(client_async_with_config(url, stream, Some(config)).await?.0)))
    }

    pub(crate) async fn say(&mut self, payload: Payload) -> Result<(), Failure> {
        match (self, payload) {
            (Self::Tcp { stream, .. }, Payload::Binary(bytes)) => {
                let mut frame = BytesMut::with_capacity(4 + bytes.len());
                frame.put_u32(u32::try_from(bytes.len())?);
                frame.put_slice(&bytes);
                stream.write_all(&frame).await?;
            }
            (Self::Tcp { .. }, Payload::Text(_)) => return Err("text is said over WebSocket only".into()),
            (Self::WebSocket(socket), Payload::Binary(bytes)) => socket.send(Message::Binary(bytes)).await?,
            (Self::WebSocket(socket), Payload::Text(text)) => socket.send(Message::Text(text.into())).await?,
        }
        Ok(())
    }

    /// The next message. Nothing is lost when this is dropped before it is ready.
    pub(crate) async fn next(&mut self) -> Result<Bytes, Failure> {
        loop {
            match self {
                Self::Tcp { stream, buffer, frames } => {
                    if let Some(Frame::Message(bytes)) = frames.decode(buffer)? {
                        return Ok(bytes);
                    }
                    if stream.read_buf(buffer).await? == 0 {
                        return Err("the server closed the connection".into());
                    }
                }
                Self::WebSocket(socket) => match socket.next().await.ok_or("the server closed the connection")?? {
                    Message::Binary(bytes) => return Ok(bytes),
                    Message::Text(text) => return Ok(text.into()),
                    Message::Close(reason) => {
                        return Err(format!("the server closed the connection: {reason:?}").into());
                    }
                    _ => {}
                },
            }
        }
    }
}

/// A socket that counts.
pub(crate) struct Counted {
    stream: TcpStream,
    traffic: Rc<Traffic>,
}

impl Counted {
    async fn connect(address: SocketAddr, traffic: Rc<Traffic>) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, traffic })
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let down = &self.traffic.down;
        down.set(down.get() + (buffer.filled().len() - before) as u64);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            let up = &self.traffic.up;
            up.set(up.get() + written as u64);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
