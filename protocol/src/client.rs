//! The client's state machine (ot.js, `client.js`), without IO.
//!
//! At most one submit is on its way. What is typed meanwhile gathers in a buffer and is sent when the first is
//! acknowledged:
//!
//! ```text
//! Synchronized ──edit──▶ AwaitingConfirm ──edit──▶ AwaitingWithBuffer ──edit──▶ (composed into the buffer)
//!       ▲                     │   ▲                        │
//!       └────acknowledged─────┘   └──────acknowledged──────┘   (the buffer becomes outstanding)
//! ```

use crate::{
    ids::{Revision, Seq},
    limits::EDIT_BYTES_MAX,
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
        outstanding: Operation,
    },
    /// One submit, and edits since.
    AwaitingWithBuffer {
        /// What was submitted, counting on the client's revision.
        outstanding: Operation,
        /// What came after it, counting on the text with `outstanding` in it.
        buffer: Operation,
    },
}

/// An edit to send: goes into `ClientMessage::Submit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The seq of the submit.
    pub seq: Seq,
    /// The revision it counts on.
    pub base: Revision,
    /// The edit.
    pub operation: Operation,
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
}

impl Client {
    /// A client that holds the text of `revision` and whose session's last seq in this room was `seq` (0 for a new one).
    pub fn new(revision: Revision, seq: Seq) -> Self {
        Self { revision, seq, state: State::Synchronized }
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

    /// Takes an edit that was just applied to the client's text. Returns what to send, if nothing is on its way.
    pub fn edit(&mut self, operation: Operation) -> Result<Option<Outgoing>, Mismatch> {
        match std::mem::take(&mut self.state) {
            State::Synchronized => {
                self.seq += 1;
                let (first, rest) = operation.split(EDIT_BYTES_MAX);
                self.state = match rest {
                    None => State::AwaitingConfirm { outstanding: first },
                    Some(buffer) => State::AwaitingWithBuffer { outstanding: first, buffer },
                };
                Ok(self.outgoing())
            }
            State::AwaitingConfirm { outstanding } => {
                self.state = State::AwaitingWithBuffer { outstanding, buffer: operation };
                Ok(None)
            }
            State::AwaitingWithBuffer { outstanding, buffer } => match buffer.compose(&operation) {
                Ok(composed) => {
                    self.state = State::AwaitingWithBuffer { outstanding, buffer: composed };
                    Ok(None)
                }
                Err(mismatch) => {
                    self.state = State::AwaitingWithBuffer { outstanding, buffer };
                    Err(mismatch)
                }
            },
        }
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
        let (state, applied) = match &self.state {
            State::Synchronized => (State::Synchronized, remote.clone()),
            State::AwaitingConfirm { outstanding } => {
                let (outstanding, remote) = outstanding.transform(remote)?;
                (State::AwaitingConfirm { outstanding }, remote)
            }
            State::AwaitingWithBuffer { outstanding, buffer } => {
                let (outstanding, remote) = outstanding.transform(remote)?;
                let (buffer, remote) = buffer.transform(&remote)?;
                (State::AwaitingWithBuffer { outstanding, buffer }, remote)
            }
        };
        self.state = state;
        self.revision = revision;
        Ok(applied)
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
        if revision <= self.revision && seq <= self.seq {
            return Ok(None);
        }
        self.due(revision)?;
        if seq != self.seq || self.state == State::Synchronized {
            return Err(ClientError::NotOutstanding(seq));
        }
        self.revision = revision;
        match std::mem::take(&mut self.state) {
            State::Synchronized | State::AwaitingConfirm { .. } => Ok(None),
            State::AwaitingWithBuffer { buffer, .. } => {
                // From `Synchronized`, as if the buffer had just been typed.
                Ok(self.edit(buffer).expect("the first edit composes with nothing"))
            }
        }
    }

    /// What to send again after a reconnect, once the client has caught up. The seq is the same as before, so that the
    /// server appends it once however often it comes.
    pub fn outgoing(&self) -> Option<Outgoing> {
        match &self.state {
            State::Synchronized => None,
            State::AwaitingConfirm { outstanding } | State::AwaitingWithBuffer { outstanding, .. } => {
                Some(Outgoing { seq: self.seq, base: self.revision, operation: outstanding.clone() })
            }
        }
    }

    fn due(&self, found: Revision) -> Result<(), ClientError> {
        let expected = self.revision + 1;
        if found == expected { Ok(()) } else { Err(ClientError::Gap { expected, found }) }
    }
}
