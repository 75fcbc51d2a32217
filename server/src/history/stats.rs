//! Who did how much in a room, and when.

use std::collections::HashMap;

use motet_protocol::{
    access::AccountId,
    ids::{ParticipantId, Revision, UnixMs},
    message::{Command, Entry},
    ot::Component,
    room::Author,
};

use super::cast::Cast;

/// A pause of this length or more is no time at work.
pub const PAUSE_MS: u64 = 5 * 60 * 1_000;

/// People that are told apart; what those after them do is counted in the sums only.
pub const PEOPLE_MAX: usize = 10_000;

/// A person in a room: an account, however often it came, or one session of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    /// An account.
    Account(AccountId),
    /// A session.
    Participant(ParticipantId),
}

/// Sums over a log, up to a revision.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// The last entry's revision.
    pub revision: Revision,
    /// When the first entry was ordered.
    pub first_ms: Option<UnixMs>,
    /// When the last one was.
    pub last_ms: Option<UnixMs>,
    /// The time in which something was done: the pauses between entries that are shorter than [`PAUSE_MS`].
    pub active_ms: u64,
    /// All together.
    pub all: Done,
    people: HashMap<Person, Done>,
    cast: Cast,
}

/// What somebody did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Whose it is, by the last entry; empty for all together.
    pub author: Author,
    /// Changes of the text.
    pub edits: u64,
    /// Other entries: settings, roles, versions, chat, comments.
    pub others: u64,
    /// Characters (scalars) that were put in.
    pub inserted: u64,
    /// Characters that were taken out.
    pub deleted: u64,
    /// When the last of it was.
    pub last_ms: UnixMs,
}

impl Stats {
    /// Takes the next entry.
    pub fn fold(&mut self, entry: &Entry) {
        self.cast.fold(entry);
        let pause_ms = entry.time_ms.saturating_sub(self.last_ms.unwrap_or(entry.time_ms));
        if pause_ms < PAUSE_MS {
            self.active_ms += pause_ms;
        }
        self.first_ms.get_or_insert(entry.time_ms);
        (self.revision, self.last_ms) = (entry.revision, Some(entry.time_ms));
        if matches!(entry.command, Command::Introduce(_)) {
            return;
        }
        let author = self.cast.author(entry.participant);
        let person = match &author.account {
            Some(account) => Person::Account(account.clone()),
            None => Person::Participant(entry.participant),
        };
        self.all.fold(entry);
        if self.people.len() < PEOPLE_MAX || self.people.contains_key(&person) {
            let done = self.people.entry(person).or_default();
            done.fold(entry);
            done.author = author;
        }
    }

    /// How many people are told apart.
    pub fn person_count(&self) -> usize {
        self.people.len()
    }

    /// What each did, who did the most first.
    pub fn people(&self) -> Vec<(Person, Done)> {
        let mut people: Vec<_> = self.people.iter().map(|(person, done)| (person.clone(), done.clone())).collect();
        people.sort_by_key(|(_, done)| std::cmp::Reverse((done.inserted + done.deleted, done.edits, done.last_ms)));
        people
    }
}

impl Done {
    fn fold(&mut self, entry: &Entry) {
        self.last_ms = entry.time_ms;
        let Command::Edit(operation) = &entry.command else {
            self.others += 1;
            return;
        };
        self.edits += 1;
        for component in operation.components() {
            match component {
                Component::Retain(_) => {}
                Component::Insert(text) => self.inserted += text.chars().count() as u64,
                Component::Delete(n) => self.deleted += n,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::ot::Operation;

    use super::*;

    #[test]
    fn an_account_is_one_person_whichever_way_it_came_and_long_pauses_are_no_work() {
        let mut stats = Stats::default();
        let mut fold = |participant, time_ms, command| {
            let revision = stats.revision + 1;
            let participant = ParticipantId(participant);
            stats.fold(&Entry { revision, participant, seq: revision, time_ms, command });
        };
        let ann = || Author { name: "Ann".into(), account: AccountId::new("ann").ok() };
        let edit = |builder: motet_protocol::ot::Builder| Command::Edit(builder.build().unwrap());
        fold(1, 1_000, Command::Introduce(ann()));
        fold(1, 1_000, edit(Operation::builder().insert("héllo")));
        fold(2, 3_000, Command::Introduce(ann()));
        fold(2, 3_000, edit(Operation::builder().retain(1).delete(2).retain(2)));
        fold(3, 3_000 + PAUSE_MS, edit(Operation::builder().insert("x").retain(3)));
        fold(3, 3_500 + PAUSE_MS, Command::RemoveVersion { name: "v".into() });
        assert_eq!((stats.active_ms, stats.first_ms, stats.last_ms), (2_500, Some(1_000), Some(3_500 + PAUSE_MS)));
        assert_eq!((stats.all.edits, stats.all.others, stats.all.inserted, stats.all.deleted), (3, 1, 6, 2));
        let people = stats.people();
        assert_eq!(people.len(), 2);
        assert_eq!(people[0].0, Person::Account(AccountId::new("ann").unwrap()));
        assert_eq!((people[0].1.edits, people[0].1.inserted, people[0].1.deleted), (2, 5, 2));
        assert_eq!(people[1].0, Person::Participant(ParticipantId(3)));
    }
}
