//! Bugs to plant.

use motet_protocol::{
    ids::Revision,
    message::{Command, Entry},
};
use motet_server::room::Submit;

/// A bug in what surrounds a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server puts a client's insertion to the right of one in the log.
    TieReversed,
    /// The server takes a submit that it has for a new one.
    DedupeDropped,
    /// The log answers before it has synced.
    AcknowledgedBeforeSync,
    /// The server composes the entries after a base before it transforms over them.
    HistoryComposed,
    /// The server takes the places of a late presence for places in the text as it is.
    LatePlacesNotMoved,
    /// The server leaves a comment where it was made, whatever came in between.
    CommentNotMoved,
    /// What a commit brings besides its entries (messages written down, lists told, a snapshot) is done after the server's own
    /// appends, and not after those of others.
    ConflictForgotten,
    /// Who writes the messages down does not notice that some are not at hand any more.
    ChatGapIgnored,
}

impl Fault {
    /// Spoils a submit on its way to the room, given the entries after its base.
    pub fn spoil(self, submit: &mut Submit, after_base: &[Entry], head: Revision) {
        let own = |entry: &&Entry| entry.participant == submit.participant;
        let repeat = after_base.iter().any(|entry| own(&entry) && entry.seq == submit.seq);
        if self == Self::CommentNotMoved && !repeat && matches!(submit.command, Command::Comment(_)) {
            submit.base = head;
        }
        let Command::Edit(operation) = &submit.command else { return };
        let mut others = after_base.iter().filter_map(|entry| entry.command.operation().cloned());
        let moved = match self {
            Self::TieReversed if !repeat => {
                others.fold(operation.clone(), |moved, other| other.transform(&moved).unwrap().1)
            }
            Self::DedupeDropped if repeat => {
                submit.seq = after_base.iter().filter(own).map(|entry| entry.seq).max().unwrap_or(0) + 1;
                others.fold(operation.clone(), |moved, other| moved.transform(&other).unwrap().0)
            }
            Self::HistoryComposed if !repeat => {
                let Some(first) = others.next() else { return };
                let all = others.fold(first, |all, next| all.compose(&next).unwrap());
                operation.transform(&all).unwrap().0
            }
            _ => return,
        };
        submit.command = Command::Edit(moved);
        submit.base = head;
    }
}
