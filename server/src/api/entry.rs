//! From a request to a room, and from there to its log.

use std::sync::Arc;

use axum::http::StatusCode;
use motet_protocol::{
    access::Role,
    client::{Client, ClientError, Outgoing, State},
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::{At, Command, Entry},
    ot::{Mismatch, Operation},
};
use ropey::Rope;

use super::{
    Api,
    limits::OVERLOADED_TRIES,
    problem::{Answer, Problem},
    who::Who,
};
use crate::{
    blocking::blocking,
    hub::history,
    refusal::Refusal,
    requests,
    room::{Principal, RoomState, Submit},
    rooms::open::RoomHandle,
};

/// Somebody in a room.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The room.
    pub cell: Arc<RoomHandle>,
    /// Who that is there.
    principal: Arc<Principal>,
    who: Who,
    api: Api,
}

impl Api {
    /// Lets somebody into a room for what takes a role there.
    pub async fn enter(&self, who: Who, room: &RoomId, needed: Role) -> Result<Entered, Refusal> {
        let (cell, principal) = self.context.rooms.enter(&who.caller, room, needed).await?;
        Ok(Entered { cell, principal, who, api: self.clone() })
    }
}

impl Entered {
    /// The text at a place in history, and the revision that it is of.
    pub async fn text_at(&self, at: At) -> Result<(Rope, Revision), Refusal> {
        requests::text_at(&self.api.context.rooms, &self.cell, at).await
    }

    /// The state at a place in history.
    pub async fn state_at(&self, at: At) -> Result<RoomState, Refusal> {
        requests::state_at(&self.api.context.rooms, &self.cell, at).await
    }

    /// The revision that a place in history means.
    pub async fn revision_at(&self, at: At) -> Result<Revision, Refusal> {
        let (store, log, head) = (Arc::clone(&self.api.context.rooms.store), self.cell.log_id(), self.head());
        match at {
            At::Head => Ok(head),
            at => blocking(move || history::revision_at(store.as_ref(), log, at, head)).await,
        }
    }

    /// What they may do there.
    pub fn role(&self) -> Option<Role> {
        self.cell.role_of(&self.principal)
    }

    /// The newest committed revision.
    pub fn head(&self) -> Revision {
        self.cell.head()
    }

    /// Appends a command that is no edit, counting on what the room is now. Returns its revision.
    ///
    /// A repeat under the same key is appended once, and answered with the first one's revision.
    pub async fn append(&self, command: Command) -> Answer<Revision> {
        let participant = self.who.submits.participant();
        if self.who.has_key
            && let Some(done) = self.cell.with_state(|state| state.last_submit(participant))
        {
            let (store, log) = (Arc::clone(&self.api.context.rooms.store), self.cell.log_id());
            let read = blocking(move || history::read_after(store.as_ref(), log, done.revision - 1, 1)).await?;
            return match read.first() {
                Some((entry, _)) if command.asks_the_same_as(&entry.command) => Ok(done.revision),
                _ => Err(key_used()),
            };
        }
        self.submit(Submit { participant, seq: 1, base: self.head(), command }).await
    }

    /// Appends an edit that counts on the text of a revision. What others did since stays. A large one becomes several
    /// entries, between which others' may come. Returns the last one's revision; `base` for an edit that changes nothing.
    pub async fn edit(&self, base: Revision, operation: Operation) -> Answer<Revision> {
        let participant = self.who.submits.participant();
        let mut client = Client::new(base, 0);
        client.set_limits(&self.api.context.settings.limits);
        let mut last = base;
        let mut next = client.edit(operation).map_err(|error| mismatch(error, base))?;
        while let Some(Outgoing { seq, base, command }) = next {
            let submit = Submit { participant, seq, base, command };
            last = match self.submit(submit).await {
                Ok(revision) => revision,
                Err(problem) if matches!(problem.code, ErrorCode::EditTooLarge | ErrorCode::BadOperation) => {
                    next = client.too_large(seq).ok().flatten();
                    match next {
                        Some(_) => continue,
                        None => return Err(problem),
                    }
                }
                Err(problem) => return Err(problem),
            };
            if matches!(client.state(), State::AwaitingConfirm { .. }) {
                break;
            }
            self.take_remote(&mut client, last).await?;
            next = client.acknowledged(seq, last).map_err(|error| does_not_follow(&error))?;
        }
        Ok(last)
    }

    /// Reads the entries after one revision up to another, a page at a time, and gives each to `take`. Only a few of these
    /// go on at once; others wait.
    pub async fn scan<T: Send + 'static>(
        &self,
        (after, up_to): (Revision, Revision),
        mut gathered: T,
        take: impl Fn(&mut T, &Entry) -> Result<(), Refusal> + Copy + Send + 'static,
    ) -> Result<T, Refusal> {
        let _turn = self.api.scans.acquire().await;
        let mut at = after;
        while at < up_to {
            let (store, log) = (Arc::clone(&self.api.context.rooms.store), self.cell.log_id());
            (at, gathered) = blocking(move || {
                let most = usize::try_from(up_to - at).unwrap_or(usize::MAX);
                let page = history::read_after(store.as_ref(), log, at, most)?;
                let Some((last, _)) = page.last() else { return Err(ends_early()) };
                let last = last.revision;
                page.iter().try_for_each(|(entry, _)| take(&mut gathered, entry))?;
                Ok::<_, Refusal>((last, gathered))
            })
            .await?;
        }
        Ok(gathered)
    }

    /// Tells a client's state machine what others appended before a revision.
    async fn take_remote(&self, client: &mut Client, before: Revision) -> Result<(), Refusal> {
        while client.revision() + 1 < before {
            let (store, log, after) =
                (Arc::clone(&self.api.context.rooms.store), self.cell.log_id(), client.revision());
            let most = usize::try_from(before - 1 - after).unwrap_or(usize::MAX);
            let read = blocking(move || history::read_after(store.as_ref(), log, after, most)).await?;
            if read.is_empty() {
                return Err(ends_early());
            }
            for (entry, _) in read {
                let taken = match &entry.command {
                    Command::Edit(operation) => client.remote(entry.revision, operation).map(drop),
                    _ => client.pass(entry.revision),
                };
                taken.map_err(|error| does_not_follow(&error))?;
            }
        }
        Ok(())
    }

    async fn submit(&self, submit: Submit) -> Answer<Revision> {
        let store = &self.api.context.rooms.store;
        for _ in 1..OVERLOADED_TRIES {
            match self.cell.submit_for(Arc::clone(&self.principal), submit.clone(), store).await {
                Err(Refusal { code: ErrorCode::Overloaded, retry_after_ms: Some(wait_ms), .. }) => {
                    tokio::time::sleep(std::time::Duration::from_millis(u64::from(wait_ms))).await;
                }
                Err(refusal) if refusal.code == ErrorCode::SeqConflict && self.who.has_key => return Err(key_used()),
                answered => return Ok(answered?),
            }
        }
        Ok(self.cell.submit_for(Arc::clone(&self.principal), submit, store).await?)
    }
}

/// What somebody hears who uses a key for something else than before.
pub fn key_used() -> Problem {
    let words = "this idempotency key was used for another request; take a new one";
    Problem::new(ErrorCode::PreconditionFailed, words).with_status(StatusCode::UNPROCESSABLE_ENTITY)
}

fn ends_early() -> Refusal {
    Refusal::new(ErrorCode::RoomDamaged, "the room's log ends before its head; its operator can restore it from a copy")
}

fn mismatch(Mismatch { expected, found }: Mismatch, base: Revision) -> Refusal {
    crate::room::rebase::mismatch(Mismatch { expected, found }, base)
}

fn does_not_follow(error: &ClientError) -> Refusal {
    tracing::error!(%error, "a room's log does not follow from itself");
    Refusal::new(ErrorCode::Internal, "the server failed at this; its log says where")
}
