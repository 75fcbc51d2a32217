//! Who follows a room: each reader is a cursor on the room's log. Joining, catching up after a reconnect, falling behind
//! and following along are the same thing: a cursor that is moved towards the head whenever its outlet has room.

use std::sync::Arc;

use bytes::BytesMut;
use motet_protocol::{
    access::Role,
    ids::{Channel, ParticipantId, Revision},
    limits::TEXT_CHUNK_BYTES,
    message::{Entry, ServerMessage},
};
use ropey::Rope;

use super::{access::Principal, presence::Watch, window::Window};
use crate::wire::{Encoded, SharedNews, Wire};

/// One reader of one room, never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderId(u64);

/// Where a reader's messages go: the bounded buffer of its connection.
pub trait Outlet {
    /// Whether more may be put in. What is put in at once after a yes is always taken, whatever its size.
    fn has_room(&self) -> bool;

    /// The buffer, to put encoded messages at its end.
    fn buffer(&mut self) -> &mut BytesMut;

    /// Puts a message in, whether there is room or not.
    fn put(&mut self, message: &ServerMessage);

    /// Notes that the reader of a channel waits for room or for entries from the log: its connection is to feed it.
    fn lag(&mut self, channel: Channel);

    /// Whether presence may be put in. Where not, the reader of the channel is noted, or remembered otherwise, and told the
    /// newest later.
    fn takes_presence(&mut self, channel: Channel) -> bool {
        let room = self.has_room();
        if !room {
            self.lag(channel);
        }
        room
    }

    /// Counts presence that was put in, in bytes.
    fn sent_presence(&mut self, bytes: usize) {
        let _ = bytes;
    }
}

/// How far a reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It has everything that is committed.
    CaughtUp,
    /// Its outlet is full: feed it again when there is room.
    Full,
    /// It needs entries after this revision that are no longer in the window: read them from the log.
    Behind(Revision),
    /// There is no such reader (any more).
    Gone,
}

/// A reader.
#[derive(Debug)]
pub struct Reader<K> {
    id: ReaderId,
    /// The connection, as the caller knows it.
    pub key: K,
    /// Who it is.
    pub principal: Arc<Principal>,
    /// What it may do, as far as it was told.
    pub role: Role,
    /// How far it is.
    pub cursor: Cursor,
}

impl<K> Reader<K> {
    /// Its id.
    pub fn id(&self) -> ReaderId {
        self.id
    }
}

/// How far a reader is, and what its messages look like.
#[derive(Debug)]
pub struct Cursor {
    /// Whose own entries come as acknowledgements.
    participant: ParticipantId,
    /// The room's number on the reader's connection.
    pub channel: Channel,
    wire: Wire,
    place: Place,
    /// Whether it waits for room or for entries from the log, so that commits pass it by.
    behind: bool,
    /// How far it was told who is here and where, if it watches.
    pub watch: Option<Watch>,
}

/// A place in what a room has to tell.
#[derive(Debug)]
pub enum Place {
    /// In the text of a snapshot.
    Snapshot {
        /// The text.
        text: Rope,
        /// The revision that it is of.
        revision: Revision,
        /// The bytes of it that were sent.
        sent_bytes: usize,
    },
    /// After the entry of this revision.
    After(Revision),
}

impl Cursor {
    /// A cursor that is to be fed first.
    pub fn new(participant: ParticipantId, channel: Channel, wire: Wire, place: Place) -> Self {
        Self { participant, channel, wire, place, behind: true, watch: None }
    }

    fn after(&self) -> Option<Revision> {
        match self.place {
            Place::Snapshot { .. } => None,
            Place::After(revision) => Some(revision),
        }
    }

    fn put(&mut self, entry: &Entry, encoded: &mut Encoded, out: &mut BytesMut) {
        // What the server says in its name (an introduction) is no submit of its own.
        if entry.participant == self.participant && entry.seq != 0 {
            self.wire.put_ack(self.channel, entry.seq, entry.revision, out);
        } else {
            self.wire.put_entry(self.channel, entry, encoded, out);
        }
        self.place = Place::After(entry.revision);
    }

    /// Moves the cursor towards `head` as far as the outlet and the window allow.
    pub fn feed(&mut self, head: Revision, window: &mut Window, outlet: &mut impl Outlet) -> Fed {
        let fed = loop {
            if self.after() == Some(head) {
                break Fed::CaughtUp;
            }
            if !outlet.has_room() {
                break Fed::Full;
            }
            match &mut self.place {
                Place::Snapshot { text, revision, sent_bytes } => {
                    let (piece, end) = piece_of(text, *sent_bytes);
                    let last = end == text.len_bytes();
                    let message = ServerMessage::Snapshot { channel: self.channel, text: piece, last };
                    self.wire.put(&message, outlet.buffer());
                    *sent_bytes = end;
                    if last {
                        self.place = Place::After(*revision);
                    }
                }
                Place::After(revision) => {
                    let revision = *revision;
                    let Some(logged) = window.get_mut(revision + 1) else { break Fed::Behind(revision) };
                    self.put(&logged.entry, &mut logged.encoded, outlet.buffer());
                }
            }
        };
        self.behind = fed != Fed::CaughtUp;
        fed
    }

    /// Whose it is.
    pub fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// Tells it who is here and where; it is `next` far then.
    pub fn tell(&mut self, news: &mut SharedNews, next: Watch, outlet: &mut impl Outlet) {
        self.wire.put_news(self.channel, news, outlet.buffer());
        self.watch = Some(next);
    }

    /// Whether the reader has an entry already, or gets it with the text that is being sent.
    pub fn is_past(&self, revision: Revision) -> bool {
        let (Place::After(has) | Place::Snapshot { revision: has, .. }) = self.place;
        has >= revision
    }

    /// Takes entries that were read from the log, as far as the outlet has room. Entries that the reader has, and
    /// those behind a gap, are passed over.
    pub fn feed_stored(&mut self, entries: Vec<(Entry, bytes::Bytes)>, outlet: &mut impl Outlet) {
        for (entry, bytes) in entries {
            if !outlet.has_room() {
                break;
            }
            if self.after().is_some_and(|after| after + 1 == entry.revision) {
                self.put(&entry, &mut Encoded::new(bytes), outlet.buffer());
            }
        }
    }
}

/// The piece of a text from a byte on that goes into one message, and where it ends.
pub fn piece_of(text: &Rope, from_byte: usize) -> (String, usize) {
    let end = (from_byte + TEXT_CHUNK_BYTES).min(text.len_bytes());
    let end = text.char_to_byte(text.byte_to_char(end));
    (text.byte_slice(from_byte..end).to_string(), end)
}

/// The readers of a room, by id.
#[derive(Debug)]
pub struct Readers<K> {
    readers: Vec<Reader<K>>,
    next: u64,
}

impl<K> Default for Readers<K> {
    fn default() -> Self {
        Self { readers: Vec::new(), next: 0 }
    }
}

impl<K> Readers<K> {
    /// Adds a reader.
    pub fn add(&mut self, key: K, principal: Arc<Principal>, role: Role, cursor: Cursor) -> ReaderId {
        self.next += 1;
        let id = ReaderId(self.next);
        self.readers.push(Reader { id, key, principal, role, cursor });
        id
    }

    fn index(&self, id: ReaderId) -> Option<usize> {
        self.readers.binary_search_by_key(&id, |reader| reader.id).ok()
    }

    /// A reader.
    pub fn get(&self, id: ReaderId) -> Option<&Reader<K>> {
        self.index(id).map(|index| &self.readers[index])
    }

    /// A reader, to feed it.
    pub fn get_mut(&mut self, id: ReaderId) -> Option<&mut Reader<K>> {
        self.index(id).map(|index| &mut self.readers[index])
    }

    /// Takes a reader out.
    pub fn remove(&mut self, id: ReaderId) -> Option<Reader<K>> {
        self.index(id).map(|index| self.readers.remove(index))
    }

    /// Takes the readers of a participant out: a session is at one place at a time.
    pub fn remove_participant(&mut self, participant: ParticipantId) -> Vec<Reader<K>> {
        self.readers.extract_if(.., |reader| reader.cursor.participant == participant).collect()
    }

    /// Takes all readers out.
    pub fn remove_all(&mut self) -> Vec<Reader<K>> {
        std::mem::take(&mut self.readers)
    }

    /// Lets go of room for more.
    pub fn shrink(&mut self) {
        self.readers.shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.readers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// Those that follow along, to be fed after a commit. Those that wait for room are passed by.
    pub fn following(&mut self) -> impl Iterator<Item = &mut Reader<K>> {
        self.readers.iter_mut().filter(|reader| !reader.cursor.behind)
    }

    /// All of them, to change what is known of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Reader<K>> {
        self.readers.iter_mut()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Reader<K>> + Clone {
        self.readers.iter()
    }
}
