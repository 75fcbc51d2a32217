//! Messages to and from a server over TCP or WebSocket, after the handshake. Nothing here reconnects.

use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use motet_protocol::{
    codec::{self, ClientCodec, CodecError, StreamError},
    error::ErrorMessage,
    ids::SessionId,
    limits::{FRAME_BYTES_MAX, PROTOCOL_VERSION},
    message::{ClientMessage, Hello, ServerMessage, Welcome},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, error::ProtocolError, protocol::WebSocketConfig},
};
use tokio_util::codec::Framed;

use crate::address::Address;

/// How long connecting and greeting may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who a client says it is.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// Its session, the same after a reconnect.
    pub session: SessionId,
    /// A name for people; may be empty.
    pub name: String,
    /// Proof of who it is, where the server wants one.
    pub token: Option<String>,
}

/// Why a connection could not be made or did not last.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The server cannot be reached, or the connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// No answer came in time.
    #[error("the server did not answer within {} seconds", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
    /// The other end is no server of this kind.
    #[error("the other end does not speak Motet's protocol: {0}")]
    NotMotet(String),
    /// The server said goodbye, and why.
    #[error("{}", .0.message)]
    Bye(ErrorMessage),
    /// The server closed the connection without a word.
    #[error("the server closed the connection")]
    Closed,
}

impl From<StreamError> for ConnectionError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(error) => Self::Io(error),
            other => Self::NotMotet(other.to_string()),
        }
    }
}

impl From<CodecError> for ConnectionError {
    fn from(error: CodecError) -> Self {
        Self::NotMotet(error.to_string())
    }
}

impl From<tungstenite::Error> for ConnectionError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Io(error) => Self::Io(error),
            tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            // A server that was killed says no goodbye, and is a server all the same.
            | tungstenite::Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
            ) => Self::Closed,
            other => Self::NotMotet(other.to_string()),
        }
    }
}

/// One connection. Reading is cancel-safe: a call that is dropped loses nothing.
#[derive(Debug)]
pub struct Connection(Transport);

#[derive(Debug)]
enum Transport {
    Tcp(Box<Framed<TcpStream, ClientCodec>>),
    Ws(Box<WebSocketStream<TcpStream>>),
}

impl Connection {
    /// Connects and greets.
    pub async fn open(address: &Address, greeting: Greeting) -> Result<(Self, Welcome), ConnectionError> {
        let opened = async {
            let mut connection = Self(Transport::open(address).await?);
            let Greeting { session, name, token } = greeting;
            connection.send(ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, token, session, name })).await?;
            match connection.next().await? {
                ServerMessage::Welcome(welcome) => Ok((connection, welcome)),
                other => Err(ConnectionError::NotMotet(format!("it greeted with {other:?}"))),
            }
        };
        timeout(CONNECT_TIMEOUT, opened).await.map_err(|_| ConnectionError::TimedOut)?
    }

    /// Puts a message into the connection's buffer, which is written when it is full or [flushed](Self::flush).
    pub async fn feed(&mut self, message: ClientMessage) -> Result<(), ConnectionError> {
        match &mut self.0 {
            Transport::Tcp(framed) => Ok(framed.feed(message).await?),
            Transport::Ws(socket) => Ok(socket.feed(Message::Binary(codec::encode(&message))).await?),
        }
    }

    /// Writes what is in the buffer.
    pub async fn flush(&mut self) -> Result<(), ConnectionError> {
        match &mut self.0 {
            Transport::Tcp(framed) => Ok(SinkExt::<ClientMessage>::flush(framed.as_mut()).await?),
            Transport::Ws(socket) => Ok(socket.flush().await?),
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: ClientMessage) -> Result<(), ConnectionError> {
        self.feed(message).await?;
        self.flush().await
    }

    /// The next message. Pings are answered, a goodbye is an error.
    pub async fn next(&mut self) -> Result<ServerMessage, ConnectionError> {
        loop {
            let message = match &mut self.0 {
                Transport::Tcp(framed) => framed.next().await.ok_or(ConnectionError::Closed)??,
                Transport::Ws(socket) => match socket.next().await.ok_or(ConnectionError::Closed)?? {
                    Message::Binary(bytes) => codec::decode(&bytes)?,
                    Message::Text(_) => return Err(ConnectionError::NotMotet("it answers in text".to_owned())),
                    Message::Close(_) => return Err(ConnectionError::Closed),
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

impl Transport {
    async fn open(address: &Address) -> Result<Self, ConnectionError> {
        let stream = TcpStream::connect(address.authority()).await?;
        stream.set_nodelay(true)?;
        match address {
            Address::Tcp { .. } => Ok(Self::Tcp(Box::new(Framed::new(stream, ClientCodec::default())))),
            Address::Ws { authority, path } => {
                let config = WebSocketConfig::default()
                    .read_buffer_size(4 * 1024)
                    .max_message_size(Some(FRAME_BYTES_MAX))
                    .max_frame_size(Some(FRAME_BYTES_MAX));
                let url = format!("ws://{authority}{path}");
                let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
                Ok(Self::Ws(Box::new(socket)))
            }
        }
    }
}
