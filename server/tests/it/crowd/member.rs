//! One of the people: a client as a client should be, as far as it goes without losing its connection.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;
use motet_protocol::{
    client::{Client, Outgoing, State},
    codec::{self, Frame, FrameDecoder},
    hash::TextHash,
    ids::{ParticipantId, SessionId},
    limits::FRAME_BYTES_MAX,
    message::{ClientMessage, ServerMessage},
    ot::{Operation, Scalar},
    people::{News, People},
    presence::{Presence, Selection},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::Rope;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};
use tokio_util::codec::Decoder;
use uuid::Uuid;

use super::Phase;
use crate::harness;

/// The colour by which everybody knows that this was the last thing told.
const MARK: u32 = 0xff_ff_ff;

const CHANNEL: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tells the mark at the end.
    Marker,
    /// Reads nothing for a while.
    Sleeper,
    /// Types five times a second.
    Typing,
    /// Moves its caret ten times a second.
    Moving,
    /// Looks on.
    Watching,
}

/// What one of them has seen at the end.
#[derive(Debug, Default)]
pub struct Seen {
    pub revision: u64,
    pub crc32: u32,
    pub people: People,
    /// Updates of its own that it told.
    pub told: u64,
    /// Messages of presence, of all times.
    pub news: u64,
    pub news_bytes: u64,
    pub entry_bytes: u64,
    /// Messages of presence while all were busy, and while one was asleep.
    pub news_busy: u64,
    pub news_asleep: u64,
    pub entries_busy: u64,
    /// Messages of presence after it woke up that told nothing newer than that.
    pub film: u64,
    pub film_bytes: u64,
    /// How old what was told was when it came.
    pub lags_ms: Vec<u64>,
}

pub struct Member {
    stream: TcpStream,
    buffer: BytesMut,
    frames: FrameDecoder,
    out: BytesMut,
    machine: Client,
    text: Rope,
    participant: ParticipantId,
    kind: Kind,
    watches: bool,
    random: StdRng,
    seen: Seen,
    /// When it woke up, on the clock of the marks.
    woke: Option<u32>,
}

/// Milliseconds on a clock that fits a colour; a test runs for much less than its turn of four hours.
fn clock() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    (since % 0xff_00_00) as u32
}

impl Member {
    pub async fn join(
        tcp: SocketAddr,
        number: u64,
        kind: Kind,
        watches: bool,
        mut phase: watch::Receiver<Phase>,
    ) -> Seen {
        // Not all at the door at once.
        tokio::time::sleep(Duration::from_millis(number * 3)).await;
        let stream = TcpStream::connect(tcp).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let session = SessionId(Uuid::new_v4());
        let mut member = Self {
            stream,
            buffer: BytesMut::new(),
            frames: FrameDecoder::new(FRAME_BYTES_MAX),
            out: BytesMut::new(),
            machine: Client::new(0, 0),
            text: Rope::new(),
            participant: session.participant(),
            kind,
            watches,
            random: StdRng::seed_from_u64(number),
            seen: Seen::default(),
            woke: None,
        };
        member.say(&harness::hello(session));
        let room = harness::id("crowd");
        member.say(&ClientMessage::Join { channel: CHANNEL, room, after: Some(0), log: None, entries_only: true });
        if watches {
            member.say(&ClientMessage::WatchPresence { channel: CHANNEL, on: true });
        }
        member.run(&mut phase).await;
        let Self { machine, text, mut seen, .. } = member;
        (seen.revision, seen.crc32) = (machine.revision(), TextHash::of_rope(&text).crc32);
        seen
    }

    fn say(&mut self, message: &ClientMessage) {
        codec::frame_into(message, &mut self.out);
    }

    fn is_synchronized(&self) -> bool {
        *self.machine.state() == State::Synchronized
    }

    async fn run(&mut self, phase: &mut watch::Receiver<Phase>) {
        let pause = match self.kind {
            Kind::Typing => Duration::from_millis(200),
            Kind::Moving => Duration::from_millis(100),
            _ => Duration::from_secs(3_600),
        };
        let first = pause.mul_f64(self.random.random());
        let mut tick = tokio::time::interval_at((Instant::now() + first).into(), pause);
        let mut marked = false;
        loop {
            let now = *phase.borrow_and_update();
            if !self.out.is_empty() {
                let out = self.out.split();
                self.stream.write_all(&out).await.unwrap();
            }
            if let Phase::Until(revision) = now {
                if self.kind == Kind::Marker && !marked && self.machine.revision() == revision {
                    marked = true;
                    self.tell(Some(MARK));
                    continue;
                }
                let is_mark = |presence: &Presence| presence.color == Some(MARK);
                let mut known = self.seen.people.iter();
                let saw_mark = known.any(|known| known.presence.as_ref().is_some_and(is_mark));
                if self.machine.revision() == revision && self.is_synchronized() && (saw_mark || !self.watches) {
                    return;
                }
            }
            if now == Phase::BusyWithOneAsleep && self.kind == Kind::Sleeper {
                phase.changed().await.unwrap();
                self.woke = Some(clock());
                continue;
            }
            let patience = tokio::time::sleep(Duration::from_secs(30));
            tokio::select! {
                read = self.stream.read_buf(&mut self.buffer) => {
                    assert!(read.unwrap() > 0, "{:?} was shown out", self.kind);
                    self.take_all(now);
                }
                _ = tick.tick() => if matches!(now, Phase::Busy | Phase::BusyWithOneAsleep) {
                    self.act();
                },
                changed = phase.changed() => changed.unwrap(),
                () = patience, if matches!(now, Phase::Until(_)) => {
                    panic!("{:?} waits at revision {} for {now:?}", self.kind, self.machine.revision());
                }
            }
        }
    }

    fn act(&mut self) {
        match self.kind {
            Kind::Typing => {
                let length = self.text.len_chars() as u64;
                let at = self.random.random_range(0..=length);
                let deleted = if self.random.random_bool(0.4) { (length - at).min(2) } else { 0 };
                let builder = Operation::builder().retain(at).insert("ab").delete(deleted);
                let operation = builder.retain(length - at - deleted).build().unwrap();
                operation.apply_to_rope(&mut self.text).unwrap();
                let next = self.machine.edit(operation).unwrap();
                self.send(next);
            }
            Kind::Moving => self.tell(None),
            _ => {}
        }
    }

    fn tell(&mut self, color: Option<u32>) {
        let at = Scalar(self.random.random_range(0..=self.text.len_chars() as u64));
        let presence =
            Presence { selections: vec![Selection::caret(at)], color: color.or(Some(clock())), ..Presence::default() };
        let base = self.machine.revision();
        self.seen.told += 1;
        self.say(&ClientMessage::SetPresence { channel: CHANNEL, base, presence: Box::new(presence) });
    }

    fn send(&mut self, outgoing: Option<Outgoing>) {
        if let Some(Outgoing { seq, base, command }) = outgoing {
            self.say(&ClientMessage::Submit { channel: CHANNEL, seq, base, command });
        }
    }

    fn take_all(&mut self, phase: Phase) {
        while let Some(frame) = self.frames.decode(&mut self.buffer).unwrap() {
            let Frame::Message(bytes) = frame else { panic!("{frame:?}") };
            self.take(codec::decode(&bytes).unwrap(), bytes.len() as u64, phase);
        }
    }

    fn take(&mut self, message: ServerMessage, bytes: u64, phase: Phase) {
        let busy = matches!(phase, Phase::Busy | Phase::BusyWithOneAsleep);
        match message {
            ServerMessage::Welcome(_) | ServerMessage::Joined { .. } => {}
            ServerMessage::Ping { nonce } => self.say(&ClientMessage::Pong { nonce }),
            ServerMessage::Entry { entry, .. } => {
                match entry.command.operation() {
                    Some(operation) => {
                        let operation = self.machine.remote(entry.revision, operation).unwrap();
                        operation.apply_to_rope(&mut self.text).unwrap();
                    }
                    None => self.machine.pass(entry.revision).unwrap(),
                }
                self.seen.people.fold(&entry);
                self.seen.entries_busy += u64::from(busy);
                self.seen.entry_bytes += bytes;
            }
            ServerMessage::Ack { seq, revision, .. } => {
                let (State::AwaitingConfirm { outstanding } | State::AwaitingWithBuffer { outstanding, .. }) =
                    self.machine.state().clone()
                else {
                    panic!("an acknowledgement of nothing");
                };
                let next = self.machine.acknowledged(seq, revision).unwrap();
                if let Some(operation) = outstanding.operation() {
                    self.seen.people.move_over(self.participant, operation);
                }
                self.send(next);
            }
            ServerMessage::Presence { revision, whole, present, people, presence, left, .. } => {
                assert_eq!(revision, self.machine.revision(), "places count on what the reader has");
                let newest = presence.iter().filter_map(|of| of.presence.color).filter(|color| *color != MARK).max();
                if let (Some(woke), Some(newest)) = (self.woke, newest)
                    && newest < woke
                {
                    self.seen.film += 1;
                    self.seen.film_bytes += bytes;
                }
                if let (true, Some(newest)) = (busy && self.kind != Kind::Sleeper, newest) {
                    self.seen.lags_ms.push(u64::from(clock().saturating_sub(newest)));
                }
                self.seen.news += 1;
                self.seen.news_bytes += bytes;
                self.seen.news_busy += u64::from(busy);
                self.seen.news_asleep += u64::from(phase == Phase::BusyWithOneAsleep);
                self.seen.people.hear(News { whole, present, people, presence, left });
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }
}
