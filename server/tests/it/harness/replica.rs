//! A client as a client should be: it keeps a replica, comes back after every loss, resumes, and sends again what was not
//! acknowledged.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use motet_protocol::{
    client::{Client, Outgoing, State},
    error::ErrorCode,
    ids::{Revision, Seq, SessionId},
    message::{ClientMessage, Command, ServerMessage},
    ot::Operation,
};
use ropey::Rope;
use uuid::Uuid;

use super::{Peer, hello, id};

/// One client in one room.
pub struct Replica {
    session: SessionId,
    room: String,
    pub client: Client,
    pub text: Rope,
    /// What the server has promised to keep.
    pub acknowledged: Vec<(Seq, Revision)>,
    peer: Option<Peer<TcpStream>>,
    /// The head when it last joined: once there, it has caught up.
    head: Revision,
    /// Whether the outstanding submit was sent on this connection.
    sent: bool,
}

/// The server is not there, or was lost.
#[derive(Debug)]
pub struct Lost;

impl Replica {
    pub fn new(room: &str) -> Self {
        Self {
            session: SessionId(Uuid::new_v4()),
            room: room.to_owned(),
            client: Client::new(0, 0),
            text: Rope::new(),
            acknowledged: Vec::new(),
            peer: None,
            head: 0,
            sent: false,
        }
    }

    pub fn participant(&self) -> motet_protocol::ids::ParticipantId {
        self.session.participant()
    }

    pub fn is_synchronized(&self) -> bool {
        *self.client.state() == State::Synchronized
    }

    /// Connects and joins where it was, if it is not connected.
    pub fn connect(&mut self, server: SocketAddr) -> Result<(), Lost> {
        if self.peer.is_some() {
            return Ok(());
        }
        let stream = TcpStream::connect(server).map_err(|_| Lost)?;
        stream.set_nodelay(true).map_err(|_| Lost)?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(|_| Lost)?;
        self.peer = Some(Peer::over(stream));
        self.say(&hello(self.session))?;
        let join = ClientMessage::Join {
            channel: 1,
            room: id(&self.room),
            after: Some(self.client.revision()),
            log: None,
            entries_only: true,
        };
        self.say(&join)?;
        self.sent = false;
        self.head = Revision::MAX;
        while self.head == Revision::MAX {
            self.step()?;
        }
        self.send_outstanding()
    }

    fn say(&mut self, message: &ClientMessage) -> Result<(), Lost> {
        let said = self.peer.as_mut().ok_or(Lost)?.try_say(message);
        said.map_err(|_| self.lose())
    }

    fn lose(&mut self) -> Lost {
        self.peer = None;
        Lost
    }

    fn send_outstanding(&mut self) -> Result<(), Lost> {
        match self.client.outgoing() {
            Some(outgoing) if !self.sent && self.client.revision() >= self.head => self.send(outgoing),
            _ => Ok(()),
        }
    }

    fn send(&mut self, outgoing: Outgoing) -> Result<(), Lost> {
        let Outgoing { seq, base, command } = outgoing;
        self.sent = true;
        self.say(&ClientMessage::Submit { channel: 1, seq, base, command })
    }

    /// Changes the text and sends it on.
    pub fn edit(&mut self, operation: Operation) -> Result<(), Lost> {
        operation.apply_to_rope(&mut self.text).unwrap();
        if let Some(outgoing) = self.client.edit(operation).unwrap() {
            self.sent = false;
            if self.peer.is_some() && self.client.revision() >= self.head {
                return self.send(outgoing);
            }
        }
        Ok(())
    }

    /// Takes one message of the server's.
    pub fn step(&mut self) -> Result<(), Lost> {
        let heard = self.peer.as_mut().ok_or(Lost)?.try_hear();
        let Some(message) = heard else { return Err(self.lose()) };
        match message {
            ServerMessage::Welcome(_) => {}
            ServerMessage::Joined { head, snapshot, .. } => {
                assert_eq!(snapshot, None, "entries were asked for");
                self.head = head;
            }
            ServerMessage::Entry { entry, .. } => {
                if let Command::Edit(operation) = &entry.command {
                    let operation = self.client.remote(entry.revision, operation).unwrap();
                    operation.apply_to_rope(&mut self.text).unwrap();
                } else {
                    self.client.pass(entry.revision).unwrap();
                }
                self.send_outstanding()?;
            }
            ServerMessage::Ack { seq, revision, .. } => {
                let before = self.client.revision();
                let next = self.client.acknowledged(seq, revision).unwrap();
                if self.client.revision() > before {
                    self.acknowledged.push((seq, revision));
                    self.sent = false;
                }
                if let Some(next) = next.filter(|_| self.client.revision() >= self.head) {
                    self.send(next)?;
                }
            }
            ServerMessage::Error(error) if error.retry_after_ms.is_some() => {
                std::thread::sleep(Duration::from_millis(20));
                self.sent = false;
                self.send_outstanding()?;
            }
            ServerMessage::Bye { error } if error.code == ErrorCode::ShuttingDown => return Err(self.lose()),
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    /// Goes on until everything is acknowledged and the replica is at a revision.
    pub fn settle(&mut self, server: SocketAddr, revision: Option<Revision>) {
        for _ in 0..1_000 {
            if self.connect(server).is_err() {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            while !self.is_synchronized() || revision.is_some_and(|revision| self.client.revision() < revision) {
                if self.step().is_err() {
                    break;
                }
            }
            if self.is_synchronized() && revision.is_none_or(|revision| self.client.revision() >= revision) {
                return;
            }
        }
        panic!("a client could not settle");
    }
}
