//! What the world around an open room has to do after the room took an input.

use motet_protocol::{
    error::{ErrorCode, ErrorMessage},
    ids::{Channel, Revision},
    message::ServerMessage,
};

use super::{
    open::OpenRoom,
    readers::ReaderId,
    state::{FoldError, RoomState},
};
use crate::refusal::Refusal;

/// What is to be done, gathered since the last [`OpenRoom::take_effects`], in the order of the fields. An edit that meets no
/// trouble sets flags and numbers only: nothing in here is allocated on its way.
#[derive(Debug)]
pub struct Effects<K, A> {
    /// Entries that were committed: for the metrics.
    pub committed: u64,
    /// Something waits for the log: call [`OpenRoom::take_append`], now or together with what comes next. Set once until then.
    pub append: bool,
    /// Messages to readers, each with its connection. They go behind the entries.
    pub messages: Vec<(K, ServerMessage)>,
    /// Readers that the room has put out.
    pub dropped: Vec<Dropped<K>>,
    /// Answers to those who wait: see [`OpenRoom::wait_for`] and [`OpenRoom::wait_until_drained`].
    pub answers: Vec<(A, Result<Revision, Refusal>)>,
    /// Codes of submits that were refused after they had been put in order: for the metrics.
    pub refused: Vec<ErrorCode>,
    /// Readers that watch presence are to be told something: call [`OpenRoom::feed_presence`] with the next tick of the
    /// presence timer. Set once until then.
    pub presence: bool,
    /// Messages of the chat were committed: have them written to the store.
    pub chat: bool,
    /// The room was moved into another project: look up what that gives to the people in the room.
    pub project: bool,
    /// What lists show of the room has changed.
    pub listed: bool,
    /// A snapshot is due: store this state.
    pub snapshot: Option<Box<RoomState>>,
    /// The room does not follow from its log, and was closed for that.
    pub failed: Option<FoldError>,
}

/// A reader that a room has put out.
#[derive(Debug)]
pub struct Dropped<K> {
    /// Its connection.
    pub key: K,
    /// The room's number on the connection.
    pub channel: Channel,
    /// The reader, which is not in the room any more.
    pub reader: ReaderId,
    /// Why, as the client is to read it.
    pub error: ErrorMessage,
}

impl<K, A> Default for Effects<K, A> {
    fn default() -> Self {
        Self {
            committed: 0,
            append: false,
            messages: Vec::new(),
            dropped: Vec::new(),
            answers: Vec::new(),
            refused: Vec::new(),
            presence: false,
            chat: false,
            project: false,
            listed: false,
            snapshot: None,
            failed: None,
        }
    }
}

impl<K, A> OpenRoom<K, A> {
    /// What is to be done about the inputs since the last call. To be called, and applied whole, after every method that takes
    /// `&mut self` and is not itself called because an effect says so; behind [`feed_following`](Self::feed_following).
    #[must_use]
    pub fn take_effects(&mut self) -> Effects<K, A> {
        std::mem::take(&mut self.effects)
    }
}
