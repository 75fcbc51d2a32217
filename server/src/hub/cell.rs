//! One open room behind its mutex.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use motet_protocol::{
    access::ProjectId,
    error::{About, ErrorCode},
    ids::{ParticipantId, Revision, RoomId, Seq, UnixMs},
    message::ServerMessage,
};
use parking_lot::{Mutex, RwLock};
use ropey::Rope;
use tokio::sync::oneshot;

use super::{
    chat::{Heard, Scribe, Written},
    expiry::{self, expired},
    grants::Grants,
    history::Read,
    pulse::Pulse,
    registry::RoomRecord,
    watch::Watches,
};
use crate::{
    clock::now_ms,
    history::activity::Activity,
    log::LogWriter,
    metrics::Metrics,
    refusal::Refusal,
    room::{Fed, ReaderId, Room, RoomState, live::Join},
    store::{Head, LogId},
    transport::outbox::Connection,
};

/// The log, as rooms use it.
pub type RoomLog = LogWriter<Arc<RoomCell>>;

/// An open room.
#[derive(Debug)]
pub struct RoomCell {
    /// Its name.
    pub id: RoomId,
    /// What the registry says of it.
    pub record: RoomRecord,
    open: Mutex<Open>,
    log: RoomLog,
    pulse: Arc<Pulse>,
    grants: Arc<Grants>,
    /// How far its messages are written. Locked for as long as writing takes, never with `open` locked.
    pub(super) written: Mutex<Written>,
    /// Whether the room is being removed. Read-locked by whoever writes something beside its log, for as long as that takes.
    ended: RwLock<bool>,
    /// Whether the scribe was asked and has not begun yet.
    pub(super) chat_waits: AtomicBool,
    scribe: Scribe,
    watches: Arc<Watches>,
    /// Whether those who follow lists of rooms have yet to be told of a change.
    changed: AtomicBool,
    metrics: Arc<Metrics>,
}

/// How a room stands to its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It stays.
    Stays,
    /// It has expired and takes nothing any more.
    Expired,
}

/// What the rooms of a server share.
#[derive(Clone, Debug)]
pub struct Means {
    /// The log.
    pub log: RoomLog,
    /// What presence is told by.
    pub pulse: Arc<Pulse>,
    /// Who looks at what projects give.
    pub grants: Arc<Grants>,
    /// Who follows lists of rooms.
    pub watches: Arc<Watches>,
    /// Who writes the chats down.
    pub scribe: Scribe,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Open {
    room: Room<Arc<Connection>>,
    head: Head,
    /// The project that it belongs to, as far as people here have been given what that gives them.
    project: Option<ProjectId>,
    /// Why nothing may be done here any more.
    closed: Option<Refusal>,
    active_ms: UnixMs,
    /// Whether people were told that the room expires soon.
    warned: bool,
    /// Those who asked without having the room open, and wait for what becomes of it.
    waiting: Vec<Waiting>,
    /// Whether a thread is about to append what is ordered.
    due: bool,
    /// Whether those who watch are told something with the pulse's next beat.
    has_news: bool,
    /// Not before this time, though.
    news_after_ms: UnixMs,
    activity: Activity,
    /// Whether there are events since they were kept.
    activity_changed: bool,
    /// When the events were kept last.
    activity_kept_ms: UnixMs,
}

/// Somebody who waits for a submit to be durable.
#[derive(Debug)]
struct Waiting {
    participant: ParticipantId,
    seq: Seq,
    answer: oneshot::Sender<Result<Revision, Refusal>>,
}

/// What an idle room is to do.
#[derive(Debug)]
pub enum Idle {
    /// It is in use.
    Busy,
    /// It can go at once.
    Unload,
    /// It can go once this is stored.
    Snapshot(Box<RoomState>),
}

/// A room in which nothing happened for so long rests, whoever has it open, in milliseconds: longer than people stop between two
/// words, since it costs a little to begin again.
const REST_AFTER_MS: u64 = 2_000;

/// An idle room is unloaded without a snapshot while opening it again replays no more than this.
const UNLOAD_REPLAY_MAX: u64 = 256;

impl RoomCell {
    /// A room that was read from the store.
    pub fn new(id: RoomId, record: RoomRecord, room: Room<Arc<Connection>>, head: Head, means: Means) -> Arc<Self> {
        let open = Open {
            project: room.state().decided().settings.project.clone(),
            room,
            head,
            closed: None,
            active_ms: now_ms(),
            warned: false,
            waiting: Vec::new(),
            due: false,
            has_news: false,
            news_after_ms: 0,
            activity: Activity::default(),
            activity_changed: false,
            activity_kept_ms: now_ms(),
        };
        let Means { log, pulse, grants, watches, scribe, metrics } = means;
        Arc::new(Self {
            id,
            record,
            open: Mutex::new(open),
            log,
            pulse,
            grants,
            written: Mutex::default(),
            ended: RwLock::default(),
            chat_waits: AtomicBool::new(false),
            scribe,
            watches,
            changed: AtomicBool::new(false),
            metrics,
        })
    }

    /// Takes the events that were kept of it.
    pub fn recall(&self, activity: Activity) {
        self.open.lock().activity = activity;
    }

    /// Its log.
    pub fn log_id(&self) -> LogId {
        self.record.log()
    }

    /// Writes something that is kept beside its log, unless the room is being removed: nobody would take it away any more.
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
        let (connection, channel, principal) = (Arc::clone(&join.key), join.channel, Arc::clone(&join.principal));
        let mut open = self.open.lock();
        let Open { room, closed, active_ms, activity, activity_changed, .. } = &mut *open;
        if let Some(why) = closed {
            return Err(why.clone());
        }
        *active_ms = join.now;
        let (reader, joined, replaced) = room.join(join)?;
        if replaced.is_empty() {
            let present = u32::try_from(room.readers().len()).unwrap_or(u32::MAX);
            *activity_changed = true;
            activity.joined(principal.participant, &principal.author, present, *active_ms);
        }
        for old in replaced {
            let words = "this session joined the room again, on another connection or channel, which goes on";
            let error = Refusal::new(ErrorCode::SessionReplaced, words).about(About::Channel(old.cursor.channel));
            old.key.deliver(|outbox| outbox.drop_channel(old.cursor.channel, old.id(), error));
        }
        connection.deliver(|outbox| {
            outbox.put(&joined);
            if matches!(room.feed(reader, outbox), Fed::Full | Fed::Behind(_)) {
                outbox.lag(channel);
            }
        });
        self.note_news(&mut open);
        drop(open);
        self.touch();
        Ok(reader)
    }

    /// Takes a reader out.
    pub fn leave(self: &Arc<Self>, reader: ReaderId) {
        let mut open = self.open.lock();
        open.active_ms = now_ms();
        if let Some(left) = open.room.leave(reader) {
            let now = open.active_ms;
            open.activity_changed = true;
            open.activity.left(left.principal.participant, &left.principal.author, now);
        }
        self.note_news(&mut open);
        drop(open);
        self.touch();
    }

    /// Tells those who follow lists of rooms that something changed here.
    fn touch(&self) {
        if self.watches.any() && !self.changed.swap(true, Ordering::Relaxed) {
            self.watches.touch(&self.id);
        }
    }

    /// Takes note that they are being told.
    pub fn seen(&self) {
        self.changed.store(false, Ordering::Relaxed);
    }

    /// When something was last done here.
    pub fn active_ms(&self) -> UnixMs {
        self.open.lock().active_ms
    }

    /// Ends the room if nothing happened in it for `ttl_s` seconds (0 for never), and tells people when that is near.
    pub fn expire(&self, ttl_s: u64, now: UnixMs) -> Expiry {
        let mut open = self.open.lock();
        let (end, notice) = expiry::times(ttl_s, open.active_ms);
        if ttl_s == 0 || now < notice || open.room.has_pending() || open.closed.is_some() {
            open.warned = false;
            return Expiry::Stays;
        }
        if now >= end {
            close(&mut open, &expired(&self.id));
            return Expiry::Expired;
        }
        if !open.warned {
            open.warned = true;
            for reader in open.room.readers().iter() {
                let channel = reader.cursor.channel;
                reader.key.send(&ServerMessage::Expiring { channel, expires_ms: end });
            }
        }
        Expiry::Stays
    }

    /// Moves a reader on.
    pub fn feed(self: &Arc<Self>, reader: ReaderId, connection: &Arc<Connection>) -> Fed {
        let mut open = self.open.lock();
        let fed = connection.deliver(|outbox| open.room.feed(reader, outbox));
        if fed == Fed::CaughtUp {
            self.note_news(&mut open);
        }
        fed
    }

    /// Moves a reader on with entries from the log.
    pub fn feed_stored(&self, reader: ReaderId, entries: Vec<Read>, connection: &Arc<Connection>) {
        let mut open = self.open.lock();
        connection.deliver(|outbox| open.room.feed_stored(reader, entries, outbox));
    }

    /// What is said and may not be written yet: see [`Room::utterances`].
    pub fn heard(&self, done: Revision, at_most: usize) -> Heard {
        let mut open = self.open.lock();
        let utterances = open.room.utterances(done, at_most);
        Heard { chat: open.room.state().chat().clone(), revision: open.room.revision(), utterances }
    }

    /// Closes the room: its readers are told why, and nothing is taken any more. What was ordered still goes to the log.
    pub fn close(&self, why: &Refusal) {
        close(&mut self.open.lock(), why);
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        self.open.lock().room.has_pending()
    }

    /// The committed text and its revision.
    pub fn text(&self) -> (Rope, Revision) {
        let open = self.open.lock();
        (open.room.state().text().rope(), open.room.revision())
    }

    /// The newest events.
    pub fn activity(&self) -> Activity {
        self.open.lock().activity.clone()
    }

    /// The newest events, if they were kept longer ago than this; they are taken to be kept now.
    pub fn take_due_activity(&self, now: UnixMs, every_ms: u64) -> Option<Activity> {
        let mut open = self.open.lock();
        let due = open.activity_changed && now.saturating_sub(open.activity_kept_ms) >= every_ms;
        due.then(|| {
            (open.activity_kept_ms, open.activity_changed) = (now, false);
            open.activity.clone()
        })
    }

    /// The committed state; cloning it costs little.
    pub fn state(&self) -> RoomState {
        self.open.lock().room.state().clone()
    }

    /// Reads something of the committed state, without taking long.
    pub fn with_state<T>(&self, read: impl FnOnce(&RoomState) -> T) -> T {
        read(self.open.lock().room.state())
    }

    /// The committed revision, how many have it open, and the text's bytes.
    pub fn measure(&self) -> (Revision, u32, u64) {
        let open = self.open.lock();
        let present = u32::try_from(open.room.readers().len()).unwrap_or(u32::MAX);
        (open.room.revision(), present, open.room.state().text().len_bytes() as u64)
    }

    /// What there is to do before it can be unloaded, if nothing happened in it since `since_ms`. Where nothing happened for a
    /// moment, it lets go of what only a busy room needs.
    pub fn idle(&self, since_ms: UnixMs) -> Idle {
        let mut open = self.open.lock();
        if now_ms().saturating_sub(open.active_ms) >= REST_AFTER_MS && !open.room.has_pending() {
            open.room.rest();
            open.activity.rest();
        }
        if open.active_ms > since_ms || !open.room.is_idle() {
            return Idle::Busy;
        }
        if open.room.revision() - open.room.snapshot_revision() <= UNLOAD_REPLAY_MAX {
            return Idle::Unload;
        }
        open.room.take_snapshot().map_or(Idle::Unload, |state| Idle::Snapshot(Box::new(state)))
    }

    /// The state, if the last snapshot is older.
    pub fn take_snapshot(&self) -> Option<RoomState> {
        let mut open = self.open.lock();
        if open.room.revision() - open.room.snapshot_revision() <= UNLOAD_REPLAY_MAX {
            return None;
        }
        open.room.take_snapshot()
    }
}

mod appending;
mod presence;
mod roles;
mod submitting;

fn close(open: &mut Open, why: &Refusal) {
    open.closed = Some(why.clone());
    for waiting in open.waiting.drain(..) {
        let _ = waiting.answer.send(Err(why.clone()));
    }
    for reader in open.room.close() {
        let error = why.clone().about(About::Channel(reader.cursor.channel));
        reader.key.deliver(|outbox| outbox.drop_channel(reader.cursor.channel, reader.id(), error));
    }
}

/// What a channel of a connection is joined to.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The room.
    pub cell: Arc<RoomCell>,
    /// The reader in it.
    pub reader: ReaderId,
}
