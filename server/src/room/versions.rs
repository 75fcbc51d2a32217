//! The revisions of a room that were given names. Part of the fold.

use crate::refusal::Refusal;
use bincode::{Decode, Encode};
use motet_protocol::{
    error::ErrorCode,
    ids::Revision,
    limits::{VERSION_DESCRIPTION_BYTES_MAX, VERSION_NAME_BYTES_MAX, VERSIONS_MAX},
    message::{Command, Entry},
    room::Version,
};

/// The named versions of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Versions(Vec<Version>);

/// More than the versions of a room take in a snapshot.
pub const VERSIONS_BYTES_MAX: usize = VERSIONS_MAX * (VERSION_NAME_BYTES_MAX + VERSION_DESCRIPTION_BYTES_MAX + 64);

impl Versions {
    /// The versions by revision.
    pub fn list(&self) -> &[Version] {
        &self.0
    }

    /// The version of a name.
    pub fn get(&self, name: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.name == name)
    }

    /// Whether a name can be given to a revision, where the room's newest is `head`.
    pub fn check_name(&self, name: &str, revision: Revision, text: &str, head: Revision) -> Result<(), Refusal> {
        let words = if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) {
            "a version's name is not empty and has no spaces around it nor control characters".to_owned()
        } else if name.len() > VERSION_NAME_BYTES_MAX || text.len() > VERSION_DESCRIPTION_BYTES_MAX {
            format!(
                "a version's name has at most {VERSION_NAME_BYTES_MAX} bytes, its description {VERSION_DESCRIPTION_BYTES_MAX}"
            )
        } else if revision > head {
            let words = format!("there is no revision {revision} to name; the room is at {head}");
            return Err(Refusal::new(ErrorCode::RevisionUnknown, words));
        } else if self.0.len() >= VERSIONS_MAX && self.get(name).is_none() {
            let words = format!("a room has at most {VERSIONS_MAX} named versions; remove one first");
            return Err(Refusal::new(ErrorCode::LimitReached, words));
        } else {
            return Ok(());
        };
        Err(Refusal::new(ErrorCode::BadArgument, words))
    }

    /// Whether a name can be taken away.
    pub fn check_removal(&self, name: &str) -> Result<(), Refusal> {
        match self.get(name) {
            Some(_) => Ok(()),
            None => Err(Refusal::new(ErrorCode::NotFound, format!("there is no version named {name:?}"))),
        }
    }

    /// Takes an entry that gives a name or takes one away.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.command {
            Command::NameVersion { name, revision, description } => {
                self.0.retain(|version| version.name != *name);
                let revision = if *revision == 0 { entry.revision - 1 } else { *revision };
                let version = Version {
                    name: name.clone(),
                    revision,
                    description: description.clone(),
                    by: entry.participant,
                    time_ms: entry.time_ms,
                };
                let at = self.0.partition_point(|other| other.revision <= revision);
                self.0.insert(at, version);
            }
            Command::RemoveVersion { name } => self.0.retain(|version| version.name != *name),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::ids::ParticipantId;

    use super::*;

    fn named(versions: &mut Versions, at: Revision, name: &str, revision: Revision) {
        let command = Command::NameVersion { name: name.into(), revision, description: String::new() };
        versions.fold(&Entry { revision: at, participant: ParticipantId(1), seq: 1, time_ms: 7, command });
    }

    #[test]
    fn a_name_is_given_once_and_can_be_moved_and_taken_away() {
        let mut versions = Versions::default();
        named(&mut versions, 9, "draft", 0);
        named(&mut versions, 10, "first", 3);
        assert_eq!(
            versions.list().iter().map(|v| (v.name.as_str(), v.revision)).collect::<Vec<_>>(),
            [("first", 3), ("draft", 8)]
        );
        named(&mut versions, 11, "draft", 1);
        assert_eq!(versions.get("draft").map(|v| v.revision), Some(1));
        assert_eq!(versions.list().len(), 2);
        let command = Command::RemoveVersion { name: "draft".into() };
        versions.fold(&Entry { revision: 12, participant: ParticipantId(1), seq: 1, time_ms: 7, command });
        assert_eq!(versions.check_removal("draft").unwrap_err().code, ErrorCode::NotFound);
    }

    #[test]
    fn a_revision_that_is_not_there_yet_cannot_be_named() {
        let versions = Versions::default();
        assert_eq!(versions.check_name("v", 5, "", 4).unwrap_err().code, ErrorCode::RevisionUnknown);
        for bad in ["", " ", " v", "a\u{7}", &"x".repeat(VERSION_NAME_BYTES_MAX + 1)] {
            assert_eq!(versions.check_name(bad, 1, "", 4).unwrap_err().code, ErrorCode::BadArgument, "{bad:?}");
        }
    }
}
