//! Submits that need something read from the log or the store first, and submits of callers that wait for the answer.

use std::sync::Arc;

use motet_protocol::{error::ErrorCode, ids::Revision, message::Entry};
use tokio::sync::oneshot;

use super::{
    chat_pages,
    handle::{Answer, AppendWhen, RoomHandle},
};
use crate::{
    blocking::blocking,
    clock::now_ms,
    hub::history,
    refusal::Refusal,
    room::{Principal, ReaderId, Submit, Submitted, Submitter, submit::overloaded},
    store::Store,
};

/// Times that a submit is tried anew because the room went on while what it needs was read.
const TRIES_MAX: usize = 4;

/// Bytes of history that a submit on an old base is transformed over, at most.
const HISTORY_BYTES_MAX: usize = 16 * 1024 * 1024;

impl RoomHandle {
    /// Puts a submit of a caller without a connection in order, and waits until it is durable. Returns its revision.
    pub async fn submit_for(
        self: &Arc<Self>,
        principal: Arc<Principal>,
        submit: Submit,
        store: &Arc<dyn Store>,
    ) -> Result<Revision, Refusal> {
        let (participant, seq) = (submit.participant, submit.seq);
        let mut answered = None;
        let mut try_once = |submit, older: &[Entry]| {
            self.change_and_append(AppendWhen::Now, |room| {
                let submitted =
                    room.handle_submit(Submitter::Caller(Arc::clone(&principal)), submit, older, now_ms())?;
                if let Submitted::Ordered(revision) | Submitted::Repeat(revision) = submitted
                    && revision > room.revision()
                {
                    let (answer, answered_then) = oneshot::channel();
                    answered = Some(answered_then);
                    room.forget_waiting(Answer::is_closed);
                    room.wait_for(participant, seq, answer);
                }
                Ok(submitted)
            })
        };
        let submitted = try_once(submit, &[])?;
        let revision = self.with_what_it_needs(store, submitted, try_once).await?;
        match answered {
            Some(answered) => answered.await.unwrap_or_else(|_| Err(gone())),
            None => Ok(revision),
        }
    }

    /// Reads what a room needs to take a submit of a reader: the entries between an old base and its window, or the message that
    /// it is about. Then submits again with that. Returns the submit's revision.
    pub async fn submit_with_what_it_needs(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        reader: ReaderId,
        submitted: Submitted,
    ) -> Result<Revision, Refusal> {
        let try_once = |submit, older: &[Entry]| self.submit(reader, submit, older, now_ms());
        self.with_what_it_needs(store, submitted, try_once).await
    }

    async fn with_what_it_needs(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        mut submitted: Submitted,
        mut try_once: impl FnMut(Submit, &[Entry]) -> Result<Submitted, Refusal>,
    ) -> Result<Revision, Refusal> {
        let mut older = Vec::new();
        for _ in 0..TRIES_MAX {
            let submit = match submitted {
                Submitted::Ordered(revision) | Submitted::Repeat(revision) => return Ok(revision),
                Submitted::NeedsHistory(submit) => {
                    older = older_entries(store, self, submit.base).await?;
                    submit
                }
                Submitted::NeedsMessage(submit, message) => {
                    self.look_up(store, message).await?;
                    submit
                }
            };
            submitted = try_once(submit, &older)?;
        }
        match submitted {
            Submitted::Ordered(revision) | Submitted::Repeat(revision) => Ok(revision),
            Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..) => Err(overloaded()),
        }
    }

    /// Looks up a message that a submit is about, for the room to know it.
    async fn look_up(self: &Arc<Self>, store: &Arc<dyn Store>, message: Revision) -> Result<(), Refusal> {
        let (store, room) = (Arc::clone(store), Arc::clone(self));
        blocking(move || chat_pages::look_up(store.as_ref(), &room, message).map(|record| room.learn(record))).await
    }
}

/// The entries between an old base and a room's head, to place a submit behind them.
pub async fn older_entries(
    store: &Arc<dyn Store>,
    room: &Arc<RoomHandle>,
    base: Revision,
) -> Result<Vec<Entry>, Refusal> {
    let (store, log, head) = (Arc::clone(store), room.log_id(), room.head());
    let read = blocking(move || history::read_between(store.as_ref(), log, base, head, HISTORY_BYTES_MAX)).await?;
    let older: Vec<_> = read.into_iter().map(|(entry, _)| entry).collect();
    if older.last().is_some_and(|last| last.revision < head) {
        let words =
            format!("more than {HISTORY_BYTES_MAX} bytes came since revision {base}; join after it and transform");
        return Err(Refusal::new(ErrorCode::BaseTooOld, words));
    }
    Ok(older)
}

/// Why one who waits hears nothing: the room left memory.
pub(super) fn gone() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the room ended before it was known to be durable")
}
