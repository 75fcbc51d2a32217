//! A real server in this process, on real sockets, and peers that say what they are told to, right or wrong.

pub mod http;
pub mod process;
pub mod replica;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use bytes::BytesMut;
use clap::Parser;
use motet_protocol::{
    codec::{self, Frame, FrameDecoder},
    error::ErrorCode,
    ids::{Channel, Revision, RoomId, Seq, SessionId},
    limits::{FRAME_BYTES_MAX, PROTOCOL_VERSION},
    message::{Answer, At, ClientMessage, Command, Entry, Hello, Question, ServerMessage, SnapshotInfo},
    ot::Operation,
};
use motet_server::{
    config::{Config, Flags},
    run::{Listeners, open_store, run, runtime},
};
use tokio_util::{codec::Decoder, sync::CancellationToken};
use tungstenite::{Message, WebSocket};
use uuid::Uuid;

/// How long a peer waits for an answer before its test fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    pub tcp: SocketAddr,
    pub http: SocketAddr,
    shutdown: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
    _data: Option<tempfile::TempDir>,
}

impl Server {
    /// A server with a store of its own and the flags given.
    pub fn start(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(data.path().to_owned(), flags);
        server._data = Some(data);
        server
    }

    /// A server on a directory.
    pub fn start_in(data: PathBuf, flags: &[&str]) -> Self {
        let fixed = ["motetd", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data"];
        let data = data.to_str().unwrap().to_owned();
        let words = fixed.iter().copied().chain([data.as_str()]).chain(flags.iter().copied());
        let config: Config = Flags::parse_from(words).resolve().unwrap();
        let shutdown = CancellationToken::new();
        let (ready_in, ready_out) = std::sync::mpsc::channel();
        let stop = shutdown.clone();
        let thread = std::thread::spawn(move || {
            let store = open_store(&config).unwrap();
            runtime(config.threads).unwrap().block_on(async {
                let listeners = Listeners::bind(&config).await.unwrap();
                let addresses = (listeners.tcp.local_addr().unwrap(), listeners.http.local_addr().unwrap());
                ready_in.send(addresses).unwrap();
                let stopped = async move { stop.cancelled().await };
                tokio::spawn(run(config, store, listeners, stopped)).await.unwrap().unwrap();
            });
        });
        let (tcp, http) = ready_out.recv().unwrap();
        Self { tcp, http, shutdown, thread: Some(thread), _data: None }
    }

    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server ends without a panic");
            }
        }
    }

    /// A peer on a room that exists after this, with its text.
    pub fn peer_in(&self, room: &str) -> Peer<TcpStream> {
        let mut peer = Peer::greeted(self);
        peer.create(room);
        peer.join(1, room);
        peer
    }

    pub fn get(&self, path: &str) -> String {
        get(self.http, path)
    }
}

/// What a GET is answered, head and body.
pub fn get(http: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A peer on TCP.
pub struct Peer<S> {
    pub stream: S,
    buffer: BytesMut,
    frames: FrameDecoder,
    pub seq: Seq,
    /// Bytes that came in so far.
    pub received_bytes: u64,
}

impl Peer<TcpStream> {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }

    pub fn greeted(server: &Server) -> Self {
        Self::greeted_as(server, SessionId(Uuid::new_v4()))
    }

    pub fn greeted_as(server: &Server, session: SessionId) -> Self {
        let mut peer = Self::connect(server.tcp);
        peer.say(&hello(session));
        let answer = peer.hear();
        assert!(matches!(answer, ServerMessage::Welcome(_)), "{answer:?}");
        peer
    }
}

impl Peer<TcpStream> {
    /// The next message, if there is one in time.
    pub fn hear_within(&mut self, patience: Duration) -> Option<ServerMessage> {
        self.stream.set_read_timeout(Some(patience)).unwrap();
        let is_there = !self.buffer.is_empty() || self.stream.peek(&mut [0]).is_ok();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        is_there.then(|| self.hear())
    }
}

impl<S: Read + Write> Peer<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new(), frames: FrameDecoder::new(FRAME_BYTES_MAX), seq: 0, received_bytes: 0 }
    }

    pub fn try_say(&mut self, message: &ClientMessage) -> std::io::Result<()> {
        let mut frame = BytesMut::new();
        codec::frame_into(message, &mut frame);
        self.stream.write_all(&frame)
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// One frame with these bytes in it.
    pub fn frame(&mut self, bytes: &[u8]) {
        self.raw(&(bytes.len() as u32).to_be_bytes());
        self.raw(bytes);
    }

    pub fn say(&mut self, message: &ClientMessage) {
        self.try_say(message).unwrap();
    }

    /// The next message; `None` at the end of the stream.
    pub fn try_hear(&mut self) -> Option<ServerMessage> {
        loop {
            match self.frames.decode(&mut self.buffer).unwrap() {
                Some(Frame::Message(bytes)) => match codec::decode(&bytes).unwrap() {
                    ServerMessage::Ping { nonce } => self.try_say(&ClientMessage::Pong { nonce }).ok()?,
                    message => return Some(message),
                },
                Some(skipped) => panic!("{skipped:?}"),
                None => {
                    let mut bytes = [0; 64 * 1024];
                    match self.stream.read(&mut bytes) {
                        Ok(0) => return None,
                        Ok(length) => {
                            self.received_bytes += length as u64;
                            self.buffer.extend_from_slice(&bytes[..length]);
                        }
                        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                        Err(error) => panic!("the server said nothing in time: {error}"),
                    }
                }
            }
        }
    }

    pub fn hear(&mut self) -> ServerMessage {
        self.try_hear().expect("the server closed the connection")
    }

    /// The code of the next message, which is an error or a goodbye.
    pub fn hear_code(&mut self) -> ErrorCode {
        match self.hear() {
            ServerMessage::Error(error) | ServerMessage::Bye { error } => error.code,
            other => panic!("an error was due, not {other:?}"),
        }
    }

    pub fn create(&mut self, room: &str) {
        self.say(&ClientMessage::Ask {
            request: 1,
            question: Question::CreateRoom { room: Some(id(room)), settings: Box::default() },
        });
        match self.hear() {
            ServerMessage::Answer { answer: Answer::Created { .. }, .. } => {}
            ServerMessage::Error(error) if error.code == ErrorCode::RoomExists => {}
            other => panic!("{other:?}"),
        }
    }

    /// Joins and gets the text of the snapshot.
    pub fn join(&mut self, channel: Channel, room: &str) -> (Revision, String) {
        self.say(&ClientMessage::Join { channel, room: id(room), after: None, log: None, entries_only: false });
        match self.hear() {
            ServerMessage::Joined { snapshot: Some(SnapshotInfo { revision, .. }), .. } => {
                let mut whole = String::new();
                loop {
                    let ServerMessage::Snapshot { text, last, .. } = self.hear() else { panic!("a snapshot was due") };
                    whole.push_str(&text);
                    if last {
                        return (revision, whole);
                    }
                }
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn submit(&mut self, channel: Channel, base: Revision, operation: Operation) {
        self.seq += 1;
        let seq = self.seq;
        self.say(&ClientMessage::Submit { channel, seq, base, command: Command::Edit(operation) });
    }

    /// Submits and waits for the acknowledgement, applying nothing in between.
    pub fn edit(&mut self, channel: Channel, base: Revision, operation: Operation) -> Revision {
        self.submit(channel, base, operation);
        loop {
            match self.hear() {
                ServerMessage::Ack { revision, seq, .. } if seq == self.seq => return revision,
                ServerMessage::Entry { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn entry(&mut self) -> Entry {
        match self.hear() {
            ServerMessage::Entry { entry, .. } => entry,
            other => panic!("an entry was due, not {other:?}"),
        }
    }

    pub fn text(&mut self, room: &str, at: At) -> String {
        self.say(&ClientMessage::Ask { request: 9, question: Question::ReadText { room: id(room), at } });
        let mut whole = String::new();
        loop {
            match self.hear() {
                ServerMessage::Answer { answer: Answer::Text { text, last, .. }, .. } => {
                    whole.push_str(&text);
                    if last {
                        return whole;
                    }
                }
                ServerMessage::Entry { .. } | ServerMessage::Ack { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

pub fn hello(session: SessionId) -> ClientMessage {
    ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, token: None, session, name: String::new() })
}

pub fn id(room: &str) -> RoomId {
    RoomId::new(room).unwrap()
}

pub fn insert(at: u64, text: &str, len: u64) -> Operation {
    Operation::builder().retain(at).insert(text).retain(len - at).build().unwrap()
}

/// A peer on WebSocket.
pub struct WsPeer {
    pub socket: WebSocket<TcpStream>,
}

impl WsPeer {
    pub fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.http).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://{}/ws", server.http), stream).unwrap();
        Self { socket }
    }

    pub fn say(&mut self, message: &ClientMessage) {
        self.socket.send(Message::binary(codec::encode(message))).unwrap();
    }

    pub fn say_json(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// The next message, in whichever form it came, and whether it was JSON.
    pub fn hear(&mut self) -> (ServerMessage, bool) {
        loop {
            match self.socket.read().unwrap() {
                Message::Binary(bytes) => return (codec::decode(&bytes).unwrap(), false),
                Message::Text(text) => return (motet_protocol::json::decode(&text).unwrap(), true),
                _ => {}
            }
        }
    }
}

/// A figure from `/metrics`.
pub fn figure(http: SocketAddr, name: &str) -> f64 {
    let text = get(http, "/metrics");
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} is not in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
