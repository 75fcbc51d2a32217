//! The handles of a room, and what they share with the task that owns the socket.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use motet_protocol::{
    hash::TextHash,
    ids::{ParticipantId, Revision, RoomId},
    message::{At, Command},
    ot::Operation,
    people::People,
    presence::{Presence, SignalKind},
};
use ropey::Rope;
use tokio::sync::{Notify, watch};

use super::{Events, Replica, Signal};
use crate::{
    client::Client,
    error::{Error, ErrorKind},
};

/// What a handle and the task share of one room. The lock is never held across an await.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) key: u64,
    pub(crate) room: RoomId,
    replica: Mutex<Replica>,
    /// Counts changes, to wake the tasks that wait for one.
    changes: watch::Sender<u64>,
    gone: AtomicBool,
}

impl Seat {
    pub(crate) fn new(key: u64, room: RoomId, replica: Replica) -> Self {
        let (changes, _) = watch::channel(0);
        Self { key, room, replica: Mutex::new(replica), changes, gone: AtomicBool::new(false) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Replica> {
        // A panic in a program's own edit leaves the replica as it was: the replica changes in one step.
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Whether every handle was dropped.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// How handles wake the task: a list of rooms to look at, each in it once at most.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rooms: Mutex<Vec<u64>>,
    notify: Notify,
}

impl Bell {
    pub(crate) fn ring(&self, room: u64) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if !rooms.contains(&room) {
            rooms.push(room);
        }
        drop(rooms);
        self.notify.notify_one();
    }

    /// Waits until the bell rang.
    pub(crate) async fn rung(&self) {
        self.notify.notified().await;
    }

    /// The rooms to look at.
    pub(crate) fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.rooms.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a replica was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It holds the server's text.
    Equal,
    /// It did not, and has taken the server's text now.
    Healed,
}

/// One room, open. Cheap to clone; the room is left when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Room {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    seat: Arc<Seat>,
    bell: Arc<Bell>,
    client: Client,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.seat.gone.store(true, Ordering::Release);
        self.bell.ring(self.seat.key);
    }
}

impl Room {
    pub(crate) fn new(seat: Arc<Seat>, bell: Arc<Bell>, client: Client) -> Self {
        Self { inner: Arc::new(Inner { seat, bell, client }) }
    }

    /// The room's name.
    pub fn id(&self) -> &RoomId {
        &self.inner.seat.room
    }

    /// The text now, with everything that was edited here. A copy costs nothing.
    pub fn text(&self) -> Rope {
        self.inner.seat.lock().text().clone()
    }

    /// The last revision of the server's that is in the text.
    pub fn revision(&self) -> Revision {
        self.inner.seat.lock().revision()
    }

    /// Whether everything that was edited here is acknowledged.
    pub fn is_synchronized(&self) -> bool {
        self.inner.seat.lock().is_synchronized()
    }

    /// Has the server tell who is in the room and where, as [`Event::Presence`](super::Event::Presence); or no longer. A
    /// program that holds this room's [`Events`] takes them.
    pub fn watch_presence(&self, on: bool) {
        let Inner { seat, bell, .. } = &*self.inner;
        seat.lock().company.watch(on);
        bell.ring(seat.key);
    }

    /// Who is in the room and where, as far as it was told. Places count on [`revision`](Self::revision), without what is
    /// not acknowledged.
    pub fn people(&self) -> People {
        self.inner.seat.lock().company.people().clone()
    }

    /// Tells the others where one is. Places count on the text as it is here now; they move with every edit until they are
    /// told, which is when all edits made here are acknowledged, and it is sent again on every new connection.
    pub fn set_presence(&self, presence: Presence) {
        let Inner { seat, bell, .. } = &*self.inner;
        seat.lock().company.tell(presence);
        bell.ring(seat.key);
    }

    /// Sends a signal to a participant in the room, to set up a call. A refusal comes as
    /// [`Event::Declined`](super::Event::Declined). Fails where too much waits for the connection.
    pub fn signal(&self, to: ParticipantId, kind: SignalKind, payload: String) -> Result<(), Error> {
        let Inner { seat, bell, .. } = &*self.inner;
        if !seat.lock().company.signal(Signal { to, kind, payload }) {
            return Err(Error::new(
                ErrorKind::NoConnection,
                "too much waits to be passed on until there is a connection",
            ));
        }
        bell.ring(seat.key);
        Ok(())
    }

    /// Edits the text: for a program whose own edits are the only ones, so that it knows the text. The edit is sent at
    /// once, or with those after it when the one before is acknowledged.
    pub fn edit(&self, operation: Operation) -> Result<(), Error> {
        self.update(|_| Some(operation)).map(|_| ())
    }

    /// Does something else than an edit (a chat message, a comment, a setting); its positions count on the text as it is
    /// now. It is sent after everything that was done before it, once, however often the connection is lost. If the server
    /// refuses it, [`synchronized`](Self::synchronized) says so, and [`Event::Refused`](super::Event::Refused).
    pub fn command(&self, command: Command) -> Result<(), Error> {
        let Inner { seat, bell, .. } = &*self.inner;
        seat.lock().command(command)?;
        bell.ring(seat.key);
        Ok(())
    }

    /// The same for a command that is made from the text: no edit comes between what `make` sees and its taking.
    pub fn command_at<E: From<Error>>(&self, make: impl FnOnce(&Rope) -> Result<Command, E>) -> Result<(), E> {
        let Inner { seat, bell, .. } = &*self.inner;
        let mut replica = seat.lock();
        let command = make(replica.text())?;
        replica.command(command)?;
        drop(replica);
        bell.ring(seat.key);
        Ok(())
    }

    /// Edits the text as it is at this moment: no other edit comes between what `edit` sees and what it returns, and the
    /// connection stands still meanwhile, so it should take milliseconds. Returns whether there was an edit.
    pub fn update(&self, edit: impl FnOnce(&Rope) -> Option<Operation>) -> Result<bool, Error> {
        let Inner { seat, bell, .. } = &*self.inner;
        let mut replica = seat.lock();
        let Some(operation) = edit(replica.text()) else { return Ok(false) };
        replica.edit(operation)?;
        drop(replica);
        bell.ring(seat.key);
        Ok(true)
    }

    /// As [`update`](Self::update), if the text is exactly the server's at this revision; otherwise nothing happens.
    pub fn update_at(&self, revision: Revision, edit: impl FnOnce(&Rope) -> Option<Operation>) -> Result<bool, Error> {
        let Inner { seat, bell, .. } = &*self.inner;
        let mut replica = seat.lock();
        if !replica.is_synchronized() || replica.revision() != revision {
            return Ok(false);
        }
        let Some(operation) = edit(replica.text()) else { return Ok(false) };
        replica.edit(operation)?;
        drop(replica);
        bell.ring(seat.key);
        Ok(true)
    }

    /// Waits until everything that was edited here is acknowledged; returns the revision then. Fails when edits were
    /// refused since this was last asked, or when the room is gone.
    ///
    /// A program that holds this room's [`Events`] must go on taking them meanwhile, or drop them.
    pub async fn synchronized(&self) -> Result<Revision, Error> {
        self.wait(|replica| replica.is_synchronized().then(|| replica.revision())).await
    }

    /// How many bytes of text were inserted here and are not acknowledged: they become fewer while
    /// [`synchronized`](Self::synchronized) waits.
    pub fn unacknowledged_bytes(&self) -> usize {
        self.inner.seat.lock().unacknowledged_bytes()
    }

    /// Waits until the text is at a revision or after it.
    pub async fn reached(&self, revision: Revision) -> Result<Revision, Error> {
        self.wait(|replica| (replica.revision() >= revision).then(|| replica.revision())).await
    }

    async fn wait<T>(&self, ready: impl Fn(&Replica) -> Option<T>) -> Result<T, Error> {
        let seat = &self.inner.seat;
        let mut changes = seat.changes.subscribe();
        loop {
            {
                let mut replica = seat.lock();
                if let Some(error) = replica.take_refusal() {
                    return Err(error);
                }
                if let Some(error) = replica.closed() {
                    return Err(error.clone());
                }
                if let Some(value) = ready(&replica) {
                    return Ok(value);
                }
            }
            changes.changed().await.map_err(|_| Error::closed())?;
        }
    }

    /// Compares the replica with the server's text at the same revision, and heals it where they differ. Waits until
    /// everything is acknowledged first.
    pub async fn check(&self) -> Result<Check, Error> {
        let (revision, hash) = self
            .wait(|replica| replica.is_synchronized().then(|| (replica.revision(), TextHash::of_rope(replica.text()))))
            .await?;
        let (_, found) = self.inner.client.hash_text(self.id().clone(), At::Revision(revision)).await?;
        if found == hash {
            return Ok(Check::Equal);
        }
        let Inner { seat, bell, .. } = &*self.inner;
        seat.lock().heal();
        bell.ring(seat.key);
        match self.synchronized().await {
            Err(error) if error.kind() != ErrorKind::BadServer => Err(error),
            _ => Ok(Check::Healed),
        }
    }
}

/// A room's log from a revision on, entry by entry, across lost connections. No replica is kept.
#[derive(Debug)]
pub struct Follower {
    events: Events,
    room: Room,
}

impl Follower {
    pub(crate) fn new(room: Room, events: Events) -> Self {
        Self { events, room }
    }

    /// See [`Room::watch_presence`].
    pub fn watch_presence(&self, on: bool) {
        self.room.watch_presence(on);
    }

    /// See [`Room::people`].
    pub fn people(&self) -> People {
        self.room.people()
    }

    /// Does something that counts on no text: chats, for one. See [`Room::command`].
    pub fn command(&self, command: Command) -> Result<(), Error> {
        self.room.command(command)
    }

    /// What happens next; none after [`Event::Closed`](super::Event::Closed).
    pub async fn next(&mut self) -> Option<super::Event> {
        self.events.next().await
    }
}
