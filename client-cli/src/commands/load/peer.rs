//! One connection of the load: a writer, which edits again as soon as its last edit is acknowledged, or a reader.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use motet_protocol::{
    client::{Client, Outgoing, State},
    error::{About, ErrorMessage},
    hash::TextHash,
    ids::{ParticipantId, Revision, RoomId, Seq},
    message::{ClientMessage, Command, Entry, ServerMessage},
    ot::Operation,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::{Rope, RopeBuilder};
use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};

use crate::{
    commands::{Failure, Globals},
    connection::Connection,
    error::Error,
};

/// The channel of the only room of a connection.
const CHANNEL: u32 = 1;

/// How many of a writer's last edits are remembered, until others have seen them.
const SENT_MAX: usize = 16;

/// What all connections do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Edit; nothing is measured yet.
    WarmUp,
    /// Edit.
    Measure,
    /// Edit no more.
    Stop,
    /// Receive everything, and end.
    Settle,
}

/// What is measured.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) edits: u64,
    /// From sending an edit to its acknowledgement, in microseconds.
    pub(super) to_ack_us: Histogram<u64>,
    /// From sending an edit to its arrival at each other connection in the room, in microseconds.
    pub(super) to_screen_us: Histogram<u64>,
}

/// When a writer sent its last edits, by seq modulo their number.
#[derive(Debug)]
struct Sent {
    writer: ParticipantId,
    edits: [Option<(Seq, Instant)>; SENT_MAX],
}

/// What the connections of one room know of each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    writers: Vec<Sent>,
    /// Writers that wait for an acknowledgement.
    pub(super) waiting: usize,
    /// Where everyone has to be in the end.
    pub(super) head: Revision,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection is told.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) room: RoomId,
    pub(super) writes: bool,
    /// The length around which writers keep the text, in characters.
    pub(super) text_size: usize,
    /// The pause after an acknowledgement; from half of it to one and a half.
    pub(super) think: Duration,
    pub(super) seed: u64,
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) figures: Arc<Mutex<Figures>>,
    pub(super) phase: watch::Receiver<Phase>,
}

pub(super) struct Peer {
    part: Part,
    connection: Connection,
    me: ParticipantId,
    client: Client,
    text: Rope,
    random: StdRng,
    edit_at: Option<Instant>,
}

impl Peer {
    /// Connects and opens the room.
    pub(super) async fn join(globals: &Globals, part: Part) -> Result<Self, Failure> {
        let opened = Connection::open(&globals.server, globals.greeting()).await;
        let (mut connection, welcome) = opened.map_err(|error| Error::no_connection(&globals.server, error))?;
        let join = ClientMessage::Join { channel: CHANNEL, room: part.room.clone(), after: None, entries_only: false };
        connection.send(join).await.map_err(lost)?;
        let (mut pieces, mut revision) = (RopeBuilder::new(), 0);
        loop {
            match connection.next().await.map_err(lost)? {
                ServerMessage::Joined { snapshot: Some(info), .. } => revision = info.revision,
                ServerMessage::Snapshot { text, last, .. } => {
                    pieces.append(&text);
                    if last {
                        break;
                    }
                }
                other => return Err(surprise(other)),
            }
        }
        if part.writes {
            lock(&part.shared).writers.push(Sent { writer: welcome.participant, edits: [None; SENT_MAX] });
        }
        Ok(Self {
            connection,
            me: welcome.participant,
            client: Client::new(revision, 0),
            text: pieces.finish(),
            random: StdRng::seed_from_u64(part.seed),
            edit_at: part.writes.then(Instant::now),
            part,
        })
    }

    /// Edits and reads until the end; returns the hash of what it holds then.
    pub(super) async fn run(mut self) -> Result<TextHash, Failure> {
        loop {
            let phase = *self.part.phase.borrow_and_update();
            match phase {
                Phase::Settle if self.client.revision() >= lock(&self.part.shared).head => {
                    return Ok(TextHash::of_rope(&self.text));
                }
                Phase::Stop | Phase::Settle => self.edit_at = None,
                Phase::WarmUp | Phase::Measure => {}
            }
            if self.edit_at.is_some_and(|at| at <= Instant::now()) {
                self.edit_at = None;
                self.edit().await?;
            }
            let edit_at = self.edit_at;
            tokio::select! {
                heard = self.connection.next() => self.take(heard.map_err(lost)?, phase).await?,
                _ = self.part.phase.changed() => {}
                () = sleep_until(edit_at.unwrap_or_else(Instant::now).into()), if edit_at.is_some() => {}
            }
        }
    }

    async fn edit(&mut self) -> Result<(), Failure> {
        let operation = self.choose();
        operation.apply_to_rope(&mut self.text).map_err(disagreement)?;
        self.client.edit(operation).map_err(disagreement)?;
        let seq = self.client.seq();
        {
            let mut shared = lock(&self.part.shared);
            shared.waiting += 1;
            if let Some(sent) = shared.writers.iter_mut().find(|sent| sent.writer == self.me) {
                sent.edits[seq as usize % SENT_MAX] = Some((seq, Instant::now()));
            }
        }
        self.submit().await
    }

    async fn submit(&mut self) -> Result<(), Failure> {
        let Some(outgoing) = self.client.outgoing() else { return Ok(()) };
        let Outgoing { seq, base, command } = outgoing;
        let submit = ClientMessage::Submit { channel: CHANNEL, seq, base, command };
        self.connection.send(submit).await.map_err(lost)
    }

    /// One character in or out, at any place: more often in while the text is short, more often out while it is long.
    fn choose(&mut self) -> Operation {
        const LETTERS: [&str; 16] = ["e", "t", "a", "o", "i", "n", "s", "h", "r", "d", "l", "u", " ", ".", "ä", "\n"];
        let length = self.text.len_chars();
        let deletes = self.random.random_range(0..2 * self.part.text_size.max(1)) < length;
        let operation = Operation::builder();
        let operation = if deletes {
            let at = self.random.random_range(0..length);
            operation.retain(at as u64).delete(1).retain((length - at - 1) as u64)
        } else {
            let at = self.random.random_range(0..=length);
            let letter = LETTERS[self.random.random_range(0..LETTERS.len())];
            operation.retain(at as u64).insert(letter).retain((length - at) as u64)
        };
        operation.build().expect("one character in a text of a valid length is within all limits")
    }

    async fn take(&mut self, message: ServerMessage, phase: Phase) -> Result<(), Failure> {
        match message {
            ServerMessage::Entry { entry, .. } => self.show(&entry, phase),
            ServerMessage::Ack { seq, revision, .. } => self.finish(seq, revision, phase),
            ServerMessage::Error(ErrorMessage {
                about: About::Submit { .. }, retry_after_ms: Some(wait_ms), ..
            }) => {
                sleep(Duration::from_millis(wait_ms.into())).await;
                self.submit().await
            }
            ServerMessage::Pong { .. } => Ok(()),
            other => Err(surprise(other)),
        }
    }

    /// Somebody else's edit is on this screen.
    fn show(&mut self, entry: &Entry, phase: Phase) -> Result<(), Failure> {
        let Command::Edit(operation) = &entry.command else {
            return self.client.pass(entry.revision).map_err(disagreement);
        };
        let operation = self.client.remote(entry.revision, operation).map_err(disagreement)?;
        operation.apply_to_rope(&mut self.text).map_err(disagreement)?;
        if let (Phase::Measure, Some(took_us)) = (phase, self.took_us(entry.participant, entry.seq)) {
            lock(&self.part.figures).to_screen_us.saturating_record(took_us);
        }
        Ok(())
    }

    fn finish(&mut self, seq: Seq, revision: Revision, phase: Phase) -> Result<(), Failure> {
        self.client.acknowledged(seq, revision).map_err(disagreement)?;
        debug_assert_eq!(*self.client.state(), State::Synchronized, "a writer has one edit outstanding");
        lock(&self.part.shared).waiting -= 1;
        if let (Phase::Measure, Some(took_us)) = (phase, self.took_us(self.me, seq)) {
            let mut figures = lock(&self.part.figures);
            figures.to_ack_us.saturating_record(took_us);
            figures.edits += 1;
        }
        let pause = if self.part.think.is_zero() { 0.0 } else { self.random.random_range(0.5..1.5) };
        self.edit_at = Some(Instant::now() + self.part.think.mul_f64(pause));
        Ok(())
    }

    fn took_us(&self, writer: ParticipantId, seq: Seq) -> Option<u64> {
        let shared = lock(&self.part.shared);
        let sent = shared.writers.iter().find(|sent| sent.writer == writer)?;
        let (sent_seq, sent_at) = sent.edits[seq as usize % SENT_MAX]?;
        (sent_seq == seq).then(|| sent_at.elapsed().as_micros() as u64)
    }
}

fn lost(error: crate::connection::ConnectionError) -> Failure {
    Failure::Failed(format!("a connection of the load was lost: {error}"))
}

fn disagreement(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("a replica and the server do not agree: {error}"))
}

fn surprise(message: ServerMessage) -> Failure {
    match message {
        ServerMessage::Error(error) => Error::refused(&error).into(),
        other => Error::bad_server(format_args!("{other:?}")).into(),
    }
}
