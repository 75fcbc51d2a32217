//! The log that all servers share. What is written can be lost until it is synced; answers come after a sync. An answer can
//! be lost on its way ("unknown"), whether or not the entries are there.

use std::{collections::BTreeMap, convert::Infallible};

use bytes::Bytes;
use motet_protocol::{
    codec,
    ids::Revision,
    message::{Command, Entry},
};
use motet_server::room::{
    RoomState,
    chat::{ChatEntry, Done, Messages, Record, project},
};
use rand::{RngExt, rngs::StdRng};

/// One room's log.
#[derive(Default)]
pub struct RoomLog {
    entries: Vec<Bytes>,
    synced: usize,
    /// Snapshots by revision, any of which may be missing.
    pub snapshots: Vec<(Revision, Bytes)>,
    /// The messages that were written down; whoever writes a part of them writes all of it or nothing.
    pub chat: Chat,
}

/// The messages of a room, and how far they are made.
#[derive(Default)]
pub struct Chat {
    pub done: Done,
    pub records: Records,
}

#[derive(Default, Debug, PartialEq)]
pub struct Records(pub BTreeMap<Revision, Record>);

impl Messages for Records {
    type Error = Infallible;

    fn get(&mut self, message: Revision) -> Result<Option<Record>, Infallible> {
        Ok(self.0.get(&message).cloned())
    }

    fn put(&mut self, record: Record) {
        self.0.insert(record.message(), record);
    }
}

/// What was said in a log from a revision on, each with who said it then.
pub fn chat_entries(log: &RoomLog, from: Revision, up_to: Revision) -> Vec<ChatEntry> {
    let mut state = RoomState::default();
    let mut all = Vec::new();
    for (entry, _) in log.read(0, up_to) {
        state.fold(&entry).unwrap();
        if entry.revision >= from && matches!(entry.command, Command::Chat(_)) {
            let author = state.decided().people.author(entry.participant).cloned().unwrap_or_default();
            all.push(ChatEntry { entry, author });
        }
    }
    all
}

/// All messages of a log up to a revision.
pub fn messages(log: &RoomLog, up_to: Revision) -> Chat {
    let mut chat = Chat::default();
    for chat_entry in chat_entries(log, 0, up_to) {
        let Ok(()) = project(&mut chat.records, &mut chat.done, &chat_entry);
    }
    chat
}

/// An append on its way, and where it is.
#[derive(Clone, Debug)]
pub struct Append {
    pub server: usize,
    pub room: usize,
    pub expected: Revision,
    pub entries: Vec<Bytes>,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not written yet.
    Sent,
    /// Written or turned down; the answer waits for the sync.
    Decided(Answer),
}

/// How an append ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Appended(Revision),
    Conflict(Revision),
    Unknown,
}

impl RoomLog {
    /// Writes, without syncing, if the condition holds.
    pub fn append(&mut self, append: &Append, random: &mut StdRng) -> Answer {
        let (from, head) = (append.expected as usize, self.entries.len());
        if from == head {
            if random.random_bool(0.03) {
                // The request was lost: nothing is written, and nobody knows.
                return Answer::Unknown;
            }
            self.entries.extend(append.entries.iter().cloned());
            let answer = Answer::Appended(self.entries.len() as Revision);
            return if random.random_bool(0.05) { Answer::Unknown } else { answer };
        }
        let own = from < head && self.entries[from..].starts_with(&append.entries);
        if own && random.random_bool(0.5) {
            // An engine may notice that it is the same append again, or leave that to whoever reads the log.
            return Answer::Appended((from + append.entries.len()) as Revision);
        }
        Answer::Conflict(head as Revision)
    }

    pub fn sync(&mut self) {
        self.synced = self.entries.len();
    }

    /// The power goes: of what was not synced a beginning may be there.
    pub fn power_cut(&mut self, random: &mut StdRng) {
        let kept = random.random_range(self.synced..=self.entries.len());
        self.entries.truncate(kept);
        // Who opens it again syncs what it found before it answers.
        self.synced = kept;
    }

    /// A process that opens the log reads what is written, and makes it durable first.
    pub fn open(&mut self) {
        self.sync();
    }

    pub fn head(&self) -> Revision {
        self.synced as Revision
    }

    /// Synced entries after a revision up to another.
    pub fn read(&self, after: Revision, up_to: Revision) -> Vec<(Entry, Bytes)> {
        let up_to = (up_to as usize).min(self.synced);
        let entries = &self.entries[(after as usize).min(up_to)..up_to];
        entries.iter().map(|bytes| (codec::decode(bytes).unwrap(), bytes.clone())).collect()
    }
}
