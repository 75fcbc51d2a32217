//! What happens in a room, as a program sees it.

use motet_protocol::{
    ids::{ParticipantId, Revision, Seq},
    message::{Command, Entry},
    ot::Operation,
    people::News,
    presence::SignalKind,
};
use tokio::sync::mpsc;

use crate::error::Error;

/// Events that wait to be taken. A program that takes none for that long stops its own connection and no other: the
/// server then holds its entries back, and sends them when it reads on.
const EVENTS_MAX: usize = 1_024;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The room was joined, or joined again after the connection was lost.
    Joined {
        /// The newest revision at that moment.
        head: Revision,
    },
    /// An entry of another participant.
    Entry {
        /// As it is in the log.
        entry: Entry,
        /// As it was applied to the replica, on top of what is not acknowledged; none where there is no replica, and
        /// for an entry that is no edit.
        applied: Option<Operation>,
    },
    /// A submit of one's own is in the log, as durable as the server makes it.
    Acknowledged {
        /// Its seq.
        seq: Seq,
        /// Its revision.
        revision: Revision,
    },
    /// The text came anew from the server, in place of what the replica held.
    Replaced {
        /// Its revision.
        revision: Revision,
    },
    /// Something of one's own was not taken and is lost; if edits are among it, the text comes anew.
    Refused {
        /// Why.
        error: Error,
        /// The edits that were not acknowledged, as one operation on the text that was.
        lost: Operation,
        /// What else was lost, in order.
        commands: Vec<Command>,
    },
    /// The server has said "later" for more than a second: to what was done here, or to joining the room again. It is said
    /// again by itself.
    PutOff {
        /// Why.
        error: Error,
    },
    /// Who came, moved or left, for one who watches presence. [`Room::people`](super::Room::people) holds it all.
    Presence {
        /// The revision that all places count on.
        revision: Revision,
        /// What changed.
        news: News,
    },
    /// Another participant sent a signal to this one.
    Signal {
        /// Who.
        from: ParticipantId,
        /// What it is.
        kind: SignalKind,
        /// As it was given.
        payload: String,
    },
    /// What was told of presence, or was to be passed on, was refused. Everything else goes on.
    Declined {
        /// Why.
        error: Error,
    },
    /// The connection was lost. The client connects again by itself.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// Nothing comes any more: the room is gone, or the client gave up.
    Closed {
        /// Why.
        error: Error,
    },
}

pub(crate) fn events() -> (mpsc::Sender<Event>, Events) {
    let (events_in, events_out) = mpsc::channel(EVENTS_MAX);
    (events_in, Events(events_out))
}

/// The events of one room, in order, none left out while this is read.
#[derive(Debug)]
pub struct Events(pub(super) mpsc::Receiver<Event>);

impl Events {
    /// The next event; none after [`Event::Closed`], and when the client has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}
