//! The client's state machine (ot.js, `client.js`), without IO.
//!
//! At most one submit is under way. Commands of the meantime gather in a buffer and are sent, in their order, when the submit is
//! acknowledged:
//!
//! ```text
//! Synchronized ──edit──▶ AwaitingConfirm ──edit──▶ AwaitingWithBuffer ──edit──▶ (composed into the buffer)
//!       ▲                     │   ▲                        │
//!       └────acknowledged─────┘   └──────acknowledged──────┘   (the buffer's first becomes outstanding)
//! ```
//!
//! Beyond ot.js, a submit may be another command than an edit (a chat message, a comment). Such a command keeps its place between
//! the edits before and after it; edits are composed only with their neighbours.

use std::collections::VecDeque;

use crate::{
    ids::{Revision, Seq},
    limits::{COMMANDS_WAITING_MAX, EDIT_BYTES_MAX, EDIT_COMPONENTS_MAX, Limits},
    message::Command,
    ot::{Mismatch, Operation},
};

/// The commands of the client that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum State {
    /// None.
    #[default]
    Synchronized,
    /// One submit.
    AwaitingConfirm {
        /// The submitted command, based on the client's revision.
        outstanding: Command,
    },
    /// One submit, and the commands since. Edits without another command between them are composed into one. So they take
    /// no more memory than the client's text, however long it is away; text that was typed and deleted again takes none.
    AwaitingWithBuffer {
        /// The submitted command, based on the client's revision.
        outstanding: Command,
        /// The commands after it, each based on the text with everything before it. Never empty; no two edits are
        /// neighbours.
        buffer: VecDeque<Command>,
    },
}

impl State {
    /// All commands that are not acknowledged, in order.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Command> {
        let (outstanding, buffer) = match self {
            Self::Synchronized => (None, None),
            Self::AwaitingConfirm { outstanding } => (Some(outstanding), None),
            Self::AwaitingWithBuffer { outstanding, buffer } => (Some(outstanding), Some(buffer)),
        };
        outstanding.into_iter().chain(buffer.into_iter().flatten())
    }

    fn unacknowledged_mut(&mut self) -> impl Iterator<Item = &mut Command> {
        let (outstanding, buffer) = match self {
            Self::Synchronized => (None, None),
            Self::AwaitingConfirm { outstanding } => (Some(outstanding), None),
            Self::AwaitingWithBuffer { outstanding, buffer } => (Some(outstanding), Some(buffer)),
        };
        outstanding.into_iter().chain(buffer.into_iter().flatten())
    }

    /// Adds the newest command.
    fn push(&mut self, command: Command) {
        *self = match std::mem::take(self) {
            Self::Synchronized => Self::AwaitingConfirm { outstanding: command },
            Self::AwaitingConfirm { outstanding } => Self::AwaitingWithBuffer { outstanding, buffer: [command].into() },
            Self::AwaitingWithBuffer { outstanding, mut buffer } => {
                buffer.push_back(command);
                Self::AwaitingWithBuffer { outstanding, buffer }
            }
        };
    }

    fn of(outstanding: Command, buffer: VecDeque<Command>) -> Self {
        match buffer.is_empty() {
            true => Self::AwaitingConfirm { outstanding },
            false => Self::AwaitingWithBuffer { outstanding, buffer },
        }
    }
}

/// The content of a [`ClientMessage::Submit`](crate::message::ClientMessage::Submit) to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The seq of the submit.
    pub seq: Seq,
    /// The revision that the command is based on.
    pub base: Revision,
    /// What to append.
    pub command: Command,
}

/// Why the client does not take a command. Its state is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The edit does not fit the client's text.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// [`COMMANDS_WAITING_MAX`] commands wait already.
    #[error("{COMMANDS_WAITING_MAX} commands wait to be sent; wait until some of them are acknowledged")]
    Full,
}

/// A message of the server that does not fit the client's state. The client recovers by joining again without a revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// An entry that is not the next one.
    #[error("revision {found} came where {expected} was due")]
    Gap {
        /// The revision that should have come.
        expected: Revision,
        /// The revision that came.
        found: Revision,
    },
    /// An acknowledgement of something that is not outstanding.
    #[error("seq {0} was acknowledged, which is not outstanding")]
    NotOutstanding(Seq),
    /// An operation that does not fit the text.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// The state of one client in one room.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    revision: Revision,
    seq: Seq,
    state: State,
    /// What one submit inserts at most, in UTF-8 bytes.
    edit_bytes_max: usize,
    /// How many components one submit has at most.
    edit_components_max: usize,
}

impl Client {
    /// A client that holds the text of `revision` and whose session's last seq in this room was `seq` (0 for a new one).
    pub fn new(revision: Revision, seq: Seq) -> Self {
        Self {
            revision,
            seq,
            state: State::Synchronized,
            edit_bytes_max: EDIT_BYTES_MAX,
            edit_components_max: EDIT_COMPONENTS_MAX,
        }
    }

    /// Sets the limits that the server told in `Welcome`, for the submits from here on.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.edit_bytes_max = usize::try_from(limits.edit_bytes_max).unwrap_or(usize::MAX);
        // Half, for the reason given at `EDIT_COMPONENTS_MAX`.
        self.edit_components_max = limits.operation_components_max as usize / 2;
    }

    /// The last revision of the server that is in the client's text.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The seq of the outstanding submit, or else of the last one.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The commands that are not acknowledged.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes an edit that was just applied to the client's text. Returns the submit to send, if none is under way. An edit
    /// that is too large for one submit is sent in several; one that changes nothing is not sent.
    ///
    /// # Errors
    ///
    /// The edit does not fit the text as far as the client knows its length. The state is as before.
    pub fn edit(&mut self, operation: Operation) -> Result<Option<Outgoing>, Mismatch> {
        if self.state == State::Synchronized {
            return Ok(self.begin([Command::Edit(operation)].into()));
        }
        if let State::AwaitingWithBuffer { buffer, .. } = &mut self.state
            && let Some(Command::Edit(last)) = buffer.back_mut()
        {
            *last = last.compose(&operation)?;
            return Ok(None);
        }
        let before = self.state.unacknowledged().filter_map(Command::operation).last();
        if let Some(expected) = before.map(Operation::target_len).filter(|len| *len != operation.base_len()) {
            return Err(Mismatch { expected: operation.base_len(), found: expected });
        }
        if !operation.is_noop() {
            self.state.push(Command::Edit(operation));
        }
        Ok(None)
    }

    /// Takes a command whose positions are based on the client's text. Returns the submit to send, if none is under way. An
    /// edit is taken as [`edit`](Self::edit) takes it.
    pub fn command(&mut self, command: Command) -> Result<Option<Outgoing>, NotTaken> {
        if let Command::Edit(operation) = command {
            return Ok(self.edit(operation)?);
        }
        if self.state == State::Synchronized {
            return Ok(self.begin([command].into()));
        }
        let waiting = self.state.unacknowledged().filter(|waiting| waiting.operation().is_none()).count();
        if waiting >= COMMANDS_WAITING_MAX {
            return Err(NotTaken::Full);
        }
        self.state.push(command);
        Ok(None)
    }

    /// With no submit under way: the first waiting command becomes the next submit, or its first piece if it is a large edit;
    /// the rest becomes the buffer.
    fn begin(&mut self, mut waiting: VecDeque<Command>) -> Option<Outgoing> {
        while let Some(command) = waiting.pop_front() {
            let outstanding = match command {
                Command::Edit(operation) if operation.is_noop() => continue,
                Command::Edit(operation) => {
                    let (first, rest) = operation.split_within(self.edit_bytes_max, self.edit_components_max);
                    waiting_first(&mut waiting, rest);
                    Command::Edit(first)
                }
                command => command,
            };
            self.seq += 1;
            self.state = State::of(outstanding, waiting);
            return self.outgoing();
        }
        self.state = State::Synchronized;
        None
    }

    /// Takes an edit of another session. Returns the operation to apply to the client's text.
    ///
    /// ```text
    ///              server's text
    ///   outstanding /        \ remote
    ///              ·          ·
    ///       buffer / \        / outstanding′
    ///   client's  ·   \      ·
    ///       text   \   ·    / buffer′
    ///      remote″  \      /
    ///                  ·
    /// ```
    pub fn remote(&mut self, revision: Revision, remote: &Operation) -> Result<Operation, ClientError> {
        self.due(revision)?;
        // All that follows the first edit fits it, so that nothing fails half way.
        if let Some(first) = self.state.unacknowledged().find_map(Command::operation)
            && first.base_len() != remote.base_len()
        {
            return Err(Mismatch { expected: remote.base_len(), found: first.base_len() }.into());
        }
        let mut moved: Option<Operation> = None;
        for command in self.state.unacknowledged_mut() {
            let after = command.move_over(moved.as_ref().unwrap_or(remote))?;
            moved = after.or(moved);
        }
        self.revision = revision;
        Ok(moved.unwrap_or_else(|| remote.clone()))
    }

    /// Takes an entry that does not change the text.
    pub fn pass(&mut self, revision: Revision) -> Result<(), ClientError> {
        self.due(revision)?;
        self.revision = revision;
        Ok(())
    }

    /// Takes the acknowledgement of the outstanding submit. Returns the next submit to send, if a command waits.
    ///
    /// An acknowledgement that came before is ignored: a submit that is sent twice is answered twice.
    pub fn acknowledged(&mut self, seq: Seq, revision: Revision) -> Result<Option<Outgoing>, ClientError> {
        let outstanding = seq == self.seq && self.state != State::Synchronized;
        if revision <= self.revision && seq <= self.seq && !outstanding {
            return Ok(None);
        }
        self.due(revision)?;
        if !outstanding {
            return Err(ClientError::NotOutstanding(seq));
        }
        self.revision = revision;
        Ok(self.begin_buffer())
    }

    fn begin_buffer(&mut self) -> Option<Outgoing> {
        match std::mem::take(&mut self.state) {
            State::Synchronized | State::AwaitingConfirm { .. } => None,
            State::AwaitingWithBuffer { buffer, .. } => self.begin(buffer),
        }
    }

    /// Takes the error that the outstanding submit is too large ([`ErrorCode::EditTooLarge`], or [`ErrorCode::BadOperation`]
    /// for its components): others' edits cut it into many pieces while it was under way. Returns a submit of half the size
    /// with the same seq, which is free again; the rest waits. Returns none if it cannot be smaller: then the client recovers by
    /// joining again without a revision.
    ///
    /// [`ErrorCode::EditTooLarge`]: crate::error::ErrorCode::EditTooLarge
    /// [`ErrorCode::BadOperation`]: crate::error::ErrorCode::BadOperation
    pub fn too_large(&mut self, seq: Seq) -> Result<Option<Outgoing>, ClientError> {
        let (outstanding, mut buffer) = self.refused_submit(seq)?;
        let Command::Edit(refused) = outstanding else { return Ok(None) };
        let mut whole = refused.clone();
        if let Some(Command::Edit(next)) = buffer.front() {
            whole = whole.compose(next)?;
            buffer.pop_front();
        }
        let (first, rest) = whole.split_within(refused.inserted_bytes() / 2, refused.component_count() / 2);
        waiting_first(&mut buffer, rest);
        let smaller = first != refused;
        self.state = State::of(Command::Edit(first), buffer);
        Ok(self.outgoing().filter(|_| smaller))
    }

    /// Takes an error by which the outstanding submit is refused for good. Returns the command, unless it is an edit, and the
    /// next waiting command takes its seq, which is free again. None for an edit: the client's text holds it already, so that the
    /// client can only recover by joining again without a revision.
    pub fn refused(&mut self, seq: Seq) -> Result<Option<Command>, ClientError> {
        let (outstanding, _) = self.refused_submit(seq)?;
        if outstanding.operation().is_some() {
            return Ok(None);
        }
        self.seq -= 1;
        self.begin_buffer();
        Ok(Some(outstanding))
    }

    fn refused_submit(&self, seq: Seq) -> Result<(Command, VecDeque<Command>), ClientError> {
        match &self.state {
            State::AwaitingConfirm { outstanding } if seq == self.seq => Ok((outstanding.clone(), VecDeque::new())),
            State::AwaitingWithBuffer { outstanding, buffer } if seq == self.seq => {
                Ok((outstanding.clone(), buffer.clone()))
            }
            _ => Err(ClientError::NotOutstanding(seq)),
        }
    }

    /// Gives the outstanding submit the next seq: its own was used by a submit that this client had given up.
    pub fn skip_seq(&mut self) {
        if self.state != State::Synchronized {
            self.seq += 1;
        }
    }

    /// The submit to send again after a reconnect, once the client has caught up. Its seq is the same as before, so that the
    /// server appends it once, however often it comes.
    pub fn outgoing(&self) -> Option<Outgoing> {
        let command = self.state.unacknowledged().next()?.clone();
        Some(Outgoing { seq: self.seq, base: self.revision, command })
    }

    fn due(&self, found: Revision) -> Result<(), ClientError> {
        // Only a hostile server sends a revision that has no next one.
        let expected = self.revision.saturating_add(1);
        if found == expected { Ok(()) } else { Err(ClientError::Gap { expected, found }) }
    }
}

fn waiting_first(waiting: &mut VecDeque<Command>, rest: Option<Operation>) {
    if let Some(rest) = rest {
        waiting.push_front(Command::Edit(rest));
    }
}
