//! One client of a replay. Unlike the client of the library it never receives more than its part of the trace has seen:
//! what others did stands back until the trace says that this agent saw it.

use std::{collections::VecDeque, time::Duration};

use motet_client::{
    connection::{Connection, ConnectionError},
    error::Error,
};
use motet_protocol::{
    error::{About, ErrorMessage},
    ids::{Revision, RoomId, Seq},
    limits::Limits,
    message::{ClientMessage, Command, Entry, ServerMessage},
    ot::{Mismatch, Operation},
};
use ropey::{Rope, RopeBuilder};
use tokio::time::sleep;

use crate::cli::{Failure, Globals};

/// The channel of the only room.
const CHANNEL: u32 = 1;

/// A client in the room. `view` is what its person saw; the server's text at `revision` is `view` with `unseen` and
/// without `outstanding`:
///
/// ```text
///     view ── unseen[0] ── unseen[1] ──▶ text at `revision`, with what this agent has outstanding
/// ```
pub(super) struct Agent {
    globals: Globals,
    connection: Connection,
    view: Rope,
    /// Others' edits that this client holds and its person has not seen, each counting on `view` with those before it.
    unseen: VecDeque<(Revision, Operation)>,
    revision: Revision,
    seq: Seq,
    /// What was sent and is not acknowledged, counting on the text at `revision`.
    outstanding: Option<Operation>,
    limits: Limits,
}

impl Agent {
    /// Connects and opens the room.
    pub(super) async fn join(globals: &Globals, room: &RoomId) -> Result<Self, Failure> {
        let opened = Connection::open(&globals.server, globals.greeting()).await;
        let (connection, welcome) = opened.map_err(|error| Error::no_connection(&globals.server, error))?;
        let mut agent = Self {
            globals: globals.clone(),
            connection,
            view: Rope::new(),
            unseen: VecDeque::new(),
            revision: 0,
            seq: 0,
            outstanding: None,
            limits: welcome.limits,
        };
        agent
            .send(ClientMessage::Join {
                channel: CHANNEL,
                room: room.clone(),
                after: None,
                log: None,
                entries_only: false,
            })
            .await?;
        let mut pieces = RopeBuilder::new();
        loop {
            match agent.hear().await? {
                ServerMessage::Joined { snapshot: Some(info), .. } => agent.revision = info.revision,
                ServerMessage::Snapshot { text, last, .. } => {
                    pieces.append(&text);
                    if last {
                        agent.view = pieces.finish();
                        return Ok(agent);
                    }
                }
                ServerMessage::Error(error) => return Err(Error::refused(&error).into()),
                other => return Err(Error::bad_server(format_args!("{other:?}")).into()),
            }
        }
    }

    /// What its person sees.
    pub(super) fn view(&self) -> &Rope {
        &self.view
    }

    /// The last revision that it holds, seen or not.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// How far behind the head an edit of its may count: half of what the server takes, to be safe.
    pub(super) fn base_age_max(&self) -> u64 {
        self.limits.base_age_revisions_max / 2
    }

    /// Lets its person see everything up to a revision, waiting for what has not come.
    pub(super) async fn see(&mut self, revision: Revision) -> Result<(), Failure> {
        self.receive(revision).await?;
        while self.unseen.front().is_some_and(|(at, _)| *at <= revision)
            && let Some((_, edit)) = self.unseen.pop_front()
        {
            edit.apply_to_rope(&mut self.view).map_err(disagreement)?;
        }
        Ok(())
    }

    /// Receives everything up to a revision without showing it.
    pub(super) async fn receive(&mut self, revision: Revision) -> Result<(), Failure> {
        while self.revision < revision {
            match self.hear().await? {
                ServerMessage::Entry { entry, .. } => self.take(entry)?,
                ServerMessage::Pong { .. } => {}
                other => return Err(self.surprise(other)),
            }
        }
        Ok(())
    }

    /// Edits the view, and sends it; returns the revision that it became, once it is acknowledged.
    pub(super) async fn edit(&mut self, operation: Operation) -> Result<Revision, Failure> {
        operation.apply_to_rope(&mut self.view).map_err(disagreement)?;
        let mut mine = operation;
        for (_, theirs) in &mut self.unseen {
            (mine, *theirs) = mine.transform(theirs).map_err(disagreement)?;
        }
        self.seq += 1;
        self.outstanding = Some(mine);
        self.submit().await?;
        loop {
            match self.hear().await? {
                ServerMessage::Entry { entry, .. } => self.take(entry)?,
                ServerMessage::Ack { seq, revision, .. } if seq == self.seq && revision == self.revision + 1 => {
                    self.outstanding = None;
                    self.revision = revision;
                    return Ok(revision);
                }
                ServerMessage::Error(ErrorMessage {
                    about: About::Submit { seq, .. },
                    retry_after_ms: Some(wait_ms),
                    ..
                }) if seq == self.seq => {
                    sleep(Duration::from_millis(wait_ms.into())).await;
                    self.submit().await?;
                }
                ServerMessage::Pong { .. } => {}
                other => return Err(self.surprise(other)),
            }
        }
    }

    /// Says something, so that the server knows that this agent is there though it does nothing for long.
    pub(super) async fn stay(&mut self) -> Result<(), Failure> {
        self.send(ClientMessage::Ping { nonce: 0 }).await
    }

    async fn submit(&mut self) -> Result<(), Failure> {
        let operation = self.outstanding.clone().unwrap_or_default();
        let command = Command::Edit(operation);
        self.send(ClientMessage::Submit { channel: CHANNEL, seq: self.seq, base: self.revision, command }).await
    }

    /// Takes another agent's edit without showing it: it is moved over what is outstanding here, as in the client's
    /// state machine.
    fn take(&mut self, entry: Entry) -> Result<(), Failure> {
        if entry.revision != self.revision + 1 {
            return Err(Error::bad_server("revisions came out of order").into());
        }
        if let Command::Edit(theirs) = entry.command {
            let theirs = match &self.outstanding {
                None => theirs,
                Some(mine) => {
                    let (mine, theirs) = mine.transform(&theirs).map_err(disagreement)?;
                    self.outstanding = Some(mine);
                    theirs
                }
            };
            self.unseen.push_back((entry.revision, theirs));
        }
        self.revision = entry.revision;
        Ok(())
    }

    async fn send(&mut self, message: ClientMessage) -> Result<(), Failure> {
        let sent = self.connection.send(message).await;
        sent.map_err(|error| lost(&self.globals, error))
    }

    async fn hear(&mut self) -> Result<ServerMessage, Failure> {
        let heard = self.connection.next().await;
        heard.map_err(|error| lost(&self.globals, error))
    }

    fn surprise(&self, message: ServerMessage) -> Failure {
        match message {
            ServerMessage::Error(error) => Error::refused(&error).into(),
            other => Error::bad_server(format_args!("{other:?}")).into(),
        }
    }
}

fn lost(globals: &Globals, error: ConnectionError) -> Failure {
    Error::no_connection(&globals.server, error).into()
}

fn disagreement(mismatch: Mismatch) -> Failure {
    Failure::Failed(format!("a replica and the server do not agree: {mismatch}"))
}
