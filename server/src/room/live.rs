//! A room while it is open.

use motet_protocol::{
    access::Role,
    ids::Revision,
    message::{Command, Entry},
};

use super::{
    access::{self, Ground, Principal},
    decided::Decided,
    limits::{RoomLimits, SNAPSHOT_BYTES_PER_ENTRY, SNAPSHOT_ENTRIES_MIN},
    pending::Pending,
    presence::Roster,
    readers::Readers,
    state::{FoldError, RoomState},
    window::{Logged, Window},
};

use self::talk::Talk;

/// An open room. `K` is how the caller knows a connection.
///
/// ```text
/// submit ─▶ pending: [ in flight │ gathered ] ──take_append──▶ log ──appended──▶ fold ─▶ window ─▶ readers
/// ```
/// What is committed (folded, in the window, seen by readers) is durable; what is pending has its place in the order and
/// nobody has seen it. One append is in flight at a time; what gathers meanwhile goes into the next one.
#[derive(Debug)]
pub struct Room<K> {
    limits: RoomLimits,
    ground: Ground,
    state: RoomState,
    window: Window,
    pending: Pending,
    /// Why no edits are taken for now.
    stalled: Option<Refusal>,
    readers: Readers<K>,
    roster: Roster,
    snapshot_revision: Revision,
    /// Whether something was committed that may change what readers may do.
    roles_touched: bool,
    talk: Talk,
}

impl<K> Room<K> {
    /// Opens a room at the end of its log, for everybody as a host unless [`on`](Self::on) says otherwise.
    /// `snapshot_revision` is that of the newest snapshot in the store.
    pub fn new(state: RoomState, snapshot_revision: Revision, limits: RoomLimits) -> Self {
        Self {
            limits,
            ground: Ground { owner: None, public: Some(Role::Host) },
            state,
            window: Window::new(limits.window_entries_max),
            pending: Pending::default(),
            stalled: None,
            readers: Readers::default(),
            roster: Roster::default(),
            snapshot_revision,
            roles_touched: false,
            talk: Talk::default(),
        }
    }

    /// Sets what holds in it beside its own decisions.
    pub fn on(mut self, ground: Ground) -> Self {
        self.ground = ground;
        self
    }

    /// What somebody may do here, by what is committed.
    pub fn role_of(&self, who: &Principal) -> Option<Role> {
        self.role_by(who, self.state.decided())
    }

    fn role_by(&self, who: &Principal, decided: &Decided) -> Option<Role> {
        let public = decided.settings.public.role(self.ground.public);
        access::role_of(who, &decided.people, public, &self.ground)
    }

    /// What is committed.
    pub fn state(&self) -> &RoomState {
        &self.state
    }

    /// The committed revision.
    pub fn revision(&self) -> Revision {
        self.state.revision()
    }

    /// The committed entries after a revision, as far as they are at hand.
    pub fn recent(&self, after: Revision) -> impl Iterator<Item = &Entry> {
        self.window.after(after)
    }

    fn commit(&mut self, logged: Logged) -> Result<(), FoldError> {
        self.state.fold(&logged.entry)?;
        self.talk.take(&logged.entry, &self.state);
        self.roles_touched |= matches!(logged.entry.command, Command::SetRole(_) | Command::Settings(_));
        self.window.push(logged);
        if self.roster.is_unsettled(self.state.revision()) {
            self.settle();
        }
        while let Some(oldest) = self.window.surplus() {
            if self.roster.needs(oldest) {
                self.settle();
            }
            self.window.drop_oldest();
        }
        Ok(())
    }

    /// Whether a snapshot is due, and the state to take it of. It is taken to be made: the next is due after as much again.
    pub fn take_due_snapshot(&mut self) -> Option<RoomState> {
        let entries = self.state.revision() - self.snapshot_revision;
        let text_bytes = self.state.text().len_bytes() as u64;
        if entries < SNAPSHOT_ENTRIES_MIN.max(text_bytes / SNAPSHOT_BYTES_PER_ENTRY) {
            return None;
        }
        self.take_snapshot()
    }

    /// The state to take a snapshot of, if it is newer than the last one.
    pub fn take_snapshot(&mut self) -> Option<RoomState> {
        if self.state.revision() == self.snapshot_revision {
            return None;
        }
        self.snapshot_revision = self.state.revision();
        Some(self.state.clone())
    }

    /// The revision of the last snapshot.
    pub fn snapshot_revision(&self) -> Revision {
        self.snapshot_revision
    }

    /// Whether nothing of it is needed in memory: nobody reads, nothing waits.
    pub fn is_idle(&self) -> bool {
        self.readers.is_empty() && self.pending.is_empty()
    }

    /// Lets go of what only a busy room needs.
    pub fn rest(&mut self) {
        self.settle();
        self.window.shrink();
        self.talk.rest();
        self.pending.shrink();
        self.readers.shrink();
        self.state.rest();
    }
}

mod ordering;
mod reading;
mod talk;
mod watching;

use crate::refusal::Refusal;
pub use ordering::{Asker, Displaced, Submitted};
pub use reading::{Feeding, Join, RoleChange, not_found};
pub use watching::Telling;

#[cfg(test)]
mod tests;
