//! One open room behind its mutex.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use motet_protocol::{
    access::ProjectId,
    error::{About, ErrorCode},
    ids::{ParticipantId, Revision, RoomId, Seq, UnixMs},
    message::{Entry, ServerMessage},
};
use parking_lot::Mutex;
use ropey::Rope;
use tokio::sync::oneshot;

use super::{
    HISTORY_TRIES, blocking,
    chat::{self, Heard, Scribe, Written},
    due,
    expiry::{self, expired},
    grants::Grants,
    history::Read,
    now_ms, older_entries,
    pulse::Pulse,
    refusal_of,
    registry::RoomRecord,
    watch::Watches,
};
use crate::{
    history::activity::Activity,
    log::LogWriter,
    metrics::Metrics,
    room::{
        Fed, Principal, ReaderId, Refusal, Room, RoomState, Submitted,
        live::{Asker, Displaced, Join},
        propose::{self, Submit},
    },
    store::{Append, Head, LogId, Store, StoreError},
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

    /// Puts a submit in order; its acknowledgement comes with the commit.
    pub fn submit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        reader: ReaderId,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let seq = submit.seq;
        let mut open = self.open.lock();
        if let Some(why) = &open.closed {
            return Err(why.clone());
        }
        let submitted = open.room.submit(reader, submit, older, now)?;
        match submitted {
            Submitted::Ordered(_) => {
                self.append_soon(&mut open);
                if open.room.heard(reader, now) {
                    self.note_news(&mut open);
                }
            }
            Submitted::Repeat(revision) => {
                connection.deliver(|outbox| open.room.feed_repeat(reader, seq, revision, outbox));
            }
            Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..) => {}
        }
        Ok(submitted)
    }

    /// Puts a submit in order for somebody who does not have the room open, and waits until it is durable. Returns its
    /// revision.
    pub async fn submit_for(
        self: &Arc<Self>,
        principal: Arc<Principal>,
        submit: Submit,
        store: &Arc<dyn Store>,
    ) -> Result<Revision, Refusal> {
        let (participant, seq) = (submit.participant, submit.seq);
        let (answer, answered) = oneshot::channel();
        let mut waiting = Some(Waiting { participant, seq, answer });
        let (mut submit, mut older) = (submit, Vec::new());
        for _ in 0..HISTORY_TRIES {
            let submitted = {
                let mut open = self.open.lock();
                if let Some(why) = &open.closed {
                    return Err(why.clone());
                }
                let asker = Asker::Caller(Arc::clone(&principal));
                let submitted = open.room.submit(asker, submit, &older, now_ms())?;
                if let Submitted::Ordered(revision) | Submitted::Repeat(revision) = submitted {
                    if revision <= open.room.revision() {
                        return Ok(revision);
                    }
                    open.waiting.extend(waiting.take());
                    self.append_next(&mut open);
                }
                submitted
            };
            match submitted {
                Submitted::NeedsHistory(again) => {
                    older = older_entries(store, self, again.base).await?;
                    submit = again;
                }
                Submitted::NeedsMessage(again, message) => {
                    self.learn(store, message).await?;
                    submit = again;
                }
                Submitted::Ordered(_) | Submitted::Repeat(_) => {
                    let gone = || Refusal::new(ErrorCode::Internal, "the room ended before it was known to be durable");
                    return answered.await.unwrap_or_else(|_| Err(gone()));
                }
            }
        }
        Err(propose::overloaded())
    }

    /// Appends entries as they are: those of another room's log, which were checked to follow from this one's.
    pub fn adopt(self: &Arc<Self>, principal: &Arc<Principal>, entries: Vec<Entry>) {
        let mut open = self.open.lock();
        for entry in entries {
            open.room.adopt(Asker::Caller(Arc::clone(principal)), entry);
        }
        self.append_next(&mut open);
    }

    /// Whether something still waits to be durable in a room that is not closed; why it is, otherwise.
    pub fn still_open(&self) -> Result<bool, Refusal> {
        let open = self.open.lock();
        open.closed.clone().map_or(Ok(open.room.has_pending()), Err)
    }

    /// Looks up a message that a submit is about, for the room to know it.
    pub async fn learn(self: &Arc<Self>, store: &Arc<dyn Store>, message: Revision) -> Result<(), Refusal> {
        let (store, cell) = (Arc::clone(store), Arc::clone(self));
        blocking(move || {
            let record = chat::look_up(store.as_ref(), &cell, message)?;
            cell.open.lock().room.learn(record);
            Ok(())
        })
        .await?
    }

    /// What is said and may not be written yet: see [`Room::utterances`].
    pub fn heard(&self, done: Revision, at_most: usize) -> Heard {
        let mut open = self.open.lock();
        let utterances = open.room.utterances(done, at_most);
        Heard { chat: open.room.state().chat().clone(), revision: open.room.revision(), utterances }
    }

    fn append_next(self: &Arc<Self>, open: &mut Open) {
        if let Some(append) = self.next_append(open) {
            self.log.push(Arc::clone(self), append);
        }
    }

    /// The same on a thread that flushes when it parks; what else is ordered until then is appended with it.
    fn append_soon(self: &Arc<Self>, open: &mut Open) {
        if !open.due && open.room.has_append() {
            open.due = true;
            due::add(Arc::clone(self));
        }
    }

    /// Appends what was to be appended soon. The log is to be woken then.
    pub(super) fn append_due(self: &Arc<Self>) {
        let mut open = self.open.lock();
        open.due = false;
        if let Some(append) = self.next_append(&mut open) {
            self.log.push_quietly(Arc::clone(self), append);
        }
    }

    /// Wakes the log.
    pub(super) fn wake_log(&self) {
        self.log.wake();
    }

    fn next_append(&self, open: &mut Open) -> Option<Append> {
        let entries = open.room.take_append()?;
        Some(Append { log: self.log_id(), expected: open.head, entries })
    }

    /// The log has what was in flight: everyone who follows along is sent it. Returns a state to snapshot if one is due.
    pub fn appended(self: &Arc<Self>, head: Head) -> Option<RoomState> {
        let mut open = self.open.lock();
        let (before, said) = (open.room.revision(), open.room.state().chat().changed());
        open.head = head;
        if let Err(error) = open.room.appended() {
            self.fail(&mut open, &error.to_string());
            return None;
        }
        self.metrics.entries.inc_by(open.room.revision() - before);
        note_decisions(&mut open);
        if open.room.state().chat().changed() > said {
            self.scribe.ask(self);
        }
        self.append_soon(&mut open);
        feed_following(&mut open);
        self.note_project(&mut open);
        self.tell_roles(&mut open);
        answer_waiting(&mut open);
        open.active_ms = now_ms();
        let due = open.room.take_due_snapshot();
        drop(open);
        self.touch();
        due
    }

    /// Others' entries are in the log, up to `head`.
    pub fn conflict(self: &Arc<Self>, entries: Vec<Read>, head: Head) {
        let mut open = self.open.lock();
        open.head = head;
        let displaced = match open.room.conflict(entries, now_ms()) {
            Ok(displaced) => displaced,
            Err(error) => return self.fail(&mut open, &error.to_string()),
        };
        for Displaced { asker, participant, seq, refusal } in displaced {
            self.metrics.refuse(refusal.code);
            match asker {
                Asker::Reader(reader) => {
                    if let Some(reader) = open.room.readers().get(reader) {
                        let about = About::Submit { channel: reader.cursor.channel, seq };
                        reader.key.send(&ServerMessage::Error(refusal.about(about)));
                    }
                }
                Asker::Caller(_) => {
                    let theirs = |waiting: &mut Waiting| waiting.participant == participant && waiting.seq == seq;
                    for waiting in open.waiting.extract_if(.., theirs) {
                        let _ = waiting.answer.send(Err(refusal.clone()));
                    }
                }
            }
        }
        note_decisions(&mut open);
        self.append_next(&mut open);
        feed_following(&mut open);
        self.note_project(&mut open);
        self.tell_roles(&mut open);
        answer_waiting(&mut open);
    }

    /// The log does not answer for now: edits are refused until it does.
    pub fn stall(&self, why: Refusal) {
        self.open.lock().room.stall(why);
    }

    /// Closes the room: its readers are told why, and nothing is taken any more.
    pub fn close(&self, why: &Refusal) {
        close(&mut self.open.lock(), why);
    }

    /// The room's log is damaged: the room is refused from here on, and what waited is given up, unacknowledged.
    pub fn damaged(&self, error: &StoreError) {
        tracing::error!(room = %self.id, %error, "the room's log is damaged; it is closed");
        let mut open = self.open.lock();
        open.room.abandon_pending();
        close(&mut open, &refusal_of(error));
    }

    fn fail(&self, open: &mut Open, error: &str) {
        tracing::error!(room = %self.id, error, "the room does not follow from its log; it is closed");
        close(open, &Refusal::new(ErrorCode::RoomDamaged, error));
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        self.open.lock().room.has_pending()
    }

    /// The committed text and its revision.
    pub fn text(&self) -> (Rope, Revision) {
        let open = self.open.lock();
        (open.room.state().text().clone(), open.room.revision())
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

    /// What there is to do before it can be unloaded, if nothing happened in it since `since_ms`.
    pub fn idle(&self, since_ms: UnixMs) -> Idle {
        let mut open = self.open.lock();
        if open.active_ms > since_ms {
            return Idle::Busy;
        }
        if !open.room.is_idle() {
            open.room.rest();
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

mod presence;
mod roles;

fn feed_following(open: &mut Open) {
    open.room.feed_following(|connection, channel, reader| {
        connection.deliver(|outbox| {
            if matches!(reader.feed(outbox), Fed::Full | Fed::Behind(_)) {
                outbox.lag(channel);
            }
        });
    });
}

/// Takes what was committed into the events.
fn note_decisions(open: &mut Open) {
    let Open { room, activity, activity_changed, .. } = open;
    for entry in room.recent(activity.revision) {
        *activity_changed |= entry.command.operation().is_none();
        activity.fold(entry, room.state().decided().people.author(entry.participant));
    }
}

/// Answers those whose submits are durable.
fn answer_waiting(open: &mut Open) {
    if open.waiting.is_empty() {
        return;
    }
    let state = open.room.state();
    let last = |waiting: &Waiting| state.last_submit(waiting.participant).filter(|last| last.seq >= waiting.seq);
    let done = open.waiting.extract_if(.., |waiting| last(waiting).is_some() || waiting.answer.is_closed());
    for waiting in done {
        if let Some(last) = last(&waiting) {
            let _ = waiting.answer.send(Ok(last.revision));
        }
    }
}

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
