//! What is said in an open room: chat and comments, checked when they are proposed; and what is on its way from the log to
//! where messages are kept.

use std::collections::VecDeque;

use motet_protocol::{
    access::{Member, Role},
    chat::ChatCommand,
    comment::CommentCommand,
    ids::{ParticipantId, Revision},
    message::{Command, Entry},
    room::Author,
};

use super::{
    access::Principal,
    actor::{Actor, EntryMeta},
    chat::{self, ChatEntry, Record},
    limits::{CHAT_ENTRIES_MAX, RECORDS_MAX},
    mentions::{self, Known},
    open::OpenRoom,
    people::People,
    state::RoomState,
};
use crate::refusal::Refusal;

/// What an open room holds of its chat beside its state.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Messages that something is being done with, kept up with the log.
    records: VecDeque<Record>,
    /// The newest entries of the chat, for where messages are kept.
    unwritten: VecDeque<ChatEntry>,
}

impl Talk {
    /// The message that a command is about, if its record is not here.
    pub(super) fn unknown(&self, command: &Command) -> Option<Revision> {
        let Command::Chat(command) = command else { return None };
        chat::target_of(command).filter(|message| self.record(*message).is_none())
    }

    fn record(&self, message: Revision) -> Option<&Record> {
        self.records.iter().find(|record| record.message() == message)
    }

    /// Takes an entry that was just committed.
    pub(super) fn note(&mut self, entry: &Entry, state: &RoomState) {
        let Command::Chat(command) = &entry.command else { return };
        let author = state.decided().people.author(entry.participant).cloned().unwrap_or_default();
        let target = chat::target_of(command);
        if let Some(record) = self.records.iter_mut().find(|record| Some(record.message()) == target) {
            record.fold(EntryMeta::of(entry, &author), command);
        }
        if self.unwritten.len() == CHAT_ENTRIES_MAX {
            // They are read from the log then.
            self.unwritten.pop_front();
        }
        self.unwritten.push_back(ChatEntry { entry: entry.clone(), author });
    }

    pub(super) fn shrink(&mut self) {
        self.records = VecDeque::new();
        self.unwritten.shrink_to_fit();
    }
}

impl<K, A> OpenRoom<K, A> {
    /// Takes the record of a message that a submit is about, as it is at some revision since the room was opened.
    pub fn learn(&mut self, record: Record) {
        self.talk.records.retain(|known| known.message() != record.message());
        if self.talk.records.len() == RECORDS_MAX {
            self.talk.records.pop_front();
        }
        self.talk.records.push_back(record);
    }

    /// Entries of the chat after `done`, at most so many: all up to the last of them, or none where the first is not at
    /// hand any more and must be read from the log. Those up to `done` are forgotten.
    pub fn chat_entries(&mut self, done: Revision, at_most: usize) -> Vec<ChatEntry> {
        let unwritten = &mut self.talk.unwritten;
        while unwritten.front().is_some_and(|first| first.entry.revision <= done) {
            unwritten.pop_front();
        }
        let first = self.state.chat().first_after(done);
        if first.is_none() || unwritten.front().map(|front| front.entry.revision) != first {
            return Vec::new();
        }
        unwritten.iter().take(at_most).cloned().collect()
    }

    /// Checks what is to be said, and puts in who is meant by it.
    pub(super) fn checked_talk(
        &self,
        command: Command,
        principal: &Principal,
        role: Role,
        people: &People,
    ) -> Result<Command, Refusal> {
        let actor = Actor { participant: principal.participant, account: principal.author.account.as_ref(), role };
        match command {
            Command::Chat(mut command) => {
                let target = chat::target_of(&command).and_then(|message| self.talk.record(message));
                chat::check(&command, &actor, target, self.state.revision())?;
                match &mut *command {
                    ChatCommand::Say { text, mentions, .. } | ChatCommand::Rewrite { text, mentions, .. } => {
                        *mentions = self.meant(text, people);
                    }
                    ChatCommand::Delete { .. } | ChatCommand::React { .. } => {}
                }
                Ok(Command::Chat(command))
            }
            Command::Comment(mut command) => {
                if let CommentCommand::Open { text, mentions, .. } | CommentCommand::Reply { text, mentions, .. } =
                    &mut *command
                {
                    *mentions = self.meant(text, people);
                }
                let pending = self.pending.entries().filter_map(|entry| match &entry.command {
                    Command::Comment(command) => Some(&**command),
                    _ => None,
                });
                self.state.comments().check(&command, &actor, self.ordered_len(), pending)?;
                Ok(Command::Comment(command))
            }
            command => Ok(command),
        }
    }

    /// The people here, and those the room knows, whom a text names.
    fn meant(&self, text: &str, people: &People) -> Vec<Member> {
        if !text.contains('@') {
            return Vec::new();
        }
        let present = self.readers.iter().map(|reader| (reader.principal.participant, &reader.principal.author));
        let met = present.chain(people.authors()).flat_map(|(participant, author)| known(participant, author));
        let given_roles =
            people.accounts().map(|account| Known { name: account.as_str(), member: Member::Account(account.clone()) });
        mentions::find(text, met.chain(given_roles))
    }
}

/// Somebody by name, and by account.
fn known(participant: ParticipantId, author: &Author) -> impl Iterator<Item = Known<'_>> + Clone {
    let account = author.account.as_ref();
    let member = account.map_or(Member::Participant(participant), |account| Member::Account(account.clone()));
    let by_account = account.map(|account| Known { name: account.as_str(), member: member.clone() });
    [Known { name: &author.name, member }].into_iter().chain(by_account)
}
