//! A client as a client should be: it keeps a replica, comes back after every loss, resumes, and sends again what was not
//! acknowledged.

use motet_protocol::{
    client::{Client as Machine, Outgoing, State},
    error::ErrorCode,
    hash::TextHash,
    ids::{ParticipantId, Revision, RoomId, Seq, SessionId},
    limits::PROTOCOL_VERSION,
    message::{ClientMessage, Command, Entry, Hello, ServerMessage},
    ot::{
        Operation,
        position::{Bias, Scalar},
    },
};
use rand::{RngExt, rngs::StdRng};
use ropey::Rope;
use uuid::Uuid;

use crate::link::Link;

/// What a client was told about one revision, to be compared with the log.
pub enum Told {
    Entry(Entry),
    Acknowledged(Seq, Revision),
}

pub struct Client {
    session: SessionId,
    pub room: usize,
    pub machine: Machine,
    pub text: Rope,
    /// The connection that it uses.
    pub link: Option<usize>,
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
            joined: false,
            may_jump: false,
            head: 0,
            snapshot: None,
            acknowledged: Vec::new(),
            finished: Vec::new(),
            seen: Vec::new(),
            typing: typist.then_some(Scalar(0)),
            letter: char::from(b'a' + number as u8),
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
        }
        // Some have a name, which the server puts into the log before their first entry.
        let name = if self.session.0.as_u128().is_multiple_of(2) { "Ann".to_owned() } else { String::new() };
        let hello = Hello { protocol: PROTOCOL_VERSION, token: None, session: self.session, name };
        link.say(&ClientMessage::Hello(hello));
        let room = RoomId::new(&self.room.to_string()).unwrap();
        link.say(&ClientMessage::Join { channel: CHANNEL, room, after, entries_only });
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
                }
                self.note();
                if self.machine.revision() == self.head {
                    self.resend(link);
                }
                return Some(Told::Entry(entry));
            }
            ServerMessage::Ack { seq, revision, .. } => {
                let before = self.machine.revision();
                let next = self.machine.acknowledged(seq, revision).unwrap();
                self.note();
                if let Some(next) = next.filter(|_| self.caught_up()) {
                    self.send(next, link);
                }
                if self.machine.revision() > before {
                    self.acknowledged.push((self.participant(), seq, revision));
                    return Some(Told::Acknowledged(seq, revision));
                }
            }
            ServerMessage::Error(error) => match error.code {
                // It is sent again after a while, or with the next connection.
                ErrorCode::StorageUnavailable | ErrorCode::Overloaded => {}
                // A join that was late on an old connection came after the one on this: it comes back.
                ErrorCode::SessionReplaced | ErrorCode::ChannelUnknown => {
                    link.client_open = false;
                    self.link = None;
                }
                _ => panic!("a client that did nothing wrong was told {error:?}"),
            },
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
