//! Who is who in a room, and what was decided on whom. Part of the fold.

use std::collections::{BTreeMap, HashMap};

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, Member},
    error::ErrorCode,
    ids::{ParticipantId, Revision},
    limits::{NAME_BYTES_MAX, ROLES_MAX},
    room::{Author, RoleOf, Standing},
};

use super::limits::SESSIONS_REMEMBERED;
use crate::refusal::Refusal;

/// The people of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    decisions: BTreeMap<Member, Standing>,
    /// Who introduced itself, and when: the last ones, at most twice [`SESSIONS_REMEMBERED`].
    authors: HashMap<ParticipantId, (Author, Revision)>,
}

impl People {
    /// What was decided on a member.
    pub fn standing(&self, member: &Member) -> Option<Standing> {
        self.decisions.get(member).copied()
    }

    /// Every decision.
    pub fn roles(&self) -> impl Iterator<Item = RoleOf> {
        self.decisions.iter().map(|(member, standing)| RoleOf { member: member.clone(), standing: *standing })
    }

    /// The accounts on which something was decided.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> + Clone {
        self.decisions.keys().filter_map(|member| match member {
            Member::Account(account) => Some(account),
            Member::Participant(_) => None,
        })
    }

    /// Whether one more decision can be kept.
    pub fn check(&self, role: &RoleOf) -> Result<(), Refusal> {
        let more = role.standing != Standing::Public && !self.decisions.contains_key(&role.member);
        if more && self.decisions.len() >= ROLES_MAX {
            let words =
                format!("a room keeps the roles of {ROLES_MAX} members; take one away, or give them a project's");
            return Err(Refusal::new(ErrorCode::LimitReached, words));
        }
        Ok(())
    }

    /// Takes a decision.
    pub fn decide(&mut self, role: &RoleOf) {
        match role.standing {
            Standing::Public => drop(self.decisions.remove(&role.member)),
            standing => drop(self.decisions.insert(role.member.clone(), standing)),
        }
    }

    /// Who a participant is, if that is remembered.
    pub fn author(&self, participant: ParticipantId) -> Option<&Author> {
        self.authors.get(&participant).map(|(author, _)| author)
    }

    /// What is to be logged before a participant's next entry, if the room does not know it by that name yet. Somebody
    /// without a name needs no introduction.
    pub fn introduction(&self, participant: ParticipantId, author: &Author) -> Option<Author> {
        let known = self.author(participant);
        let news = known.map_or(*author != Author::default(), |known| known != author);
        news.then(|| author.clone())
    }

    /// Everybody who is remembered.
    pub fn authors(&self) -> impl Iterator<Item = (ParticipantId, &Author)> + Clone {
        self.authors.iter().map(|(participant, (author, _))| (*participant, author))
    }

    /// Takes note of who a participant is.
    pub fn introduce(&mut self, participant: ParticipantId, author: &Author, revision: Revision) {
        self.authors.insert(participant, (author.clone(), revision));
        if self.authors.len() > 2 * SESSIONS_REMEMBERED {
            let mut revisions: Vec<Revision> = self.authors.values().map(|(_, revision)| *revision).collect();
            let (_, oldest_kept, _) = revisions.select_nth_unstable(SESSIONS_REMEMBERED);
            let oldest_kept = *oldest_kept;
            self.authors.retain(|_, (_, revision)| *revision > oldest_kept);
        }
    }

    /// As a snapshot holds them.
    pub fn to_stored(&self) -> StoredPeople {
        let mut authors: Vec<_> =
            self.authors.iter().map(|(id, (author, revision))| (*id, author.clone(), *revision)).collect();
        authors.sort_unstable_by_key(|(_, _, revision)| *revision);
        StoredPeople { roles: self.roles().collect(), authors }
    }

    /// From what a snapshot holds.
    pub fn from_stored(stored: StoredPeople) -> Self {
        let decisions = stored.roles.into_iter().map(|role| (role.member, role.standing)).collect();
        let authors = stored.authors.into_iter().map(|(id, author, revision)| (id, (author, revision))).collect();
        Self { decisions, authors }
    }
}

/// What a snapshot holds of [`People`].
#[derive(Debug, Default, Encode, Decode)]
pub struct StoredPeople {
    roles: Vec<RoleOf>,
    authors: Vec<(ParticipantId, Author, Revision)>,
}

/// The most bytes that people take in a snapshot.
pub const PEOPLE_BYTES_MAX: usize = ROLES_MAX * 160 + 2 * SESSIONS_REMEMBERED * (NAME_BYTES_MAX + 160);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered_and_no_more_than_the_limit() {
        let mut people = People::default();
        for revision in 1..=10 * SESSIONS_REMEMBERED as u64 {
            people.introduce(ParticipantId(revision), &Author::default(), revision);
        }
        assert!(people.authors.len() <= 2 * SESSIONS_REMEMBERED);
        assert!(people.author(ParticipantId(10 * SESSIONS_REMEMBERED as u64)).is_some());
        assert!(people.author(ParticipantId(1)).is_none());
        assert_eq!(People::from_stored(people.to_stored()), people);
    }

    #[test]
    fn decisions_are_limited_and_taking_one_back_makes_place() {
        let mut people = People::default();
        let role = |n, standing| RoleOf { member: Member::Participant(ParticipantId(n)), standing };
        for n in 0..ROLES_MAX as u64 {
            let role = role(n, Standing::Banned);
            people.check(&role).unwrap();
            people.decide(&role);
        }
        let one_more = role(u64::MAX, Standing::Banned);
        assert_eq!(people.check(&one_more).unwrap_err().code, ErrorCode::LimitReached);
        people.decide(&role(0, Standing::Public));
        people.check(&one_more).unwrap();
    }
}
