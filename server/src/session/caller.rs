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
        let (granted, project_link) = match self.identity.grant.as_ref().map(|grant| (&grant.target, grant.role)) {
            Some((Target::Room(target), role)) => ((target == room).then_some(role), None),
            Some((Target::Project(target), role)) => (None, Some((target.clone(), role))),
            None => (None, None),
        };
        let (author, admin) = (self.author.clone(), self.identity.admin);
        let who = Principal { author, admin, granted, project_link, ..Principal::nobody(self.participant) };
        Principal { in_project: who.given_by(project, in_project), ..who }
    }
}
