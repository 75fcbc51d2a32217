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
    limits::{EDIT_BYTES_MAX, EDIT_COMPONENTS_MAX, Limits},
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
    /// One submit, and edits since. These are composed into one, so that they take no more memory than the text that
    /// the client holds, however long it is away; what was typed and deleted again is in them no more.
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
        match &mut self.state {
            State::Synchronized => Ok(self.begin(operation)),
            State::AwaitingConfirm { outstanding } => {
                let (expected, found) = (operation.base_len(), outstanding.target_len());
                if expected != found {
                    return Err(Mismatch { expected, found });
                }
                if !operation.is_noop() {
                    let outstanding = std::mem::take(outstanding);
                    self.state = State::AwaitingWithBuffer { outstanding, buffer: operation };
                }
                Ok(None)
            }
            State::AwaitingWithBuffer { buffer, .. } => {
                *buffer = buffer.compose(&operation)?;
                Ok(None)
            }
        }
    }

    /// With nothing on its way: the first piece of an operation becomes the next submit, the rest the buffer.
    fn begin(&mut self, operation: Operation) -> Option<Outgoing> {
        if operation.is_noop() {
            return None;
        }
        self.seq += 1;
        self.divide(operation, self.edit_bytes_max, self.edit_components_max);
        self.outgoing()
    }

    fn divide(&mut self, operation: Operation, bytes_max: usize, components_max: usize) {
        self.state = match operation.split_within(bytes_max, components_max) {
            (outstanding, None) => State::AwaitingConfirm { outstanding },
            (outstanding, Some(buffer)) => State::AwaitingWithBuffer { outstanding, buffer },
        };
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
        let outstanding = seq == self.seq && self.state != State::Synchronized;
        if revision <= self.revision && seq <= self.seq && !outstanding {
            return Ok(None);
        }
        self.due(revision)?;
        if !outstanding {
            return Err(ClientError::NotOutstanding(seq));
        }
        self.revision = revision;
        match std::mem::take(&mut self.state) {
            State::Synchronized | State::AwaitingConfirm { .. } => Ok(None),
            State::AwaitingWithBuffer { buffer, .. } => Ok(self.begin(buffer)),
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
        let whole = match &self.state {
            State::AwaitingConfirm { outstanding } if seq == self.seq => outstanding.clone(),
            State::AwaitingWithBuffer { outstanding, buffer } if seq == self.seq => outstanding.compose(buffer)?,
            _ => return Err(ClientError::NotOutstanding(seq)),
        };
        let refused = self.outgoing().map(|outgoing| outgoing.operation).unwrap_or_default();
        self.divide(whole, refused.inserted_bytes() / 2, refused.component_count() / 2);
        Ok(self.outgoing().filter(|outgoing| outgoing.operation != refused))
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
        // A revision that has no next one can only be a hostile server's.
        let expected = self.revision.saturating_add(1);
        if found == expected { Ok(()) } else { Err(ClientError::Gap { expected, found }) }
    }
}
