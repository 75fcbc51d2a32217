//! What a room durably is: a fold over its log.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use bincode::{Decode, Encode};
use bytes::{BufMut, Bytes, BytesMut};
use motet_protocol::{
    codec,
    ids::{ParticipantId, Revision, Seq, UnixMs},
    message::{Command, Entry},
};
use ropey::RopeBuilder;

use super::{
    actor::EntryMeta,
    chat::{CHAT_BYTES_MAX, Chat},
    comments::Comments,
    decided::{DECIDED_BYTES_MAX, Decided, StoredDecided},
    limits::SESSIONS_REMEMBERED,
    text::Text,
};

/// The state of a room at a revision. Cloning it costs next to nothing: texts are shared until they change.
#[derive(Clone, Debug, Default)]
pub struct RoomState {
    revision: Revision,
    time_ms: UnixMs,
    text: Text,
    sessions: HashMap<ParticipantId, LastSubmit>,
    /// None where nothing was decided, as in most rooms of guests.
    decided: Option<Arc<Decided>>,
    comments: Comments,
    chat: Chat,
}

/// A session's last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LastSubmit {
    /// Its seq.
    pub seq: Seq,
    /// Its revision.
    pub revision: Revision,
}

/// An entry that does not follow from the state: the log is not the log of this room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entry of revision {found} cannot follow revision {head}: {why}")]
pub struct FoldError {
    /// The state's revision.
    pub head: Revision,
    /// The entry's.
    pub found: Revision,
    /// What does not fit.
    pub why: String,
}

impl RoomState {
    /// Takes the next entry. On an error the state is as it was.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let wrong = |why: String| FoldError { head: self.revision, found: entry.revision, why };
        if entry.revision != self.revision + 1 {
            return Err(wrong("revisions have no gaps".to_owned()));
        }
        match &entry.command {
            Command::Edit(operation) => {
                operation.apply_to_rope(self.text.rope_mut()).map_err(|mismatch| wrong(mismatch.to_string()))?;
                self.comments.map(operation);
            }
            Command::Comment(command) => {
                let author = self.decided().people.author(entry.participant).cloned().unwrap_or_default();
                self.comments.fold(EntryMeta::of(entry, &author), command, &self.text.rope());
            }
            Command::Chat(command) => self.chat.fold(entry.revision, entry.time_ms, command),
            _ => {}
        }
        if Decided::is_changed_by(&entry.command) {
            Arc::make_mut(self.decided.get_or_insert_default()).fold(entry);
        }
        self.revision = entry.revision;
        self.time_ms = entry.time_ms;
        self.remember(entry);
        Ok(())
    }

    fn remember(&mut self, entry: &Entry) {
        if entry.seq == 0 {
            // The server's own entries are no submits.
            return;
        }
        self.sessions.insert(entry.participant, LastSubmit { seq: entry.seq, revision: entry.revision });
        if self.sessions.len() > 2 * SESSIONS_REMEMBERED {
            let mut revisions: Vec<Revision> = self.sessions.values().map(|last| last.revision).collect();
            let (_, oldest_kept, _) = revisions.select_nth_unstable(SESSIONS_REMEMBERED);
            let oldest_kept = *oldest_kept;
            self.sessions.retain(|_, last| last.revision > oldest_kept);
        }
    }

    /// The last revision that is in it.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When its last entry was ordered.
    pub fn time_ms(&self) -> UnixMs {
        self.time_ms
    }

    /// The text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Lets go of what only a state needs that changes: what it is stays as it was.
    pub fn rest(&mut self) {
        self.text.pack();
        self.sessions.shrink_to_fit();
    }

    /// What was decided in it.
    pub fn decided(&self) -> &Decided {
        static NOTHING: LazyLock<Decided> = LazyLock::new(Decided::default);
        self.decided.as_deref().unwrap_or(&NOTHING)
    }

    /// The comments on its text.
    pub fn comments(&self) -> &Comments {
        &self.comments
    }

    /// What it knows of its chat.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What is remembered of a participant's last submit.
    pub fn last_submit(&self, participant: ParticipantId) -> Option<LastSubmit> {
        self.sessions.get(&participant).copied()
    }

    /// The state as a snapshot holds it.
    ///
    /// ```text
    /// ┌─────────────┬──────────────────────┬──────────────────┬──────────────────────────┐
    /// │ u32be length│ header (bincode 2)   │ the comments,    │ the text, UTF-8, to the   │
    /// │             │ revision, time, …    │ one frame each   │ end                      │
    /// └─────────────┴──────────────────────┴──────────────────┴──────────────────────────┘
    /// ```
    pub fn encode(&self) -> Bytes {
        let mut sessions: Vec<_> = self.sessions.iter().map(|(id, last)| (*id, *last)).collect();
        sessions.sort_unstable_by_key(|(_, last)| last.revision);
        let decided = self.decided().to_stored();
        let comments = self.comments.encode();
        let (revision, time_ms, chat) = (self.revision, self.time_ms, self.chat.clone());
        let header = Header { revision, time_ms, sessions, decided, chat, comments_bytes: comments.len() as u64 };
        let bytes = 64 + 32 * header.sessions.len() + comments.len() + self.text.len_bytes();
        let mut buffer = BytesMut::with_capacity(bytes);
        codec::frame_into(&header, &mut buffer);
        buffer.put_slice(&comments);
        for chunk in self.text.chunks() {
            buffer.put_slice(chunk.as_bytes());
        }
        buffer.freeze()
    }

    /// Reads what [`encode`](Self::encode) wrote. Takes any bytes; the text says what is wrong with them.
    pub fn decode(state: &[u8]) -> Result<Self, String> {
        /// More than the header of a state that remembers all the sessions it may.
        const HEADER_BYTES_MAX: usize = 2 * (128 + 64 * SESSIONS_REMEMBERED + DECIDED_BYTES_MAX + CHAT_BYTES_MAX);
        let cut_off = || "the header of the state is cut off".to_owned();
        let (length, rest) = state.split_first_chunk::<{ codec::LENGTH_BYTES }>().ok_or_else(cut_off)?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > HEADER_BYTES_MAX {
            return Err(format!("the header of the state claims {length} bytes"));
        }
        let (header, rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
        let header: Header = codec::decode_state(header).map_err(|error| error.to_string())?;
        let comments_bytes = usize::try_from(header.comments_bytes).unwrap_or(usize::MAX);
        let (comments, text) = rest.split_at_checked(comments_bytes).ok_or("the comments are cut off")?;
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        let mut rope = RopeBuilder::new();
        rope.append(text);
        Ok(Self {
            revision: header.revision,
            time_ms: header.time_ms,
            text: Text::from(rope.finish()),
            sessions: header.sessions.into_iter().collect(),
            decided: Some(Decided::from_stored(header.decided))
                .filter(|decided| *decided != Decided::default())
                .map(Arc::new),
            comments: Comments::decode(comments)?,
            chat: header.chat,
        })
    }
}

/// What stands in front of the text in a snapshot.
#[derive(Encode, Decode)]
struct Header {
    revision: Revision,
    time_ms: UnixMs,
    sessions: Vec<(ParticipantId, LastSubmit)>,
    decided: StoredDecided,
    chat: Chat,
    comments_bytes: u64,
}

#[cfg(test)]
mod tests {
    use motet_protocol::ot::Operation;

    use super::*;

    fn entry(revision: Revision, participant: u64, operation: Operation) -> Entry {
        Entry {
            revision,
            participant: ParticipantId(participant),
            seq: revision,
            time_ms: revision * 10,
            command: Command::Edit(operation),
        }
    }

    #[test]
    fn a_snapshot_gives_the_same_state_back() {
        let mut state = RoomState::default();
        for revision in 1..=3 * SESSIONS_REMEMBERED as u64 {
            let operation = Operation::builder().retain(revision - 1).insert("é").build().unwrap();
            state.fold(&entry(revision, revision, operation)).unwrap();
        }
        let restored = RoomState::decode(&state.encode()).unwrap();
        assert_eq!(restored.text(), state.text());
        assert_eq!(restored.sessions, state.sessions);
        assert_eq!((restored.revision(), restored.time_ms()), (state.revision(), state.time_ms()));
        assert!(restored.sessions.len() <= 2 * SESSIONS_REMEMBERED);
    }

    #[test]
    fn an_entry_out_of_order_or_of_another_text_changes_nothing() {
        let mut state = RoomState::default();
        let first = Operation::builder().insert("abc").build().unwrap();
        assert!(state.fold(&entry(2, 1, first.clone())).is_err());
        state.fold(&entry(1, 1, first.clone())).unwrap();
        assert!(state.fold(&entry(1, 1, first.clone())).is_err());
        assert!(state.fold(&entry(2, 1, first)).is_err());
        assert_eq!(state.text().to_string(), "abc");
        assert_eq!(state.revision(), 1);
    }

    #[test]
    fn a_damaged_snapshot_is_told() {
        let mut state = RoomState::default();
        state.fold(&entry(1, 1, Operation::builder().insert("abc").build().unwrap())).unwrap();
        let bytes = state.encode();
        for cut in 0..bytes.len() - 3 {
            assert!(RoomState::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
