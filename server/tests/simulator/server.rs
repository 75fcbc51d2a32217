//! A server without locks and waiting: the rooms that ship, and what the real one does about their effects
//! (`rooms/open/handle.rs`, `outbox`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use motet_protocol::{
    chat::ChatCommand,
    codec,
    error::{About, ErrorCode},
    ids::{LogIdentity, ParticipantId, Revision, RoomId},
    message::{ClientMessage, Command, Durability, ServerMessage},
    presence::Presence,
};
use motet_server::{
    auth::Identity,
    refusal::Refusal,
    room::{
        Fed, Join, OpenRoom, Outlet, Principal, RoomState, Submit, Submitted, Submitter,
        chat::project,
        expiry::Expiry,
        limits::{RoomLimits, SNAPSHOT_BYTES_PER_ENTRY},
        open::Unload,
    },
    session::{Act, Caller, Settings},
};

use crate::{
    faults::Fault,
    link::Joined,
    log::{Answer, Append, RoomLog, Stage, chat_entries, messages},
    world::{Links, Logs},
};
use uuid::Uuid;

/// All logs are called the same here: a client whose room is removed is told so, or begins anew by the world's word.
const LOG: LogIdentity = LogIdentity(Uuid::nil());

/// How a server's rooms know a connection.
pub type LinkId = usize;

/// Who waits for an answer of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// A caller without a connection, for its one submit.
    Caller(ParticipantId),
    /// The removal of the room.
    Removal,
}

/// One server.
pub struct Server {
    pub number: usize,
    pub up: bool,
    pub rooms: BTreeMap<usize, Held>,
    limits: RoomLimits,
    settings: Settings,
    fault: Option<Fault>,
    /// What was told last in each room, and by whom.
    pub told: BTreeMap<(usize, ParticipantId), Told>,
    /// Rooms that have something for the log, until the thread parks.
    appends_due: BTreeSet<usize>,
    /// Rooms that have presence to tell with the next tick.
    presence_due: BTreeSet<usize>,
    /// Rooms whose messages the chat writer was asked to write.
    chat_due: BTreeSet<usize>,
    /// What goes to the log.
    pub appends: Appends,
    /// It takes entries that others appended.
    catching_up: bool,
    /// What it came across, to be sure that the simulator comes across everything.
    pub met: Met,
}

/// An open room, and what its server is known to have done for it.
pub struct Held {
    pub room: OpenRoom<LinkId, Waiter>,
    /// Callers that wait for an answer.
    waiting: Vec<ParticipantId>,
    /// The committed revision when it was opened, with all that was counted for the metrics since.
    counted: Revision,
    /// The revision that lists of rooms show.
    listed: Revision,
    /// The newest entry of the chat when it was opened: who opens a room does not write its chat down.
    chat_opened: Revision,
    /// When something last happened in it.
    active_ms: u64,
    /// It is closed, and said that nothing is on its way to the log.
    drained: bool,
}

/// What somebody told a server of itself.
pub struct Told {
    pub base: Revision,
    pub presence: Presence,
    /// When, in milliseconds of the simulation.
    pub at_ms: u64,
    /// Whether the room had all entries since at hand.
    pub exact: bool,
}

/// How often something happened.
pub type Met = BTreeMap<&'static str, u64>;

/// What a server sends to the log.
pub type Appends = Vec<Append>;

impl Server {
    pub fn new(number: usize, limits: RoomLimits, fault: Option<Fault>) -> Self {
        let settings = Settings {
            server_id: motet_protocol::ids::ServerId(uuid::Uuid::nil()),
            http: None,
            limits: motet_protocol::limits::Limits::default(),
            durability: Durability::Sync,
            turn: None,
        };
        Self {
            number,
            up: true,
            rooms: BTreeMap::new(),
            limits,
            settings,
            fault,
            told: BTreeMap::new(),
            appends_due: BTreeSet::new(),
            presence_due: BTreeSet::new(),
            chat_due: BTreeSet::new(),
            appends: Appends::new(),
            catching_up: false,
            met: Met::new(),
        }
    }

    fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// A room, from its snapshot and the entries after it if it is not open.
    fn open<'a>(&'a mut self, number: usize, log: &mut RoomLog, now: u64) -> &'a mut OpenRoom<LinkId, Waiter> {
        let (limits, met) = (self.limits, &mut self.met);
        let held = self.rooms.entry(number).or_insert_with(|| {
            log.open();
            let snapshot = log.snapshots.iter().max_by_key(|(revision, _)| *revision);
            *met.entry(if snapshot.is_some() { "a room with a snapshot" } else { "a room without one" })
                .or_default() += 1;
            let (snapshot_revision, mut state) = match snapshot {
                Some((revision, bytes)) => (*revision, RoomState::decode(bytes).unwrap()),
                None => (0, RoomState::default()),
            };
            assert_eq!(state.revision(), snapshot_revision);
            for (entry, _) in log.read(snapshot_revision, Revision::MAX) {
                state.fold(&entry).unwrap();
            }
            let (revision, chat_opened) = (state.revision(), state.chat().changed());
            let room = OpenRoom::new(state, snapshot_revision, limits).at(0, now);
            Held {
                room,
                waiting: Vec::new(),
                counted: revision,
                listed: revision,
                chat_opened,
                active_ms: now,
                drained: false,
            }
        });
        &mut held.room
    }

    /// Does what a room says is to be done.
    fn apply(&mut self, number: usize, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get_mut(&number) else { return };
        held.room.feed_following(|id, reader| {
            if let Some(link) = links.get_mut(id) {
                reader.feed(&mut link.outbox);
            }
        });
        let effects = held.room.take_effects();
        assert_eq!(effects.failed, None, "a room follows from its log");
        held.counted += effects.committed;
        if effects.append {
            let new = self.appends_due.insert(number);
            assert!(new, "an append is due once");
        }
        for (id, message) in effects.messages {
            if let Some(link) = links.get_mut(&id) {
                link.outbox.put(&message);
            }
        }
        for dropped in effects.dropped {
            let Some(link) = links.get_mut(&dropped.key) else { continue };
            link.outbox.put(&ServerMessage::Error(dropped.error));
            if link.session.channel(dropped.channel).is_some_and(|joined| joined.reader == dropped.reader) {
                link.session.dropped(dropped.channel);
            }
        }
        for (waiter, result) in effects.answers {
            let Waiter::Caller(caller) = waiter else {
                held.drained = true;
                continue;
            };
            let at = held.waiting.iter().position(|waiting| *waiting == caller);
            held.waiting.remove(at.expect("an answer is given once"));
            if let Ok(revision) = result {
                *self.met.entry("a caller that was answered").or_default() += 1;
                let (entry, _) = logs[number].read(revision - 1, revision).remove(0);
                assert_eq!((entry.participant, entry.seq), (caller, 1), "a caller's entry is where it was told");
            }
        }
        if effects.committed > 0 {
            held.active_ms = now;
        }
        // Planted: what a commit brings is done after one's own appends only.
        let spoiled = self.fault == Some(Fault::ConflictForgotten) && self.catching_up;
        if effects.presence {
            self.presence_due.insert(number);
        }
        if effects.chat && !spoiled {
            self.chat_due.insert(number);
        }
        if effects.listed && !spoiled {
            held.listed = held.room.revision();
        }
        if let Some(state) = effects.snapshot.filter(|_| !spoiled) {
            *self.met.entry("a snapshot that was due").or_default() += 1;
            put_snapshot(&mut logs[number], &state);
        }
        assert_eq!(held.room.active_ms(), held.active_ms, "a commit is activity, whoever appended");
        assert_eq!(held.counted, held.room.revision(), "each entry is counted once");
        assert_eq!(held.listed, held.room.revision(), "lists show every commit");
        let since = held.room.revision() - held.room.snapshot_revision();
        let text_bytes = held.room.state().text().len_bytes() as u64;
        let due = self.limits.snapshot_entries_min.max(text_bytes / SNAPSHOT_BYTES_PER_ENTRY);
        assert!(since < due, "a snapshot is taken when it is due");
    }

    /// Takes a message of a connection. Joins to rooms that are being removed are for later.
    pub fn take(
        &mut self,
        id: LinkId,
        message: ClientMessage,
        links: &mut Links,
        logs: &mut Logs,
        removing: &BTreeSet<usize>,
        now: u64,
    ) {
        let link = links.get_mut(&id).unwrap();
        match link.session.handle(message, &self.settings, now) {
            Act::Nothing => {}
            Act::Reply(message) => link.outbox.put(&message),
            Act::Close(message) => panic!("a client was shown out: {message:?}"),
            Act::Identify { session, name, .. } => {
                let caller = Caller::new(session.participant(), Identity::guest(&name).unwrap());
                match link.session.identified(Ok(caller), &self.settings) {
                    Act::Reply(welcome) => link.outbox.put(&welcome),
                    act => panic!("a guest was not let in: {act:?}"),
                }
            }
            Act::Join { caller, channel, room, after, entries_only, .. } => {
                let principal = Arc::new(caller.in_room(&room, None, None));
                let number: usize = room.as_str().parse().unwrap();
                if removing.contains(&number) {
                    link.server_open = false;
                    return;
                }
                let join = Join { key: id, principal, channel, wire: link.wire, log: LOG, after, entries_only, now };
                self.join(number, join, links, logs);
            }
            Act::Leave { channel, joined } => {
                link.outbox.put(&ServerMessage::Left { channel });
                self.leave(joined, links, logs, now);
            }
            Act::Submit { participant, channel, joined, seq, base, command } => {
                let (joined, submit) = (*joined, Submit { participant, seq, base, command });
                self.submit(id, channel, joined, submit, links, logs, now);
            }
            Act::Watch { joined, on } => {
                let joined = *joined;
                if let Some(held) = self.rooms.get_mut(&joined.room) {
                    held.room.watch(joined.reader, on);
                    self.apply(joined.room, links, logs, now);
                }
            }
            Act::SetPresence { channel, base, presence } => {
                if let Some(joined) = link.session.channel(channel).copied() {
                    self.set_presence(joined, base, *presence, links, logs, now);
                }
            }
            Act::Answered { .. } | Act::Signal { .. } => panic!("nobody calls here"),
            Act::Authenticate { .. } => panic!("nobody has a token here"),
            Act::Answer { question, .. } => panic!("nobody asks {question:?} here"),
        }
    }

    fn join(&mut self, number: usize, join: Join<LinkId>, links: &mut Links, logs: &mut Logs) {
        let (id, channel, now) = (join.key, join.channel, join.now);
        let link = links.get_mut(&id).unwrap();
        let room = self.open(number, &mut logs[number], now);
        match room.join(join, &mut link.outbox) {
            Ok(reader) => {
                link.session.joined(channel, Joined { room: number, reader });
                self.rooms.get_mut(&number).unwrap().active_ms = now;
                let before = links.values().map(|link| link.session.channels().count()).sum::<usize>();
                self.apply(number, links, logs, now);
                let after = links.values().map(|link| link.session.channels().count()).sum::<usize>();
                if after < before {
                    self.meet("a session that joined anew");
                }
            }
            Err(refusal) if refusal.code == ErrorCode::RevisionUnknown => {
                // The client was at another server, which is ahead. It comes again when this one has caught up.
                link.server_open = false;
                self.poll(number, links, logs, now);
            }
            Err(refusal) => panic!("nobody asks for a room that cannot be joined: {refusal}"),
        }
    }

    fn leave(&mut self, joined: Joined, links: &mut Links, logs: &mut Logs, now: u64) {
        if let Some(held) = self.rooms.get_mut(&joined.room) {
            held.room.leave(joined.reader, now);
            held.active_ms = now;
            self.apply(joined.room, links, logs, now);
        }
    }

    fn set_presence(
        &mut self,
        joined: Joined,
        base: Revision,
        presence: Presence,
        links: &mut Links,
        logs: &mut Logs,
        now: u64,
    ) {
        let Some(Held { room, .. }) = self.rooms.get_mut(&joined.room) else { return };
        let Some(reader) = room.readers().get(joined.reader) else { return };
        let participant = reader.cursor.participant();
        let exact = room.reaches(base);
        let what = if exact { "presence" } else { "presence on a base older than the window" };
        *self.met.entry(what).or_default() += 1;
        self.told.insert((joined.room, participant), Told { base, presence: presence.clone(), at_ms: now, exact });
        let base = if self.fault == Some(Fault::LatePlacesNotMoved) { room.revision() } else { base };
        room.set_presence(joined.reader, base, presence, now).unwrap();
        self.apply(joined.room, links, logs, now);
    }

    #[expect(clippy::too_many_arguments, reason = "what the real server has in one struct each is apart here")]
    fn submit(
        &mut self,
        id: LinkId,
        channel: u32,
        joined: Joined,
        mut submit: Submit,
        links: &mut Links,
        logs: &mut Logs,
        now: u64,
    ) {
        let about = About::Submit { channel, seq: submit.seq };
        let Held { room, .. } = self.rooms.get_mut(&joined.room).expect("a joined room is open");
        if let Some(fault) = self.fault
            && !room.has_pending()
        {
            let log = &logs[joined.room];
            let after: Vec<_> = log.read(submit.base, room.revision()).into_iter().map(|(entry, _)| entry).collect();
            fault.spoil(&mut submit, &after, room.revision());
        }
        let result = self.submit_with_what_it_needs(joined.room, Submitter::Reader(joined.reader), submit, logs, now);
        match result {
            Ok(Submitted::Repeat(_)) => self.meet("a submit that was there"),
            Ok(_) => {}
            Err(refusal) => {
                self.meet(refusal.code.as_str());
                links.get_mut(&id).unwrap().outbox.put(&ServerMessage::Error(refusal.about(about)));
            }
        }
        self.apply(joined.room, links, logs, now);
    }

    /// What `rooms/open/submit.rs` does with waiting.
    fn submit_with_what_it_needs(
        &mut self,
        number: usize,
        submitter: Submitter,
        submit: Submit,
        logs: &Logs,
        now: u64,
    ) -> Result<Submitted, Refusal> {
        let (room, log) = (&mut self.rooms.get_mut(&number).unwrap().room, &logs[number]);
        let mut older = Vec::new();
        let mut result = room.handle_submit(submitter.clone(), submit, &older, now);
        for _ in 0..2 {
            let submit = match result? {
                Submitted::NeedsHistory(submit) => {
                    *self.met.entry("an edit on a base older than the window").or_default() += 1;
                    older = log.read(submit.base, room.revision()).into_iter().map(|(entry, _)| entry).collect();
                    submit
                }
                Submitted::NeedsMessage(submit, message) => {
                    *self.met.entry("a message that was looked up").or_default() += 1;
                    let found = messages(log, room.revision()).records.0.remove(&message);
                    room.learn(found.expect("clients speak of messages that they have seen"));
                    submit
                }
                submitted => return Ok(submitted),
            };
            result = room.handle_submit(submitter.clone(), submit, &older, now);
        }
        assert!(
            !matches!(result, Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..))),
            "what it needs was there"
        );
        result
    }

    /// Somebody says something without having the room open, and waits for the answer.
    pub fn call(&mut self, number: usize, participant: ParticipantId, links: &mut Links, logs: &mut Logs, now: u64) {
        let base = self.open(number, &mut logs[number], now).revision();
        let say = ChatCommand::Say { text: "by the way".to_owned(), thread: None, quote: None, mentions: Vec::new() };
        let submit = Submit { participant, seq: 1, base, command: Command::Chat(Box::new(say)) };
        let submitter = Submitter::Caller(Arc::new(Principal::nobody(participant)));
        match self.submit_with_what_it_needs(number, submitter, submit, logs, now) {
            Ok(_) => {
                let held = self.rooms.get_mut(&number).unwrap();
                held.room.wait_for(participant, 1, Waiter::Caller(participant));
                held.waiting.push(participant);
            }
            Err(refusal) => self.meet(refusal.code.as_str()),
        }
        self.apply(number, links, logs, now);
    }

    /// The thread parks: the log gets what was gathered for it.
    pub fn park(&mut self) {
        for number in std::mem::take(&mut self.appends_due) {
            let Some(held) = self.rooms.get_mut(&number) else { continue };
            let Some(next) = held.room.take_append() else { continue };
            assert_eq!(next.after, held.room.revision());
            let (server, expected, entries) = (self.number, next.after, next.entries);
            self.appends.push(Append { server, room: number, expected, entries, stage: Stage::Sent });
        }
    }

    /// Takes the log's answer to an append. An unknown one is sent again as it is.
    pub fn answered(&mut self, append: Append, answer: Answer, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get_mut(&append.room) else { return };
        match answer {
            Answer::Appended(revision) => {
                held.room.handle_appended(0, now);
                assert_eq!(held.room.revision(), revision, "the room is where the log is");
                self.apply(append.room, links, logs, now);
            }
            Answer::Conflict(_) => {
                self.meet("a conflict");
                self.catch_up(append.room, links, logs, now);
            }
            Answer::Unknown => {
                held.room.handle_unavailable(Refusal::for_now(ErrorCode::StorageUnavailable, "no answer", 1));
                self.meet("an append that nobody knows of");
                self.appends.push(Append { stage: Stage::Sent, ..append });
            }
        }
    }

    /// Reads what others have appended.
    fn catch_up(&mut self, number: usize, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get_mut(&number) else { return };
        let entries = logs[number].read(held.room.revision(), Revision::MAX);
        held.room.handle_conflict(entries, 0, now);
        self.catching_up = true;
        self.apply(number, links, logs, now);
        self.catching_up = false;
    }

    /// Looks whether others have moved a room's log on. Not while an append is on its way, whose answer tells.
    pub fn poll(&mut self, number: usize, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get(&number) else { return };
        if held.room.has_pending() || logs[number].head() == held.room.revision() {
            return;
        }
        self.meet("entries of another server");
        self.catch_up(number, links, logs, now);
    }

    /// The presence timer ticks: those who watch are told who is where.
    pub fn tick(&mut self, links: &mut Links, logs: &mut Logs, now: u64) {
        for number in std::mem::take(&mut self.presence_due) {
            let Some(held) = self.rooms.get_mut(&number) else { continue };
            held.room.feed_presence(now, |id, reader| {
                if let Some(link) = links.get_mut(id) {
                    reader.tell(&mut link.outbox);
                }
            });
            self.apply(number, links, logs, now);
        }
    }

    /// Time passes in a room.
    pub fn look_at_clock(&mut self, number: usize, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get_mut(&number) else { return };
        held.room.handle_timeout(now);
        self.apply(number, links, logs, now);
    }

    /// Whether there is something to do that nobody has to ask for.
    pub fn is_busy(&self) -> bool {
        let has_news = self.rooms.values().any(|held| held.room.has_news());
        has_news || !self.appends_due.is_empty() || !self.chat_due.is_empty() || !self.appends.is_empty()
    }

    /// Moves the lagging readers of a connection on.
    pub fn pump(&mut self, id: LinkId, links: &mut Links, logs: &mut Logs, now: u64) {
        let link = links.get_mut(&id).unwrap();
        if !link.outbox.has_room() {
            return;
        }
        let mut fed = Vec::new();
        for channel in std::mem::take(&mut link.outbox.lagging) {
            let Some(Joined { room: number, reader }) = link.session.channel(channel).copied() else { continue };
            let Some(Held { room, .. }) = self.rooms.get_mut(&number) else { continue };
            match room.feed(reader, &mut link.outbox) {
                Fed::CaughtUp | Fed::Gone => {}
                Fed::Full => link.outbox.lag(channel),
                Fed::Behind(after) => {
                    *self.met.entry("a reader behind the window").or_default() += 1;
                    let some = logs[number].read(after, after + 5);
                    assert!(!some.is_empty(), "what is committed is in the log");
                    room.feed_stored(reader, some, &mut link.outbox);
                    link.outbox.lag(channel);
                }
            }
            fed.push(number);
        }
        for number in fed {
            self.apply(number, links, logs, now);
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, id: LinkId, links: &mut Links, logs: &mut Logs, now: u64) {
        if let Some(joined) = links[&id].session.channel(1).copied() {
            self.leave(joined, links, logs, now);
        }
    }

    /// Lets go of a room in which nothing happened since, if nothing of it is needed; `keep` says whether a snapshot that it
    /// asks for can be stored.
    pub fn unload(&mut self, number: usize, since_ms: u64, log: &mut RoomLog, keep: bool, now: u64) {
        let Some(Held { room, .. }) = self.rooms.get_mut(&number) else { return };
        if keep && let Some(state) = room.take_snapshot(0) {
            put_snapshot(log, &state);
        }
        match room.take_unload(since_ms, now) {
            Unload::Busy => {}
            Unload::Snapshot(state) => put_snapshot(log, &state),
            Unload::Ready => {
                // Whoever is to do something for the room has it in hand.
                let due = [&self.appends_due, &self.presence_due, &self.chat_due];
                if !due.into_iter().any(|due| due.contains(&number)) {
                    self.meet("an idle room");
                    self.rooms.remove(&number);
                }
            }
        }
    }

    /// Ends a room if nothing happened in it for too long. Returns whether it did.
    pub fn expire(&mut self, number: usize, ttl_s: u64, links: &mut Links, logs: &mut Logs, now: u64) -> bool {
        let Some(held) = self.rooms.get_mut(&number) else { return false };
        let id = RoomId::new(&number.to_string()).unwrap();
        let expired = held.room.handle_expiry(&id, ttl_s, now) == Expiry::Expired;
        let idle_ms = now.saturating_sub(held.active_ms);
        assert!(!expired || idle_ms >= ttl_s * 1_000, "a room in which something happened expired");
        self.apply(number, links, logs, now);
        expired
    }

    /// Closes a room that is to be removed. Its readers are told so.
    pub fn close(&mut self, number: usize, links: &mut Links, logs: &mut Logs, now: u64) {
        let Some(held) = self.rooms.get_mut(&number) else { return };
        held.room.close(&Refusal::new(ErrorCode::RoomDeleted, "the room was deleted"));
        held.room.wait_until_drained(Waiter::Removal);
        self.apply(number, links, logs, now);
    }

    /// Whether nothing of a closed room is on its way to the log any more: then it is gone.
    pub fn forget(&mut self, number: usize) -> bool {
        let Some(held) = self.rooms.get(&number) else { return true };
        if held.room.has_pending() {
            return false;
        }
        assert!(held.drained && held.waiting.is_empty(), "those who waited were answered");
        self.rooms.remove(&number);
        self.appends_due.remove(&number);
        self.presence_due.remove(&number);
        self.chat_due.remove(&number);
        self.told.retain(|(room, _), _| *room != number);
        true
    }

    /// The chat writer writes some messages down, of a room that asked for it.
    pub fn write_chat(&mut self, number: usize, log: &mut RoomLog, at_most: usize) {
        if !self.chat_due.contains(&number) {
            return;
        }
        let Some(Held { room, .. }) = self.rooms.get_mut(&number) else {
            self.chat_due.remove(&number);
            return;
        };
        let done = log.chat.done.revision;
        let mut some = room.chat_entries(done, at_most);
        if let (true, Some(first)) = (some.is_empty(), room.state().chat().first_after(done)) {
            *self.met.entry("a chat caught up from the log").or_default() += 1;
            some = chat_entries(log, first, room.revision());
            if self.fault == Some(Fault::ChatGapIgnored) {
                some.drain(..some.len() - 1);
            }
        }
        for chat_entry in &some {
            let Ok(()) = project(&mut log.chat.records, &mut log.chat.done, chat_entry);
        }
        if room.state().chat().first_after(log.chat.done.revision).is_none() {
            self.chat_due.remove(&number);
        }
    }

    /// At the end: everything that was asked for was answered, and every message that a room heard of is written.
    pub fn check(&self, logs: &Logs) {
        for (number, held) in &self.rooms {
            assert!(held.waiting.is_empty(), "callers of room {number} were answered");
            let changed = held.room.state().chat().changed();
            let written = changed <= held.chat_opened || logs[*number].chat.done.revision >= changed;
            assert!(written, "the messages of room {number} are written");
        }
    }

    /// The process is killed.
    pub fn crash(&mut self) {
        self.up = false;
        self.rooms.clear();
        self.appends_due.clear();
        self.presence_due.clear();
        self.chat_due.clear();
        self.appends.clear();
    }
}

fn put_snapshot(log: &mut RoomLog, state: &RoomState) {
    let bytes = state.encode();
    assert_eq!(codec::revision_of_entry(&bytes[codec::LENGTH_BYTES..]).unwrap(), state.revision());
    log.snapshots.push((state.revision(), bytes));
}
