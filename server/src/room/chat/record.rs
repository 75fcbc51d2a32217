//! One message with its history: who changed what of it, and at which revision, so that it can be told as it stood at any.

use bincode::{Decode, Encode};
use motet_protocol::{
    access::Member,
    chat::{ChatCommand, ChatMessage, Deleted, Quote, Reaction},
    error::ErrorCode,
    ids::{ParticipantId, Revision, UnixMs},
    limits::{REACTION_PARTICIPANTS_MAX, REACTIONS_GIVEN_MAX, REACTIONS_MAX},
    room::Author,
};

use crate::{
    refusal::Refusal,
    room::actor::{Actor, EntryMeta},
};

/// Texts that were rewritten are kept up to this, in bytes, the newest of them: with the text itself and the reactions a
/// record stays below the 64 KiB of a value in a store.
const FORMER_TEXTS_BYTES_MAX: usize = 16 * 1024;

/// Reactions that were taken back are remembered up to this, the newest of them.
const TAKEN_BACK_MAX: usize = 128;

/// A message as the store keeps it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Record {
    message: Revision,
    participant: ParticipantId,
    author: Author,
    time_ms: UnixMs,
    /// The message that began the thread that it is in.
    thread: Option<Revision>,
    quote: Option<Quote>,
    /// Its number among all messages of the room, from 1.
    ordinal: u64,
    /// Its number in its thread, from 1; 0 if it is in none.
    thread_ordinal: u32,
    /// The last entry that is in here.
    revision: Revision,
    /// The text that it has, and before it those that it had, the oldest first.
    texts: Vec<Text>,
    deleted: Option<(Revision, Deleted)>,
    /// How many messages are in the thread that it began.
    replies: u32,
    /// Every emoji that somebody reacted with.
    emoji: Vec<String>,
    /// In the order in which they were given.
    reactions: Vec<Given>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Text {
    since: Revision,
    time_ms: UnixMs,
    text: String,
    mentions: Vec<Member>,
}

impl Text {
    fn bytes(&self) -> usize {
        let mentioned = |member: &Member| match member {
            Member::Account(account) => 4 + account.as_str().len(),
            Member::Participant(_) => 12,
        };
        32 + self.text.len() + self.mentions.iter().map(mentioned).sum::<usize>()
    }
}

/// One participant's reaction.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
struct Given {
    /// Its place in [`Record::emoji`].
    emoji: u8,
    participant: ParticipantId,
    on: Revision,
    off: Option<Revision>,
}

impl Given {
    fn stands(&self, at: Revision) -> bool {
        self.on <= at && self.off.is_none_or(|off| off > at)
    }
}

/// A message that is said.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The entry.
    pub meta: EntryMeta<'a>,
    /// The message.
    pub text: &'a str,
    /// Who is meant in it.
    pub mentions: &'a [Member],
    /// The part of the text that it is about.
    pub quote: Option<Quote>,
    /// The message that begins the thread that it is in, and its number there.
    pub thread: Option<(Revision, u32)>,
    /// Its number among all messages of the room.
    pub ordinal: u64,
}

impl Record {
    /// A message that was just said.
    pub fn new(said: Said<'_>) -> Self {
        let Said { meta, text, mentions, quote, thread, ordinal } = said;
        let text =
            Text { since: meta.revision, time_ms: meta.time_ms, text: text.to_owned(), mentions: mentions.to_vec() };
        Self {
            message: meta.revision,
            participant: meta.participant,
            author: meta.author.clone(),
            time_ms: meta.time_ms,
            thread: thread.map(|(thread, _)| thread),
            quote,
            ordinal,
            thread_ordinal: thread.map_or(0, |(_, ordinal)| ordinal),
            revision: meta.revision,
            texts: vec![text],
            deleted: None,
            replies: 0,
            emoji: Vec::new(),
            reactions: Vec::new(),
        }
    }

    /// Takes an entry that is about it. One that is in it already changes nothing, so that a part of the log may be folded
    /// again; nor does one that no longer fits, which others came before.
    pub fn fold(&mut self, meta: EntryMeta<'_>, command: &ChatCommand) {
        if meta.revision <= self.revision {
            return;
        }
        self.revision = meta.revision;
        if self.deleted.is_some() {
            return;
        }
        match command {
            ChatCommand::Say { .. } => {}
            ChatCommand::Rewrite { text, mentions, .. } => {
                let (text, mentions) = (text.clone(), mentions.clone());
                self.texts.push(Text { since: meta.revision, time_ms: meta.time_ms, text, mentions });
                let mut bytes: usize = self.texts.iter().map(Text::bytes).sum();
                bytes -= self.texts.last().map_or(0, Text::bytes);
                while bytes > FORMER_TEXTS_BYTES_MAX {
                    bytes -= self.texts.remove(0).bytes();
                }
            }
            ChatCommand::Delete { .. } => {
                self.deleted = Some((meta.revision, Deleted { by: meta.participant, time_ms: meta.time_ms }));
            }
            ChatCommand::React { emoji, on: true, .. } => self.give(meta, emoji),
            ChatCommand::React { emoji, on: false, .. } => self.take_back(meta, emoji),
        }
    }

    /// Takes a message that was said in the thread that this one began; returns its number there.
    pub fn fold_reply(&mut self, reply: Revision) -> u32 {
        if reply > self.revision {
            self.revision = reply;
            self.replies = self.replies.saturating_add(1);
        }
        self.replies
    }

    fn give(&mut self, meta: EntryMeta<'_>, emoji: &str) {
        let stands = self.standing(emoji).any(|given| given.participant == meta.participant);
        if stands || self.check_reaction(emoji, meta.participant).is_err() {
            return;
        }
        let found = self.emoji.iter().position(|known| known == emoji);
        let index = found.unwrap_or_else(|| self.place_for(emoji));
        let Ok(index) = u8::try_from(index) else { return };
        let (participant, on) = (meta.participant, meta.revision);
        self.reactions.push(Given { emoji: index, participant, on, off: None });
    }

    /// A place for another emoji: that of one that nobody has given any more, where all are taken.
    fn place_for(&mut self, emoji: &str) -> usize {
        let unused = (0..self.emoji.len()).find(|index| !self.gives(*index));
        match unused.filter(|_| self.emoji.len() >= REACTIONS_MAX) {
            None => {
                self.emoji.push(emoji.to_owned());
                self.emoji.len() - 1
            }
            Some(index) => {
                self.reactions.retain(|given| usize::from(given.emoji) != index);
                emoji.clone_into(&mut self.emoji[index]);
                index
            }
        }
    }

    fn gives(&self, emoji: usize) -> bool {
        self.reactions.iter().any(|given| usize::from(given.emoji) == emoji && given.off.is_none())
    }

    fn take_back(&mut self, meta: EntryMeta<'_>, emoji: &str) {
        let index = self.emoji.iter().position(|known| known == emoji);
        let given = self.reactions.iter_mut().find(|given| {
            Some(usize::from(given.emoji)) == index && given.participant == meta.participant && given.off.is_none()
        });
        let Some(given) = given else { return };
        given.off = Some(meta.revision);
        let taken_back = self.reactions.iter().filter(|given| given.off.is_some());
        if taken_back.clone().count() > TAKEN_BACK_MAX {
            let oldest = taken_back.filter_map(|given| given.off).min();
            self.reactions.retain(|given| given.off.is_none() || given.off != oldest);
        }
    }

    fn standing(&self, emoji: &str) -> impl Iterator<Item = &Given> {
        let index = self.emoji.iter().position(|known| known == emoji);
        self.reactions.iter().filter(move |given| Some(usize::from(given.emoji)) == index && given.off.is_none())
    }

    /// Whether a participant may give one more reaction.
    pub fn check_reaction(&self, emoji: &str, participant: ParticipantId) -> Result<(), Refusal> {
        if self.standing(emoji).any(|given| given.participant == participant) {
            return Ok(());
        }
        let limit = |words: String| Err(Refusal::new(ErrorCode::LimitReached, words));
        let different = (0..self.emoji.len()).filter(|index| self.gives(*index)).count();
        let same = self.standing(emoji).count();
        if same == 0 && different >= REACTIONS_MAX {
            return limit(format!("a message has {REACTIONS_MAX} different reactions at most"));
        }
        if same >= REACTION_PARTICIPANTS_MAX {
            return limit(format!("{REACTION_PARTICIPANTS_MAX} people at most give the same reaction to a message"));
        }
        if self.reactions.iter().filter(|given| given.off.is_none()).count() >= REACTIONS_GIVEN_MAX {
            return limit(format!("a message has {REACTIONS_GIVEN_MAX} reactions at most"));
        }
        Ok(())
    }

    /// Its id.
    pub fn message(&self) -> Revision {
        self.message
    }

    /// The thread that an answer to it is in: its own, or the one that it begins.
    pub fn thread_of_answers(&self) -> Revision {
        self.thread.unwrap_or(self.message)
    }

    /// The message that began the thread that it is in.
    pub fn thread(&self) -> Option<Revision> {
        self.thread
    }

    /// Its number among all messages of the room.
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// Its number in its thread.
    pub fn thread_ordinal(&self) -> u32 {
        self.thread_ordinal
    }

    /// How many messages are in the thread that it began.
    pub fn replies(&self) -> u32 {
        self.replies
    }

    /// The last entry that is in it.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether somebody said it.
    pub fn is_by(&self, actor: &Actor<'_>) -> bool {
        actor.is(self.participant, self.author.account.as_ref())
    }

    /// Whether it was taken away.
    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// The message as it stood at a revision at or after its own; the number of its replies is today's. Where it was
    /// rewritten more often than is kept, the oldest text that is kept stands for those before it.
    pub fn at(&self, revision: Revision) -> ChatMessage {
        let text = self.texts.iter().rev().find(|text| text.since <= revision).or(self.texts.first());
        let deleted = self.deleted.filter(|(since, _)| *since <= revision).map(|(_, deleted)| deleted);
        let (text, mentions, rewritten_ms) = match text.filter(|_| deleted.is_none()) {
            None => Default::default(),
            Some(text) => {
                let rewritten_ms = (text.since > self.message).then_some(text.time_ms);
                (text.text.clone(), text.mentions.clone(), rewritten_ms)
            }
        };
        ChatMessage {
            message: self.message,
            participant: self.participant,
            author: self.author.clone(),
            time_ms: self.time_ms,
            text,
            thread: self.thread,
            quote: self.quote,
            mentions,
            rewritten_ms,
            deleted,
            replies: self.replies,
            reactions: if deleted.is_none() { self.reactions_at(revision) } else { Vec::new() },
        }
    }

    fn reactions_at(&self, revision: Revision) -> Vec<Reaction> {
        let mut reactions: Vec<Reaction> = Vec::new();
        for given in self.reactions.iter().filter(|given| given.stands(revision)) {
            let Some(emoji) = self.emoji.get(usize::from(given.emoji)) else { continue };
            match reactions.iter_mut().find(|reaction| reaction.emoji == *emoji) {
                Some(reaction) => reaction.participants.push(given.participant),
                None => reactions.push(Reaction { emoji: emoji.clone(), participants: vec![given.participant] }),
            }
        }
        reactions
    }
}
