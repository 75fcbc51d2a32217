//! What happens next, and what must hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use motet_protocol::{
    comment::CommentCommand,
    hash::TextHash,
    ids::{ParticipantId, Revision},
    limits::PRESENCE_IDLE_MS,
    message::{ClientMessage, Command, Entry},
    ot::Component,
    presence::Status,
};
use motet_server::{
    room::{RoomState, chat::Record, limits::RoomLimits},
    wire::Wire,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    client::{Client, Told},
    faults::Fault,
    link::Link,
    log::{Answer, Append, RoomLog, Stage, messages},
    server::{Appends, Met, Server},
};

pub type Links = BTreeMap<usize, Link>;
pub type Logs = Vec<RoomLog>;

/// Steps within which everything must be quiet once nothing breaks any more.
const HEALING_STEPS_MAX: u64 = 60_000;

pub struct World {
    random: StdRng,
    now: u64,
    step: u64,
    clients: Vec<Client>,
    servers: Vec<Server>,
    links: Links,
    next_link: usize,
    logs: Logs,
    appends: Appends,
    outbox_bytes: usize,
    fault: Option<Fault>,
    verbose: bool,
    /// How likely trouble is, per step.
    trouble: f64,
    edits_left: u32,
    /// Nothing breaks any more.
    healing: bool,
    /// Seconds after which a room expires in which nothing happens; 0 for never.
    ttl_s: u64,
    /// Rooms that are being removed: nobody opens them until nothing of them is on its way to the log.
    removing: BTreeSet<usize>,
    removed: u64,
}

impl World {
    pub fn new(seed: u64, fault: Option<Fault>, verbose: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let rooms = random.random_range(1..3);
        let typists = random.random_bool(0.25);
        let limits = RoomLimits {
            window_entries_max: [1, 3, 10, 512][random.random_range(0..4)],
            snapshot_entries_min: [3, 20, 100, 4_096][random.random_range(0..4)],
            ..RoomLimits::default()
        };
        let clients = random.random_range(1..7);
        let clients = (0..clients).map(|n| Client::new(n, n % rooms, typists, &mut random)).collect();
        let servers = (0..random.random_range(1..4)).map(|n| Server::new(n, limits, fault)).collect();
        Self {
            now: 1_000_000,
            step: 0,
            clients,
            servers,
            links: Links::new(),
            next_link: 0,
            logs: (0..rooms).map(|_| RoomLog::default()).collect(),
            appends: Appends::new(),
            outbox_bytes: [1, 200, 2_000][random.random_range(0..3)],
            fault,
            verbose,
            trouble: [0.0, 0.01, 0.05][random.random_range(0..3)],
            edits_left: random.random_range(5..200),
            healing: false,
            ttl_s: [0, 0, 1, 20][random.random_range(0..4)],
            removing: BTreeSet::new(),
            removed: 0,
            random,
        }
    }

    fn say(&self, words: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>6} {}", self.step, words());
        }
    }

    /// Runs to the end. Returns the steps, and what the servers came across.
    pub fn run(mut self) -> (u64, Met) {
        while self.edits_left > 0 {
            self.step();
        }
        self.healing = true;
        let end = self.step + HEALING_STEPS_MAX;
        while !self.is_quiet() {
            assert!(self.step < end, "it does not come to rest: {}", self.describe());
            self.step();
        }
        self.check();
        let mut met = Met::new();
        for (what, times) in self.servers.iter().flat_map(|server| &server.met) {
            *met.entry(what).or_default() += times;
        }
        met.insert("a room that was removed", self.removed);
        (self.step, met)
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    fn below(&mut self, n: usize) -> usize {
        self.random.random_range(0..n)
    }

    fn step(&mut self) {
        self.step += 1;
        self.now += self.random.random_range(0..3);
        if !self.healing && self.chance(self.trouble) {
            self.break_something();
        }
        match self.below(125) {
            0..25 => self.server_reads(),
            25..45 => self.client_reads(),
            45..60 => self.server_writes(),
            60..75 => self.log_works(),
            75..88 => self.client_edits(),
            88..95 => self.client_connects(),
            95..97 => self.client_resends(),
            97..=98 => self.server_polls(),
            99 => self.server_rests(),
            100..118 => self.client_tells(),
            118 => self.server_is_called(),
            119..124 => self.server_ticks(),
            _ => self.room_goes(),
        }
        // Mostly a thread parks at once; otherwise it gathers more for the log.
        if self.chance(0.8) {
            self.servers.iter_mut().for_each(Server::park);
        }
        for server in &mut self.servers {
            self.appends.append(&mut server.appends);
        }
        self.finish_removals();
        self.links.retain(|_, link| link.client_open || link.server_open);
    }

    fn some_link(&mut self, which: impl Fn(&Link) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = self.links.iter().filter(|(_, link)| which(link)).map(|(id, _)| *id).collect();
        (!fitting.is_empty()).then(|| fitting[self.below(fitting.len())])
    }

    /// Some bytes: all that there are as often as not.
    fn some_bytes(&mut self, bytes: usize) -> usize {
        if self.chance(0.5) { bytes } else { self.random.random_range(1..=bytes) }
    }

    fn server_reads(&mut self) {
        let Some(id) = self.some_link(|link| link.server_open && (link.bytes_up() > 0 || !link.client_open)) else {
            return;
        };
        let link = self.links.get_mut(&id).unwrap();
        let server = link.server;
        if link.bytes_up() == 0 {
            // The end of the stream.
            link.server_open = false;
            self.servers[server].closed(id, &mut self.links, &mut self.logs, self.now);
            return;
        }
        let bytes = self.links[&id].bytes_up();
        let bytes = self.some_bytes(bytes);
        let messages = self.links.get_mut(&id).unwrap().arrive_up(bytes);
        for message in messages {
            if !self.links[&id].server_open {
                break;
            }
            if self.links[&id].stale {
                // Said to a room that is gone. Who joins it is refused, and comes to the new one with nothing of the old.
                if matches!(message, ClientMessage::Join { .. }) {
                    self.links.get_mut(&id).unwrap().server_open = false;
                }
                continue;
            }
            self.say(|| format!("server {server} takes {message:?}"));
            let (links, logs) = (&mut self.links, &mut self.logs);
            self.servers[server].take(id, message, links, logs, &self.removing, self.now);
        }
    }

    fn server_writes(&mut self) {
        let Some(id) = self.some_link(|link| link.server_open) else { return };
        let server = self.links[&id].server;
        self.servers[server].pump(id, &mut self.links, &mut self.logs, self.now);
        let bytes = self.links[&id].bytes_out();
        // What is put in at once after a yes is always taken; here that is at most one message of this size.
        assert!(bytes < self.outbox_bytes + 20_000, "an outbox holds {bytes} bytes");
        if bytes > 0 {
            let bytes = self.some_bytes(bytes);
            self.links.get_mut(&id).unwrap().flush(bytes);
        }
    }

    fn client_reads(&mut self) {
        let Some(id) = self.some_link(|link| link.client_open && (link.bytes_down() > 0 || !link.server_open)) else {
            return;
        };
        let bytes = self.links[&id].bytes_down();
        let number = self.links[&id].client;
        if bytes == 0 {
            self.clients[number].link = None;
            self.links.get_mut(&id).unwrap().client_open = false;
            return;
        }
        let bytes = self.some_bytes(bytes);
        let messages = self.links.get_mut(&id).unwrap().arrive_down(bytes);
        for message in messages {
            if !self.links[&id].client_open {
                break;
            }
            self.say(|| format!("client {number} takes {message:?}"));
            let link = self.links.get_mut(&id).unwrap();
            let told = self.clients[number].take(message, link);
            // What is still on its way from a room that is gone is not in the log under its name.
            if let Some(told) = told.filter(|_| !self.clients[number].room_removed) {
                self.check_told(number, &told);
            }
        }
    }

    /// Nobody is told what is not durable, nor anything else than what the log says.
    fn check_told(&self, number: usize, told: &Told) {
        let client = &self.clients[number];
        let log = &self.logs[client.room];
        let revision = match told {
            Told::Entry(entry) => entry.revision,
            Told::Acknowledged(_, revision, _) => *revision,
            Told::People => return self.check_people(number),
        };
        assert!(revision <= log.head(), "client {number} was told of revision {revision} before it was durable");
        let (entry, _) = log.read(revision - 1, revision).remove(0);
        match told {
            Told::Entry(told) => assert_eq!(*told, entry),
            Told::People => {}
            Told::Acknowledged(seq, _, command) => {
                assert_eq!((entry.participant, entry.seq), (client.participant(), *seq), "client {number}");
                let asked = command.as_ref().expect("what is acknowledged was outstanding");
                let same = asked.asks_the_same_as(&entry.command);
                assert!(same, "client {number} has {asked:?} where the log has {:?}", entry.command);
            }
        }
    }

    /// Everybody is where they said last to this server, moved over every entry since; what they said before does not count.
    fn check_people(&self, number: usize) {
        let client = &self.clients[number];
        let Some(link) = client.link.and_then(|id| self.links.get(&id)) else { return };
        let (server, revision) = (&self.servers[link.server], client.machine.revision());
        for known in client.people.iter() {
            let participant = known.person.participant;
            let (Some(now), Some(told)) = (&known.presence, server.told.get(&(client.room, participant))) else {
                continue;
            };
            assert!(now.color <= told.presence.color);
            if now.color != told.presence.color || !told.exact || told.base > revision {
                continue;
            }
            let mut expected = told.presence.clone();
            for (entry, _) in self.logs[client.room].read(told.base, revision) {
                let Some(operation) = entry.command.operation() else { continue };
                expected.move_over(&operation.shift(), entry.participant == participant);
            }
            // A room shows a participant as idle only after so long a silence.
            if now.status == Status::Idle && self.now - told.at_ms >= PRESENCE_IDLE_MS {
                expected.status = Status::Idle;
            }
            assert_eq!(*now, expected, "client {number} sees {participant} at revision {revision}");
        }
    }

    /// The log writes an append, or syncs and answers.
    fn log_works(&mut self) {
        if self.appends.is_empty() {
            return;
        }
        let which = self.below(self.appends.len());
        match &self.appends[which].stage {
            Stage::Sent => {
                let Append { room, .. } = self.appends[which];
                let answer = self.logs[room].append(&self.appends[which], &mut self.random);
                self.say(|| format!("the log decides {answer:?} for {:?}", self.appends[which]));
                self.appends[which].stage = Stage::Decided(answer);
                if self.fault == Some(Fault::AcknowledgedBeforeSync) {
                    let append = self.appends.swap_remove(which);
                    self.answer(append, answer);
                }
            }
            Stage::Decided(_) => {
                self.logs.iter_mut().for_each(RoomLog::sync);
                // One sync serves everyone who waits.
                let (decided, sent): (Vec<_>, Vec<_>) =
                    std::mem::take(&mut self.appends).into_iter().partition(|append| append.stage != Stage::Sent);
                self.appends = sent;
                for append in decided {
                    let Stage::Decided(answer) = append.stage else { continue };
                    self.answer(append, answer);
                }
            }
        }
    }

    fn answer(&mut self, append: Append, answer: Answer) {
        let server = &mut self.servers[append.server];
        server.answered(append, answer, &mut self.links, &mut self.logs, self.now);
    }

    fn client_edits(&mut self) {
        let number = self.below(self.clients.len());
        if self.healing || self.edits_left == 0 || !self.clients[number].has_text() {
            return;
        }
        self.edits_left -= 1;
        let client = &mut self.clients[number];
        let link = client.link.and_then(|id| self.links.get_mut(&id));
        match self.random.random_bool(0.25) {
            true => client.talk(&mut self.random, link),
            false => client.edit(&mut self.random, link),
        }
    }

    fn client_connects(&mut self) {
        let number = self.below(self.clients.len());
        let server = self.below(self.servers.len());
        if self.clients[number].link.is_some() || !self.servers[server].up {
            return;
        }
        if self.clients[number].room_removed {
            let random = &mut self.random;
            self.clients[number].begin_anew(random);
        }
        let wire = [Wire::Tcp, Wire::WsBinary, Wire::WsJson][self.below(3)];
        let mut link = Link::new(number, server, wire, self.outbox_bytes, self.now);
        let id = self.next_link;
        self.next_link += 1;
        self.say(|| format!("client {number} connects to server {server} as {wire:?}"));
        self.clients[number].connected(id, &mut link, &mut self.random);
        self.links.insert(id, link);
    }

    /// Sent twice on one connection, for no reason.
    fn client_resends(&mut self) {
        let number = self.below(self.clients.len());
        let client = &self.clients[number];
        if let Some(link) = client.link.and_then(|id| self.links.get_mut(&id)) {
            client.resend(link);
        }
    }

    fn client_tells(&mut self) {
        let number = self.below(self.clients.len());
        let client = &mut self.clients[number];
        if let Some(link) = client.link.and_then(|id| self.links.get_mut(&id)).filter(|_| !self.healing) {
            client.tell(&mut self.random, link);
        }
    }

    /// The presence timer of a server ticks, and time passes in one of its rooms.
    fn server_ticks(&mut self) {
        let (server, room) = (self.below(self.servers.len()), self.below(self.logs.len()));
        self.servers[server].tick(&mut self.links, &mut self.logs, self.now);
        self.servers[server].look_at_clock(room, &mut self.links, &mut self.logs, self.now);
    }

    fn server_polls(&mut self) {
        let (server, room) = (self.below(self.servers.len()), self.below(self.logs.len()));
        self.servers[server].poll(room, &mut self.links, &mut self.logs, self.now);
    }

    /// Somebody says something in a room without having it open.
    fn server_is_called(&mut self) {
        let (server, room) = (self.below(self.servers.len()), self.below(self.logs.len()));
        if !self.healing && !self.removing.contains(&room) {
            let participant = ParticipantId(self.random.random());
            self.servers[server].call(room, participant, &mut self.links, &mut self.logs, self.now);
        }
    }

    fn server_rests(&mut self) {
        let (server, room) = (self.below(self.servers.len()), self.below(self.logs.len()));
        if !self.removing.contains(&room) {
            let (keep, since_ms) =
                (self.chance(0.5), self.now.saturating_add(self.random.random_range(0..2) * 100_000));
            self.servers[server].unload(room, since_ms, &mut self.logs[room], keep, self.now);
        }
        for server in 0..self.servers.len() {
            let (room, at_most) = (self.below(self.logs.len()), 1 + self.below(4));
            self.servers[server].write_chat(room, &mut self.logs[room], at_most);
        }
    }

    /// A room is deleted, or expires, as long as one server has it open: with several, a server that has it not open cannot
    /// know that nothing happened in it.
    fn room_goes(&mut self) {
        let (server, room) = (self.below(self.servers.len()), self.below(self.logs.len()));
        if self.healing || self.removing.contains(&room) {
            return;
        }
        let alone = self.servers.iter().all(|other| other.number == server || !other.rooms.contains_key(&room));
        let (links, logs) = (&mut self.links, &mut self.logs);
        let expired = alone && self.servers[server].expire(room, self.ttl_s, links, logs, self.now);
        if !expired && !self.chance(0.05) {
            return;
        }
        self.say(|| format!("room {room} is removed"));
        self.removing.insert(room);
        for server in &mut self.servers {
            server.close(room, &mut self.links, &mut self.logs, self.now);
        }
        for client in self.clients.iter_mut().filter(|client| client.room == room) {
            client.room_removed = true;
        }
        for link in self.links.values_mut().filter(|link| self.clients[link.client].room == room) {
            link.stale = true;
        }
    }

    /// Rooms of which nothing is on its way to the log any more are gone, with their logs.
    fn finish_removals(&mut self) {
        for room in self.removing.clone() {
            if self.servers.iter_mut().all(|server| server.forget(room)) {
                assert!(
                    self.appends.iter().all(|append| append.room != room),
                    "nothing of it is on its way to the log"
                );
                self.logs[room] = RoomLog::default();
                self.removing.remove(&room);
                self.removed += 1;
                // Those who have not heard of it never will if their connection breaks now; they come to another room.
                self.say(|| format!("room {room} is gone"));
            }
        }
    }

    fn break_something(&mut self) {
        match self.below(10) {
            0..5 => self.cut(),
            5..7 => {
                let server = self.below(self.servers.len());
                self.say(|| format!("server {server} is killed"));
                self.crash(server);
                self.servers[server].up = true;
            }
            7 => {
                self.say(|| "the power goes".to_owned());
                (0..self.servers.len()).for_each(|server| self.crash(server));
                for log in &mut self.logs {
                    log.power_cut(&mut self.random);
                }
                self.servers.iter_mut().for_each(|server| server.up = true);
            }
            _ => {
                let steps = self.random.random_range(0..100_000);
                self.now = if self.chance(0.5) { self.now + steps } else { self.now.saturating_sub(steps) };
            }
        }
    }

    /// A connection breaks for its client; what is on its way may still reach the server, at any time.
    fn cut(&mut self) {
        let Some(id) = self.some_link(|link| link.client_open) else { return };
        let link = &self.links[&id];
        let (client, bytes) = (link.client, link.bytes_up());
        let keep = self.random.random_range(0..=bytes);
        self.say(|| format!("client {client} loses its connection, {keep} bytes stay on their way"));
        self.links.get_mut(&id).unwrap().cut_up(keep);
        self.clients[client].link = None;
    }

    fn crash(&mut self, server: usize) {
        self.servers[server].crash();
        // What was written stays written; what was only sent is gone.
        self.appends.retain(|append| append.server != server);
        for link in self.links.values_mut().filter(|link| link.server == server) {
            link.server_open = false;
        }
    }

    fn is_quiet(&self) -> bool {
        self.clients.iter().all(|client| {
            client.link.is_some()
                && client.is_synchronized()
                && client.has_text()
                && client.machine.revision() == self.logs[client.room].head()
        }) && self.appends.is_empty()
            && !self.servers.iter().any(Server::is_busy)
            && self.removing.is_empty()
            && !self.clients.iter().any(|client| client.room_removed)
            && self.links.values().all(|link| link.bytes_up() + link.bytes_down() + link.bytes_out() == 0)
    }

    fn describe(&self) -> String {
        let clients = self.clients.iter().map(|client| {
            let head = self.logs[client.room].head();
            format!("{:?} of {head} {:?} link {:?}", client.machine.revision(), client.machine.state(), client.link)
        });
        clients.chain([format!("{:?}", self.appends)]).collect::<Vec<_>>().join("\n")
    }

    fn check(&self) {
        self.servers.iter().for_each(|server| server.check(&self.logs));
        for (number, client) in self.clients.iter().enumerate() {
            self.check_people(number);
            let Some(link) = client.link.and_then(|id| self.links.get(&id)) else { continue };
            let together = |other: &&Client| {
                let at = other.link.and_then(|id| self.links.get(&id)).map(|link| link.server);
                other.room == client.room && at == Some(link.server)
            };
            let here: Vec<_> = self.clients.iter().filter(together).collect();
            assert_eq!(client.people.len(), here.len(), "client {number} sees who is there");
            for other in here {
                assert!(client.people.get(other.participant()).is_some());
                assert_eq!(client.people, other.people, "client {number} sees what others there see");
            }
        }
        for (room, log) in self.logs.iter().enumerate() {
            let mut state = RoomState::default();
            let mut places = HashMap::new();
            let mut hashes = vec![TextHash::of_rope(&state.text().rope())];
            let mut time_ms = 0;
            let mut anchors = Anchors::default();
            for (entry, due) in log.read(0, Revision::MAX).into_iter().map(|(entry, _)| entry).zip(1..) {
                assert_eq!(entry.revision, due, "revisions of room {room} are dense");
                assert!(entry.time_ms >= time_ms, "time runs on in room {room}");
                time_ms = entry.time_ms;
                if entry.seq != 0 {
                    let twice = places.insert((entry.participant, entry.seq), entry.revision);
                    assert_eq!(twice, None, "seq {} of {} is there twice", entry.seq, entry.participant);
                }
                state.fold(&entry).unwrap();
                hashes.push(TextHash::of_rope(&state.text().rope()));
                anchors.take(&entry, &state);
                if entry.revision == log.head() / 2 || entry.revision == log.head() {
                    anchors.check(&state);
                }
                for (_, snapshot) in log.snapshots.iter().filter(|(revision, _)| *revision == entry.revision) {
                    let restored = RoomState::decode(snapshot).unwrap();
                    assert_eq!(restored.comments(), state.comments(), "the comments of a snapshot of room {room}");
                    assert_eq!(restored.chat(), state.chat(), "the chat of a snapshot of room {room}");
                }
            }
            check_chat(room, log, &state);
            for (number, client) in self.clients.iter().enumerate().filter(|(_, client)| client.room == room) {
                assert_eq!(client.text, state.text().rope(), "client {number}'s replica of room {room}");
                for (participant, seq, revision) in &client.acknowledged {
                    let place = places.get(&(*participant, *seq));
                    assert_eq!(place, Some(revision), "client {number}'s seq {seq} was acknowledged");
                }
                for (participant, seq) in client.sessions() {
                    let appended = places.keys().filter(|(author, _)| *author == participant).count();
                    assert_eq!(appended as u64, seq, "client {number}'s edits are there once each");
                }
                for (revision, hash) in &client.seen {
                    assert_eq!(hashes[*revision as usize], *hash, "client {number}'s text at revision {revision}");
                }
                if client.typing.is_some() {
                    check_run(&state.text().to_string(), client.letter());
                }
            }
        }
    }
}

/// The messages that were written down are those of the log, up to where they were.
fn check_chat(room: usize, log: &RoomLog, state: &RoomState) {
    let whole = messages(log, log.chat.done.revision);
    assert_eq!(log.chat.records, whole.records, "the messages of room {room}");
    assert_eq!(log.chat.done, whole.done, "how far the messages of room {room} are made");
    let all = messages(log, Revision::MAX);
    assert_eq!(all.records.0.len() as u64, state.chat().count(), "room {room} knows how many messages it has");
    let ordinals: BTreeSet<u64> = all.records.0.values().map(Record::ordinal).collect();
    assert!(ordinals.into_iter().eq(1..=state.chat().count()), "each message of room {room} has its number");
}

/// Which characters comments were made on, each character known by a number of its own.
#[derive(Default)]
struct Anchors {
    text: Vec<u64>,
    next: u64,
    /// The characters that each comment was made on, and the first number that there was not yet.
    comments: BTreeMap<Revision, (BTreeSet<u64>, u64)>,
}

impl Anchors {
    fn take(&mut self, entry: &Entry, state: &RoomState) {
        match &entry.command {
            Command::Edit(operation) => {
                let mut before = std::mem::take(&mut self.text).into_iter();
                for component in operation.components() {
                    match component {
                        Component::Retain(n) => self.text.extend(before.by_ref().take(n as usize)),
                        Component::Delete(n) => drop(before.by_ref().take(n as usize).count()),
                        Component::Insert(text) => {
                            let first = self.next;
                            self.next += text.chars().count() as u64;
                            self.text.extend(first..self.next);
                        }
                    }
                }
                assert_eq!(self.text.len(), state.text().len_chars());
            }
            Command::Comment(command) => {
                if let CommentCommand::Open { start, end, .. } = &**command {
                    let on = self.text[start.0 as usize..end.0 as usize].iter().copied().collect();
                    self.comments.insert(entry.revision, (on, self.next));
                }
            }
            _ => {}
        }
    }

    /// Every comment stands on those of its characters that are left, and on none that were outside.
    fn check(&self, state: &RoomState) {
        let all = state.comments().list();
        assert_eq!(all.len(), self.comments.len(), "every comment is there once");
        for comment in all {
            let (on, first) = &self.comments[&comment.comment];
            let (start, end) = (comment.start.0 as usize, comment.end.0 as usize);
            let outside = |id: &u64| id < first && !on.contains(id);
            let inside = &self.text[start..end];
            assert!(!inside.iter().any(outside), "{comment:?} has grown over what was outside");
            let rest = self.text[..start].iter().chain(&self.text[end..]);
            assert!(!rest.into_iter().any(|id| on.contains(id)), "{comment:?} has lost some of its characters");
        }
    }
}

/// What one typed forward stands in one piece, whatever others typed at the same place.
fn check_run(text: &str, letter: char) {
    let (Some(first), Some(last)) = (text.find(letter), text.rfind(letter)) else { return };
    let run = &text[first..=last];
    assert!(run.chars().all(|other| other == letter), "{letter} is interleaved in {text}");
}
