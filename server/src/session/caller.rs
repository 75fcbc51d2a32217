//! Somebody who talks to the server, over whichever door.

use motet_protocol::{
    access::{AccountId, ProjectId, Role},
    ids::{ParticipantId, RoomId, UnixMs},
    room::Author,
};

use crate::room::Principal;

/// Who somebody is. In a room it becomes a [`Principal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The session, as others see it.
    pub participant: ParticipantId,
    /// Its name and account.
    pub author: Author,
    /// Whether it may do everything.
    pub admin: bool,
    /// What a link that it followed gives it.
    pub grant: Option<(Target, Role)>,
    /// When it is nobody any more, unless it gives another token before.
    pub expires_ms: Option<UnixMs>,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One room.
    Room(RoomId),
    /// All rooms of a project.
    Project(ProjectId),
}

impl Caller {
    /// A guest, who has nothing but a name.
    pub fn guest(participant: ParticipantId, name: &str) -> Self {
        let author = Author { name: name.to_owned(), account: None };
        Self { participant, author, admin: false, grant: None, expires_ms: None }
    }

    /// Its account.
    pub fn account(&self) -> Option<&AccountId> {
        self.author.account.as_ref()
    }

    /// The caller in a room of a project in which it has a role, or in none.
    pub fn in_room(&self, room: &RoomId, project: Option<&ProjectId>, in_project: Option<Role>) -> Principal {
        let by_link = self.grant.as_ref().and_then(|(target, role)| match target {
            Target::Room(target) => (target == room).then_some(*role),
            Target::Project(target) => (Some(target) == project).then_some(*role),
        });
        Principal {
            participant: self.participant,
            author: self.author.clone(),
            admin: self.admin,
            granted: by_link.max(in_project),
        }
    }
}
