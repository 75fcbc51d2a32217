//! Somebody who talks to the server, over whichever door.

use motet_protocol::{
    access::{AccountId, ProjectId, Role},
    ids::{ParticipantId, RoomId, UnixMs},
    room::Author,
};

use crate::{
    auth::{Identity, Target},
    room::Principal,
};

/// Who somebody is, and by which session. In a room it becomes a [`Principal`].
#[derive(Clone, Debug)]
pub struct Caller {
    /// The session, as others see it.
    pub participant: ParticipantId,
    /// Its name and account.
    pub author: Author,
    /// What it has shown.
    pub identity: Identity,
}

impl Caller {
    /// Somebody at a session.
    pub fn new(participant: ParticipantId, identity: Identity) -> Self {
        let author = Author { name: identity.name.clone(), account: identity.account.clone() };
        Self { participant, author, identity }
    }

    /// Its account.
    pub fn account(&self) -> Option<&AccountId> {
        self.author.account.as_ref()
    }

    /// Whether what it has shown is neither expired nor revoked.
    pub fn still_valid(&self, now: UnixMs) -> bool {
        self.identity.still_valid(now)
    }

    /// The caller in a room of a project in which it has a role, or in none.
    pub fn in_room(&self, room: &RoomId, project: Option<&ProjectId>, in_project: Option<Role>) -> Principal {
        let by_link = self.identity.grant.as_ref().and_then(|grant| match &grant.target {
            Target::Room(target) => (target == room).then_some(grant.role),
            Target::Project(target) => (Some(target) == project).then_some(grant.role),
        });
        Principal {
            participant: self.participant,
            author: self.author.clone(),
            admin: self.identity.admin,
            granted: by_link.max(in_project),
        }
    }
}
