//! Who did something in a room, as far as it matters to what they may do with it later.

use motet_protocol::{
    access::{AccountId, Role},
    ids::{ParticipantId, Revision, UnixMs},
    message::Entry,
    room::Author,
};

/// Who asks for something.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The session.
    pub participant: ParticipantId,
    /// Its account, if it has signed in.
    pub account: Option<&'a AccountId>,
    /// What it may do in the room.
    pub role: Role,
}

impl Actor<'_> {
    /// Whether it is the one who did something: the same session, or another one of the same account.
    pub fn is(&self, participant: ParticipantId, account: Option<&AccountId>) -> bool {
        self.participant == participant || (self.account.is_some() && self.account == account)
    }
}

/// What an entry says besides what happened.
#[derive(Clone, Copy, Debug)]
pub struct EntryMeta<'a> {
    /// Its revision.
    pub revision: Revision,
    /// Whose it is.
    pub participant: ParticipantId,
    /// Who that was then.
    pub author: &'a Author,
    /// When.
    pub time_ms: UnixMs,
}

impl<'a> EntryMeta<'a> {
    /// Of an entry, and who its participant was then.
    pub fn of(entry: &Entry, author: &'a Author) -> Self {
        Self { revision: entry.revision, participant: entry.participant, author, time_ms: entry.time_ms }
    }
}
