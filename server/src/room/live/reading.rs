//! A room's readers: how they come, are moved on, and go.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{Channel, LogIdentity, Revision, RoomId, Seq, UnixMs},
    message::{Entry, ServerMessage, SnapshotInfo},
    presence::Person,
};

use super::Room;
use crate::{
    refusal::Refusal,
    room::{
        access::Principal,
        limits::ENTRY_BYTES_TYPICAL,
        presence::Roster,
        readers::{Cursor, Fed, Outlet, Place, Reader, ReaderId, Readers},
        window::Window,
    },
    wire::Wire,
};

impl<K> Room<K> {
    /// Opens the room for a reader. Returns what to tell it first; feed it next. Readers of the same session on other
    /// connections are returned too: they are out.
    pub fn join(&mut self, join: Join<K>) -> Result<(ReaderId, ServerMessage, Vec<Reader<K>>), Refusal> {
        let Join { key, principal, channel, wire, log, after, entries_only, now } = join;
        let participant = principal.participant;
        let role = self.role_of(&principal).ok_or_else(|| not_found(None))?;
        let head = self.state.revision();
        if let Some(after) = after.filter(|after| *after > head) {
            return Err(Refusal::new(
                ErrorCode::RevisionUnknown,
                format!("revision {after} is not there yet, the room is at {head}; join without a revision"),
            ));
        }
        let replaced = self.readers.remove_participant(participant);
        let text_bytes = self.state.text().len_bytes() as u64;
        let after = after.filter(|after| entries_only || (head - after) * ENTRY_BYTES_TYPICAL <= text_bytes + 2_048);
        let (place, snapshot) = match after {
            Some(after) => (Place::After(after), None),
            None => {
                let text = self.state.text().rope();
                let snapshot = SnapshotInfo { revision: head, bytes: text_bytes };
                (Place::Snapshot { text, revision: head, sent_bytes: 0 }, Some(snapshot))
            }
        };
        self.roster.arrive(Person { participant, author: principal.author.clone(), role, joined_ms: now });
        let id = self.readers.add(key, principal, role, Cursor::new(participant, channel, wire, place));
        Ok((id, ServerMessage::Joined { channel, log, head, role, snapshot }, replaced))
    }

    /// Gives the readers what the room's project gives each of them now. What becomes of their roles is for
    /// [`take_role_changes`](Self::take_role_changes) to say.
    pub fn regrant(&mut self, gives: impl Fn(&Principal) -> Option<Role>) {
        for reader in self.readers.iter_mut() {
            let in_project = gives(&reader.principal);
            if in_project != reader.principal.in_project {
                Arc::make_mut(&mut reader.principal).in_project = in_project;
                self.roles_touched = true;
            }
        }
    }

    /// What became of the readers' roles since the last call: those who may not be here any more
    /// are taken out. Tell them all.
    pub fn take_role_changes(&mut self) -> Vec<RoleChange<K>>
    where
        K: Clone,
    {
        if !std::mem::take(&mut self.roles_touched) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let ids: Vec<ReaderId> = self.readers.iter().map(Reader::id).collect();
        for id in ids {
            let Some(reader) = self.readers.get(id) else { continue };
            let role = self.role_of(&reader.principal);
            if role == Some(reader.role) {
                continue;
            }
            let (key, channel, participant) = (reader.key.clone(), reader.cursor.channel, reader.cursor.participant());
            match role {
                Some(role) => {
                    if let Some(reader) = self.readers.get_mut(id) {
                        reader.role = role;
                    }
                    self.roster.change(participant, |person| person.role = role);
                }
                None => drop(self.take_out(id)),
            }
            changes.push(RoleChange { reader: id, key, channel, role });
        }
        changes
    }

    /// Takes a reader out.
    pub fn leave(&mut self, id: ReaderId) -> Option<Reader<K>> {
        let left = self.take_out(id);
        if self.is_idle() {
            self.rest();
        }
        left
    }

    fn take_out(&mut self, id: ReaderId) -> Option<Reader<K>> {
        let left = self.readers.remove(id)?;
        self.roster.leave(left.cursor.participant());
        Some(left)
    }

    /// The readers.
    pub fn readers(&self) -> &Readers<K> {
        &self.readers
    }

    /// Takes all readers out: the room closes.
    pub fn close(&mut self) -> Vec<Reader<K>> {
        self.roster = Roster::default();
        self.readers.remove_all()
    }

    /// Moves one reader on.
    pub fn feed(&mut self, id: ReaderId, outlet: &mut impl Outlet) -> Fed {
        match self.readers.get_mut(id) {
            Some(reader) => reader.cursor.feed(self.state.revision(), &mut self.window, outlet),
            None => Fed::Gone,
        }
    }

    /// Answers a submit that was appended before, with `revision`: again, if the reader's cursor has passed its place, and
    /// in its place otherwise.
    pub fn feed_repeat(&mut self, id: ReaderId, seq: Seq, revision: Revision, outlet: &mut impl Outlet) {
        if let Some(reader) = self.readers.get_mut(id) {
            reader.cursor.feed_repeat(seq, revision, outlet);
        }
    }

    /// Moves one reader on with entries from the log.
    pub fn feed_stored(&mut self, id: ReaderId, entries: Vec<(Entry, Bytes)>, outlet: &mut impl Outlet) {
        let head = self.state.revision();
        if let Some(reader) = self.readers.get_mut(id) {
            let committed = entries.into_iter().filter(|(entry, _)| entry.revision <= head).collect();
            reader.cursor.feed_stored(committed, outlet);
        }
    }

    /// Moves all readers on that follow along. `deliver` is given each one's connection and channel, and what moves it on
    /// once it has an outlet.
    pub fn feed_following(&mut self, mut deliver: impl FnMut(&K, Channel, Feeding<'_>)) {
        let head = self.state.revision();
        for Reader { key, cursor, .. } in self.readers.following() {
            deliver(key, cursor.channel, Feeding { head, window: &mut self.window, cursor });
        }
    }
}

/// That a reader's role is another now.
#[derive(Debug)]
pub struct RoleChange<K> {
    /// The reader.
    pub reader: ReaderId,
    /// Its connection.
    pub key: K,
    /// The room's number on it.
    pub channel: Channel,
    /// What it may do now; none if it is out.
    pub role: Option<Role>,
}

/// What somebody hears who may not know whether there is such a room.
pub fn not_found(room: Option<&RoomId>) -> Refusal {
    let name = room.map(|room| format!(" {room}")).unwrap_or_default();
    Refusal::new(ErrorCode::RoomNotFound, format!("there is no room{name}, or it is not open to you"))
}

/// What a reader that joins says.
#[derive(Debug)]
pub struct Join<K> {
    /// Its connection.
    pub key: K,
    /// Who it is.
    pub principal: Arc<Principal>,
    /// The room's number on its connection.
    pub channel: Channel,
    /// The form of its messages.
    pub wire: Wire,
    /// The room's log, for `Joined`.
    pub log: LogIdentity,
    /// The revision that it has.
    pub after: Option<Revision>,
    /// Whether it must have every entry after that one.
    pub entries_only: bool,
    /// The time.
    pub now: UnixMs,
}

/// A reader about to be moved on.
#[derive(Debug)]
pub struct Feeding<'a> {
    head: Revision,
    window: &'a mut Window,
    cursor: &'a mut Cursor,
}

impl Feeding<'_> {
    /// Moves it on.
    pub fn feed(self, outlet: &mut impl Outlet) -> Fed {
        self.cursor.feed(self.head, self.window, outlet)
    }
}
