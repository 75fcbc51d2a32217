//! Who is in a room and where: live, never logged, only the newest counts.
//!
//! Everything that changes here gets the next *version*. A reader that watches is a version too, the last one that it was
//! told; what it is told next is the newest of everyone who changed since, however often they did. So a slow reader costs
//! a number, and sees no film when it comes back.
//!
//! Places are moved lazily. Each presence remembers the revision that it counts on, and is moved over the entries since
//! when somebody is told of it, or when it has fallen [`REBASE_ENTRIES`] behind. A room without presence pays one comparison
//! for that on the path of an edit.

use std::collections::{HashMap, VecDeque};

use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{ParticipantId, Revision, UnixMs},
    limits::{PRESENCE_IDLE_MS, ROSTER_MAX, SELECTIONS_MAX},
    ot::Shift,
    people::News,
    presence::{Person, Presence, PresenceOf, Status},
};

use super::window::Window;
use crate::refusal::Refusal;

/// Entries after which every presence is moved on, told or not: bounds how long that takes at once, and stays well within
/// the window that it needs.
pub const REBASE_ENTRIES: u64 = 64;

/// People who left that are remembered for readers who were not told yet. Who needs more is told everything anew.
pub const LEFT_MAX: usize = 256;

/// What one message tells, in bytes, roughly; what is more comes in the next. JSON takes about four times as much, and
/// that too fits a frame.
const NEWS_BYTES: usize = 32 * 1024;

/// In a room of more than [`ROSTER_MAX`] only those are told of who may edit, until so few are there again: somewhat
/// fewer, so that one person at the door does not turn the whole list over and over.
const UNCROWDED_MAX: usize = ROSTER_MAX * 9 / 10;

/// Counts what changed in a room's roster.
pub type Version = u64;

/// The people in a room.
#[derive(Debug, Default)]
pub struct Roster {
    /// Boxed, since the table has places for four where there is one.
    slots: HashMap<ParticipantId, Box<Slot>>,
    left: VecDeque<(Version, ParticipantId)>,
    version: Version,
    /// A watch that began before this and was told less must begin anew.
    anew: Version,
    /// More people are here than can be told of.
    crowded: bool,
    shown: usize,
    /// No presence counts on an older revision; none where none has places.
    oldest_base: Option<Revision>,
}

/// Somebody.
#[derive(Debug)]
struct Slot {
    person: Person,
    /// When it came, or became somebody else.
    version: Version,
    /// Whether the others are told of it.
    shown: bool,
    told: Option<Box<Told>>,
}

/// What somebody told last.
#[derive(Debug)]
struct Told {
    presence: Presence,
    /// The revision that its places count on.
    base: Revision,
    version: Version,
    heard_ms: UnixMs,
    /// The server shows it as idle, though it said it was active.
    idled: bool,
}

impl Slot {
    fn latest(&self) -> Version {
        self.told.as_ref().map_or(self.version, |told| told.version.max(self.version))
    }

    /// Roughly, on the wire.
    fn bytes(&self) -> usize {
        let author = &self.person.author;
        let account = author.account.as_ref().map_or(0, |account| account.as_str().len());
        let selections = self.told.as_ref().map_or(0, |told| told.presence.selections.len());
        64 + author.name.len() + account + 10 * selections
    }
}

/// How far a reader that watches was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The last version that it was told.
    seen: Version,
    /// The version at which it was last told that all before does not count.
    began: Version,
}

/// Where the room is, for moving places.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// The recent entries.
    pub window: &'a Window,
    /// The committed revision.
    pub head: Revision,
    /// The text's length at that revision, in scalars.
    pub length: u64,
}

impl Here<'_> {
    /// Whether all entries after a revision are at hand.
    pub fn reaches(&self, base: Revision) -> bool {
        base + 1 >= self.window.first().unwrap_or(self.head + 1)
    }
}

impl Roster {
    /// Somebody came. Who is here already has left and come again.
    pub fn arrive(&mut self, person: Person) {
        let participant = person.participant;
        self.leave(participant);
        let version = self.next();
        let shown = self.has_place_for(person.role);
        self.shown += usize::from(shown);
        self.slots.insert(participant, Box::new(Slot { person, version, shown, told: None }));
        if !self.crowded && self.slots.len() > ROSTER_MAX {
            self.crowd(true);
        }
    }

    /// Somebody left, and its presence with it.
    pub fn leave(&mut self, participant: ParticipantId) {
        let Some(slot) = self.slots.remove(&participant) else { return };
        let version = self.next();
        if slot.shown {
            self.shown -= 1;
            self.left.retain(|(_, left)| *left != participant);
            self.left.push_back((version, participant));
            if self.left.len() > LEFT_MAX
                && let Some((forgotten, _)) = self.left.pop_front()
            {
                self.anew = self.anew.max(forgotten);
            }
        }
        if self.slots.is_empty() {
            *self = Self { version, anew: version, ..Self::default() };
        } else if self.crowded && self.slots.len() <= UNCROWDED_MAX {
            self.crowd(false);
        } else if slot.shown && self.crowded {
            self.promote();
        }
    }

    /// Somebody has another role or name now.
    pub fn change(&mut self, participant: ParticipantId, change: impl FnOnce(&mut Person)) {
        let version = self.version + 1;
        let Some(slot) = self.slots.get_mut(&participant) else { return };
        change(&mut slot.person);
        slot.version = version;
        self.version = version;
        if self.crowded {
            // Who may edit, and so who is told of, is another now.
            self.crowd(true);
        }
    }

    fn next(&mut self) -> Version {
        self.version += 1;
        self.version
    }

    fn has_place_for(&self, role: Role) -> bool {
        !self.crowded || (role >= Role::Editor && self.shown < ROSTER_MAX)
    }

    /// Decides anew who is told of: everybody, or those who may edit, the longest here first. All readers begin anew.
    fn crowd(&mut self, crowded: bool) {
        self.crowded = crowded;
        self.shown = 0;
        self.anew = self.next();
        self.left.clear();
        let mut slots: Vec<_> = self.slots.values_mut().collect();
        slots.sort_unstable_by_key(|slot| (slot.person.joined_ms, slot.person.participant));
        for slot in slots {
            slot.shown = !crowded || (slot.person.role >= Role::Editor && self.shown < ROSTER_MAX);
            self.shown += usize::from(slot.shown);
            if !slot.shown {
                slot.told = None;
            }
        }
    }

    /// Somebody who is told of left: the next who may edit takes the place.
    fn promote(&mut self) {
        let version = self.next();
        let waiting = |slot: &&mut Box<Slot>| !slot.shown && slot.person.role >= Role::Editor;
        let first = |slot: &&mut Box<Slot>| (slot.person.joined_ms, slot.person.participant);
        if let Some(slot) = self.slots.values_mut().filter(waiting).min_by_key(first) {
            (slot.shown, slot.version) = (true, version);
            self.shown += 1;
        }
    }

    /// Takes what somebody tells, with places that count on `base`. On a base older than the window the places are taken as
    /// they are, brought into the text; the next word of somebody so far behind is right again.
    pub fn set(
        &mut self,
        participant: ParticipantId,
        base: Revision,
        mut presence: Presence,
        here: Here<'_>,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        if presence.selections.len() > SELECTIONS_MAX {
            let found = presence.selections.len();
            let words = format!("{found} selections were told; {SELECTIONS_MAX} are allowed");
            return Err(Refusal::new(ErrorCode::BadArgument, words));
        }
        if base > here.head {
            let words = format!("the base {base} is not a revision yet; the room is at {}", here.head);
            return Err(Refusal::new(ErrorCode::RevisionUnknown, words));
        }
        let version = self.version + 1;
        let Some(slot) = self.slots.get_mut(&participant).filter(|slot| slot.shown) else { return Ok(()) };
        let base = if here.reaches(base) { base } else { here.head };
        if base == here.head {
            presence.clamp(here.length);
        }
        presence.selections.shrink_to_fit();
        if !presence.is_placeless() {
            self.oldest_base = Some(self.oldest_base.map_or(base, |oldest| oldest.min(base)));
        }
        slot.told = Some(Box::new(Told { presence, base, version, heard_ms: now, idled: false }));
        self.version = version;
        Ok(())
    }

    /// Notes that somebody is at work who said nothing about it. Returns whether it was shown as idle until now.
    pub fn heard(&mut self, participant: ParticipantId, now: UnixMs) -> bool {
        let Some(told) = self.slots.get_mut(&participant).and_then(|slot| slot.told.as_mut()) else { return false };
        told.heard_ms = now;
        let idled = std::mem::take(&mut told.idled);
        if idled {
            self.version += 1;
            (told.presence.status, told.version) = (Status::Active, self.version);
        }
        idled
    }

    /// Shows those as idle who have said nothing for [`PRESENCE_IDLE_MS`]. To be called every few seconds.
    pub fn handle_timeout(&mut self, now: UnixMs) {
        for told in self.slots.values_mut().filter_map(|slot| slot.told.as_mut()) {
            // A clock that was set back must not keep somebody active for as long.
            told.heard_ms = told.heard_ms.min(now);
            if told.presence.status == Status::Active && now - told.heard_ms >= PRESENCE_IDLE_MS {
                self.version += 1;
                (told.presence.status, told.idled, told.version) = (Status::Idle, true, self.version);
            }
        }
    }

    /// Whether places are so far behind that they should be moved on now.
    pub fn is_far_behind(&self, head: Revision) -> bool {
        self.oldest_base.is_some_and(|oldest| head >= oldest + REBASE_ENTRIES)
    }

    /// Whether a place is still to be moved over the entry of this revision.
    pub fn needs(&self, revision: Revision) -> bool {
        self.oldest_base.is_some_and(|oldest| oldest < revision)
    }

    /// Moves all places on to the head.
    pub fn rebase_positions(&mut self, here: Here<'_>) {
        let Some(oldest) = self.oldest_base.filter(|oldest| *oldest < here.head) else { return };
        let trail = Trail::after(oldest, here);
        let mut placed = false;
        for slot in self.slots.values_mut() {
            let Slot { person, told, .. } = &mut **slot;
            let Some(told) = told.as_mut().filter(|told| !told.presence.is_placeless()) else { continue };
            trail.bring(told, person.participant);
            placed = true;
        }
        self.oldest_base = placed.then_some(here.head);
    }

    /// Whether a watching reader has something to be told.
    pub fn has_news(&self, watch: Watch) -> bool {
        watch.seen < self.version
    }

    /// What a watching reader is to be told next, and how far it is then. Call it with the same watch for several readers,
    /// and they are told the same.
    pub fn news(&mut self, watch: Watch, here: Here<'_>) -> (News, Watch) {
        let whole = watch.seen == 0 || (watch.seen < self.anew && watch.began < self.anew);
        let (seen, began) = if whole { (0, self.version) } else { (watch.seen, watch.began) };
        let mut slots: Vec<_> = self.slots.values_mut().filter(|slot| slot.shown && slot.latest() > seen).collect();
        slots.sort_unstable_by_key(|slot| slot.latest());
        // In the order of versions, so that where the message is full, its last version is how far the reader is.
        let mut bytes = 0;
        let fit = slots.iter().take_while(|slot| {
            bytes += slot.bytes();
            bytes <= NEWS_BYTES
        });
        let taken = fit.count().max(1);
        let upto = if taken < slots.len() { slots[taken - 1].latest() } else { self.version };
        slots.truncate(taken);

        let bases = slots.iter().filter_map(|slot| slot.told.as_ref().filter(|told| told.version > seen));
        let trail = Trail::after(bases.map(|told| told.base).min().unwrap_or(here.head), here);
        let mut news = News { whole, ..News::default() };
        for slot in slots {
            let Slot { person, version, told, .. } = &mut **slot;
            if *version > seen {
                news.people.push(person.clone());
            }
            let participant = person.participant;
            if let Some(told) = told.as_mut().filter(|told| told.version > seen) {
                trail.bring(told, participant);
                news.presence.push(PresenceOf { participant, presence: told.presence.clone() });
            }
        }
        if !whole {
            let from = self.left.partition_point(|(version, _)| *version <= seen);
            let left = self.left.range(from..).take_while(|(version, _)| *version <= upto);
            news.left.extend(left.map(|(_, participant)| *participant));
        }
        news.present = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        (news, Watch { seen: upto, began })
    }

    /// Whether somebody is here.
    pub fn contains(&self, participant: ParticipantId) -> bool {
        self.slots.contains_key(&participant)
    }

    /// How many are here.
    pub fn present(&self) -> usize {
        self.slots.len()
    }

    /// Those who are told of, the longest here first.
    pub fn people(&self) -> Vec<&Person> {
        let mut people: Vec<&Person> = self.slots.values().filter(|slot| slot.shown).map(|slot| &slot.person).collect();
        people.sort_unstable_by_key(|person| (person.joined_ms, person.participant));
        people
    }
}

/// Where the entries after a revision move places, each worked out once for all that are moved.
struct Trail<'a> {
    here: Here<'a>,
    shifts: Vec<(Revision, ParticipantId, Shift)>,
}

impl<'a> Trail<'a> {
    fn after(base: Revision, here: Here<'a>) -> Self {
        let shifts = here
            .window
            .after(base)
            .filter_map(|entry| Some((entry.revision, entry.participant, entry.command.operation()?.shift())))
            .collect();
        Self { here, shifts }
    }

    fn bring(&self, told: &mut Told, participant: ParticipantId) {
        let from = self.shifts.partition_point(|(revision, ..)| *revision <= told.base);
        for (_, author, shift) in &self.shifts[from..] {
            told.presence.move_over(shift, *author == participant);
        }
        told.base = self.here.head;
        told.presence.clamp(self.here.length);
    }
}

#[cfg(test)]
mod tests;
