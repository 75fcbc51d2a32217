//! An open room behind its mutex.

use std::{
    fmt::{self, Debug, Formatter},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use motet_protocol::{
    access::{ProjectId, Role},
    error::ErrorCode,
    ids::{ParticipantId, Revision, RoomId, UnixMs},
    message::Entry,
    presence::{Person, Presence, SignalKind},
};
use parking_lot::{Mutex, RwLock};
use ropey::Rope;
use tokio::sync::oneshot;

use super::{
    append_batch,
    chat_pages::Written,
    chat_writer::{ChatWriter, UnwrittenChat},
    presence_timer::PresenceTimer,
    unload::snapshot_soon,
};
use crate::{
    clock::now_ms,
    history::activity::Activity,
    hub::registry::RoomRecord,
    log::LogWriter,
    metrics::Metrics,
    outbox::Connection,
    refusal::{RETRY_AFTER_MS, Refusal},
    room::{
        Effects, Fed, Join, OpenRoom, Outlet, Principal, ReaderId, RoomState, Submit, Submitted, chat::Record,
        expiry::Expiry, open::Unload,
    },
    store::{Append, Head, LogId, Store, StoreError},
};

/// The log, as rooms use it.
pub type RoomLog = LogWriter<Arc<RoomHandle>>;

/// How a caller without a connection is answered.
pub(super) type Answer = oneshot::Sender<Result<Revision, Refusal>>;

/// An open room, as the server knows connections and callers.
pub(super) type Room = OpenRoom<Arc<Connection>, Answer>;

/// A handle to an open room: a mutex around an [`OpenRoom`], and what applies its effects.
#[derive(Debug)]
pub struct RoomHandle {
    /// Its name.
    pub id: RoomId,
    /// Its record in the registry: which log it has, who made it.
    pub record: RoomRecord,
    room: Mutex<Room>,
    /// How far its messages are written. Locked for as long as writing takes, never with `room` locked.
    pub(super) written: Mutex<Written>,
    /// Whether the room is being removed. Read-locked by code that writes something beside its log, for as long as that takes.
    ended: RwLock<bool>,
    /// Whether the chat writer was asked and has not begun yet.
    pub(super) chat_asked: AtomicBool,
    /// Whether lists that are followed have yet to show a change of this room.
    listed: AtomicBool,
    around: Surroundings,
}

/// What the open rooms of a server share.
#[derive(Clone)]
pub struct Surroundings {
    /// The log.
    pub log: RoomLog,
    /// Where snapshots go.
    pub store: Arc<dyn Store>,
    /// When presence is told.
    pub presence_timer: Arc<PresenceTimer>,
    /// What writes messages to the store.
    pub chat_writer: ChatWriter,
    /// What hears that a room has changed.
    pub listener: Arc<dyn Listener>,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Debug for Surroundings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// What hears from open rooms: the catalog of all rooms. Called with the room locked; it must not lock a room.
pub trait Listener: Debug + Send + Sync {
    /// Whether any connection follows a list of rooms.
    fn lists_followed(&self) -> bool;
    /// What lists show of a room has changed; said once until [`RoomHandle::seen`].
    fn listed(&self, room: &RoomId);
    /// A room was moved into another project: its people have to be given what that gives them.
    fn moved(&self, room: Arc<RoomHandle>);
}

/// What a channel of a connection is joined to.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The room.
    pub cell: Arc<RoomHandle>,
    /// The reader in it.
    pub reader: ReaderId,
}

/// When the log is to get what a room has for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendWhen {
    /// When this thread parks, with all that it gathers until then.
    Soon,
    /// At once: on a thread that may not park for long, or for one who waits.
    Now,
}

impl RoomHandle {
    /// A handle to a room that was read from the store.
    pub fn new(
        id: RoomId,
        record: RoomRecord,
        room: OpenRoom<Arc<Connection>, Answer>,
        around: Surroundings,
    ) -> Arc<Self> {
        let handle = Arc::new(Self {
            id,
            record,
            room: Mutex::new(room),
            written: Mutex::default(),
            ended: RwLock::default(),
            chat_asked: AtomicBool::new(false),
            listed: AtomicBool::new(false),
            around,
        });
        handle.change(|_| ());
        handle
    }

    /// Changes the room, and applies what is to be done for that.
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Room) -> T) -> T {
        self.change_and_append(AppendWhen::Soon, change)
    }

    pub(super) fn change_and_append<T>(self: &Arc<Self>, when: AppendWhen, change: impl FnOnce(&mut Room) -> T) -> T {
        let mut room = self.room.lock();
        let result = change(&mut room);
        room.feed_following(|connection, reader| connection.deliver(|outbox| reader.feed(outbox)));
        let effects = room.take_effects();
        self.apply(&mut room, effects, when);
        result
    }

    /// Does what the room says is to be done, in the order that [`Effects`] gives.
    fn apply(self: &Arc<Self>, room: &mut Room, effects: Effects<Arc<Connection>, Answer>, when: AppendWhen) {
        let around = &self.around;
        if effects.committed > 0 {
            around.metrics.entries.inc_by(effects.committed);
        }
        match (effects.append, when) {
            (true, AppendWhen::Soon) => append_batch::add(Arc::clone(self)),
            (true, AppendWhen::Now) => self.append(room, LogWriter::push),
            (false, _) => {}
        }
        for (connection, message) in effects.messages {
            connection.send(&message);
        }
        for dropped in effects.dropped {
            dropped.key.deliver(|outbox| outbox.drop_channel(dropped.channel, dropped.reader, dropped.error));
        }
        for (answer, result) in effects.answers {
            // One that has stopped waiting does not need it.
            let _ = answer.send(result);
        }
        effects.refused.into_iter().for_each(|code| around.metrics.refuse(code));
        if effects.presence {
            around.presence_timer.add(Arc::clone(self));
        }
        if effects.chat {
            around.chat_writer.ask(self);
        }
        if effects.project {
            around.listener.moved(Arc::clone(self));
        }
        if effects.listed && around.listener.lists_followed() && !self.listed.swap(true, Ordering::Relaxed) {
            around.listener.listed(&self.id);
        }
        if let Some(state) = effects.snapshot {
            snapshot_soon(Arc::clone(&around.store), self, state);
        }
        if let Some(error) = effects.failed {
            tracing::error!(room = %self.id, %error, "the room does not follow from its log; it is closed");
        }
    }

    fn append(self: &Arc<Self>, room: &mut Room, push: impl FnOnce(&RoomLog, Arc<Self>, Append)) {
        if let Some(next) = room.take_append() {
            let expected = Head { revision: next.after, position: next.log_position };
            let append = Append { log: self.log_id(), expected, entries: next.entries };
            push(&self.around.log, Arc::clone(self), append);
        }
    }

    /// Gives the log what the room has for it; the log is to be woken then.
    pub(super) fn append_quietly(self: &Arc<Self>) {
        self.append(&mut self.room.lock(), LogWriter::push_quietly);
    }

    /// Wakes the log.
    pub(super) fn wake_log(&self) {
        self.around.log.wake();
    }

    /// Takes the log's answer that it has what was in flight.
    pub(super) fn appended(self: &Arc<Self>, head: Head) {
        self.change(|room| room.handle_appended(head.position, now_ms()));
    }

    /// Takes entries that others put into the log first, up to a head.
    pub(super) fn conflict(self: &Arc<Self>, entries: Vec<(Entry, Bytes)>, head: Head) {
        self.change_and_append(AppendWhen::Now, |room| room.handle_conflict(entries, head.position, now_ms()));
    }

    /// Takes note that the log does not answer for now: edits are refused until it does.
    pub(super) fn unavailable(self: &Arc<Self>, why: Refusal) {
        self.change(|room| room.handle_unavailable(why));
    }

    /// Closes the room for good, since its log is damaged; what waited is given up, unacknowledged.
    pub(super) fn damaged(self: &Arc<Self>, error: &StoreError) {
        tracing::error!(room = %self.id, %error, "the room's log is damaged; it is closed");
        self.give_up(&Refusal::from(error.clone()));
    }

    /// Closes the room along with what waits for the log, of which nothing is in flight and nothing will be acknowledged.
    pub(super) fn give_up(self: &Arc<Self>, why: &Refusal) {
        self.change(|room| room.give_up(why));
    }

    /// Its log.
    pub fn log_id(&self) -> LogId {
        self.record.log()
    }

    /// Writes something that is kept beside its log, unless the room is being removed: nothing would take it away any more.
    pub fn beside<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        let ended = self.ended.read();
        (!*ended).then(write)
    }

    /// Has nothing more written beside its log: the room is about to be removed. Waits for what is being written.
    pub fn end(&self) {
        *self.ended.write() = true;
    }

    /// Opens the room for a connection: tells it so and sends as much as there is room for.
    pub fn join(self: &Arc<Self>, join: Join<Arc<Connection>>) -> Result<ReaderId, Refusal> {
        let connection = Arc::clone(&join.key);
        self.change(|room| connection.deliver(|outbox| room.join(join, outbox)))
    }

    /// Takes a reader out.
    pub fn leave(self: &Arc<Self>, reader: ReaderId) {
        self.change(|room| room.leave(reader, now_ms()));
    }

    /// Puts a submit of a reader in order; its acknowledgement comes with the commit.
    pub fn submit(
        self: &Arc<Self>,
        reader: ReaderId,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        self.change(|room| room.handle_submit(reader, submit, older, now))
    }

    /// Appends entries as they are: those of another room's log, which were checked to follow from this one's.
    pub fn adopt(self: &Arc<Self>, principal: &Arc<Principal>, entries: Vec<Entry>) {
        self.change_and_append(AppendWhen::Now, |room| {
            entries.into_iter().for_each(|entry| room.adopt(principal, entry));
        });
    }

    /// Waits until nothing of the room is on its way to the log. Returns the committed revision.
    ///
    /// # Errors
    ///
    /// Why the room is closed, if it is by then.
    pub async fn drained(self: &Arc<Self>) -> Result<Revision, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.change(|room| {
            room.forget_waiting(Answer::is_closed);
            room.wait_until_drained(answer);
        });
        answered.await.unwrap_or_else(|_| Err(super::submit::gone()))
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        self.room.lock().has_pending()
    }

    /// Closes the room: its readers are told why, and nothing is taken any more. What was ordered still goes to the log.
    pub fn close(self: &Arc<Self>, why: &Refusal) {
        self.change(|room| room.close(why));
    }

    /// Closes the room if nothing happened in it for `ttl_s` seconds (0 for never), and tells people when that is near.
    pub fn expire(self: &Arc<Self>, ttl_s: u64, now: UnixMs) -> Expiry {
        self.change(|room| room.handle_expiry(&self.id, ttl_s, now))
    }

    /// Moves a reader on.
    pub fn feed(self: &Arc<Self>, reader: ReaderId, connection: &Arc<Connection>) -> Fed {
        self.change(|room| connection.deliver(|outbox| room.feed(reader, outbox)))
    }

    /// Moves a reader on with entries from the log.
    pub fn feed_stored(self: &Arc<Self>, reader: ReaderId, entries: Vec<(Entry, Bytes)>, connection: &Arc<Connection>) {
        self.change(|room| connection.deliver(|outbox| room.feed_stored(reader, entries, outbox)));
    }

    /// Has a reader be told who is here and where, or no longer.
    pub fn watch(self: &Arc<Self>, reader: ReaderId, on: bool) {
        self.change(|room| room.watch(reader, on));
    }

    /// Takes what a reader tells of itself.
    pub fn set_presence(
        self: &Arc<Self>,
        reader: ReaderId,
        base: Revision,
        presence: Presence,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        self.change(|room| room.set_presence(reader, base, presence, now))
    }

    /// Has a reader be told presence that was held back, if there is some.
    pub fn go_on(self: &Arc<Self>) {
        self.change(Room::note_presence);
    }

    /// Shows participants as idle that have said nothing for long.
    pub fn handle_timeout(self: &Arc<Self>, now: UnixMs) {
        self.change(|room| room.handle_timeout(now));
    }

    /// Tells those who watch; called by the presence timer.
    pub(super) fn feed_presence(self: &Arc<Self>, now: UnixMs) {
        self.change(|room| {
            room.feed_presence(now, |connection, reader| connection.deliver(|outbox| reader.tell(outbox)));
        });
    }

    /// Passes something on from one participant here to another. It is kept nowhere.
    pub fn signal(&self, from: ReaderId, to: ParticipantId, kind: SignalKind, payload: String) -> Result<(), Refusal> {
        let room = self.room.lock();
        let Some((connection, message)) = room.signal(from, to, kind, payload)? else { return Ok(()) };
        let taken = connection.deliver(|outbox| outbox.has_room().then(|| outbox.put(&message)).is_some());
        taken.then_some(()).ok_or_else(|| {
            let words = format!("{to} does not read what it is sent; try again later");
            Refusal::for_now(ErrorCode::Overloaded, words, RETRY_AFTER_MS)
        })
    }

    /// Gives everybody here what a project gives them, if it is the one that the room belongs to.
    pub fn regrant(self: &Arc<Self>, project: Option<&ProjectId>, gives: impl Fn(&Principal) -> Option<Role>) {
        self.change(|room| room.regrant(project, gives));
    }

    /// Takes note that lists that are followed are about to show the room as it is.
    pub fn seen(&self) {
        self.listed.store(false, Ordering::Relaxed);
    }

    /// Gives the room a message that a submit is about.
    pub(super) fn learn(&self, record: Record) {
        self.room.lock().learn(record);
    }

    /// What was said and may not be written yet: see [`OpenRoom::chat_entries`].
    pub(super) fn unwritten_chat(&self, done: Revision, at_most: usize) -> UnwrittenChat {
        let mut room = self.room.lock();
        let entries = room.chat_entries(done, at_most);
        UnwrittenChat { chat: room.state().chat().clone(), revision: room.revision(), entries }
    }

    /// What is to be done before it can leave memory, if nothing happened in it since `since_ms`.
    pub(super) fn take_unload(&self, since_ms: UnixMs) -> Unload {
        self.room.lock().take_unload(since_ms, now_ms())
    }

    /// The state, if opening the room would otherwise replay more than so many entries.
    pub(super) fn take_snapshot(&self, replay_max: u64) -> Option<Box<RoomState>> {
        self.room.lock().take_snapshot(replay_max)
    }

    /// The newest events, if there are new ones and they were last stored so many milliseconds ago; they are taken to be stored
    /// now.
    pub(super) fn take_due_activity(&self, now: UnixMs, every_ms: u64) -> Option<Activity> {
        self.room.lock().take_due_activity(now, every_ms)
    }

    /// When something last happened here: a commit, a join, a leave.
    pub fn active_ms(&self) -> UnixMs {
        self.room.lock().active_ms()
    }

    /// The committed revision.
    pub fn head(&self) -> Revision {
        self.room.lock().revision()
    }

    /// How many readers there are.
    pub fn present(&self) -> u32 {
        self.room.lock().present()
    }

    /// The committed text and its revision.
    pub fn text(&self) -> (Rope, Revision) {
        let room = self.room.lock();
        (room.state().text().rope(), room.revision())
    }

    /// The newest events.
    pub fn activity(&self) -> Activity {
        self.room.lock().activity().clone()
    }

    /// The committed state; cloning it costs little.
    pub fn state(&self) -> RoomState {
        self.room.lock().state().clone()
    }

    /// Reads something of the committed state, without taking long.
    pub fn with_state<T>(&self, read: impl FnOnce(&RoomState) -> T) -> T {
        read(self.room.lock().state())
    }

    /// What somebody may do here.
    pub fn role_of(&self, who: &Principal) -> Option<Role> {
        self.room.lock().role_of(who)
    }

    /// Its readers, and what they may do.
    pub fn principals(&self) -> Vec<(Arc<Principal>, Role)> {
        let room = self.room.lock();
        room.readers().iter().map(|reader| (Arc::clone(&reader.principal), reader.role)).collect()
    }

    /// Who is here, the longest first; in a large room, those who may edit.
    pub fn people(&self) -> Vec<Person> {
        self.room.lock().people()
    }

    /// The project that it belongs to.
    pub fn project(&self) -> Option<ProjectId> {
        self.with_state(|state| state.decided().settings.project.clone())
    }
}
