//! A room while it is open: everything that is known of it in memory, without locks, clocks or IO.
//!
//! ```text
//! submit ─▶ pending: [ in flight │ gathered ] ──take_append──▶ log ──handle_appended──▶ fold ─▶ window ─▶ readers
//! ```
//! What is committed (folded, in the window, seen by readers) is durable; what is pending has its place in the order and no
//! reader has seen it. One append is in flight at a time; what gathers meanwhile goes into the next one.
//!
//! Methods come in four kinds, as in quinn-proto: getters; `join`, `leave`, `watch`, `set_…` and other calls of readers;
//! `handle_*`, which take what came in from elsewhere, the time included; and `take_*` and `feed_*`, which give out what is to
//! be done. After each call of the second and third kind the caller calls [`OpenRoom::feed_following`], and then applies
//! [`OpenRoom::take_effects`]. The server's room
//! handle and the simulator do that, each in its way; nothing else does.

use motet_protocol::{
    access::{ProjectId, Role},
    error::About,
    ids::{ParticipantId, Revision, Seq, UnixMs},
    message::Entry,
};

use super::{
    access::{self, AccessDefaults, Principal},
    decided::Decided,
    effects::{Dropped, Effects},
    limits::{RoomLimits, SHRINK_AFTER_MS, SNAPSHOT_BYTES_PER_ENTRY, UNLOAD_REPLAY_MAX},
    pending::Pending,
    presence::Roster,
    readers::Readers,
    state::RoomState,
    talk::Talk,
    window::Window,
};
use crate::{history::activity::Activity, refusal::Refusal};

/// An open room. `K` is how the caller knows a connection; `A` is how it knows one who waits for an answer.
#[derive(Debug)]
pub struct OpenRoom<K, A = ()> {
    pub(super) limits: RoomLimits,
    pub(super) defaults: AccessDefaults,
    pub(super) state: RoomState,
    pub(super) window: Window,
    pub(super) pending: Pending,
    /// Why no edits are taken for now: the log does not answer.
    pub(super) stalled: Option<Refusal>,
    /// Why the room takes nothing any more.
    pub(super) closed: Option<Refusal>,
    /// Where the store put the committed revision: what the next append expects besides that.
    pub(super) log_position: u64,
    /// Whether the caller knows that something waits for the log.
    pub(super) append_due: bool,
    /// Callers without a connection that wait for an answer.
    pub(super) waiting: Vec<Waiting<A>>,
    pub(super) readers: Readers<K>,
    /// Whether readers that follow along lack entries.
    pub(super) feed_due: bool,
    pub(super) roster: Roster,
    /// Whether something was committed, or given, that may change what readers may do.
    pub(super) roles_touched: bool,
    /// The project that its people were last given the roles of.
    pub(super) project: Option<ProjectId>,
    /// Whether the caller knows that there is presence to tell.
    pub(super) presence_due: bool,
    /// Presence is not told before this time.
    pub(super) presence_after_ms: UnixMs,
    pub(super) talk: Talk,
    pub(super) activity: Activity,
    /// Whether there are events since they were last stored.
    pub(super) activity_changed: bool,
    /// When the events were last stored.
    pub(super) activity_stored_ms: UnixMs,
    /// When something last happened here: a commit, a join, a leave. Expiry and unloading count from it.
    pub(super) active_ms: UnixMs,
    /// Whether the readers were told that the room expires soon.
    pub(super) expiry_told: bool,
    pub(super) snapshot_revision: Revision,
    pub(super) effects: Effects<K, A>,
}

/// A caller that waits for an answer.
#[derive(Debug)]
pub(super) struct Waiting<A> {
    pub(super) wants: Awaited,
    pub(super) answer: A,
}

/// What a caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// That a submit is durable.
    Submit(ParticipantId, Seq),
    /// That nothing is on its way to the log.
    Drained,
}

/// What is to be done before an idle room can leave memory.
#[derive(Debug)]
pub enum Unload {
    /// It is in use.
    Busy,
    /// It can go at once.
    Ready,
    /// It can go once this is stored.
    Snapshot(Box<RoomState>),
}

impl<K, A> OpenRoom<K, A> {
    /// Opens a room at the end of its log, for everybody as a host unless [`on`](Self::on) says otherwise.
    /// `snapshot_revision` is that of the newest snapshot in the store.
    pub fn new(state: RoomState, snapshot_revision: Revision, limits: RoomLimits) -> Self {
        let project = state.decided().settings.project.clone();
        let mut room = Self {
            limits,
            defaults: AccessDefaults { owner: None, public: Some(Role::Host) },
            state,
            window: Window::new(limits.window_entries_max),
            pending: Pending::default(),
            stalled: None,
            closed: None,
            log_position: 0,
            append_due: false,
            waiting: Vec::new(),
            readers: Readers::default(),
            feed_due: false,
            roster: Roster::default(),
            roles_touched: false,
            project,
            presence_due: false,
            presence_after_ms: 0,
            talk: Talk::default(),
            activity: Activity::default(),
            activity_changed: false,
            activity_stored_ms: 0,
            active_ms: 0,
            expiry_told: false,
            snapshot_revision,
            effects: Effects::default(),
        };
        // A room that was long in being opened is quick to open the next time.
        room.effects.snapshot = room.due_snapshot();
        room
    }

    /// Sets what holds in it beside its own decisions.
    pub fn on(mut self, defaults: AccessDefaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets where the log's end is in the store, and when the room was opened.
    pub fn at(mut self, log_position: u64, now: UnixMs) -> Self {
        self.log_position = log_position;
        (self.active_ms, self.activity_stored_ms) = (now, now);
        self
    }

    /// Sets the events that were stored of it.
    pub fn with_activity(mut self, activity: Activity) -> Self {
        self.activity = activity;
        self
    }

    /// What somebody may do here, by what is committed.
    pub fn role_of(&self, who: &Principal) -> Option<Role> {
        self.role_by(who, self.state.decided())
    }

    pub(super) fn role_by(&self, who: &Principal, decided: &Decided) -> Option<Role> {
        let public = decided.settings.public.role(self.defaults.public);
        access::role_of(who, &decided.people, public, &self.defaults)
    }

    /// What is committed.
    pub fn state(&self) -> &RoomState {
        &self.state
    }

    /// The committed revision.
    pub fn revision(&self) -> Revision {
        self.state.revision()
    }

    /// The committed entries after a revision, as far as they are in memory.
    pub fn recent(&self, after: Revision) -> impl Iterator<Item = &Entry> {
        self.window.after(after)
    }

    /// The revision of the last snapshot that was taken.
    pub fn snapshot_revision(&self) -> Revision {
        self.snapshot_revision
    }

    /// When something last happened here: a commit, a join, a leave.
    pub fn active_ms(&self) -> UnixMs {
        self.active_ms
    }

    /// The newest events.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Why the room takes nothing any more, if so.
    pub fn closed(&self) -> Option<&Refusal> {
        self.closed.as_ref()
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether nothing of it is needed in memory: it has no readers, and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.readers.is_empty() && self.pending.is_empty()
    }

    /// Shows participants as idle that have said nothing for long. To be called every few seconds.
    pub fn handle_timeout(&mut self, now: UnixMs) {
        self.roster.handle_timeout(now);
        self.note_presence();
    }

    /// Closes the room: its readers and those who wait for a submit are told why, and it takes nothing any more. What was
    /// ordered still goes to the log.
    pub fn close(&mut self, why: &Refusal) {
        self.closed = Some(why.clone());
        let submits = self.waiting.extract_if(.., |waiting| waiting.wants != Awaited::Drained);
        self.effects.answers.extend(submits.map(|waiting| (waiting.answer, Err(why.clone()))));
        self.roster = Roster::default();
        self.effects.dropped.extend(self.readers.remove_all().into_iter().map(|reader| {
            let (channel, id) = (reader.cursor.channel, reader.id());
            Dropped { key: reader.key, channel, reader: id, error: why.clone().about(About::Channel(channel)) }
        }));
        self.answer_drained();
    }

    /// The state to take a snapshot of, if the last one is old enough. It is taken to be stored: the next is due after as much
    /// again.
    pub(super) fn due_snapshot(&mut self) -> Option<Box<RoomState>> {
        let entries = self.state.revision() - self.snapshot_revision;
        let text_bytes = self.state.text().len_bytes() as u64;
        if entries < self.limits.snapshot_entries_min.max(text_bytes / SNAPSHOT_BYTES_PER_ENTRY) {
            return None;
        }
        self.take_snapshot(0)
    }

    /// The state to take a snapshot of, if opening the room would otherwise replay more than so many entries.
    pub fn take_snapshot(&mut self, replay_max: u64) -> Option<Box<RoomState>> {
        if self.state.revision() - self.snapshot_revision <= replay_max {
            return None;
        }
        self.snapshot_revision = self.state.revision();
        Some(Box::new(self.state.clone()))
    }

    /// What is to be done before the room can leave memory, if nothing happened in it since `since_ms`. Where nothing happened
    /// for a moment, it lets go of memory that only a busy room needs.
    pub fn take_unload(&mut self, since_ms: UnixMs, now: UnixMs) -> Unload {
        if now.saturating_sub(self.active_ms) >= SHRINK_AFTER_MS && !self.has_pending() {
            self.shrink();
        }
        if self.active_ms > since_ms || !self.is_idle() {
            return Unload::Busy;
        }
        self.take_snapshot(UNLOAD_REPLAY_MAX).map_or(Unload::Ready, Unload::Snapshot)
    }

    /// The newest events, if there are new ones and they were last stored so many milliseconds ago. They are taken to be
    /// stored now.
    pub fn take_due_activity(&mut self, now: UnixMs, every_ms: u64) -> Option<Activity> {
        let due = self.activity_changed && now.saturating_sub(self.activity_stored_ms) >= every_ms;
        due.then(|| {
            (self.activity_stored_ms, self.activity_changed) = (now, false);
            self.activity.clone()
        })
    }

    /// Lets go of memory that only a busy room needs.
    pub fn shrink(&mut self) {
        self.rebase_positions();
        self.window.shrink();
        self.talk.shrink();
        self.pending.shrink();
        self.readers.shrink();
        self.waiting.shrink_to_fit();
        self.activity.rest();
        self.state.rest();
    }
}

#[cfg(test)]
mod tests;
