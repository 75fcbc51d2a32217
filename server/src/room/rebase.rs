//! From what a client asks for to what would be appended.

use std::borrow::Cow;

use motet_protocol::{
    error::ErrorCode,
    ids::{Revision, Seq},
    message::{Command, Entry},
    ot::{Mismatch, Operation, Rebase},
};

use super::{limits::RoomLimits, submit::Submit};
use crate::refusal::Refusal;

/// Where an edit comes to stand.
#[derive(Debug, PartialEq)]
pub enum Placed {
    /// At the end, so moved. `None` where nothing came in between that moves it.
    New(Option<Command>),
    /// It is there already, with this revision.
    Repeat(Revision),
}

/// Moves an edit over the entries after its base, one by one: transform does not commute with compose, so they are
/// never composed first. `self` of each transform is the client's edit (see [`Operation::transform`]).
///
/// The base of a submit is always older than its first appending, so a repeat meets its own entry on the way: this is
/// what makes a submit sent twice be appended once, without a table that could forget.
pub fn place<'a>(submit: &Submit, after_base: impl Iterator<Item = &'a Entry>) -> Result<Placed, Refusal> {
    let mut moving = Moving::new(&submit.command);
    for entry in after_base {
        if entry.participant == submit.participant && entry.seq == submit.seq {
            // Both sides transform the same way, so a repeat has become exactly what is in the log.
            let same = moving.asks_the_same_as(&entry.command);
            return if same { Ok(Placed::Repeat(entry.revision)) } else { Err(other_content(submit.seq)) };
        }
        if let Command::Edit(other) = &entry.command {
            moving.over(other).map_err(|error| mismatch(error, submit.base))?;
        }
    }
    Ok(Placed::New(moving.into_changed()))
}

/// A command on its way over the entries after its base.
enum Moving<'a> {
    Edit(Rebase<'a>),
    Other(Cow<'a, Command>),
}

impl<'a> Moving<'a> {
    fn new(command: &'a Command) -> Self {
        match command {
            Command::Edit(operation) => Self::Edit(Rebase::new(operation)),
            other => Self::Other(Cow::Borrowed(other)),
        }
    }

    fn over(&mut self, other: &Operation) -> Result<(), Mismatch> {
        match self {
            Self::Edit(rebase) => rebase.over(other),
            // Of the others, only what is about a place of the text moves with it.
            Self::Other(command) if matches!(**command, Command::Comment(_)) => {
                command.to_mut().move_over(other).map(|_| ())
            }
            Self::Other(_) => Ok(()),
        }
    }

    fn asks_the_same_as(&self, logged: &Command) -> bool {
        match self {
            Self::Edit(rebase) => logged.operation().is_some_and(|logged| rebase.operation().as_ref() == logged),
            Self::Other(command) => command.asks_the_same_as(logged),
        }
    }

    fn into_changed(self) -> Option<Command> {
        match self {
            Self::Edit(rebase) => rebase.into_changed().map(Command::Edit),
            Self::Other(Cow::Owned(command)) => Some(command),
            Self::Other(Cow::Borrowed(_)) => None,
        }
    }
}

/// Whether an edit keeps to the limits, whatever the text is.
pub fn check_size(operation: &Operation, limits: &RoomLimits) -> Result<(), Refusal> {
    let inserted = operation.inserted_bytes();
    if inserted > limits.edit_bytes_max {
        return Err(Refusal::new(
            ErrorCode::EditTooLarge,
            format!("the edit inserts {inserted} bytes; send it in pieces of at most {}", limits.edit_bytes_max),
        ));
    }
    Ok(())
}

/// Whether a seq may be the session's next, given the last one that is known of it.
pub fn check_seq(submit: &Submit, last: Option<Seq>) -> Result<(), Refusal> {
    match last {
        Some(last) if submit.seq <= last => Err(other_content(submit.seq)),
        Some(last) if submit.seq > last + 1 => Err(Refusal::new(
            ErrorCode::SeqGap,
            format!("seq {} came where {} was due; a refused submit's seq is to be used again", submit.seq, last + 1),
        )),
        _ if submit.seq == 0 => Err(Refusal::new(ErrorCode::SeqGap, "seqs count from 1")),
        _ => Ok(()),
    }
}

fn other_content(seq: Seq) -> Refusal {
    Refusal::new(
        ErrorCode::SeqConflict,
        format!("seq {seq} of this session was used for another edit, or on a base after it; start a new session"),
    )
}

/// An operation that counts on another text than the one at its base.
pub fn mismatch(Mismatch { expected, found }: Mismatch, base: Revision) -> Refusal {
    Refusal::new(
        ErrorCode::OperationMismatch,
        format!(
            "the operation is for a text of {expected} characters; the text at revision {base} does not fit ({found})"
        ),
    )
}
