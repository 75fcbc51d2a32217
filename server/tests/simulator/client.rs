//! A client as a client should be: it keeps a replica, comes back after every loss, resumes, and sends again what was not
//! acknowledged.

use motet_protocol::{
    chat::ChatCommand,
    client::{Client as Machine, Outgoing, State},
    comment::CommentCommand,
    error::ErrorCode,
    hash::TextHash,
    ids::{ParticipantId, Revision, RoomId, Seq, SessionId},
    limits::PROTOCOL_VERSION,
    message::{ClientMessage, Command, Entry, Hello, ServerMessage},
    ot::{
        Operation,
        position::{Bias, Scalar},
    },
    people::{News, People},
    presence::{Presence, Selection},
};
use rand::{RngExt, rngs::StdRng};
use ropey::Rope;
use uuid::Uuid;

use crate::link::Link;

/// What a client was told about one revision, to be compared with the log.
pub enum Told {
    Entry(Entry),
    /// With what it had submitted, moved over all that it was told before.
    Acknowledged(Seq, Revision, Option<Command>),
    /// Who is where.
    People,
}

pub struct Client {
    session: SessionId,
    pub room: usize,
    pub machine: Machine,
    pub text: Rope,
    /// The connection that it uses.
    pub link: Option<usize>,
    /// Its room was removed, whether it has heard of that or not: with its next connection it begins anew.
    pub room_removed: bool,
    joined: bool,
    /// Whether it has asked to join in a way that may replace its text: until it has the answer it takes no edits.
    may_jump: bool,
    /// The head when it joined.
    head: Revision,
    /// The text of a snapshot so far.
    snapshot: Option<(Revision, String)>,
    /// What the server has promised to keep.
    pub acknowledged: Vec<(ParticipantId, Seq, Revision)>,
    /// Sessions that it gave up, and the last seq of each.
    finished: Vec<(ParticipantId, Seq)>,
    /// What its text was at revisions when nothing of its own was in it.
    pub seen: Vec<(Revision, TextHash)>,
    /// Where it types on, if it is one who only types forward.
    pub typing: Option<Scalar>,
    letter: char,
    /// Who is in the room and where, as far as it was told.
    pub people: People,
    /// Counts what it tells of itself: the colour of its caret.
    told: u32,
    /// Messages and comments that it has seen.
    messages: Vec<Revision>,
    comments: Vec<Revision>,
    /// Messages that are its session's own and there, and replies by their comment.
    own_messages: Vec<Revision>,
    own_replies: Vec<(Revision, Revision)>,
}

const CHANNEL: u32 = 1;

impl Client {
    pub fn new(number: usize, room: usize, typist: bool, random: &mut StdRng) -> Self {
        Self {
            session: SessionId(Uuid::from_u128(random.random())),
            room,
            machine: Machine::new(0, 0),
            text: Rope::new(),
            link: None,
            room_removed: false,
            joined: false,
            may_jump: false,
            head: 0,
            snapshot: None,
            acknowledged: Vec::new(),
            finished: Vec::new(),
            seen: Vec::new(),
            typing: typist.then_some(Scalar(0)),
            letter: char::from(b'a' + number as u8),
            people: People::default(),
            told: 0,
            messages: Vec::new(),
            comments: Vec::new(),
            own_messages: Vec::new(),
            own_replies: Vec::new(),
        }
    }

    pub fn participant(&self) -> ParticipantId {
        self.session.participant()
    }

    /// Its sessions, and the last seq of each.
    pub fn sessions(&self) -> impl Iterator<Item = (ParticipantId, Seq)> {
        self.finished.iter().copied().chain([(self.participant(), self.machine.seq())])
    }

    pub fn letter(&self) -> char {
        self.letter
    }

    pub fn is_synchronized(&self) -> bool {
        *self.machine.state() == State::Synchronized
    }

    /// Whether it has the text of its room, so that it can edit.
    pub fn has_text(&self) -> bool {
        self.snapshot.is_none() && !self.may_jump
    }

    /// Forgets a room that was removed: what comes under its name is another one.
    pub fn begin_anew(&mut self, random: &mut StdRng) {
        self.session = SessionId(Uuid::from_u128(random.random()));
        self.machine = Machine::new(0, 0);
        self.text = Rope::new();
        (self.link, self.room_removed) = (None, false);
        (self.joined, self.may_jump, self.head, self.snapshot) = (false, false, 0, None);
        self.acknowledged.clear();
        self.finished.clear();
        self.seen.clear();
        self.typing = self.typing.map(|_| Scalar(0));
        self.people = People::default();
        self.messages.clear();
        self.comments.clear();
        self.own_messages.clear();
        self.own_replies.clear();
    }

    /// Greets and joins on a new connection.
    pub fn connected(&mut self, id: usize, link: &mut Link, random: &mut StdRng) {
        self.link = Some(id);
        self.joined = false;
        self.snapshot = None;
        // With nothing outstanding it may start from a snapshot as well; one that holds edits needs the entries.
        let holds = !self.is_synchronized();
        let entries_only = holds || random.random_bool(0.3);
        self.may_jump = !entries_only;
        let after = (entries_only || self.typing.is_some() || random.random_bool(0.7)).then(|| self.machine.revision());
        if after.is_none() {
            // Who does not say what it has may be given less than that, and then its own entries come as
            // acknowledgements of what it no longer knows: it must be somebody new.
            self.finished.push((self.participant(), self.machine.seq()));
            self.session = SessionId(Uuid::from_u128(random.random()));
            self.machine = Machine::new(0, 0);
            self.text = Rope::new();
            self.own_messages.clear();
            self.own_replies.clear();
        }
        // Some have a name, which the server puts into the log before their first entry.
        let name = if self.session.0.as_u128().is_multiple_of(2) { "Ann".to_owned() } else { String::new() };
        let hello = Hello { protocol: PROTOCOL_VERSION, token: None, session: self.session, name };
        link.say(&ClientMessage::Hello(hello));
        let room = RoomId::new(&self.room.to_string()).unwrap();
        link.say(&ClientMessage::Join { channel: CHANNEL, room, after, log: None, entries_only });
        self.people = People::default();
        link.say(&ClientMessage::WatchPresence { channel: CHANNEL, on: true });
    }

    fn send(&self, outgoing: Outgoing, link: &mut Link) {
        let Outgoing { seq, base, command } = outgoing;
        link.say(&ClientMessage::Submit { channel: CHANNEL, seq, base, command });
    }

    fn caught_up(&self) -> bool {
        self.joined && self.snapshot.is_none() && self.machine.revision() >= self.head
    }

    /// Sends what is outstanding, again.
    pub fn resend(&self, link: &mut Link) {
        if let Some(outgoing) = self.machine.outgoing().filter(|_| self.caught_up()) {
            self.send(outgoing, link);
        }
    }

    /// Tells where it is, with places that count on what it has by now.
    pub fn tell(&mut self, random: &mut StdRng, link: &mut Link) {
        if !self.caught_up() || !self.is_synchronized() {
            return;
        }
        let length = self.text.len_chars() as u64;
        let place = |random: &mut StdRng| Scalar(random.random_range(0..=length));
        let (anchor, head) = (place(random), place(random));
        let selections = vec![Selection { anchor, head }, Selection::caret(place(random))];
        self.told += 1;
        let presence = Presence { selections, color: Some(self.told), ..Presence::default() };
        let base = self.machine.revision();
        link.say(&ClientMessage::SetPresence { channel: CHANNEL, base, presence: Box::new(presence) });
    }

    /// Types something, connected or not.
    pub fn edit(&mut self, random: &mut StdRng, link: Option<&mut Link>) {
        let len = self.text.len_chars() as u64;
        let operation = match self.typing {
            Some(Scalar(at)) => {
                self.typing = Some(Scalar(at + 1));
                Operation::builder().retain(at).insert(&self.letter.to_string()).retain(len - at)
            }
            None => some_edit(random, len),
        };
        let operation = operation.build().unwrap();
        operation.apply_to_rope(&mut self.text).unwrap();
        let outgoing = self.machine.edit(operation).unwrap();
        if let (Some(outgoing), Some(link), true) = (outgoing, link, self.caught_up()) {
            self.send(outgoing, link);
        }
    }

    /// Says something, about something that nobody else can take away meanwhile: then nothing of it is ever refused.
    pub fn talk(&mut self, random: &mut StdRng, link: Option<&mut Link>) {
        let command = match random.random_range(0..5) {
            0..3 => self.some_comment(random).map(|command| Command::Comment(Box::new(command))),
            _ => self.some_message(random).map(|command| Command::Chat(Box::new(command))),
        };
        let Some(command) = command else { return };
        let outgoing = self.machine.command(command).unwrap();
        if let (Some(outgoing), Some(link), true) = (outgoing, link, self.caught_up()) {
            self.send(outgoing, link);
        }
    }

    fn some_comment(&mut self, random: &mut StdRng) -> Option<CommentCommand> {
        // A server that is behind does not know what came after the client's revision.
        let known: Vec<_> = self.comments.iter().copied().filter(|at| *at <= self.machine.revision()).collect();
        let known = (!known.is_empty()).then(|| known[random.random_range(0..known.len())]);
        let (text, mentions) = ("@Ann".to_owned(), Vec::new());
        Some(match random.random_range(0..8) {
            0..4 => {
                let len = self.text.len_chars() as u64;
                let start = random.random_range(0..=len);
                let end = random.random_range(start..=len.min(start + 9));
                CommentCommand::Open { start: Scalar(start), end: Scalar(end), text, mentions }
            }
            4 => CommentCommand::Reply { comment: known?, text, mentions },
            5 => CommentCommand::Resolve { comment: known? },
            6 => CommentCommand::Reopen { comment: known? },
            _ => {
                let (comment, item) = self.own_replies.pop()?;
                CommentCommand::Delete { comment, item }
            }
        })
    }

    fn some_message(&mut self, random: &mut StdRng) -> Option<ChatCommand> {
        let known: Vec<_> = self.messages.iter().copied().filter(|at| *at <= self.machine.revision()).collect();
        let known = (!known.is_empty()).then(|| known[random.random_range(0..known.len())]);
        let own: Vec<_> = self.own_messages.iter().copied().filter(|at| *at <= self.machine.revision()).collect();
        let own = (!own.is_empty()).then(|| own[random.random_range(0..own.len())]);
        let (text, mentions) = (format!("{}", random.random_range(0..1_000)), Vec::new());
        let emoji = ["👍", "🎉"][random.random_range(0..2)].to_owned();
        Some(match random.random_range(0..8) {
            0..2 => ChatCommand::Say { text, thread: None, quote: None, mentions },
            2..4 => ChatCommand::Say { text, thread: known, quote: None, mentions },
            4 => ChatCommand::Rewrite { message: own?, text, mentions },
            5..7 => ChatCommand::React { message: own?, emoji, on: random.random_bool(0.6) },
            _ => {
                let message = own?;
                self.own_messages.retain(|own| *own != message);
                ChatCommand::Delete { message }
            }
        })
    }

    /// Takes note of what others, or itself, may speak of later.
    fn heard(&mut self, revision: Revision, command: &Command, own: bool) {
        match command {
            Command::Chat(command) if matches!(**command, ChatCommand::Say { .. }) => {
                self.messages.push(revision);
                self.own_messages.extend(own.then_some(revision));
            }
            Command::Comment(command) => match **command {
                CommentCommand::Open { .. } => self.comments.push(revision),
                CommentCommand::Reply { comment, .. } => {
                    self.own_replies.extend(own.then_some((comment, revision)));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Takes a message. Returns what it was told about a revision.
    pub fn take(&mut self, message: ServerMessage, link: &mut Link) -> Option<Told> {
        match message {
            ServerMessage::Welcome(welcome) => assert_eq!(welcome.participant, self.participant()),
            ServerMessage::Joined { head, snapshot, .. } => {
                self.joined = true;
                self.may_jump = false;
                self.head = head;
                if let Some(snapshot) = snapshot {
                    assert!(self.is_synchronized(), "a client that holds edits asks for entries");
                    self.snapshot = Some((snapshot.revision, String::new()));
                } else {
                    self.resend(link);
                }
            }
            ServerMessage::Snapshot { text, last, .. } => {
                let (_, whole) = self.snapshot.as_mut().expect("a snapshot was announced");
                whole.push_str(&text);
                if last {
                    self.start_from_snapshot();
                }
            }
            ServerMessage::Entry { entry, .. } => {
                if let Command::Edit(operation) = &entry.command {
                    let operation = self.machine.remote(entry.revision, operation).unwrap();
                    operation.apply_to_rope(&mut self.text).unwrap();
                    self.typing = self.typing.map(|at| operation.map_position(at, Bias::Before));
                } else {
                    self.machine.pass(entry.revision).unwrap();
                    self.heard(entry.revision, &entry.command, false);
                }
                self.people.fold(&entry);
                self.note();
                if self.machine.revision() == self.head {
                    self.resend(link);
                }
                return Some(Told::Entry(entry));
            }
            ServerMessage::Ack { seq, revision, .. } => {
                let before = self.machine.revision();
                let outstanding = self.machine.outgoing().filter(|outgoing| outgoing.seq == seq);
                let outstanding = outstanding.map(|outgoing| outgoing.command);
                let next = self.machine.acknowledged(seq, revision).unwrap();
                let landed = outstanding.as_ref().filter(|_| self.machine.revision() > before);
                if let Some(operation) = landed.and_then(Command::operation) {
                    self.people.move_over(self.participant(), operation);
                }
                self.note();
                if let Some(next) = next.filter(|_| self.caught_up()) {
                    self.send(next, link);
                }
                if self.machine.revision() > before {
                    self.acknowledged.push((self.participant(), seq, revision));
                    if let Some(command) = &outstanding {
                        self.heard(revision, command, true);
                    }
                    return Some(Told::Acknowledged(seq, revision, outstanding));
                }
            }
            ServerMessage::Error(error) => match error.code {
                // It is sent again after a while, or with the next connection.
                ErrorCode::StorageUnavailable | ErrorCode::Overloaded => {}
                // A join that was late on an old connection came after the one on this: it comes back.
                ErrorCode::SessionReplaced
                | ErrorCode::ChannelUnknown
                | ErrorCode::RoomDeleted
                | ErrorCode::RoomExpired => {
                    link.client_open = false;
                    self.link = None;
                }
                _ => panic!("a client that did nothing wrong was told {error:?}"),
            },
            ServerMessage::Presence { revision, whole, present, people, presence, left, .. } => {
                assert_eq!(revision, self.machine.revision(), "places count on what the reader has");
                assert!(self.caught_up());
                self.people.hear(News { whole, present, people, presence, left });
                return Some(Told::People);
            }
            ServerMessage::Expiring { .. } => {}
            other => panic!("nobody asked for {other:?}"),
        }
        None
    }

    fn start_from_snapshot(&mut self) {
        let Some((revision, text)) = self.snapshot.take() else { return };
        self.text = Rope::from_str(&text);
        self.machine = Machine::new(revision, self.machine.seq());
        if self.typing.is_some() {
            // Its own letters are one run, which ends where it goes on; without any it begins at the front.
            let end = text.chars().collect::<Vec<_>>().iter().rposition(|letter| *letter == self.letter);
            self.typing = Some(Scalar(end.map_or(0, |end| end as u64 + 1)));
        }
        self.note();
    }

    fn note(&mut self) {
        if self.is_synchronized() {
            self.seen.push((self.machine.revision(), TextHash::of_rope(&self.text)));
        }
    }
}

fn some_edit(random: &mut StdRng, len: u64) -> motet_protocol::ot::Builder {
    const WORDS: [&str; 8] = ["a", "xy", "é", "日本", "🦀", "e\u{301}", "\r\n", "longer words, too"];
    let at = random.random_range(0..=len);
    let mut operation = Operation::builder().retain(at);
    let mut rest = len - at;
    for _ in 0..random.random_range(1..3) {
        if rest > 0 && random.random_bool(0.45) {
            let n = random.random_range(1..=rest.min(4));
            operation = operation.delete(n);
            rest -= n;
        }
        if random.random_bool(0.6) {
            operation = operation.insert(WORDS[random.random_range(0..WORDS.len())]);
        }
        let n = random.random_range(0..=rest.min(3));
        operation = operation.retain(n);
        rest -= n;
    }
    operation.retain(rest)
}
