//! One connection as rooms and answers see it: a bounded buffer, its socket, and what its task has to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use futures_util::task::AtomicWaker;
use motet_protocol::{error::ErrorMessage, ids::Channel, message::ServerMessage};
use parking_lot::Mutex;
use tokio::{
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::flush;
use crate::{
    metrics::Metrics,
    room::{Outlet, ReaderId},
    session::PresenceCredit,
    wire::Wire,
};

/// An outbox takes frames until it holds this many bytes; then readers wait in the log. With the one frame that may
/// follow, this bounds what a silent reader costs.
const OUTBOX_BYTES: usize = 64 * 1024;

/// A buffer that grew beyond this is let go of when it is empty.
const KEEP_BYTES: usize = 4 * 1024;

/// One connection, as rooms and answers see it.
#[derive(Debug)]
pub struct Connection {
    stream: OwnedWriteHalf,
    outbox: Mutex<Outbox>,
    woken: AtomicBool,
    /// The connection's task.
    pub task: AtomicWaker,
    drained: Notify,
    metrics: Arc<Metrics>,
}

/// The bounded buffer of a connection, and what its task should know.
#[derive(Debug)]
pub struct Outbox {
    buffer: BytesMut,
    /// The form of messages here.
    pub wire: Wire,
    dirty: bool,
    stuck: bool,
    dead: bool,
    /// How far presence runs ahead of the client.
    presence_credit: PresenceCredit,
    /// Channels whose readers wait for room or for entries from the log.
    lagging: Vec<Channel>,
    /// Channels that rooms have closed.
    dropped: Vec<(Channel, ReaderId)>,
}

impl Outlet for Outbox {
    fn has_room(&self) -> bool {
        !self.dead && self.buffer.len() < OUTBOX_BYTES
    }

    fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    fn put(&mut self, message: &ServerMessage) {
        if !self.dead {
            self.wire.put(message, &mut self.buffer);
        }
    }

    fn lag(&mut self, channel: Channel) {
        if !self.lagging.contains(&channel) {
            self.lagging.push(channel);
        }
    }

    fn takes_presence(&mut self, channel: Channel) -> bool {
        let room = self.has_room();
        if !room {
            self.lag(channel);
        }
        room && self.presence_credit.may_send()
    }

    /// Puts a ping behind what was put in where one is due: its answer says that the client has come so far.
    fn sent_presence(&mut self, bytes: usize) {
        if let Some(nonce) = self.presence_credit.sent(bytes) {
            self.put(&ServerMessage::Ping { nonce });
        }
    }
}

impl Outbox {
    /// Puts a message in if there is room.
    pub fn try_put(&mut self, message: &ServerMessage) -> bool {
        let room = self.has_room();
        if room {
            self.put(message);
        }
        room
    }

    /// Takes the client's answer to a ping. Returns whether presence was held back that may be put in now.
    pub fn answered(&mut self, nonce: u64) -> bool {
        if let Some(nonce) = self.presence_credit.answered(nonce) {
            self.put(&ServerMessage::Ping { nonce });
        }
        self.presence_credit.take_held()
    }

    /// Notes that a room has closed a channel, and tells the client why.
    pub fn drop_channel(&mut self, channel: Channel, reader: ReaderId, error: ErrorMessage) {
        self.put(&ServerMessage::Error(error));
        self.dropped.push((channel, reader));
    }
}

/// What a connection's task should do besides reading.
#[derive(Debug, Default)]
pub struct Chores {
    /// Channels whose readers are to be moved on.
    pub lagging: Vec<Channel>,
    /// Channels that rooms have closed.
    pub dropped: Vec<(Channel, ReaderId)>,
}

/// How a connection's socket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It would block: wait until it can be written.
    pub stuck: bool,
    /// It has room for more.
    pub has_room: bool,
    /// It is gone.
    pub dead: bool,
    /// Everything is written.
    pub empty: bool,
}

impl Connection {
    /// A connection that was just accepted, and what its task reads from.
    pub fn new(stream: TcpStream, wire: Wire, metrics: Arc<Metrics>) -> (Arc<Self>, OwnedReadHalf) {
        let (reading, stream) = stream.into_split();
        let outbox = Outbox {
            buffer: BytesMut::new(),
            wire,
            dirty: false,
            stuck: false,
            dead: false,
            presence_credit: PresenceCredit::default(),
            lagging: Vec::new(),
            dropped: Vec::new(),
        };
        let connection = Self {
            stream,
            outbox: Mutex::new(outbox),
            woken: AtomicBool::new(false),
            task: AtomicWaker::new(),
            drained: Notify::new(),
            metrics,
        };
        (Arc::new(connection), reading)
    }

    /// Gives access to the outbox; what is put in is written soon.
    pub fn deliver<R>(self: &Arc<Self>, put: impl FnOnce(&mut Outbox) -> R) -> R {
        let (result, dirtied, chores) = {
            let mut outbox = self.outbox.lock();
            let (lagging, dropped) = (outbox.lagging.len(), outbox.dropped.len());
            let result = put(&mut outbox);
            let chores = outbox.dropped.len() > dropped || (outbox.lagging.len() > lagging && outbox.has_room());
            let dirtied = !outbox.buffer.is_empty() && !outbox.dirty && !outbox.stuck;
            outbox.dirty |= dirtied;
            (result, dirtied, chores)
        };
        if chores {
            self.wake();
        }
        if dirtied {
            flush::add(Arc::clone(self));
        }
        result
    }

    /// Says one thing.
    pub fn send(self: &Arc<Self>, message: &ServerMessage) {
        self.deliver(|outbox| outbox.put(message));
    }

    /// Says one thing as soon as there is room for it. Returns whether the connection is still there.
    pub async fn send_with_room(self: &Arc<Self>, message: &ServerMessage) -> bool {
        // Others may have waited for the same room.
        while self.room().await {
            if self.deliver(|outbox| outbox.try_put(message)) {
                return true;
            }
        }
        false
    }

    /// Waits until there is room, or the connection is gone: `false`. Not for the connection's own task, which makes room.
    pub async fn room(&self) -> bool {
        if self.standing().has_room {
            return true;
        }
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            let standing = self.standing();
            if standing.dead {
                return false;
            }
            if standing.has_room {
                return true;
            }
            drained.await;
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let outbox = self.outbox.lock();
        Standing {
            stuck: outbox.stuck,
            has_room: outbox.has_room(),
            dead: outbox.dead,
            empty: outbox.buffer.is_empty(),
        }
    }

    /// What there is to do for the connection's task. Lagging readers are given out only while there is room for them.
    pub fn take_chores(&self) -> Chores {
        let mut outbox = self.outbox.lock();
        let lagging = if outbox.has_room() { std::mem::take(&mut outbox.lagging) } else { Vec::new() };
        Chores { lagging, dropped: std::mem::take(&mut outbox.dropped) }
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Whether the connection's task was woken since it last asked.
    pub fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// Writes what is there, as far as the socket takes it.
    pub fn flush(&self) {
        let mut outbox = self.outbox.lock();
        outbox.dirty = false;
        outbox.stuck = false;
        let had_room = outbox.has_room();
        while !outbox.buffer.is_empty() {
            match self.stream.try_write(&outbox.buffer) {
                Ok(written) => {
                    self.metrics.bytes_out.inc_by(written as u64);
                    outbox.buffer.advance(written);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    outbox.stuck = true;
                    break;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => {
                    outbox.dead = true;
                    outbox.buffer = BytesMut::new();
                }
            }
        }
        if outbox.buffer.is_empty() && outbox.buffer.capacity() > KEEP_BYTES {
            outbox.buffer = BytesMut::new();
        }
        let drained = !had_room && outbox.has_room();
        let wanted = drained || outbox.stuck || outbox.dead || (outbox.has_room() && !outbox.lagging.is_empty());
        drop(outbox);
        if wanted {
            self.wake();
            self.drained.notify_waiters();
        }
    }

    /// Whether the socket can be written; if not, the task is woken when it can.
    pub fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error is met again, and told, by the write.
        self.stream.as_ref().poll_write_ready(context).map(|_| ())
    }

    /// Waits until the socket can be written.
    pub async fn writable(&self) {
        let _ = self.stream.writable().await;
    }

    /// Gives up on what was not sent: nobody is there any more.
    pub fn abandon(&self) {
        let mut outbox = self.outbox.lock();
        outbox.dead = true;
        outbox.buffer = BytesMut::new();
        drop(outbox);
        self.drained.notify_waiters();
    }
}
