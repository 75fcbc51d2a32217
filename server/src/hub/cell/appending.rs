//! What a room gives the log, and what the log answers.

use std::sync::Arc;

use motet_protocol::{
    error::{About, ErrorCode},
    message::ServerMessage,
};

use super::{Open, RoomCell, Waiting, close};
use crate::{
    clock::now_ms,
    hub::{due, history::Read},
    refusal::Refusal,
    room::{
        Fed, RoomState,
        live::{Asker, Displaced},
    },
    store::{Append, Head, StoreError},
};

impl RoomCell {
    pub(super) fn append_next(self: &Arc<Self>, open: &mut Open) {
        if let Some(append) = self.next_append(open) {
            self.log.push(Arc::clone(self), append);
        }
    }

    /// The same on a thread that flushes when it parks; what else is ordered until then is appended with it.
    pub(super) fn append_soon(self: &Arc<Self>, open: &mut Open) {
        if !open.due && open.room.has_append() {
            open.due = true;
            due::add(Arc::clone(self));
        }
    }

    /// Appends what was to be appended soon. The log is to be woken then.
    pub(in crate::hub) fn append_due(self: &Arc<Self>) {
        let mut open = self.open.lock();
        open.due = false;
        if let Some(append) = self.next_append(&mut open) {
            self.log.push_quietly(Arc::clone(self), append);
        }
    }

    /// Wakes the log.
    pub(in crate::hub) fn wake_log(&self) {
        self.log.wake();
    }

    fn next_append(&self, open: &mut Open) -> Option<Append> {
        let entries = open.room.take_append()?;
        Some(Append { log: self.log_id(), expected: open.head, entries })
    }

    /// The log has what was in flight: everyone who follows along is sent it. Returns a state to snapshot if one is due.
    pub fn appended(self: &Arc<Self>, head: Head) -> Option<RoomState> {
        let mut open = self.open.lock();
        let (before, said) = (open.room.revision(), open.room.state().chat().changed());
        open.head = head;
        if let Err(error) = open.room.appended() {
            self.fail(&mut open, &error.to_string());
            return None;
        }
        self.metrics.entries.inc_by(open.room.revision() - before);
        note_decisions(&mut open);
        if open.room.state().chat().changed() > said {
            self.scribe.ask(self);
        }
        self.append_soon(&mut open);
        feed_following(&mut open);
        self.note_project(&mut open);
        self.tell_roles(&mut open);
        answer_waiting(&mut open);
        open.active_ms = now_ms();
        let due = open.room.take_due_snapshot();
        drop(open);
        self.touch();
        due
    }

    /// Others' entries are in the log, up to `head`.
    pub fn conflict(self: &Arc<Self>, entries: Vec<Read>, head: Head) {
        let mut open = self.open.lock();
        open.head = head;
        let displaced = match open.room.conflict(entries, now_ms()) {
            Ok(displaced) => displaced,
            Err(error) => return self.fail(&mut open, &error.to_string()),
        };
        for Displaced { asker, participant, seq, refusal } in displaced {
            self.metrics.refuse(refusal.code);
            match asker {
                Asker::Reader(reader) => {
                    if let Some(reader) = open.room.readers().get(reader) {
                        let about = About::Submit { channel: reader.cursor.channel, seq };
                        reader.key.send(&ServerMessage::Error(refusal.about(about)));
                    }
                }
                Asker::Caller(_) => {
                    let theirs = |waiting: &mut Waiting| waiting.participant == participant && waiting.seq == seq;
                    for waiting in open.waiting.extract_if(.., theirs) {
                        let _ = waiting.answer.send(Err(refusal.clone()));
                    }
                }
            }
        }
        note_decisions(&mut open);
        self.append_next(&mut open);
        feed_following(&mut open);
        self.note_project(&mut open);
        self.tell_roles(&mut open);
        answer_waiting(&mut open);
    }

    /// The log does not answer for now: edits are refused until it does.
    pub fn stall(&self, why: Refusal) {
        self.open.lock().room.stall(why);
    }

    /// The room's log is damaged: the room is refused from here on, and what waited is given up, unacknowledged.
    pub fn damaged(&self, error: StoreError) {
        tracing::error!(room = %self.id, %error, "the room's log is damaged; it is closed");
        self.give_up(&error.into());
    }

    /// Closes the room along with what waits for the log, of which nothing is in flight and nothing will be acknowledged.
    pub fn give_up(&self, why: &Refusal) {
        give_up(&mut self.open.lock(), why);
    }

    fn fail(&self, open: &mut Open, error: &str) {
        tracing::error!(room = %self.id, error, "the room does not follow from its log; it is closed");
        give_up(open, &Refusal::new(ErrorCode::RoomDamaged, error));
    }
}

fn feed_following(open: &mut Open) {
    open.room.feed_following(|connection, channel, reader| {
        connection.deliver(|outbox| {
            if matches!(reader.feed(outbox), Fed::Full | Fed::Behind(_)) {
                outbox.lag(channel);
            }
        });
    });
}

/// Takes what was committed into the events.
fn note_decisions(open: &mut Open) {
    let Open { room, activity, activity_changed, .. } = open;
    for entry in room.recent(activity.revision) {
        *activity_changed |= entry.command.operation().is_none();
        activity.fold(entry, room.state().decided().people.author(entry.participant));
    }
}

/// Answers those whose submits are durable.
fn answer_waiting(open: &mut Open) {
    if open.waiting.is_empty() {
        return;
    }
    let state = open.room.state();
    let last = |waiting: &Waiting| state.last_submit(waiting.participant).filter(|last| last.seq >= waiting.seq);
    let done = open.waiting.extract_if(.., |waiting| last(waiting).is_some() || waiting.answer.is_closed());
    for waiting in done {
        if let Some(last) = last(&waiting) {
            let _ = waiting.answer.send(Ok(last.revision));
        }
    }
}

fn give_up(open: &mut Open, why: &Refusal) {
    open.room.abandon_pending();
    close(open, why);
}
