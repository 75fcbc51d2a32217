//! Who may do what in a room.
//!
//! | role | may |
//! |---|---|
//! | viewer | see everything, be seen |
//! | editor | that, and change the text, its settings and versions, chat, comment |
//! | host | that, and give roles, remove people, delete others' messages, say who comes in and how long the room stays |

use motet_protocol::{
    access::{AccountId, Member, ProjectId, Role},
    error::ErrorCode,
    ids::ParticipantId,
    message::Command,
    room::{Author, Standing},
};

use super::people::People;
use crate::refusal::Refusal;

/// Somebody who wants something of a room, as far as the server knows who that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The session, as others see it.
    pub participant: ParticipantId,
    /// Its name and account.
    pub author: Author,
    /// Whether it may do everything on this server.
    pub admin: bool,
    /// What a link to this room gives it.
    pub granted: Option<Role>,
    /// A link to a project, and what it gives in all rooms of that.
    pub project_link: Option<(ProjectId, Role)>,
    /// What this room's project gives it, by that link or otherwise.
    pub in_project: Option<Role>,
}

impl Principal {
    /// Somebody of whom nothing is known.
    pub fn nobody(participant: ParticipantId) -> Self {
        Self {
            participant,
            author: Author::default(),
            admin: false,
            granted: None,
            project_link: None,
            in_project: None,
        }
    }

    /// What a project gives it in its rooms: as a `member` of it, or by a link to it.
    pub fn given_by(&self, project: Option<&ProjectId>, member: Option<Role>) -> Option<Role> {
        let by_link = self.project_link.as_ref().filter(|(target, _)| Some(target) == project).map(|(_, role)| *role);
        member.max(by_link)
    }
}

/// What holds in a room beside its own decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessDefaults {
    /// Who made the room: always a host.
    pub owner: Option<AccountId>,
    /// What those may do who were given no role, in rooms that do not say.
    pub public: Option<Role>,
}

/// What somebody may do in a room: nothing at all, or a role.
///
/// The owner and admins are hosts. Otherwise what was decided for the session counts, then what was decided for the
/// account; then the stronger of what its link or project gives and what everybody may.
pub fn role_of(who: &Principal, people: &People, public: Option<Role>, defaults: &AccessDefaults) -> Option<Role> {
    let account = who.author.account.as_ref();
    if who.admin || (account.is_some() && account == defaults.owner.as_ref()) {
        return Some(Role::Host);
    }
    let of_session = people.standing(&Member::Participant(who.participant));
    let of_account = account.and_then(|account| people.standing(&Member::Account(account.clone())));
    if [of_session, of_account].contains(&Some(Standing::Banned)) {
        return None;
    }
    match of_session.or(of_account) {
        Some(Standing::Role(role)) => Some(role),
        _ => who.granted.max(who.in_project).max(public),
    }
}

/// The role that a command takes.
pub fn needed(command: &Command) -> Role {
    match command {
        Command::SetRole(_) => Role::Host,
        Command::Settings(patch) if patch.public.is_some() || patch.project.is_some() || patch.ttl_s.is_some() => {
            Role::Host
        }
        Command::Edit(_)
        | Command::Introduce(_)
        | Command::Settings(_)
        | Command::NameVersion { .. }
        | Command::RemoveVersion { .. }
        | Command::Chat(_)
        | Command::Comment(_) => Role::Editor,
    }
}

/// Whether somebody who has `role` may do what takes `needed`.
pub fn require(role: Option<Role>, needed: Role) -> Result<Role, Refusal> {
    match role {
        Some(role) if role >= needed => Ok(role),
        Some(role) => Err(Refusal::new(
            ErrorCode::Forbidden,
            format!("this takes the role {needed}, and yours here is {role}; a host of the room can change that"),
        )),
        None => Err(Refusal::new(ErrorCode::Forbidden, "you have no role in this room; a host of it can give you one")),
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::room::RoleOf;

    use super::*;

    fn ann() -> Principal {
        let account = AccountId::new("ann").unwrap();
        let author = Author { name: "Ann".into(), account: Some(account) };
        Principal { author, ..Principal::nobody(ParticipantId(1)) }
    }

    fn people(decisions: &[(Member, Standing)]) -> People {
        let mut people = People::default();
        for (member, standing) in decisions {
            people.decide(&RoleOf { member: member.clone(), standing: *standing });
        }
        people
    }

    #[test]
    fn a_decision_on_somebody_beats_what_everybody_may() {
        let account = Member::Account(AccountId::new("ann").unwrap());
        let session = Member::Participant(ParticipantId(1));
        let public = Some(Role::Editor);
        let role =
            |decisions: &[_], who: &Principal| role_of(who, &people(decisions), public, &AccessDefaults::default());
        assert_eq!(role(&[], &ann()), Some(Role::Editor));
        assert_eq!(role(&[(account.clone(), Standing::Role(Role::Viewer))], &ann()), Some(Role::Viewer));
        assert_eq!(role(&[(account.clone(), Standing::Role(Role::Host))], &ann()), Some(Role::Host));
        assert_eq!(role(&[(account.clone(), Standing::Banned)], &ann()), None);
        let both = [(account.clone(), Standing::Role(Role::Host)), (session.clone(), Standing::Banned)];
        assert_eq!(role(&both, &ann()), None);
        let back = [(account.clone(), Standing::Banned), (account, Standing::Public)];
        assert_eq!(role(&back, &ann()), Some(Role::Editor));
        let granted = Principal { granted: Some(Role::Host), ..ann() };
        assert_eq!(role(&[], &granted), Some(Role::Host));
        assert_eq!(role(&[(session, Standing::Role(Role::Viewer))], &granted), Some(Role::Viewer));
    }

    #[test]
    fn the_owner_and_admins_cannot_be_locked_out() {
        let account = Member::Account(AccountId::new("ann").unwrap());
        let people = people(&[(account, Standing::Banned)]);
        let owner = AccessDefaults { owner: AccountId::new("ann").ok(), public: None };
        assert_eq!(role_of(&ann(), &people, None, &owner), Some(Role::Host));
        let admin = Principal { admin: true, ..ann() };
        assert_eq!(role_of(&admin, &people, None, &AccessDefaults::default()), Some(Role::Host));
        let nobody = Principal::nobody(ParticipantId(2));
        assert_eq!(role_of(&nobody, &people, None, &AccessDefaults::default()), None, "no account is not the owner's");
    }
}
