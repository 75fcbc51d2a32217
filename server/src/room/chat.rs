//! The chat of a room. The room's state keeps a few facts of it; the messages themselves are [`Record`]s, which are folded
//! from the same log into a store, so that a room with a long chat is no larger in memory than one without.

use std::collections::VecDeque;

use bincode::{Decode, Encode};
use motet_protocol::{
    access::Role,
    chat::{ChatCommand, Quote},
    error::ErrorCode,
    ids::{Revision, UnixMs},
    limits::{EMOJI_BYTES_MAX, PREVIEW_BYTES_MAX},
};

mod projection;
mod record;

pub use self::{
    projection::{ChatEntry, Done, Messages, project},
    record::{Record, Said},
};
use super::{actor::Actor, comments::check_message};
use crate::refusal::Refusal;

/// Revisions of entries of the chat that are remembered: what a crash may leave to be folded into the store again is found
/// by these, without reading the edits in between.
pub const RECENT_MAX: usize = 64;

/// The most bytes that the chat takes in a snapshot.
pub const CHAT_BYTES_MAX: usize = PREVIEW_BYTES_MAX + 16 * RECENT_MAX + 64;

/// What a room's state knows of its chat.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Chat {
    /// How many messages were said, the deleted ones among them.
    count: u64,
    /// The newest message.
    last: Option<Last>,
    /// The newest entries of the chat, of whichever kind, in order.
    recent: VecDeque<Revision>,
}

/// The newest message, for lists of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Last {
    /// Its id.
    pub message: Revision,
    /// When it was said.
    pub time_ms: UnixMs,
    /// Its beginning; empty if it was deleted.
    pub beginning: String,
}

impl Chat {
    /// Takes the next entry of the chat.
    pub fn fold(&mut self, revision: Revision, time_ms: UnixMs, command: &ChatCommand) {
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(revision);
        match command {
            ChatCommand::Say { text, .. } => {
                self.count += 1;
                self.last = Some(Last { message: revision, time_ms, beginning: beginning_of(text) });
            }
            ChatCommand::Rewrite { message, text, .. } => self.change_last(*message, beginning_of(text)),
            ChatCommand::Delete { message } => self.change_last(*message, String::new()),
            ChatCommand::React { .. } => {}
        }
    }

    fn change_last(&mut self, message: Revision, beginning: String) {
        // A message that was deleted stays so.
        if let Some(last) = self.last.as_mut().filter(|last| last.message == message && !last.beginning.is_empty()) {
            last.beginning = beginning;
        }
    }

    /// How many messages were said.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The newest message.
    pub fn last(&self) -> Option<&Last> {
        self.last.as_ref()
    }

    /// The revision of the newest entry of the chat; 0 if there is none.
    pub fn changed(&self) -> Revision {
        self.recent.back().copied().unwrap_or(0)
    }

    /// The revision of the first entry of the chat after `done`, or one before it (but after `done`) where that is not
    /// remembered. None if nothing of the chat came after `done`.
    pub fn first_after(&self, done: Revision) -> Option<Revision> {
        if self.changed() <= done {
            return None;
        }
        let at = self.recent.partition_point(|revision| *revision <= done);
        let all_remembered = at > 0 || self.recent.len() < RECENT_MAX;
        if all_remembered { self.recent.get(at).copied() } else { Some(done + 1) }
    }
}

fn beginning_of(text: &str) -> String {
    text[..text.floor_char_boundary(PREVIEW_BYTES_MAX)].to_owned()
}

/// The message that a command is about, which must be there: its record is looked up before the command is proposed.
pub fn target_of(command: &ChatCommand) -> Option<Revision> {
    match command {
        ChatCommand::Say { thread, .. } => *thread,
        ChatCommand::Rewrite { message, .. } | ChatCommand::Delete { message } | ChatCommand::React { message, .. } => {
            Some(*message)
        }
    }
}

/// Whether a command may be appended, for somebody who may chat at all. `target` is the record of [`target_of`] it, as it was at some committed revision
/// since the command was submitted; messages never go away, so that one which was there still is. `head` is the newest
/// revision.
pub fn check(command: &ChatCommand, actor: &Actor<'_>, target: Option<&Record>, head: Revision) -> Result<(), Refusal> {
    let target = match target_of(command) {
        None => None,
        Some(message) => Some(target.filter(|record| record.message() == message).ok_or_else(|| not_there(message))?),
    };
    match (command, target) {
        (ChatCommand::Say { text, quote, .. }, _) => {
            check_message(text)?;
            quote.map_or(Ok(()), |quote| check_quote(quote, head))
        }
        (ChatCommand::Rewrite { text, .. }, Some(record)) => {
            check_message(text)?;
            check_there(record)?;
            if record.is_by(actor) {
                return Ok(());
            }
            Err(Refusal::new(ErrorCode::Forbidden, "only who said it may say it in other words"))
        }
        (ChatCommand::Delete { .. }, Some(record)) => {
            check_there(record)?;
            if actor.role == Role::Host || record.is_by(actor) {
                return Ok(());
            }
            Err(Refusal::new(ErrorCode::Forbidden, "only who said it, or a host, may take it away"))
        }
        (ChatCommand::React { emoji, on, .. }, Some(record)) => {
            check_emoji(emoji)?;
            check_there(record)?;
            if *on { record.check_reaction(emoji, actor.participant) } else { Ok(()) }
        }
        (_, None) => Err(Refusal::new(ErrorCode::BadArgument, "it names no message")),
    }
}

fn not_there(message: Revision) -> Refusal {
    Refusal::new(ErrorCode::NotFound, format!("there is no message {message}"))
}

fn check_there(record: &Record) -> Result<(), Refusal> {
    if record.is_deleted() { Err(not_there(record.message())) } else { Ok(()) }
}

fn check_quote(Quote { revision, start, end }: Quote, head: Revision) -> Result<(), Refusal> {
    if start > end || revision > head {
        let words = format!("{start}..{end} at revision {revision} is no part of the text; the room is at {head}");
        return Err(Refusal::new(ErrorCode::BadArgument, words));
    }
    Ok(())
}

fn check_emoji(emoji: &str) -> Result<(), Refusal> {
    let fits = (1..=EMOJI_BYTES_MAX).contains(&emoji.len());
    if fits && !emoji.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Ok(());
    }
    let words = format!("a reaction is one emoji of at most {EMOJI_BYTES_MAX} bytes, without spaces");
    Err(Refusal::new(ErrorCode::BadArgument, words))
}

#[cfg(test)]
mod tests;
