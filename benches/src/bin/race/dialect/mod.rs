//! What each kind of server is told and what it says: pure, from messages to what they mean.

use std::collections::VecDeque;

use crate::{Failure, wire::Payload};

pub(crate) mod motet;
pub(crate) mod sharedb;
pub(crate) mod yjs;

/// Position, characters deleted there, text inserted there; counting on the text after the patch before.
pub(crate) type Patch = (u64, u64, String);

/// What a message meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The room is open and its text is there.
    Opened,
    /// This client's edit is taken.
    Acked,
    /// Somebody else typed this letter.
    Typed(char),
}

/// A client's side of a protocol, in one room. A client has one edit outstanding at most.
pub(crate) trait Dialect {
    /// Opens the room, making it where there is none.
    fn open(&mut self, to_say: &mut Vec<Payload>);

    /// Opens one more room on the same connection.
    fn open_also(&mut self, room: &str, _to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        Err(format!("{room} needs a connection of its own").into())
    }

    /// Types a letter at this client's place.
    fn type_one(&mut self, letter: char, to_say: &mut Vec<Payload>) -> Result<(), Failure>;

    /// Makes one edit of these patches.
    fn edit(&mut self, patches: &[Patch], to_say: &mut Vec<Payload>) -> Result<(), Failure>;

    /// Takes a message.
    fn hear(&mut self, message: &[u8], heard: &mut VecDeque<Heard>, to_say: &mut Vec<Payload>) -> Result<(), Failure>;

    /// The text, if this client keeps one: as it is now, or as it was when the room was opened.
    fn text(&self) -> Result<Option<String>, Failure>;
}
