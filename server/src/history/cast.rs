//! Who the participants of a log are.

use std::collections::HashMap;

use motet_protocol::{
    ids::ParticipantId,
    message::{Command, Entry},
    room::Author,
};

/// Participants whose names are kept while a log is read; those who come after them have none.
const CAST_MAX: usize = 100_000;

/// Who introduced itself how, by the last introduction of each.
#[derive(Clone, Debug, Default)]
pub struct Cast(HashMap<ParticipantId, Author>);

impl Cast {
    /// Takes the next entry.
    pub fn fold(&mut self, entry: &Entry) {
        if let Command::Introduce(author) = &entry.command
            && (self.0.len() < CAST_MAX || self.0.contains_key(&entry.participant))
        {
            self.0.insert(entry.participant, author.clone());
        }
    }

    /// Who a participant is; nobody by name where it is not known.
    pub fn author(&self, participant: ParticipantId) -> Author {
        self.0.get(&participant).cloned().unwrap_or_default()
    }
}
