//! A room's readers as people who see each other.

use std::collections::HashMap;

use motet_protocol::{
    error::ErrorCode,
    ids::{ParticipantId, Revision, UnixMs},
    limits::{PRESENCE_PAUSE_MS, ROSTER_MAX},
    message::ServerMessage,
    presence::{Person, Presence, SignalKind},
};

use super::{
    open::OpenRoom,
    presence::{Here, Roster, Watch},
    readers::{Cursor, Outlet, Reader, ReaderId},
};
use crate::{refusal::Refusal, wire::SharedNews};

impl<K, A> OpenRoom<K, A> {
    /// Has a reader be told who is here and where from now on, everybody first; or no longer.
    pub fn watch(&mut self, id: ReaderId, on: bool) {
        if let Some(reader) = self.readers.get_mut(id) {
            reader.cursor.watch = on.then(Watch::default);
        }
        self.note_presence();
    }

    /// Takes what a reader tells of itself; places count on `base`. Nothing is told at once: see
    /// [`feed_presence`](Self::feed_presence).
    pub fn set_presence(
        &mut self,
        id: ReaderId,
        base: Revision,
        presence: Presence,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        let Some(participant) = self.participant(id) else { return Ok(()) };
        let here = Here { window: &self.window, head: self.state.revision(), length: self.length() };
        self.roster.set(participant, base, presence, here, now)?;
        self.note_presence();
        Ok(())
    }

    /// Whether places that count on a revision can be told exactly.
    pub fn reaches(&self, base: Revision) -> bool {
        Here { window: &self.window, head: self.state.revision(), length: self.length() }.reaches(base)
    }

    /// Notes that a reader is at work. Returns whether the others see it differently now.
    pub(super) fn heard(&mut self, id: ReaderId, now: UnixMs) -> bool {
        self.participant(id).is_some_and(|participant| self.roster.heard(participant, now))
    }

    /// Whether somebody who watches is to be told something, now or when it has caught up.
    pub fn has_news(&self) -> bool {
        self.readers.iter().any(|reader| reader.cursor.watch.is_some_and(|watch| self.roster.has_news(watch)))
    }

    /// Has the caller tell those who watch, if there is something to tell and it does not know that already.
    pub fn note_presence(&mut self) {
        if !self.presence_due && self.has_news() {
            self.presence_due = true;
            self.effects.presence = true;
        }
    }

    /// Tells those who watch and have all entries: positions are based on the head. `deliver` is given the connection of each,
    /// and what tells it once it has an outlet. In a very large room it does so less often: what all readers together are told
    /// must not grow with the square of how many they are. What is left to tell comes with another
    /// [`Effects::presence`](super::effects::Effects::presence).
    pub fn feed_presence(&mut self, now: UnixMs, mut deliver: impl FnMut(&K, Telling<'_>)) {
        let pause_ms = PRESENCE_PAUSE_MS * (self.watching() / ROSTER_MAX) as u64;
        // A larger wait than there can be is a clock that was set back.
        if (1..=pause_ms).contains(&self.presence_after_ms.saturating_sub(now)) {
            self.effects.presence = true;
            return;
        }
        self.presence_due = false;
        self.presence_after_ms = now + pause_ms;
        let length = self.length();
        let here = Here { window: &self.window, head: self.state.revision(), length };
        let (mut round, roster) = (Round::default(), &mut self.roster);
        let mut more = false;
        for Reader { key, cursor, .. } in self.readers.following() {
            let Some(watch) = cursor.watch.filter(|watch| roster.has_news(*watch)) else { continue };
            deliver(key, Telling { watch, here, roster, round: &mut round, cursor });
            more |= cursor.watch.is_some_and(|now| now != watch && roster.has_news(now));
        }
        if more {
            self.note_presence();
        }
    }

    fn watching(&self) -> usize {
        self.readers.iter().filter(|reader| reader.cursor.watch.is_some()).count()
    }

    /// What passes something on from one participant here to another, and the connection that it goes to; none if the sender
    /// is not here any more. It is kept nowhere.
    pub fn signal(
        &self,
        from: ReaderId,
        to: ParticipantId,
        kind: SignalKind,
        payload: String,
    ) -> Result<Option<(&K, ServerMessage)>, Refusal> {
        let Some(from) = self.participant(from) else { return Ok(None) };
        let receiver = self.reader_of(to)?;
        let channel = receiver.cursor.channel;
        Ok(Some((&receiver.key, ServerMessage::Signal { channel, from, kind, payload })))
    }

    fn reader_of(&self, participant: ParticipantId) -> Result<&Reader<K>, Refusal> {
        let found = self.readers.iter().find(|reader| reader.cursor.participant() == participant);
        found.ok_or_else(|| Refusal::new(ErrorCode::NotFound, format!("{participant} is not in this room")))
    }

    /// Who is here, the longest first; in a large room those who may edit.
    pub fn people(&self) -> Vec<Person> {
        self.roster.people().into_iter().cloned().collect()
    }

    /// Rebases everybody's positions on the head.
    pub(super) fn rebase_positions(&mut self) {
        let here = Here { window: &self.window, head: self.state.revision(), length: self.length() };
        self.roster.rebase_positions(here);
    }

    fn participant(&self, id: ReaderId) -> Option<ParticipantId> {
        self.readers.get(id).map(|reader| reader.cursor.participant())
    }

    fn length(&self) -> u64 {
        self.state.text().len_chars() as u64
    }
}

/// What was put together while all who watch are told: most of them were told the same before, and are now.
#[derive(Debug, Default)]
struct Round(HashMap<Watch, (SharedNews, Watch)>);

/// A reader about to be told.
#[derive(Debug)]
pub struct Telling<'a> {
    watch: Watch,
    here: Here<'a>,
    roster: &'a mut Roster,
    round: &'a mut Round,
    cursor: &'a mut Cursor,
}

impl Telling<'_> {
    /// Tells it, if its outlet takes presence now: otherwise it is told the newest later.
    pub fn tell(self, outlet: &mut impl Outlet) {
        let Self { watch, here, roster, round, cursor } = self;
        if !outlet.takes_presence(cursor.channel) {
            return;
        }
        let (news, next) = round.0.entry(watch).or_insert_with(|| {
            let (news, next) = roster.news(watch, here);
            (SharedNews::new(here.head, news), next)
        });
        let before = outlet.buffer().len();
        cursor.tell(news, *next, outlet);
        let bytes = outlet.buffer().len() - before;
        outlet.sent_presence(bytes);
    }
}
