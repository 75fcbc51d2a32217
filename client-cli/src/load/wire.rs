//! Messages to and from the server in each way of writing them, with every byte counted.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use motet_client::{
    address::Address,
    connection::{ConnectionError, Greeting},
};
use motet_protocol::{
    codec::{self, ClientCodec},
    json,
    limits::{FRAME_BYTES_MAX, PROTOCOL_VERSION},
    message::{ClientMessage, Hello, ServerMessage, Welcome},
};
use tokio::{
    io::{self, AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::codec::Framed;

use super::arguments::Wire;

/// How long connecting and greeting may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that went over all connections, without the headers of TCP and IP.
#[derive(Debug, Default)]
pub(super) struct Meter {
    up: AtomicU64,
    down: AtomicU64,
}

impl Meter {
    /// Bytes to the server and from it, so far.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed))
    }
}

/// One connection. Reading is cancel-safe.
pub(super) enum Line {
    Binary(Box<Framed<Counted, ClientCodec>>),
    Ws { socket: Box<WebSocketStream<Counted>>, wire: Wire },
}

impl Line {
    /// Connects and greets.
    pub(super) async fn open(
        address: &Address,
        wire: Wire,
        greeting: Greeting,
        meter: &Arc<Meter>,
    ) -> Result<(Self, Welcome), ConnectionError> {
        let opened = async {
            let mut line = Self::connect(address, wire, meter).await?;
            let Greeting { session, name, token } = greeting;
            line.send(ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, token, session, name })).await?;
            match line.next().await? {
                ServerMessage::Welcome(welcome) => Ok((line, welcome)),
                other => Err(ConnectionError::NotMotet(format!("it greeted with {other:?}"))),
            }
        };
        timeout(CONNECT_TIMEOUT, opened).await.map_err(|_| ConnectionError::TimedOut)?
    }

    async fn connect(address: &Address, wire: Wire, meter: &Arc<Meter>) -> Result<Self, ConnectionError> {
        let stream = TcpStream::connect(address.authority()).await?;
        stream.set_nodelay(true)?;
        let stream = Counted { stream, meter: Arc::clone(meter) };
        let Address::Ws { authority, path } = address else {
            return Ok(Self::Binary(Box::new(Framed::new(stream, ClientCodec::default()))));
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        let (socket, _) = client_async_with_config(format!("ws://{authority}{path}"), stream, Some(config)).await?;
        Ok(Self::Ws { socket: Box::new(socket), wire })
    }

    pub(super) async fn send(&mut self, message: ClientMessage) -> Result<(), ConnectionError> {
        match self {
            Self::Binary(framed) => Ok(framed.send(message).await?),
            Self::Ws { socket, wire: Wire::Binary } => {
                Ok(socket.send(Message::Binary(codec::encode(&message))).await?)
            }
            Self::Ws { socket, wire: Wire::Json } => {
                Ok(socket.send(Message::Text(json::encode(&message).into())).await?)
            }
        }
    }

    /// The next message. Pings are answered, a goodbye is an error.
    pub(super) async fn next(&mut self) -> Result<ServerMessage, ConnectionError> {
        loop {
            let message = match self {
                Self::Binary(framed) => framed.next().await.ok_or(ConnectionError::Closed)??,
                Self::Ws { socket, wire } => match (socket.next().await.ok_or(ConnectionError::Closed)??, wire) {
                    (Message::Binary(bytes), Wire::Binary) => codec::decode(&bytes)?,
                    (Message::Text(text), Wire::Json) => json::decode_server(&text)?,
                    (Message::Close(_), _) => return Err(ConnectionError::Closed),
                    (Message::Binary(_) | Message::Text(_), _) => {
                        return Err(ConnectionError::NotMotet("it answers in another form".to_owned()));
                    }
                    _ => continue,
                },
            };
            match message {
                ServerMessage::Ping { nonce } => self.send(ClientMessage::Pong { nonce }).await?,
                ServerMessage::Bye { error } => return Err(ConnectionError::Bye(error)),
                message => return Ok(message),
            }
        }
    }
}

/// A stream whose bytes are counted.
pub(super) struct Counted {
    stream: TcpStream,
    meter: Arc<Meter>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.meter.down.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.meter.up.fetch_add(written as u64, Ordering::Relaxed);
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
