//! The client's state machine (ot.js, `client.js`), without IO.
//!
//! At most one submit is on its way. What is done meanwhile gathers in a buffer and is sent when the first is
//! acknowledged, in the order in which it was done:
//!
//! ```text
//! Synchronized ──edit──▶ AwaitingConfirm ──edit──▶ AwaitingWithBuffer ──edit──▶ (composed into the buffer)
//!       ▲                     │   ▲                        │
//!       └────acknowledged─────┘   └──────acknowledged──────┘   (the buffer's first becomes outstanding)
//! ```
//!
//! Beyond ot.js, what is submitted may be another command than an edit (a chat message, a comment). Such a command keeps
//! its place between the edits before and after it; edits are composed only with their neighbours.

use std::collections::VecDeque;

use crate::{
    ids::{Revision, Seq},
    limits::{COMMANDS_WAITING_MAX, EDIT_BYTES_MAX, EDIT_COMPONENTS_MAX, Limits},
    message::Command,
    ot::{Mismatch, Operation},
};

/// What the client has done that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum State {
    /// Nothing.
    #[default]
    Synchronized,
    /// One submit.
    AwaitingConfirm {
        /// What was submitted, counting on the client's revision.
        outstanding: Command,
    },
    /// One submit, and what was done since. Edits without another command between them are composed into one, so that
    /// they take no more memory than the text that the client holds, however long it is away; what was typed and
    /// deleted again is in them no more.
    AwaitingWithBuffer {
        /// What was submitted, counting on the client's revision.
        outstanding: Command,
        /// What came after it, each counting on the text with everything before it in it. Never empty; no two edits
        /// stand next to each other.
        buffer: VecDeque<Command>,
    },
}

impl State {
    /// Everything that is not acknowledged, in order.
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

    /// Takes what was done last.
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

/// What to send: goes into `ClientMessage::Submit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The seq of the submit.
    pub seq: Seq,
    /// The revision it counts on.
    pub base: Revision,
    /// What to append.
    pub command: Command,
}

/// A command that the client cannot take. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// An edit that does not fit the text as far as the client knows it.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// As many commands wait as may.
    #[error("{COMMANDS_WAITING_MAX} commands wait to be sent; wait until some of them are acknowledged")]
    Full,
}

/// What a server said that cannot be: the client heals itself by joining anew without a revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// An entry that is not the next one.
    #[error("revision {found} came where {expected} was due")]
    Gap {
        /// The next revision.
        expected: Revision,
        /// The one that came.
        found: Revision,
    },
    /// An acknowledgement of something that is not outstanding.
    #[error("seq {0} was acknowledged, which is not outstanding")]
    NotOutstanding(Seq),
    /// An operation that does not fit the text.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// One client in one room.
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

    /// Takes what the server told in `Welcome`, for the submits from here on.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.edit_bytes_max = usize::try_from(limits.edit_bytes_max).unwrap_or(usize::MAX);
        // Half, for the reason given at `EDIT_COMPONENTS_MAX`.
        self.edit_components_max = limits.operation_components_max as usize / 2;
    }

    /// The last revision of the server's that is in the client's text.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The seq of the outstanding submit, or else of the last one.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// What is not acknowledged.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes an edit that was just applied to the client's text. Returns what to send, if nothing is on its way. An edit
    /// that is too large for one submit is sent in several; one that changes nothing is not sent.
    ///
    /// An error says that the edit does not fit the text as far as the client knows it, and nothing has changed.
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

    /// Takes something else to do than an edit; its positions count on the client's text. Returns what to send, if nothing
    /// is on its way. An edit is taken as [`edit`](Self::edit) takes it.
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

    /// With nothing on its way: the first of what waits becomes the next submit, or the first piece of it where it is a
    /// large edit; the rest becomes the buffer.
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

    /// Takes somebody else's edit. Returns it as it must be applied to the client's text.
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
        // What comes after the first edit fits it, so that nothing fails half way.
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

    /// Takes an entry that changes no text (another kind than an edit).
    pub fn pass(&mut self, revision: Revision) -> Result<(), ClientError> {
        self.due(revision)?;
        self.revision = revision;
        Ok(())
    }

    /// Takes the acknowledgement of the outstanding submit. Returns what to send next, if something gathered.
    ///
    /// An acknowledgement that came before (a submit sent twice is answered twice) is passed over.
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

    /// Takes the server's word that the outstanding submit is too large ([`ErrorCode::EditTooLarge`], or
    /// [`ErrorCode::BadOperation`] for its components), which comes about when others cut it into many pieces while it
    /// was on its way. Returns a submit of half the size with the same seq, which is free again; the rest waits. Returns
    /// none if it cannot be smaller: then the client heals itself by joining anew.
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

    /// Takes the server's word that the outstanding submit, which is no edit, is refused for good: it is given back, and
    /// what waits goes on with its seq, which is free again. None for an edit: the text holds it already, so that the
    /// client can only heal itself by joining anew.
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

    /// The outstanding submit's seq turned out to be used, by what this client gave up before: it gets the next one.
    pub fn skip_seq(&mut self) {
        if self.state != State::Synchronized {
            self.seq += 1;
        }
    }

    /// What to send again after a reconnect, once the client has caught up. The seq is the same as before, so that the
    /// server appends it once however often it comes.
    pub fn outgoing(&self) -> Option<Outgoing> {
        let command = self.state.unacknowledged().next()?.clone();
        Some(Outgoing { seq: self.seq, base: self.revision, command })
    }

    fn due(&self, found: Revision) -> Result<(), ClientError> {
        // A revision that has no next one can only be a hostile server's.
        let expected = self.revision.saturating_add(1);
        if found == expected { Ok(()) } else { Err(ClientError::Gap { expected, found }) }
    }
}

fn waiting_first(waiting: &mut VecDeque<Command>, rest: Option<Operation>) {
    if let Some(rest) = rest {
        waiting.push_front(Command::Edit(rest));
    }
}
