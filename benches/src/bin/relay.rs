//! A bare relay, to compare a server with: it speaks just enough of Motet's protocol to be driven by `race`, copies each
//! submit to the room's other members and acknowledges it. No operation is looked at, nothing is kept. Its shape is the plain
//! one: a task that reads and a task that writes for each connection, a queue in between.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use motet_protocol::{
    access::Role,
    codec::{self, Frame, FrameDecoder, entry_prefix},
    error::About,
    ids::{Channel, LogIdentity, RoomId, ServerId},
    limits::{FRAME_BYTES_MAX, Limits},
    message::{Answer, ClientMessage, Durability, Question, ServerMessage, Welcome},
    room::{RoomInfo, RoomSettings},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::codec::Decoder;
use uuid::Uuid;

/// A room: its members, and how many submits it has passed on.
#[derive(Default)]
struct Room {
    members: Mutex<Vec<(u64, Channel, UnboundedSender<Bytes>)>>,
    revision: AtomicU64,
}

type Rooms = Arc<Mutex<HashMap<RoomId, Arc<Room>>>>;

/// One connection's conversation.
struct Member {
    number: u64,
    rooms: Rooms,
    joined: HashMap<Channel, Arc<Room>>,
    out: UnboundedSender<Bytes>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (tcp, ws) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    writeln!(std::io::stdout(), "relay ready http={} tcp={}", ws.local_addr()?, tcp.local_addr()?)?;
    let rooms = Rooms::default();
    let numbers = AtomicU64::new(0);
    loop {
        let (stream, is_tcp) = tokio::select! {
            accepted = tcp.accept() => (accepted?.0, true),
            accepted = ws.accept() => (accepted?.0, false),
        };
        stream.set_nodelay(true)?;
        let (out, queue) = unbounded_channel();
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let member = Member { number, rooms: Arc::clone(&rooms), joined: HashMap::new(), out };
        if is_tcp {
            tokio::spawn(serve_tcp(stream, member, queue));
        } else {
            tokio::spawn(serve_ws(stream, member, queue));
        }
    }
}

async fn serve_tcp(stream: TcpStream, mut member: Member, mut queue: UnboundedReceiver<Bytes>) {
    let (mut reading, mut writing) = stream.into_split();
    tokio::spawn(async move {
        let mut buffer = BytesMut::new();
        while let Some(first) = queue.recv().await {
            let mut next = Some(first);
            while let Some(bytes) = next {
                buffer.put_u32(bytes.len() as u32);
                buffer.put_slice(&bytes);
                next = queue.try_recv().ok();
            }
            if writing.write_all_buf(&mut buffer).await.is_err() {
                return;
            }
        }
    });
    let (mut buffer, mut frames) = (BytesMut::new(), FrameDecoder::new(FRAME_BYTES_MAX));
    loop {
        while let Ok(Some(Frame::Message(bytes))) = frames.decode(&mut buffer) {
            member.take(&bytes);
        }
        if !matches!(reading.read_buf(&mut buffer).await, Ok(1..)) {
            return member.leave();
        }
    }
}

async fn serve_ws(stream: TcpStream, mut member: Member, mut queue: UnboundedReceiver<Bytes>) {
    let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
    let Ok(socket) = accept_async_with_config(stream, Some(config)).await else { return };
    let (mut writing, mut reading) = socket.split();
    tokio::spawn(async move {
        while let Some(first) = queue.recv().await {
            let mut next = Some(first);
            while let Some(bytes) = next {
                if writing.feed(Message::Binary(bytes)).await.is_err() {
                    return;
                }
                next = queue.try_recv().ok();
            }
            if writing.flush().await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = reading.next().await {
        if let Message::Binary(bytes) = message {
            member.take(&bytes);
        }
    }
    member.leave();
}

impl Member {
    fn take(&mut self, bytes: &[u8]) {
        if let About::Submit { channel, seq } = codec::about_of(bytes) {
            let Some(room) = self.joined.get(&channel) else { return };
            let revision = room.revision.fetch_add(1, Ordering::Relaxed) + 1;
            for (number, channel, out) in room.members.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let copy = if *number == self.number {
                    codec::encode(&ServerMessage::Ack { channel: *channel, seq, revision })
                } else {
                    let mut copy = BytesMut::from(entry_prefix(*channel).as_ref());
                    copy.put_slice(bytes);
                    copy.freeze()
                };
                let _ = out.send(copy);
            }
            return;
        }
        let answer = match codec::decode(bytes) {
            Ok(ClientMessage::Hello(hello)) => ServerMessage::Welcome(Welcome {
                protocol: hello.protocol,
                server: "relay".to_owned(),
                server_id: ServerId(Uuid::nil()),
                http: None,
                participant: hello.session.participant(),
                account: None,
                name: hello.name,
                expires_ms: None,
                durability: Durability::None,
                limits: Limits::default(),
            }),
            Ok(ClientMessage::Ask { request, question: Question::CreateRoom { room: Some(room), .. } }) => {
                self.rooms.lock().unwrap_or_else(PoisonError::into_inner).entry(room.clone()).or_default();
                let room = RoomInfo {
                    room,
                    created_ms: 0,
                    owner: None,
                    head: 0,
                    changed_ms: 0,
                    present: 0,
                    text_bytes: 0,
                    preview: String::new(),
                    settings: RoomSettings::default(),
                    role: Role::Host,
                    unread: 0,
                    last_message: None,
                };
                ServerMessage::Answer { request, answer: Answer::Created { room: Box::new(room) } }
            }
            Ok(ClientMessage::Join { channel, room, .. }) => {
                let room =
                    Arc::clone(self.rooms.lock().unwrap_or_else(PoisonError::into_inner).entry(room).or_default());
                let member = (self.number, channel, self.out.clone());
                room.members.lock().unwrap_or_else(PoisonError::into_inner).push(member);
                self.joined.insert(channel, room);
                ServerMessage::Joined {
                    channel,
                    log: LogIdentity(Uuid::nil()),
                    head: 0,
                    role: Role::Host,
                    snapshot: None,
                }
            }
            _ => return,
        };
        let _ = self.out.send(codec::encode(&answer));
    }

    fn leave(self) {
        for room in self.joined.values() {
            let mut members = room.members.lock().unwrap_or_else(PoisonError::into_inner);
            members.retain(|(number, _, _)| *number != self.number);
        }
    }
}
