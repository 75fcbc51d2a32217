//! What people ask to be put in a room's order.

use std::sync::Arc;

use motet_protocol::{
    error::ErrorCode,
    ids::{Revision, UnixMs},
    message::Entry,
};
use tokio::sync::oneshot;

use super::{RoomCell, Waiting};
use crate::{
    blocking::blocking,
    clock::now_ms,
    hub::{HISTORY_TRIES, chat, older_entries},
    refusal::Refusal,
    room::{
        Principal, ReaderId, Submitted,
        live::Asker,
        propose::{self, Submit},
    },
    store::Store,
    transport::outbox::Connection,
};

impl RoomCell {
    /// Puts a submit in order; its acknowledgement comes with the commit.
    pub fn submit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        reader: ReaderId,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let seq = submit.seq;
        let mut open = self.open.lock();
        if let Some(why) = &open.closed {
            return Err(why.clone());
        }
        let submitted = open.room.submit(reader, submit, older, now)?;
        match submitted {
            Submitted::Ordered(_) => {
                self.append_soon(&mut open);
                if open.room.heard(reader, now) {
                    self.note_news(&mut open);
                }
            }
            Submitted::Repeat(revision) => {
                connection.deliver(|outbox| open.room.feed_repeat(reader, seq, revision, outbox));
            }
            Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..) => {}
        }
        Ok(submitted)
    }

    /// Puts a submit in order for somebody who does not have the room open, and waits until it is durable. Returns its
    /// revision.
    pub async fn submit_for(
        self: &Arc<Self>,
        principal: Arc<Principal>,
        submit: Submit,
        store: &Arc<dyn Store>,
    ) -> Result<Revision, Refusal> {
        let (participant, seq) = (submit.participant, submit.seq);
        let (answer, answered) = oneshot::channel();
        let mut waiting = Some(Waiting { participant, seq, answer });
        let (mut submit, mut older) = (submit, Vec::new());
        for _ in 0..HISTORY_TRIES {
            let submitted = {
                let mut open = self.open.lock();
                if let Some(why) = &open.closed {
                    return Err(why.clone());
                }
                let asker = Asker::Caller(Arc::clone(&principal));
                let submitted = open.room.submit(asker, submit, &older, now_ms())?;
                if let Submitted::Ordered(revision) | Submitted::Repeat(revision) = submitted {
                    if revision <= open.room.revision() {
                        return Ok(revision);
                    }
                    open.waiting.extend(waiting.take());
                    self.append_next(&mut open);
                }
                submitted
            };
            match submitted {
                Submitted::NeedsHistory(again) => {
                    older = older_entries(store, self, again.base).await?;
                    submit = again;
                }
                Submitted::NeedsMessage(again, message) => {
                    self.learn(store, message).await?;
                    submit = again;
                }
                Submitted::Ordered(_) | Submitted::Repeat(_) => {
                    let gone = || Refusal::new(ErrorCode::Internal, "the room ended before it was known to be durable");
                    return answered.await.unwrap_or_else(|_| Err(gone()));
                }
            }
        }
        Err(propose::overloaded())
    }

    /// Appends entries as they are: those of another room's log, which were checked to follow from this one's.
    pub fn adopt(self: &Arc<Self>, principal: &Arc<Principal>, entries: Vec<Entry>) {
        let mut open = self.open.lock();
        for entry in entries {
            open.room.adopt(Asker::Caller(Arc::clone(principal)), entry);
        }
        self.append_next(&mut open);
    }

    /// Whether something still waits to be durable in a room that is not closed; why it is, otherwise.
    pub fn still_open(&self) -> Result<bool, Refusal> {
        let open = self.open.lock();
        open.closed.clone().map_or(Ok(open.room.has_pending()), Err)
    }

    /// Looks up a message that a submit is about, for the room to know it.
    pub async fn learn(self: &Arc<Self>, store: &Arc<dyn Store>, message: Revision) -> Result<(), Refusal> {
        let (store, cell) = (Arc::clone(store), Arc::clone(self));
        blocking(move || {
            let record = chat::look_up(store.as_ref(), &cell, message)?;
            cell.open.lock().room.learn(record);
            Ok::<_, Refusal>(())
        })
        .await
    }
}
