//! A room while it is open.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use bytes::Bytes;
use motet_protocol::{
    access::Role,
    codec,
    error::ErrorCode,
    ids::{Channel, ParticipantId, Revision, RoomId, Seq, UnixMs},
    message::{Command, Entry, ServerMessage, SnapshotInfo},
    ot::Component,
    presence::Person,
};

use super::{
    access::{self, Ground, Principal},
    decided::Decided,
    limits::{
        APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, ENTRY_BYTES_TYPICAL, PENDING_BYTES_MAX, PENDING_ENTRIES_MAX, RoomLimits,
        SNAPSHOT_BYTES_PER_ENTRY, SNAPSHOT_ENTRIES_MIN,
    },
    presence::Roster,
    propose::{self, Placed, Submit},
    readers::{Cursor, Fed, Outlet, Place, Reader, ReaderId, Readers},
    refusal::Refusal,
    state::{FoldError, RoomState},
    window::{Logged, Window},
    wire::{Encoded, Wire},
};

use self::talk::Talk;

/// An open room. `K` is how the caller knows a connection.
///
/// ```text
/// submit ─▶ pending: [ in flight │ gathered ] ──take_append──▶ log ──appended──▶ fold ─▶ window ─▶ readers
/// ```
/// What is committed (folded, in the window, seen by readers) is durable; what is pending has its place in the order and
/// nobody has seen it. One append is in flight at a time; what gathers meanwhile goes into the next one.
#[derive(Debug)]
pub struct Room<K> {
    limits: RoomLimits,
    ground: Ground,
    state: RoomState,
    window: Window,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
    /// How many of them change what was decided.
    pending_decisions: usize,
    in_flight: usize,
    /// Why no edits are taken for now.
    stalled: Option<Refusal>,
    readers: Readers<K>,
    roster: Roster,
    snapshot_revision: Revision,
    /// Whether something was committed that may change what readers may do.
    roles_touched: bool,
    talk: Talk,
}

/// An entry that waits to be durable.
#[derive(Debug)]
struct Pending {
    logged: Logged,
    /// Who asked for it, and is to hear if it comes to nothing after all.
    asker: Asker,
    /// What it was made from, should somebody else's entry come before it.
    base: Revision,
    /// The command as submitted, where the entry's is another.
    submitted: Option<Command>,
}

/// Who asks for something to be appended.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A reader of the room.
    Reader(ReaderId),
    /// Somebody who does not have the room open.
    Caller(Arc<Principal>),
}

impl From<ReaderId> for Asker {
    fn from(reader: ReaderId) -> Self {
        Self::Reader(reader)
    }
}

/// What became of a submit that was not refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// It waits for the log; its acknowledgement comes in its place.
    Ordered(Revision),
    /// It was appended before, with this revision. If the reader's cursor is past it, the acknowledgement is due again.
    Repeat(Revision),
    /// Its base is older than the window: submit it again with the entries after its base.
    NeedsHistory(Submit),
    /// It is about a message of the chat that is not at hand: submit it again after [`Room::learn`], or refuse it if there
    /// is no such message.
    NeedsMessage(Submit, Revision),
}

/// A submit that was ordered and then refused, since others' entries came first.
#[derive(Debug)]
pub struct Displaced {
    /// Who asked for it.
    pub asker: Asker,
    /// Whose it was.
    pub participant: ParticipantId,
    /// Its seq.
    pub seq: Seq,
    /// Why it is refused now.
    pub refusal: Refusal,
}

impl<K> Room<K> {
    /// Opens a room at the end of its log, for everybody as a host unless [`on`](Self::on) says otherwise.
    /// `snapshot_revision` is that of the newest snapshot in the store.
    pub fn new(state: RoomState, snapshot_revision: Revision, limits: RoomLimits) -> Self {
        Self {
            limits,
            ground: Ground { owner: None, public: Some(Role::Host) },
            state,
            window: Window::new(limits.window_entries_max),
            pending: VecDeque::new(),
            pending_bytes: 0,
            pending_decisions: 0,
            in_flight: 0,
            stalled: None,
            readers: Readers::default(),
            roster: Roster::default(),
            snapshot_revision,
            roles_touched: false,
            talk: Talk::default(),
        }
    }

    /// Sets what holds in it beside its own decisions.
    pub fn on(mut self, ground: Ground) -> Self {
        self.ground = ground;
        self
    }

    /// What somebody may do here, by what is committed.
    pub fn role_of(&self, who: &Principal) -> Option<Role> {
        self.role_by(who, self.state.decided())
    }

    fn role_by(&self, who: &Principal, decided: &Decided) -> Option<Role> {
        let public = decided.settings.public.role(self.ground.public);
        access::role_of(who, &decided.people, public, &self.ground)
    }

    /// What is committed.
    pub fn state(&self) -> &RoomState {
        &self.state
    }

    /// The committed revision.
    pub fn revision(&self) -> Revision {
        self.state.revision()
    }

    /// The committed entries after a revision, as far as they are at hand.
    pub fn recent(&self, after: Revision) -> impl Iterator<Item = &Entry> {
        self.window.after(after)
    }

    /// The revision that the next ordered entry gets, less one.
    fn ordered_revision(&self) -> Revision {
        self.state.revision() + self.pending.len() as u64
    }

    fn ordered_len(&self) -> u64 {
        let mut pending = self.pending.iter().rev();
        pending
            .find_map(|pending| Some(pending.logged.entry.command.operation()?.target_len()))
            .unwrap_or(self.state.text().len_chars() as u64)
    }

    /// What will be decided once all that is ordered is committed.
    fn ordered_decided(&self) -> Cow<'_, Decided> {
        if self.pending_decisions == 0 {
            return Cow::Borrowed(self.state.decided());
        }
        let mut decided = self.state.decided().clone();
        self.pending.iter().for_each(|pending| decided.fold(&pending.logged.entry));
        Cow::Owned(decided)
    }

    /// What an asker may do, given what will be decided before its entry.
    fn role_of_asker(&self, asker: &Asker, principal: &Principal, decided: &Decided) -> Option<Role> {
        if let (Asker::Reader(reader), 0, false) = (asker, self.pending_decisions, self.roles_touched)
            && let Some(reader) = self.readers.get(*reader)
        {
            return Some(reader.role);
        }
        self.role_by(principal, decided)
    }

    fn principal(&self, asker: &Asker) -> Option<Arc<Principal>> {
        match asker {
            Asker::Reader(reader) => self.readers.get(*reader).map(|reader| Arc::clone(&reader.principal)),
            Asker::Caller(principal) => Some(Arc::clone(principal)),
        }
    }

    /// Puts a in order, or says why not. `older` are the entries after the submit's base that are no longer in the
    /// window, when they were asked for; empty otherwise.
    pub fn submit(
        &mut self,
        asker: impl Into<Asker>,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let asker = asker.into();
        let Some(principal) = self.principal(&asker) else {
            // What a replaced connection still had to say must not come between what the session says now.
            let words = "this session is at work on another connection or channel";
            return Err(Refusal::new(ErrorCode::SessionReplaced, words));
        };
        self.propose(asker, &principal, submit, older, now)
    }

    fn propose(
        &mut self,
        asker: Asker,
        principal: &Principal,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let (head, base) = (self.ordered_revision(), submit.base);
        if base > self.state.revision() {
            return Err(Refusal::new(
                ErrorCode::RevisionUnknown,
                format!("the base {base} is not a revision yet; the room is at {}", self.state.revision()),
            ));
        }
        if head - base > self.limits.base_age_revisions_max {
            return Err(Refusal::new(
                ErrorCode::BaseTooOld,
                format!(
                    "the base {base} is {} revisions old, {} are allowed; join after it, transform, and send it again",
                    head - base,
                    self.limits.base_age_revisions_max
                ),
            ));
        }
        if let Command::Edit(operation) = &submit.command {
            propose::check_size(operation, &self.limits)?;
        }

        // The log may be ahead of what is committed here: what is in flight comes from `pending`, and only once.
        let older = &older[..older.partition_point(|entry| entry.revision <= self.state.revision())];
        let in_window_from = self.window.first().unwrap_or(self.state.revision() + 1);
        let older = match base + 1 {
            wanted if wanted >= in_window_from => &[],
            wanted => match older.iter().position(|entry| entry.revision == wanted) {
                Some(start) if older.last().is_some_and(|last| last.revision + 1 >= in_window_from) => &older[start..],
                _ => return Ok(Submitted::NeedsHistory(submit)),
            },
        };
        let after = base.max(older.last().map_or(base, |last| last.revision));
        let pending = self.pending.iter().map(|pending| &pending.logged.entry);
        let after_base = older.iter().chain(self.window.after(after)).chain(pending);

        let moved = match propose::place(&submit, after_base)? {
            Placed::Repeat(revision) => {
                self.hand_over(revision, asker);
                return Ok(Submitted::Repeat(revision));
            }
            Placed::New(moved) => moved,
        };
        propose::check_seq(&submit, self.last_seq(submit.participant))?;
        if let Some(refusal) = &self.stalled {
            return Err(refusal.clone());
        }
        let decided = self.ordered_decided();
        let role = access::require(self.role_of_asker(&asker, principal, &decided), access::needed(&submit.command))?;
        if let Some(message) = self.talk.unknown(&submit.command) {
            return Ok(Submitted::NeedsMessage(submit, message));
        }
        let Submit { participant, seq, base, command } = submit;
        let (command, submitted) = match moved {
            Some(moved) => (moved, Some(command)),
            None => (command, None),
        };
        let command = decided.checked(command, head)?;
        let command = self.checked_talk(command, principal, role, &decided.people)?;
        if matches!(command, Command::SetRole(_) | Command::Settings(_)) {
            decided.check_hosted(&command, &self.ground)?;
        }
        let introduction = decided.people.introduction(participant, &principal.author);
        self.check_fits(&command, base)?;
        if let Some(introduction) = introduction {
            self.order(asker.clone(), (participant, 0), base, Command::Introduce(introduction), None, now);
        }
        Ok(Submitted::Ordered(self.order(asker, (participant, seq), base, command, submitted, now)))
    }

    /// Who sent a pending submit again, on another connection perhaps, is the one to hear if it comes to nothing.
    fn hand_over(&mut self, revision: Revision, asker: Asker) {
        let index = revision.checked_sub(self.state.revision() + 1).and_then(|index| usize::try_from(index).ok());
        if let Some(pending) = index.and_then(|index| self.pending.get_mut(index)) {
            pending.asker = asker;
        }
    }

    /// Whether there is room for one more, and an operation, moved to the end of the order, fits the text there and
    /// leaves it within its limit.
    fn check_fits(&self, command: &Command, base: Revision) -> Result<(), Refusal> {
        if self.pending.len() >= PENDING_ENTRIES_MAX || self.pending_bytes >= PENDING_BYTES_MAX {
            return Err(propose::overloaded());
        }
        let Command::Edit(operation) = command else { return Ok(()) };
        let found = self.ordered_len();
        if operation.base_len() != found {
            let expected = operation.base_len();
            return Err(propose::mismatch(motet_protocol::ot::Mismatch { expected, found }, base));
        }
        if let Err(error) = operation.within_limits() {
            let words = format!("others' edits have cut it into too many pieces ({error}); send it in smaller parts");
            return Err(Refusal::new(ErrorCode::EditTooLarge, words));
        }
        let deleted = operation.components().map(|component| match component {
            // A character that goes has a byte at least.
            Component::Delete(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Component::Retain(_) | Component::Insert(_) => 0,
        });
        let bytes = (self.state.text().len_bytes() + operation.inserted_bytes()).saturating_sub(deleted.sum());
        let most = self.limits.text_bytes_max;
        if operation.inserted_bytes() == 0 || bytes + self.pending_bytes <= most {
            Ok(())
        } else if bytes > most {
            let words = format!("the text would have {bytes} bytes; {most} are allowed in a room");
            Err(Refusal::new(ErrorCode::TextTooLarge, words))
        } else {
            // What is pending is counted as if it only inserted, so that the sum is never too low; whether there is
            // really no room shows when it is committed.
            Err(propose::overloaded())
        }
    }

    fn last_seq(&self, participant: ParticipantId) -> Option<Seq> {
        let pending = self.pending.iter().rev().map(|pending| &pending.logged.entry);
        pending
            .filter(|entry| entry.participant == participant && entry.seq != 0)
            .map(|entry| entry.seq)
            .next()
            .or_else(|| self.state.last_submit(participant).map(|last| last.seq))
    }

    fn order(
        &mut self,
        asker: Asker,
        (participant, seq): (ParticipantId, Seq),
        base: Revision,
        command: Command,
        submitted: Option<Command>,
        now: UnixMs,
    ) -> Revision {
        let revision = self.ordered_revision() + 1;
        let before = self.pending.back().map_or(self.state.time_ms(), |last| last.logged.entry.time_ms);
        // Clocks are set back now and then; a room's time is not.
        let time_ms = now.max(before);
        let entry = Entry { revision, participant, seq, time_ms, command };
        let encoded = Encoded::new(codec::encode(&entry));
        self.pending_bytes += encoded.bytes().len();
        self.pending_decisions += usize::from(Decided::is_changed_by(&entry.command));
        self.pending.push_back(Pending { logged: Logged { entry, encoded }, asker, base, submitted });
        revision
    }

    /// Puts an entry in order as it is. It must follow from what is ordered: its revision is the next one, its operation
    /// fits the text.
    pub fn adopt(&mut self, asker: Asker, entry: Entry) {
        debug_assert_eq!(entry.revision, self.ordered_revision() + 1, "what is adopted was checked to follow");
        let encoded = Encoded::new(codec::encode(&entry));
        self.pending_bytes += encoded.bytes().len();
        self.pending_decisions += usize::from(entry.command.operation().is_none());
        let base = entry.revision - 1;
        self.pending.push_back(Pending { logged: Logged { entry, encoded }, asker, base, submitted: None });
    }

    /// Whether there is something to append now.
    pub fn has_append(&self) -> bool {
        self.in_flight == 0 && !self.pending.is_empty()
    }

    /// What to append next, if nothing is in flight and something waits: encoded entries that follow the committed
    /// revision. The answer goes to [`appended`](Self::appended) or [`conflict`](Self::conflict).
    pub fn take_append(&mut self) -> Option<Vec<Bytes>> {
        if self.in_flight > 0 || self.pending.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let entries: Vec<Bytes> = self
            .pending
            .iter()
            .map(|pending| pending.logged.encoded.bytes())
            .take(APPEND_ENTRIES_MAX)
            .take_while(|entry| {
                bytes += entry.len();
                bytes <= APPEND_BYTES_MAX || bytes == entry.len()
            })
            .cloned()
            .collect();
        self.in_flight = entries.len();
        Some(entries)
    }

    /// The log has what was in flight: it is committed now. Feed the readers next.
    pub fn appended(&mut self) -> Result<(), FoldError> {
        self.stalled = None;
        for _ in 0..std::mem::take(&mut self.in_flight) {
            let Some(Pending { logged, .. }) = self.pending.pop_front() else { break };
            self.pending_bytes -= logged.encoded.bytes().len();
            self.pending_decisions -= usize::from(Decided::is_changed_by(&logged.entry.command));
            self.commit(logged)?;
        }
        Ok(())
    }

    fn commit(&mut self, logged: Logged) -> Result<(), FoldError> {
        self.state.fold(&logged.entry)?;
        self.talk.take(&logged.entry, &self.state);
        self.roles_touched |= matches!(logged.entry.command, Command::SetRole(_) | Command::Settings(_));
        self.window.push(logged);
        if self.roster.is_unsettled(self.state.revision()) {
            self.settle();
        }
        while let Some(oldest) = self.window.surplus() {
            if self.roster.needs(oldest) {
                self.settle();
            }
            self.window.drop_oldest();
        }
        Ok(())
    }

    /// Somebody else's entries came first, or some of ours are there that we had no answer for: they are folded, and what
    /// was pending is ordered anew behind them. Returns those that cannot be.
    pub fn conflict(&mut self, entries: Vec<(Entry, Bytes)>, now: UnixMs) -> Result<Vec<Displaced>, FoldError> {
        self.stalled = None;
        self.in_flight = 0;
        for (entry, bytes) in entries {
            if entry.revision > self.state.revision() {
                self.commit(Logged { entry, encoded: Encoded::new(bytes) })?;
            }
        }
        (self.pending_bytes, self.pending_decisions) = (0, 0);
        let mut displaced = Vec::new();
        for Pending { logged, asker, base, submitted } in std::mem::take(&mut self.pending) {
            let Entry { participant, seq, command, .. } = logged.entry;
            if seq == 0 {
                // An introduction is made anew with the submit behind it, if it is still wanted.
                continue;
            }
            let command = submitted.unwrap_or(command);
            let submit = Submit { participant, seq, base, command };
            let in_log = self.state.last_submit(participant).is_some_and(|last| last.seq >= seq);
            let principal = self.principal(&asker).unwrap_or_else(|| Arc::new(Principal::nobody(participant)));
            let refusal = match self.propose(asker.clone(), &principal, submit, &[], now) {
                Ok(Submitted::Ordered(_) | Submitted::Repeat(_)) => continue,
                // It is before the window, and is acknowledged there.
                Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) if in_log => continue,
                Err(refusal) if in_log && refusal.code == ErrorCode::BaseTooOld => continue,
                Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) => propose::overloaded(),
                Err(refusal) => refusal,
            };
            displaced.push(Displaced { asker, participant, seq, refusal });
        }
        Ok(displaced)
    }

    /// The log does not answer: what is in flight is being sent again, and nothing new is taken until it is there.
    pub fn stall(&mut self, why: Refusal) {
        self.stalled = Some(why);
    }

    /// Opens the room for a reader. Returns what to tell it first; feed it next. Readers of the same session on other
    /// connections are returned too: they are out.
    pub fn join(&mut self, join: Join<K>) -> Result<(ReaderId, ServerMessage, Vec<Reader<K>>), Refusal> {
        let Join { key, principal, channel, wire, after, entries_only, now } = join;
        let participant = principal.participant;
        let role = self.role_of(&principal).ok_or_else(|| not_found(None))?;
        let head = self.state.revision();
        if let Some(after) = after.filter(|after| *after > head) {
            return Err(Refusal::new(
                ErrorCode::RevisionUnknown,
                format!("revision {after} is not there yet, the room is at {head}; join without a revision"),
            ));
        }
        let replaced = self.readers.remove_participant(participant);
        let text_bytes = self.state.text().len_bytes() as u64;
        let after = after.filter(|after| entries_only || (head - after) * ENTRY_BYTES_TYPICAL <= text_bytes + 2_048);
        let (place, snapshot) = match after {
            Some(after) => (Place::After(after), None),
            None => {
                let text = self.state.text().clone();
                let snapshot = SnapshotInfo { revision: head, bytes: text_bytes };
                (Place::Snapshot { text, revision: head, sent_bytes: 0 }, Some(snapshot))
            }
        };
        self.roster.arrive(Person { participant, author: principal.author.clone(), role, joined_ms: now });
        let id = self.readers.add(key, principal, role, Cursor::new(participant, channel, wire, place));
        Ok((id, ServerMessage::Joined { channel, head, role, snapshot }, replaced))
    }

    /// Gives the readers what the room's project gives each of them now. What becomes of their roles is for
    /// [`take_role_changes`](Self::take_role_changes) to say.
    pub fn regrant(&mut self, gives: impl Fn(&Principal) -> Option<Role>) {
        for reader in self.readers.iter_mut() {
            let in_project = gives(&reader.principal);
            if in_project != reader.principal.in_project {
                Arc::make_mut(&mut reader.principal).in_project = in_project;
                self.roles_touched = true;
            }
        }
    }

    /// What became of the readers' roles since the last call: those who may not be here any more
    /// are taken out. Tell them all.
    pub fn take_role_changes(&mut self) -> Vec<RoleChange<K>>
    where
        K: Clone,
    {
        if !std::mem::take(&mut self.roles_touched) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let ids: Vec<ReaderId> = self.readers.iter().map(Reader::id).collect();
        for id in ids {
            let Some(reader) = self.readers.get(id) else { continue };
            let role = self.role_of(&reader.principal);
            if role == Some(reader.role) {
                continue;
            }
            let (key, channel, participant) = (reader.key.clone(), reader.cursor.channel, reader.cursor.participant());
            match role {
                Some(role) => {
                    if let Some(reader) = self.readers.get_mut(id) {
                        reader.role = role;
                    }
                    self.roster.change(participant, |person| person.role = role);
                }
                None => drop(self.take_out(id)),
            }
            changes.push(RoleChange { reader: id, key, channel, role });
        }
        changes
    }

    /// Takes a reader out.
    pub fn leave(&mut self, id: ReaderId) -> Option<Reader<K>> {
        let left = self.take_out(id);
        if self.is_idle() {
            self.rest();
        }
        left
    }

    fn take_out(&mut self, id: ReaderId) -> Option<Reader<K>> {
        let left = self.readers.remove(id)?;
        self.roster.leave(left.cursor.participant());
        Some(left)
    }

    /// The readers.
    pub fn readers(&self) -> &Readers<K> {
        &self.readers
    }

    /// Takes all readers out: the room closes.
    pub fn close(&mut self) -> Vec<Reader<K>> {
        self.roster = Roster::default();
        self.readers.remove_all()
    }

    /// Moves one reader on.
    pub fn feed(&mut self, id: ReaderId, outlet: &mut impl Outlet) -> Fed {
        match self.readers.get_mut(id) {
            Some(reader) => reader.cursor.feed(self.state.revision(), &mut self.window, outlet),
            None => Fed::Gone,
        }
    }

    /// Answers a submit that was appended before, with `revision`: again, if the reader's cursor has passed its place, and
    /// in its place otherwise.
    pub fn feed_repeat(&mut self, id: ReaderId, seq: Seq, revision: Revision, outlet: &mut impl Outlet) {
        if let Some(reader) = self.readers.get_mut(id) {
            reader.cursor.feed_repeat(seq, revision, outlet);
        }
    }

    /// Moves one reader on with entries from the log.
    pub fn feed_stored(&mut self, id: ReaderId, entries: Vec<(Entry, Bytes)>, outlet: &mut impl Outlet) {
        let head = self.state.revision();
        if let Some(reader) = self.readers.get_mut(id) {
            let committed = entries.into_iter().filter(|(entry, _)| entry.revision <= head).collect();
            reader.cursor.feed_stored(committed, outlet);
        }
    }

    /// Moves all readers on that follow along. `deliver` is given each one's connection and channel, and what moves it on
    /// once it has an outlet.
    pub fn feed_following(&mut self, mut deliver: impl FnMut(&K, Channel, Feeding<'_>)) {
        let head = self.state.revision();
        for Reader { key, cursor, .. } in self.readers.following() {
            deliver(key, cursor.channel, Feeding { head, window: &mut self.window, cursor });
        }
    }

    /// Whether a snapshot is due, and the state to take it of. It is taken to be made: the next is due after as much again.
    pub fn take_due_snapshot(&mut self) -> Option<RoomState> {
        let entries = self.state.revision() - self.snapshot_revision;
        let text_bytes = self.state.text().len_bytes() as u64;
        if entries < SNAPSHOT_ENTRIES_MIN.max(text_bytes / SNAPSHOT_BYTES_PER_ENTRY) {
            return None;
        }
        self.take_snapshot()
    }

    /// The state to take a snapshot of, if it is newer than the last one.
    pub fn take_snapshot(&mut self) -> Option<RoomState> {
        if self.state.revision() == self.snapshot_revision {
            return None;
        }
        self.snapshot_revision = self.state.revision();
        Some(self.state.clone())
    }

    /// The revision of the last snapshot.
    pub fn snapshot_revision(&self) -> Revision {
        self.snapshot_revision
    }

    /// Gives up what waits for the log, which will never take it.
    pub fn abandon_pending(&mut self) {
        self.pending.clear();
        (self.pending_bytes, self.pending_decisions, self.in_flight) = (0, 0, 0);
    }

    /// Whether nothing of it is needed in memory: nobody reads, nothing waits.
    pub fn is_idle(&self) -> bool {
        self.readers.is_empty() && self.pending.is_empty()
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Lets go of what only a busy room needs.
    pub fn rest(&mut self) {
        self.settle();
        self.window.shrink();
        self.talk.rest();
        self.pending.shrink_to_fit();
        self.readers.shrink();
    }
}

/// That a reader's role is another now.
#[derive(Debug)]
pub struct RoleChange<K> {
    /// The reader.
    pub reader: ReaderId,
    /// Its connection.
    pub key: K,
    /// The room's number on it.
    pub channel: Channel,
    /// What it may do now; none if it is out.
    pub role: Option<Role>,
}

/// What somebody hears who may not know whether there is such a room.
pub fn not_found(room: Option<&RoomId>) -> Refusal {
    let name = room.map(|room| format!(" {room}")).unwrap_or_default();
    Refusal::new(ErrorCode::RoomNotFound, format!("there is no room{name}, or it is not open to you"))
}

/// What a reader that joins says.
#[derive(Debug)]
pub struct Join<K> {
    /// Its connection.
    pub key: K,
    /// Who it is.
    pub principal: Arc<Principal>,
    /// The room's number on its connection.
    pub channel: Channel,
    /// The form of its messages.
    pub wire: Wire,
    /// The revision that it has.
    pub after: Option<Revision>,
    /// Whether it must have every entry after that one.
    pub entries_only: bool,
    /// The time.
    pub now: UnixMs,
}

/// A reader about to be moved on.
#[derive(Debug)]
pub struct Feeding<'a> {
    head: Revision,
    window: &'a mut Window,
    cursor: &'a mut Cursor,
}

impl Feeding<'_> {
    /// Moves it on.
    pub fn feed(self, outlet: &mut impl Outlet) -> Fed {
        self.cursor.feed(self.head, self.window, outlet)
    }
}

mod talk;
mod watching;

pub use watching::Telling;

#[cfg(test)]
mod tests;
