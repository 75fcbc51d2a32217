//! A room's readers as people who see each other.

use std::collections::HashMap;

use motet_protocol::{
    error::ErrorCode,
    ids::{Channel, ParticipantId, Revision, UnixMs},
    presence::{Person, Presence},
};

use super::Room;
use crate::{
    refusal::Refusal,
    room::{
        presence::{Here, Roster, Watch},
        readers::{Cursor, Outlet, Reader, ReaderId},
    },
    wire::SharedNews,
};

impl<K> Room<K> {
    /// Has a reader be told who is here and where from now on, everybody first; or no longer.
    pub fn watch(&mut self, id: ReaderId, on: bool) {
        if let Some(reader) = self.readers.get_mut(id) {
            reader.cursor.watch = on.then(Watch::default);
        }
    }

    /// Takes what a reader tells of itself; places count on `base`. Nothing is told at once: see
    /// [`feed_watching`](Self::feed_watching).
    pub fn set_presence(
        &mut self,
        id: ReaderId,
        base: Revision,
        presence: Presence,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        let Some(participant) = self.participant(id) else { return Ok(()) };
        let here = Here { window: &self.window, head: self.state.revision(), length: self.length() };
        self.roster.set(participant, base, presence, here, now)
    }

    /// Whether places that count on a revision can be told exactly.
    pub fn reaches(&self, base: Revision) -> bool {
        Here { window: &self.window, head: self.state.revision(), length: self.length() }.reaches(base)
    }

    /// Notes that a reader is at work. Returns whether the others see it differently now.
    pub fn heard(&mut self, id: ReaderId, now: UnixMs) -> bool {
        self.participant(id).is_some_and(|participant| self.roster.heard(participant, now))
    }

    /// Shows those as idle who have said nothing for long.
    pub fn look_at_clock(&mut self, now: UnixMs) {
        self.roster.look_at_clock(now);
    }

    /// Whether somebody who watches is to be told something, now or when it has caught up.
    pub fn has_news(&self) -> bool {
        self.readers.iter().any(|reader| reader.cursor.watch.is_some_and(|watch| self.roster.has_news(watch)))
    }

    /// How many watch.
    pub fn watching(&self) -> usize {
        self.readers.iter().filter(|reader| reader.cursor.watch.is_some()).count()
    }

    /// Tells those who watch and have all entries: positions count on the head. `deliver` is given each one's connection and
    /// what tells it, once it has an outlet. Returns whether somebody is to be told more, since it did not fit one message.
    pub fn feed_watching(&mut self, mut deliver: impl FnMut(&K, Telling<'_>)) -> bool {
        let length = self.length();
        let here = Here { window: &self.window, head: self.state.revision(), length };
        let (mut round, roster) = (Round::default(), &mut self.roster);
        let mut more = false;
        for Reader { key, cursor, .. } in self.readers.following() {
            let Some(watch) = cursor.watch.filter(|watch| roster.has_news(*watch)) else { continue };
            deliver(key, Telling { watch, here, roster, round: &mut round, cursor });
            more |= cursor.watch.is_some_and(|now| now != watch && roster.has_news(now));
        }
        more
    }

    /// A reader in the room, to pass something on to.
    pub fn reader_of(&self, participant: ParticipantId) -> Result<&Reader<K>, Refusal> {
        let found = self.readers.iter().find(|reader| reader.cursor.participant() == participant);
        found.ok_or_else(|| Refusal::new(ErrorCode::NotFound, format!("{participant} is not in this room")))
    }

    /// Who is here, the longest first; in a large room those who may edit.
    pub fn people(&self) -> Vec<Person> {
        self.roster.people().into_iter().cloned().collect()
    }

    /// Moves everybody's places on to the head.
    pub(super) fn settle(&mut self) {
        let here = Here { window: &self.window, head: self.state.revision(), length: self.length() };
        self.roster.settle(here);
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
    /// The room's number on the reader's connection.
    pub fn channel(&self) -> Channel {
        self.cursor.channel
    }

    /// Tells it. Ask first whether its outlet has room: who is not told now is told the newest later.
    pub fn tell(self, outlet: &mut impl Outlet) {
        let Self { watch, here, roster, round, cursor } = self;
        let (news, next) = round.0.entry(watch).or_insert_with(|| {
            let (news, next) = roster.news(watch, here);
            (SharedNews::new(here.head, news), next)
        });
        cursor.tell(news, *next, outlet);
    }
}
