//! The people of one open room: what they tell, what they are told, and what they pass on to each other.

use std::sync::Arc;

use motet_protocol::{
    error::ErrorCode,
    ids::{ParticipantId, Revision, UnixMs},
    limits::{PRESENCE_PAUSE_MS, ROSTER_MAX},
    message::ServerMessage,
    presence::{Person, Presence, SignalKind},
};

use super::{Open, RoomCell};
use crate::{
    refusal::{RETRY_AFTER_MS, Refusal},
    room::ReaderId,
};

impl RoomCell {
    /// Has a reader be told who is here and where, or no longer.
    pub fn watch(self: &Arc<Self>, reader: ReaderId, on: bool) {
        let mut open = self.open.lock();
        open.room.watch(reader, on);
        self.note_news(&mut open);
    }

    /// Takes what a reader tells of itself.
    pub fn set_presence(
        self: &Arc<Self>,
        reader: ReaderId,
        base: Revision,
        presence: Presence,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        let mut open = self.open.lock();
        open.room.set_presence(reader, base, presence, now)?;
        self.note_news(&mut open);
        Ok(())
    }

    /// Has a reader looked at that was held back.
    pub fn go_on(self: &Arc<Self>) {
        self.note_news(&mut self.open.lock());
    }

    /// Shows those as idle who have said nothing for long.
    pub fn look_at_clock(self: &Arc<Self>, now: UnixMs) {
        let mut open = self.open.lock();
        open.room.look_at_clock(now);
        self.note_news(&mut open);
    }

    /// Has the pulse tell those who watch, if there is something to tell.
    pub(super) fn note_news(self: &Arc<Self>, open: &mut Open) {
        if !open.has_news && open.room.has_news() {
            open.has_news = true;
            self.pulse.add(Arc::clone(self));
        }
    }

    /// Tells those who watch; called by the pulse. Who has no room for it is told later, and the newest then.
    pub fn tell_news(self: &Arc<Self>, now: UnixMs) {
        let mut open = self.open.lock();
        let wait_ms = open.news_after_ms.saturating_sub(now);
        // A larger wait than there can be is a clock that was set back.
        let watching = open.room.watching();
        let pause_ms = PRESENCE_PAUSE_MS * (watching / ROSTER_MAX) as u64;
        if (1..=pause_ms).contains(&wait_ms) {
            return self.pulse.add(Arc::clone(self));
        }
        open.has_news = false;
        // What all readers of a very large room are told together must not grow with the square of how many they are.
        open.news_after_ms = now + pause_ms;
        let more = open.room.feed_watching(|connection, telling| {
            connection.deliver(|outbox| {
                if outbox.takes_news(telling.channel()) {
                    outbox.put_news(|outbox| telling.tell(outbox));
                }
            });
        });
        if more {
            self.note_news(&mut open);
        }
    }

    /// Passes something on from one participant here to another. It is kept nowhere.
    pub fn signal(&self, from: ReaderId, to: ParticipantId, kind: SignalKind, payload: String) -> Result<(), Refusal> {
        let open = self.open.lock();
        let Some(sender) = open.room.readers().get(from) else { return Ok(()) };
        let receiver = open.room.reader_of(to)?;
        let from = sender.cursor.participant();
        let message = ServerMessage::Signal { channel: receiver.cursor.channel, from, kind, payload };
        let taken = receiver.key.deliver(|outbox| outbox.try_put(&message));
        taken.then_some(()).ok_or_else(|| {
            let words = format!("{to} does not read what it is sent; try again later");
            Refusal::for_now(ErrorCode::Overloaded, words, RETRY_AFTER_MS)
        })
    }

    /// Who is here, the longest first; in a large room, those who may edit.
    pub fn people(&self) -> Vec<Person> {
        self.open.lock().room.people()
    }
}
