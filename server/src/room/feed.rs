//! A room's readers: how they come, are moved on, and go.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    access::{ProjectId, Role},
    error::{About, ErrorCode},
    ids::{Channel, LogIdentity, Revision, RoomId, Seq, UnixMs},
    message::{Entry, ServerMessage, SnapshotInfo},
    presence::Person,
};

use super::{
    access::Principal,
    effects::Dropped,
    limits::ENTRY_BYTES_TYPICAL,
    open::OpenRoom,
    readers::{Cursor, Fed, Outlet, Place, Reader, ReaderId, Readers},
    window::Window,
};
use crate::{refusal::Refusal, wire::Wire};

impl<K: Clone, A> OpenRoom<K, A> {
    /// Opens the room for a reader: tells it so, and sends as much as its outlet has room for. Other readers of the same session
    /// are put out: a session has one reader in a room.
    pub fn join(&mut self, join: Join<K>, outlet: &mut impl Outlet) -> Result<ReaderId, Refusal> {
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
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
        let again = !replaced.is_empty();
        self.effects.dropped.extend(replaced.into_iter().map(replaced_by_another));
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
        let author = principal.author.clone();
        let id = self.readers.add(key, principal, role, Cursor::new(participant, channel, wire, place));
        if !again {
            let present = u32::try_from(self.readers.len()).unwrap_or(u32::MAX);
            self.activity.joined(participant, &author, present, now);
            self.activity_changed = true;
        }
        outlet.put(&ServerMessage::Joined { channel, log, head, role, snapshot });
        if matches!(self.feed(id, outlet), Fed::Full | Fed::Behind(_)) {
            outlet.lag(channel);
        }
        self.note_presence();
        self.active_ms = now;
        self.effects.listed = true;
        Ok(id)
    }

    /// Takes a reader out.
    pub fn leave(&mut self, id: ReaderId, now: UnixMs) {
        if let Some(left) = self.take_out(id) {
            self.activity.left(left.principal.participant, &left.principal.author, now);
            self.activity_changed = true;
        }
        if self.is_idle() {
            self.shrink();
        }
        self.note_presence();
        self.active_ms = now;
        self.effects.listed = true;
    }

    /// Gives the readers what a project gives each of them now, if it is the room's: otherwise the room has just come into
    /// another one, and is looked at again for that.
    pub fn regrant(&mut self, project: Option<&ProjectId>, gives: impl Fn(&Principal) -> Option<Role>) {
        if self.state.decided().settings.project.as_ref() != project {
            return;
        }
        for reader in self.readers.iter_mut() {
            let in_project = gives(&reader.principal);
            if in_project != reader.principal.in_project {
                Arc::make_mut(&mut reader.principal).in_project = in_project;
                self.roles_touched = true;
            }
        }
        self.tell_roles();
    }

    /// Moves all readers on that follow along, if there is something new for them. `deliver` is given the connection of each, and
    /// what moves it on once it has an outlet. Then tells those whose role has changed: a reader that is put out sees the entry
    /// that puts it out.
    pub fn feed_following(&mut self, mut deliver: impl FnMut(&K, Feeding<'_>)) {
        if !std::mem::take(&mut self.feed_due) {
            return;
        }
        let head = self.state.revision();
        for Reader { key, cursor, .. } in self.readers.following() {
            deliver(key, Feeding { head, window: &mut self.window, cursor });
        }
        self.tell_roles();
    }

    /// Tells readers whose role has changed; those who may not be here any more are put out.
    pub(super) fn tell_roles(&mut self) {
        if !std::mem::take(&mut self.roles_touched) {
            return;
        }
        let ids: Vec<ReaderId> = self.readers.iter().map(Reader::id).collect();
        let mut changed = false;
        for id in ids {
            changed |= self.tell_role(id);
        }
        if changed {
            self.note_presence();
        }
    }

    fn tell_role(&mut self, id: ReaderId) -> bool {
        let Some(reader) = self.readers.get(id) else { return false };
        let role = self.role_of(&reader.principal);
        if role == Some(reader.role) {
            return false;
        }
        let (key, channel, participant) = (reader.key.clone(), reader.cursor.channel, reader.cursor.participant());
        match role {
            Some(role) => {
                if let Some(reader) = self.readers.get_mut(id) {
                    reader.role = role;
                }
                self.roster.change(participant, |person| person.role = role);
                let reason = format!("a host has changed what you may do here: your role is {role} now");
                self.effects.messages.push((key, ServerMessage::Role { channel, role, reason }));
            }
            None => {
                drop(self.take_out(id));
                let words = "a host of the room or of its project has taken your role in it away";
                let error = Refusal::new(ErrorCode::Forbidden, words).about(About::Channel(channel));
                self.effects.dropped.push(Dropped { key, channel, reader: id, error });
            }
        }
        true
    }

    /// Acknowledges a submit that was appended before again, if the reader's cursor is past its entry; otherwise the
    /// acknowledgement comes in its place.
    pub(super) fn acknowledge_again(&mut self, id: ReaderId, seq: Seq, revision: Revision) {
        if let Some(reader) = self.readers.get(id).filter(|reader| reader.cursor.is_past(revision)) {
            let channel = reader.cursor.channel;
            self.effects.messages.push((reader.key.clone(), ServerMessage::Ack { channel, seq, revision }));
        }
    }
}

impl<K, A> OpenRoom<K, A> {
    fn take_out(&mut self, id: ReaderId) -> Option<Reader<K>> {
        let left = self.readers.remove(id)?;
        self.roster.leave(left.cursor.participant());
        Some(left)
    }

    /// The readers.
    pub fn readers(&self) -> &Readers<K> {
        &self.readers
    }

    /// How many readers there are.
    pub fn present(&self) -> u32 {
        u32::try_from(self.readers.len()).unwrap_or(u32::MAX)
    }

    /// Moves one reader on.
    pub fn feed(&mut self, id: ReaderId, outlet: &mut impl Outlet) -> Fed {
        let Some(reader) = self.readers.get_mut(id) else { return Fed::Gone };
        let fed = reader.cursor.feed(self.state.revision(), &mut self.window, outlet);
        if fed == Fed::CaughtUp {
            self.note_presence();
        }
        fed
    }

    /// Moves one reader on with entries from the log.
    pub fn feed_stored(&mut self, id: ReaderId, entries: Vec<(Entry, Bytes)>, outlet: &mut impl Outlet) {
        let head = self.state.revision();
        if let Some(reader) = self.readers.get_mut(id) {
            let committed = entries.into_iter().filter(|(entry, _)| entry.revision <= head).collect();
            reader.cursor.feed_stored(committed, outlet);
        }
    }
}

fn replaced_by_another<K>(old: Reader<K>) -> Dropped<K> {
    let (channel, reader) = (old.cursor.channel, old.id());
    let words = "this session joined the room again, on another connection or channel, which goes on";
    let error = Refusal::new(ErrorCode::SessionReplaced, words).about(About::Channel(channel));
    Dropped { key: old.key, channel, reader, error }
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
    /// Moves it on. A reader whose outlet is full, or that needs older entries than the room has in memory, is noted there.
    pub fn feed(self, outlet: &mut impl Outlet) {
        if self.cursor.feed(self.head, self.window, outlet) != Fed::CaughtUp {
            outlet.lag(self.cursor.channel);
        }
    }
}
