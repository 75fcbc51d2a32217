//! What a room durably is besides its text: settings, people, versions. One place for what may become an entry and for what
//! the entry then does.

use bincode::{Decode, Encode};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::Revision,
    message::{Command, Entry},
    room::{RoleOf, RoomSettings, Standing},
};

use super::{
    access::AccessDefaults,
    people::{PEOPLE_BYTES_MAX, People, StoredPeople},
    settings::{self, SETTINGS_BYTES_MAX},
    versions::{VERSIONS_BYTES_MAX, Versions},
};
use crate::refusal::Refusal;

/// All that was decided in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// What was set.
    pub settings: RoomSettings,
    /// Who is who, and who may do what.
    pub people: People,
    /// The named revisions.
    pub versions: Versions,
}

impl Decided {
    /// Makes of a command what is to be logged, or says why it cannot be. `head` is the revision before the entry. Of edits
    /// and of what is said nothing is checked here.
    pub fn checked(&self, command: Command, head: Revision) -> Result<Command, Refusal> {
        match command {
            Command::Edit(_) | Command::Chat(_) | Command::Comment(_) => Ok(command),
            Command::Introduce(_) => Err(Refusal::new(ErrorCode::BadArgument, "introductions are made by the server")),
            Command::Settings(patch) => Ok(Command::Settings(Box::new(settings::checked(*patch)?))),
            Command::SetRole(role) => {
                self.people.check(&role)?;
                Ok(Command::SetRole(role))
            }
            Command::NameVersion { name, revision, description } => {
                self.versions.check_name(&name, revision, &description, head)?;
                Ok(Command::NameVersion { name, revision, description })
            }
            Command::RemoveVersion { name } => {
                self.versions.check_removal(&name)?;
                Ok(Command::RemoveVersion { name })
            }
        }
    }

    /// Whether somebody would still be a host after a command: a room that nobody can give roles in is lost.
    pub fn check_hosted(&self, command: &Command, defaults: &AccessDefaults) -> Result<(), Refusal> {
        let mut after = self.clone();
        match command {
            Command::SetRole(role) => after.people.decide(role),
            Command::Settings(patch) => settings::apply(&mut after.settings, patch),
            _ => return Ok(()),
        }
        let is_host = |role: RoleOf| role.standing == Standing::Role(Role::Host);
        let hosted = defaults.owner.is_some()
            || after.settings.public.role(defaults.public) == Some(Role::Host)
            || after.people.roles().any(is_host);
        if hosted {
            return Ok(());
        }
        let words = "the room would be left without a host; make somebody host first, yourself for one";
        Err(Refusal::new(ErrorCode::BadArgument, words))
    }

    /// Whether a command is one of those that change it.
    pub fn is_changed_by(command: &Command) -> bool {
        !matches!(command, Command::Edit(_) | Command::Chat(_) | Command::Comment(_))
    }

    /// Takes the next entry.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.command {
            Command::Edit(_) | Command::Chat(_) | Command::Comment(_) => {}
            Command::Introduce(author) => self.people.introduce(entry.participant, author, entry.revision),
            Command::Settings(patch) => settings::apply(&mut self.settings, patch),
            Command::SetRole(role) => self.people.decide(role),
            Command::NameVersion { .. } | Command::RemoveVersion { .. } => self.versions.fold(entry),
        }
    }

    /// As a snapshot holds it.
    pub fn to_stored(&self) -> StoredDecided {
        let Self { settings, people, versions } = self;
        StoredDecided { settings: settings.clone(), people: people.to_stored(), versions: versions.clone() }
    }

    /// From what a snapshot holds.
    pub fn from_stored(stored: StoredDecided) -> Self {
        let StoredDecided { settings, people, versions } = stored;
        Self { settings, people: People::from_stored(people), versions }
    }
}

/// What a snapshot holds of [`Decided`].
#[derive(Debug, Default, Encode, Decode)]
pub struct StoredDecided {
    settings: RoomSettings,
    people: StoredPeople,
    versions: Versions,
}

/// The most bytes that it takes in a snapshot.
pub const DECIDED_BYTES_MAX: usize = SETTINGS_BYTES_MAX + PEOPLE_BYTES_MAX + VERSIONS_BYTES_MAX;
