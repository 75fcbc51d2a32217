//! From committed entries of the chat to messages in the store, beside the path of edits.

use std::sync::{Arc, atomic::Ordering};

use motet_protocol::{ids::Revision, message::Command};

use super::{
    RoomHandle,
    chat_pages::{BATCH_ENTRIES, Written, done_key},
};
use crate::{
    blocking::offload,
    hub::history,
    room::chat::{Chat, ChatEntry},
    store::{LogId, Store, StoreError},
};

/// Brings the messages of rooms up to date, one room after the other, beside the path of edits.
#[derive(Clone, Debug)]
pub struct ChatWriter {
    /// Each open room is in it once at most.
    rooms: tokio::sync::mpsc::UnboundedSender<Arc<RoomHandle>>,
}

impl ChatWriter {
    /// Starts it, on the runtime that this is called on; it ends when nobody can ask anything of it any more.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let (rooms, mut asked) = tokio::sync::mpsc::unbounded_channel::<Arc<RoomHandle>>();
        tokio::spawn(async move {
            while let Some(room) = asked.recv().await {
                room.chat_asked.store(false, Ordering::Release);
                let store = Arc::clone(&store);
                let done = offload(move || {
                    if let Err(error) = bring_up(store.as_ref(), &room) {
                        tracing::warn!(room = %room.id, %error, "the chat is not written; it is when it is next read");
                    }
                });
                if let Err(refusal) = done.await {
                    tracing::error!(%refusal, "writing a chat failed");
                }
            }
        });
        Self { rooms }
    }

    /// Asks for a room's messages to be brought up to date.
    pub fn ask(&self, room: &Arc<RoomHandle>) {
        if !room.chat_asked.swap(true, Ordering::AcqRel) {
            // It has ended only when the server has.
            let _ = self.rooms.send(Arc::clone(room));
        }
    }
}

/// What a room has of its chat that may not be written yet.
#[derive(Debug)]
pub struct UnwrittenChat {
    /// What its state knows.
    pub chat: Chat,
    /// The committed revision.
    pub revision: Revision,
    /// See [`OpenRoom::chat_entries`](crate::room::OpenRoom::chat_entries).
    pub entries: Vec<ChatEntry>,
}

/// Brings the messages of a room up to its committed head, unless it is being removed. Waits for the disk; done by one at a
/// time.
pub fn bring_up(store: &dyn Store, room: &RoomHandle) -> Result<(), StoreError> {
    room.beside(|| write_all(store, room)).unwrap_or(Ok(()))
}

fn write_all(store: &dyn Store, room: &RoomHandle) -> Result<(), StoreError> {
    let log = room.log_id();
    let mut written = room.written.lock();
    loop {
        let done = written.done(store, log)?;
        let UnwrittenChat { chat, revision, entries } = room.unwritten_chat(done.revision, BATCH_ENTRIES);
        let Some(first) = chat.first_after(done.revision) else { return Ok(()) };
        if entries.is_empty() {
            from_log(store, log, &mut written, first, chat.changed().min(revision))?;
        } else {
            written.write(store, log, &entries)?;
        }
        if written.done(store, log)?.revision <= done.revision {
            let what = "the chat does not follow from the log".to_owned();
            return Err(StoreError::DamagedValue { key: done_key(log), what });
        }
    }
}

/// Writes what a crash left: the entries of the chat from `first` to `last`.
fn from_log(
    store: &dyn Store,
    log: LogId,
    written: &mut Written,
    first: Revision,
    last: Revision,
) -> Result<(), StoreError> {
    tracing::debug!(%log, first, last, "the chat is caught up from the log");
    let mut state = history::state_at(store, log, Some(first - 1))?.state;
    let mut chat_entries = Vec::new();
    while state.revision() < last {
        // The log may hold entries after `last` that are not committed yet.
        let wanted = usize::try_from(last - state.revision()).unwrap_or(usize::MAX);
        let page = history::read_after(store, log, state.revision(), wanted)?;
        if page.is_empty() {
            return Err(history::missing(log, state.revision() + 1));
        }
        for (entry, _) in page {
            let damaged = |what: String| StoreError::Damaged { log, revision: entry.revision, what };
            state.fold(&entry).map_err(|error| damaged(error.to_string()))?;
            if matches!(entry.command, Command::Chat(_)) {
                let author = state.decided().people.author(entry.participant).cloned().unwrap_or_default();
                chat_entries.push(ChatEntry { entry, author });
            }
        }
        if chat_entries.len() >= BATCH_ENTRIES {
            written.write(store, log, &chat_entries)?;
            chat_entries.clear();
        }
    }
    written.write(store, log, &chat_entries)
}
