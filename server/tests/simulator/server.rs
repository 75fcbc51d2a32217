//! What the real server does around its rooms (`hub` and `transport`), without locks and waiting.

use std::{collections::BTreeMap, sync::Arc};

use motet_protocol::{
    codec,
    error::{About, ErrorCode},
    ids::{ParticipantId, Revision},
    message::{ClientMessage, Durability, ServerMessage},
    presence::Presence,
};
use motet_server::{
    auth::Identity,
    refusal::Refusal,
    room::{
        Fed, Outlet, Room, RoomState, Submitted,
        chat::keep,
        limits::RoomLimits,
        live::{Asker, Join},
        propose::Submit,
    },
    session::{Act, Caller, Settings},
};

use crate::{
    faults::Fault,
    link::{Joined, Link},
    log::{Answer, Append, RoomLog, Stage, messages, utterances},
    world::{Links, Logs},
};

/// How a server's rooms know a connection.
pub type LinkId = usize;

/// One server.
pub struct Server {
    pub number: usize,
    pub up: bool,
    pub rooms: BTreeMap<usize, Room<LinkId>>,
    limits: RoomLimits,
    settings: Settings,
    fault: Option<Fault>,
    /// What was told last in each room, and by whom.
    pub told: BTreeMap<(usize, ParticipantId), Told>,
    /// What it came across, to be sure that the simulator comes across everything.
    pub met: Met,
}

/// What somebody told a server of itself.
pub struct Told {
    pub base: Revision,
    pub presence: Presence,
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
            met: Met::new(),
        }
    }

    fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// A room, from its snapshot and the entries after it if it is not open.
    fn open<'a>(&'a mut self, number: usize, log: &mut RoomLog) -> &'a mut Room<LinkId> {
        let (limits, met) = (self.limits, &mut self.met);
        self.rooms.entry(number).or_insert_with(|| {
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
            Room::new(state, snapshot_revision, limits)
        })
    }

    /// Takes a message of a connection.
    pub fn take(
        &mut self,
        id: LinkId,
        message: ClientMessage,
        links: &mut Links,
        logs: &mut Logs,
        now: u64,
    ) -> Appends {
        let (link, fault) = (links.get_mut(&id).unwrap(), self.fault);
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
                let number = room.as_str().parse().unwrap();
                let wire = link.wire;
                let room = self.open(number, &mut logs[number]);
                let log = motet_protocol::ids::LogIdentity(uuid::Uuid::nil());
                let join = Join { key: id, principal, channel, wire, log, after, entries_only, now };
                match room.join(join) {
                    Ok((reader, joined, replaced)) => {
                        link.outbox.put(&joined);
                        if room.feed(reader, &mut link.outbox) != Fed::CaughtUp {
                            link.outbox.lag(channel);
                        }
                        link.session.joined(channel, Joined { room: number, reader });
                        for old in replaced {
                            *self.met.entry("a session that joined anew").or_default() += 1;
                            let Some(link) = links.get_mut(&old.key) else { continue };
                            let refusal = Refusal::new(ErrorCode::SessionReplaced, "replaced");
                            link.outbox.put(&ServerMessage::Error(refusal.about(About::Channel(old.cursor.channel))));
                            link.session.dropped(old.cursor.channel);
                        }
                    }
                    Err(refusal) if refusal.code == ErrorCode::RevisionUnknown => {
                        // The client was at another server, which is ahead. It comes again when this one has caught up.
                        link.server_open = false;
                        return self.poll(number, links, logs, now);
                    }
                    Err(refusal) => panic!("nobody asks for a room that cannot be joined: {refusal}"),
                }
            }
            Act::Leave { channel, joined } => {
                if let Some(room) = self.rooms.get_mut(&joined.room) {
                    room.leave(joined.reader);
                }
                link.outbox.put(&ServerMessage::Left { channel });
            }
            Act::Submit { participant, channel, joined, seq, base, command } => {
                let joined = *joined;
                let submit = Submit { participant, seq, base, command };
                return self.submit(channel, joined, submit, link, &logs[joined.room], now);
            }
            Act::Watch { joined, on } => {
                if let Some(room) = self.rooms.get_mut(&joined.room) {
                    room.watch(joined.reader, on);
                }
            }
            Act::SetPresence { channel, base, presence } => {
                let Some(joined) = link.session.channel(channel).copied() else { return Appends::new() };
                let Some(room) = self.rooms.get_mut(&joined.room) else { return Appends::new() };
                let Some(reader) = room.readers().get(joined.reader) else { return Appends::new() };
                let participant = reader.cursor.participant();
                let exact = room.reaches(base);
                let what = if exact { "presence" } else { "presence on a base older than the window" };
                *self.met.entry(what).or_default() += 1;
                self.told.insert((joined.room, participant), Told { base, presence: (*presence).clone(), exact });
                let base = if fault == Some(Fault::LatePlacesNotMoved) { room.revision() } else { base };
                room.set_presence(joined.reader, base, *presence, now).unwrap();
            }
            Act::Answered { .. } | Act::Signal { .. } => panic!("nobody calls here"),
            Act::Authenticate { .. } => panic!("nobody has a token here"),
            Act::Answer { question, .. } => panic!("nobody asks {question:?} here"),
        }
        Appends::new()
    }

    fn submit(
        &mut self,
        channel: u32,
        joined: Joined,
        mut submit: Submit,
        link: &mut Link,
        log: &RoomLog,
        now: u64,
    ) -> Appends {
        let about = About::Submit { channel, seq: submit.seq };
        let room = self.rooms.get_mut(&joined.room).expect("a joined room is open");
        if let Some(fault) = self.fault
            && !room.has_pending()
        {
            let after: Vec<_> = log.read(submit.base, room.revision()).into_iter().map(|(entry, _)| entry).collect();
            fault.spoil(&mut submit, &after, room.revision());
        }
        let seq = submit.seq;
        let mut result = room.submit(joined.reader, submit, &[], now);
        if let Ok(Submitted::NeedsHistory(submit)) = result {
            *self.met.entry("an edit on a base older than the window").or_default() += 1;
            let read = log.read(submit.base, room.revision());
            let older: Vec<_> = read.into_iter().map(|(entry, _)| entry).collect();
            result = room.submit(joined.reader, submit, &older, now);
        }
        if let Ok(Submitted::NeedsMessage(submit, message)) = result {
            *self.met.entry("a message that was looked up").or_default() += 1;
            let found = messages(log, room.revision()).records.0.remove(&message);
            room.learn(found.expect("clients speak of messages that they have seen"));
            let older: Vec<_> = log.read(submit.base, room.revision()).into_iter().map(|(entry, _)| entry).collect();
            result = room.submit(joined.reader, submit, &older, now);
        }
        match result {
            Ok(Submitted::Ordered(_)) => {}
            Ok(Submitted::Repeat(revision)) => {
                *self.met.entry("a submit that was there").or_default() += 1;
                room.feed_repeat(joined.reader, seq, revision, &mut link.outbox);
            }
            Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) => panic!("what it needs was there"),
            Err(refusal) => {
                *self.met.entry(refusal.code.as_str()).or_default() += 1;
                link.outbox.put(&ServerMessage::Error(refusal.about(about)));
            }
        }
        self.append_next(joined.room).into_iter().collect()
    }

    fn append_next(&mut self, number: usize) -> Option<Append> {
        let room = self.rooms.get_mut(&number)?;
        let expected = room.revision();
        let entries = room.take_append()?;
        Some(Append { server: self.number, room: number, expected, entries, stage: Stage::Sent })
    }

    /// Takes the log's answer to an append. An unknown one is sent again as it is.
    pub fn answered(&mut self, append: Append, answer: Answer, links: &mut Links, logs: &Logs, now: u64) -> Appends {
        let Some(room) = self.rooms.get_mut(&append.room) else { return Appends::new() };
        match answer {
            Answer::Appended(revision) => {
                room.appended().unwrap();
                assert_eq!(room.revision(), revision, "the room is where the log is");
            }
            Answer::Conflict(_) => {
                self.meet("a conflict");
                self.catch_up(append.room, links, logs, now);
            }
            Answer::Unknown => {
                *self.met.entry("an append that nobody knows of").or_default() += 1;
                room.stall(Refusal::for_now(ErrorCode::StorageUnavailable, "no answer", 1));
                return vec![Append { stage: Stage::Sent, ..append }];
            }
        }
        self.feed_following(append.room, links);
        self.append_next(append.room).into_iter().collect()
    }

    /// Reads what others have appended.
    fn catch_up(&mut self, number: usize, links: &mut Links, logs: &Logs, now: u64) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let entries = logs[number].read(room.revision(), Revision::MAX);
        for displaced in room.conflict(entries, now).unwrap() {
            let Asker::Reader(reader) = displaced.asker else { continue };
            let Some(reader) = room.readers().get(reader) else { continue };
            let about = About::Submit { channel: reader.cursor.channel, seq: displaced.seq };
            let Some(link) = links.get_mut(&reader.key) else { continue };
            link.outbox.put(&ServerMessage::Error(displaced.refusal.about(about)));
        }
    }

    /// Looks whether others have moved a room's log on. Not while an append is on its way, whose answer tells.
    pub fn poll(&mut self, number: usize, links: &mut Links, logs: &Logs, now: u64) -> Appends {
        let Some(room) = self.rooms.get(&number) else { return Appends::new() };
        if room.has_pending() || logs[number].head() == room.revision() {
            return Appends::new();
        }
        self.meet("entries of another server");
        self.catch_up(number, links, logs, now);
        self.feed_following(number, links);
        self.append_next(number).into_iter().collect()
    }

    fn feed_following(&mut self, number: usize, links: &mut Links) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        room.feed_following(|id, channel, reader| {
            let Some(link) = links.get_mut(id) else { return };
            if reader.feed(&mut link.outbox) != Fed::CaughtUp {
                link.outbox.lag(channel);
            }
        });
    }

    /// Tells those who watch who is where.
    pub fn tell_news(&mut self, number: usize, links: &mut Links) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        room.feed_watching(|id, telling| {
            let Some(link) = links.get_mut(id) else { return };
            if link.outbox.has_room() {
                telling.tell(&mut link.outbox);
            } else {
                link.outbox.lag(telling.channel());
            }
        });
    }

    /// Whether somebody who watches is to be told something.
    pub fn has_news(&self) -> bool {
        self.rooms.values().any(Room::has_news)
    }

    /// Moves the lagging readers of a connection on.
    pub fn pump(&mut self, link: &mut Link, logs: &Logs) {
        if !link.outbox.has_room() {
            return;
        }
        for channel in std::mem::take(&mut link.outbox.lagging) {
            let Some(Joined { room: number, reader }) = link.session.channel(channel).copied() else { continue };
            let Some(room) = self.rooms.get_mut(&number) else { continue };
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
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, link: &Link) {
        for channel in [1] {
            if let Some(Joined { room, reader }) = link.session.channel(channel)
                && let Some(room) = self.rooms.get_mut(room)
            {
                room.leave(*reader);
            }
        }
    }

    /// Takes a snapshot of a room, and lets go of the room if it is idle.
    pub fn rest(&mut self, number: usize, log: &mut RoomLog, keep: bool) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        if let Some(state) = room.take_snapshot().filter(|_| keep) {
            let bytes = state.encode();
            assert_eq!(codec::revision_of_entry(&bytes[codec::LENGTH_BYTES..]).unwrap(), state.revision());
            log.snapshots.push((state.revision(), bytes));
        }
        room.rest();
        if room.is_idle() {
            *self.met.entry("an idle room").or_default() += 1;
            self.rooms.remove(&number);
        }
    }

    /// Writes some messages down, as far as the room is.
    pub fn write_chat(&mut self, number: usize, log: &mut RoomLog, at_most: usize) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let done = log.chat.done.revision;
        let mut some = room.utterances(done, at_most);
        if let (true, Some(first)) = (some.is_empty(), room.state().chat().first_after(done)) {
            *self.met.entry("a chat caught up from the log").or_default() += 1;
            some = utterances(log, first, room.revision());
            if self.fault == Some(Fault::ChatGapIgnored) {
                some.drain(..some.len() - 1);
            }
        }
        for utterance in some {
            let Ok(()) = keep(&mut log.chat.records, &mut log.chat.done, &utterance);
        }
    }

    /// The process is killed.
    pub fn crash(&mut self) {
        self.up = false;
        self.rooms.clear();
    }
}
