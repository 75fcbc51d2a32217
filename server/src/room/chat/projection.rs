//! From entries of the chat to messages: the fold over the log whose result lies in a store and not in the room's state.

use bincode::{Decode, Encode};
use motet_protocol::{
    chat::ChatCommand,
    ids::Revision,
    message::{Command, Entry},
    room::Author,
};

use super::{Record, Said};
use crate::room::actor::EntryMeta;

/// An entry of the chat, and who its participant was then.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatEntry {
    /// The entry.
    pub entry: Entry,
    /// Who said it.
    pub author: Author,
}

/// How far the messages are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Done {
    /// Every entry of the chat up to this revision is in them.
    pub revision: Revision,
    /// How many messages there are.
    pub count: u64,
}

/// Where messages are kept.
pub trait Messages {
    /// What can go wrong.
    type Error;

    /// A message.
    fn get(&mut self, message: Revision) -> Result<Option<Record>, Self::Error>;

    /// Keeps a message, in place of what was kept of it.
    fn put(&mut self, record: Record);
}

/// Takes the next entry of the chat. One that was taken before changes nothing, provided that of what it changed a message
/// in a thread was kept no later than the one that began it.
pub fn project<M: Messages>(messages: &mut M, done: &mut Done, chat_entry: &ChatEntry) -> Result<(), M::Error> {
    let ChatEntry { entry, author } = chat_entry;
    let Command::Chat(command) = &entry.command else { return Ok(()) };
    let meta = EntryMeta::of(entry, author);
    match &**command {
        ChatCommand::Say { text, thread, quote, mentions } => {
            done.count += 1;
            let root = match thread {
                None => None,
                Some(answered) => root_of(messages, *answered)?,
            };
            let thread = root.map(|mut root| {
                let number = root.fold_reply(entry.revision);
                let thread = (root.message(), number);
                messages.put(root);
                thread
            });
            if messages.get(entry.revision)?.is_none() {
                let said = Said { meta, text, mentions, quote: *quote, thread, ordinal: done.count };
                messages.put(Record::new(said));
            }
        }
        ChatCommand::Rewrite { message, .. } | ChatCommand::Delete { message } | ChatCommand::React { message, .. } => {
            if let Some(mut record) = messages.get(*message)? {
                record.fold(meta, command);
                messages.put(record);
            }
        }
    }
    done.revision = entry.revision;
    Ok(())
}

/// The message that begins the thread of an answer to another; none where that other one is not there.
fn root_of<M: Messages>(messages: &mut M, answered: Revision) -> Result<Option<Record>, M::Error> {
    let Some(record) = messages.get(answered)? else { return Ok(None) };
    match record.thread() {
        None => Ok(Some(record)),
        Some(root) => messages.get(root),
    }
}
