//! Projects: whose rooms are files, and whose members' roles count in all of those rooms. One key each in the store.
//!
//! ```text
//! project/<name>      Project
//! ```

use std::{collections::HashMap, sync::Arc};

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, Member, ProjectId, Role},
    codec,
    error::ErrorCode,
    ids::{ParticipantId, UnixMs},
    limits::TITLE_BYTES_MAX,
};
use parking_lot::Mutex;

use crate::{
    auth::Target,
    refusal::Refusal,
    session::Caller,
    store::{Store, StoreError},
};

/// Members of a project: with the longest names they are half of what the store takes as one value.
pub const PROJECT_MEMBERS_MAX: usize = 200;

/// Projects (and names of none) that are kept in memory.
const CACHE_MAX: usize = 4_096;

/// Tries of a change that others were faster than.
const TRIES: usize = 16;

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Project {
    /// A name for people; may be empty.
    pub title: String,
    /// Who made it, where that was an account: a host in all of its rooms.
    pub owner: Option<AccountId>,
    /// When.
    pub created_ms: UnixMs,
    /// Who else has a role in all of its rooms.
    pub members: Vec<(Member, Role)>,
}

impl Project {
    /// The role that somebody has in the project's rooms by belonging to it.
    pub fn gives(&self, participant: ParticipantId, account: Option<&AccountId>) -> Option<Role> {
        if account.is_some() && account == self.owner.as_ref() {
            return Some(Role::Host);
        }
        let is_theirs = |member: &Member| match member {
            Member::Account(member) => Some(member) == account,
            Member::Participant(member) => *member == participant,
        };
        self.members.iter().filter(|(member, _)| is_theirs(member)).map(|(_, role)| *role).max()
    }

    /// Gives a member a role, or takes it away.
    pub fn decide(&mut self, member: Member, role: Option<Role>) -> Result<(), Refusal> {
        self.members.retain(|(other, _)| *other != member);
        if let Some(role) = role {
            if self.members.len() >= PROJECT_MEMBERS_MAX {
                let words = format!("a project has at most {PROJECT_MEMBERS_MAX} members; take one out first");
                return Err(Refusal::new(ErrorCode::LimitReached, words));
            }
            self.members.push((member, role));
            self.members.sort();
        }
        Ok(())
    }

    /// Gives it another title.
    pub fn rename(&mut self, title: &str) -> Result<(), Refusal> {
        let title = title.trim();
        if title.len() > TITLE_BYTES_MAX || title.chars().any(char::is_control) {
            let words = format!("a title has at most {TITLE_BYTES_MAX} bytes and no control characters");
            return Err(Refusal::new(ErrorCode::BadArgument, words));
        }
        title.clone_into(&mut self.title);
        Ok(())
    }
}

/// The projects of a server.
#[derive(Clone)]
pub struct Projects {
    store: Arc<dyn Store>,
    /// What was read lately. This server is the only one that writes to its store.
    cache: Arc<Mutex<HashMap<ProjectId, Option<Arc<Project>>>>>,
}

impl std::fmt::Debug for Projects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projects").finish_non_exhaustive()
    }
}

impl Projects {
    /// The projects in a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, cache: Arc::default() }
    }

    /// A project, if it was read lately and nobody is reading or changing one: that may take as long as the disk does.
    pub fn cached(&self, id: &ProjectId) -> Option<Option<Arc<Project>>> {
        self.cache.try_lock()?.get(id).cloned()
    }

    /// A project, if there is one. Waits for the disk.
    pub fn get(&self, id: &ProjectId) -> Result<Option<Arc<Project>>, Refusal> {
        // The lock is held while the store is read, so that nothing older than what is kept comes in.
        let mut cache = self.cache.lock();
        if let Some(found) = cache.get(id) {
            return Ok(found.clone());
        }
        let found = self.read(id)?.map(Arc::new);
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        cache.insert(id.clone(), found.clone());
        Ok(found)
    }

    fn read(&self, id: &ProjectId) -> Result<Option<Project>, Refusal> {
        let key = key(id);
        let value = self.store.get(&key)?;
        value.map(|value| decode(&key, &value)).transpose().map_err(Refusal::from)
    }

    /// Makes, changes or removes a project: `change` is given what there is, and returns what is to be. Waits for the disk.
    pub fn update(
        &self,
        id: &ProjectId,
        change: impl Fn(Option<Project>) -> Result<Option<Project>, Refusal>,
    ) -> Result<Option<Arc<Project>>, Refusal> {
        for _ in 0..TRIES {
            let before = self.read(id)?;
            let after = change(before.clone())?;
            let (old, new) = (before.as_ref().map(codec::encode), after.as_ref().map(codec::encode));
            let mut cache = self.cache.lock();
            let swapped = self.store.compare_and_swap(&key(id), old.as_deref(), new.as_deref());
            if swapped? {
                let after = after.map(Arc::new);
                cache.insert(id.clone(), after.clone());
                return Ok(after);
            }
        }
        Err(Refusal::for_now(ErrorCode::Overloaded, "others are changing the project; try again", 100))
    }

    /// At most `limit` projects after one, by name. Waits for the disk.
    pub fn list(&self, after: Option<&ProjectId>, limit: usize) -> Result<Vec<(ProjectId, Project)>, Refusal> {
        let found = self.store.scan(PREFIX, after.map(key).as_deref(), limit)?;
        let projects = found.iter().map(|(key, value)| {
            let id = key.strip_prefix(PREFIX).and_then(|id| ProjectId::new(id).ok());
            let id = id.ok_or_else(|| damaged(key, "it names no project"))?;
            Ok((id, decode(key, value)?))
        });
        projects.collect::<Result<_, StoreError>>().map_err(Refusal::from)
    }
}

/// What somebody may do with a project itself: by belonging to it, by a link, or by what everybody may on this server.
pub fn role_in(caller: &Caller, id: &ProjectId, project: &Project, public: Option<Role>) -> Option<Role> {
    let by_link = caller.identity.grant.as_ref().and_then(|grant| match &grant.target {
        Target::Project(target) if target == id => Some(grant.role),
        _ => None,
    });
    if caller.identity.admin {
        Some(Role::Host)
    } else {
        project.gives(caller.participant, caller.account()).max(by_link).max(public)
    }
}

const PREFIX: &str = "project/";

fn key(id: &ProjectId) -> String {
    format!("{PREFIX}{id}")
}

fn decode(key: &str, value: &[u8]) -> Result<Project, StoreError> {
    codec::decode(value).map_err(|error| damaged(key, &error.to_string()))
}

fn damaged(key: &str, what: &str) -> StoreError {
    StoreError::DamagedValue { key: key.to_owned(), what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn who_only_looks_does_not_wait_for_the_disk() {
        let projects = Projects::new(Arc::new(MemoryStore::new()));
        let id = ProjectId::new("motet").unwrap();
        assert_eq!(projects.get(&id).unwrap(), None);
        assert_eq!(projects.cached(&id), Some(None));
        let _changing = projects.cache.lock();
        assert_eq!(projects.cached(&id), None, "it is to be asked for where waiting is allowed");
    }

    #[test]
    fn a_member_has_the_role_until_it_is_taken_away() {
        let projects = Projects::new(Arc::new(MemoryStore::new()));
        let (id, ann, bob) =
            (ProjectId::new("motet").unwrap(), AccountId::new("ann").unwrap(), AccountId::new("bob").unwrap());
        let gives = |account| projects.get(&id).unwrap().unwrap().gives(ParticipantId(1), account);
        assert_eq!(projects.get(&id).unwrap(), None);
        projects.update(&id, |_| Ok(Some(Project { owner: Some(bob.clone()), ..Project::default() }))).unwrap();
        let decide = |role| {
            let decided = projects.update(&id, |project| {
                let mut project = project.unwrap();
                project.decide(Member::Account(ann.clone()), role)?;
                Ok(Some(project))
            });
            decided.unwrap();
            gives(Some(&ann))
        };
        assert_eq!(decide(Some(Role::Editor)), Some(Role::Editor));
        assert_eq!(decide(Some(Role::Viewer)), Some(Role::Viewer));
        assert_eq!(decide(None), None);
        assert_eq!(gives(Some(&bob)), Some(Role::Host));
        assert_eq!(gives(None), None);
    }
}
