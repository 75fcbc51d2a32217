//! One connection of the load: a writer, a reader, or a reader that is slow on purpose.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use motet_client::{
    address::Address,
    connection::{ConnectionError, Greeting},
    error::Error,
};
use motet_protocol::{
    client::{Client, Outgoing, State},
    error::{About, ErrorMessage},
    hash::TextHash,
    ids::{ParticipantId, Revision, RoomId, Seq},
    message::{ClientMessage, Command, Entry, ServerMessage},
    ot::Operation,
    presence::PresenceOf,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::{Rope, RopeBuilder};
use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};

use super::{
    arguments::Wire,
    company::{Turn, caret, words},
    figures::{Figures, Times, lock},
    mix::Mix,
    pace::Pace,
    sent::{Due, Shared, Waiting},
    wire::{Line, Meter},
};
use crate::cli::Failure;

/// The channel of the only room of a connection.
const CHANNEL: u32 = 1;

/// The runtime's timer wakes at whole milliseconds, so a time that is due is known to this only. Who wakes within it is on
/// time, and is not charged to the server.
const TIMER_GRAIN: Duration = Duration::from_millis(2);

/// What all connections do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connected, and waiting for the others.
    Ready,
    /// Edit; nothing is measured yet.
    WarmUp,
    /// Edit.
    Measure,
    /// Edit no more.
    Stop,
    /// Receive everything, and end.
    Settle,
}

/// What all connections of this process share.
pub(super) struct Common {
    pub(super) server: Address,
    pub(super) wire: Wire,
    pub(super) meter: Arc<Meter>,
    pub(super) figures: Mutex<Figures>,
    /// Acknowledgements since the last sample.
    pub(super) recent: Mutex<(u64, Times)>,
}

/// What a connection does in its room.
pub(super) enum Role {
    Writer { mix: Mix, pace: Pace, begin_after: Duration },
    Reader,
    SlowReader { pause: Duration },
}

/// What a connection does, and in which room.
pub(super) struct Part {
    pub(super) room: RoomId,
    pub(super) role: Role,
    /// When it says something.
    pub(super) says: Turn,
    /// When it shows where its caret is.
    pub(super) shows: Turn,
    /// Whether it receives the others' carets.
    pub(super) watches: bool,
    /// How often it is cut, if ever, and how likely each time.
    pub(super) cuts: Option<(Duration, f64)>,
    pub(super) seed: u64,
    pub(super) greeting: Greeting,
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) common: Arc<Common>,
    pub(super) phase: watch::Receiver<Phase>,
}

pub(super) struct Peer {
    part: Part,
    line: Line,
    me: ParticipantId,
    client: Client,
    text: Rope,
    random: StdRng,
    phase: Phase,
    edit_at: Option<Instant>,
    cut_at: Option<Instant>,
    /// When a submit that was refused for a while is sent again.
    again_at: Option<Instant>,
    /// What was done and no submit holds yet.
    gathered: Waiting,
    /// After a cut: outstanding edits are sent again when everything up to here has been received.
    resume_at: Option<Revision>,
    is_waiting: bool,
}

/// Connects, opens a room and takes its text; newcomers of a storm do no more.
pub(super) async fn open(
    common: &Common,
    greeting: Greeting,
    room: RoomId,
) -> Result<(Line, motet_protocol::message::Welcome, Revision, Rope), Failure> {
    let opened = Line::open(&common.server, common.wire, greeting, &common.meter).await;
    let (mut line, welcome) = opened.map_err(|error| Error::no_connection(&common.server, error))?;
    let join = ClientMessage::Join { channel: CHANNEL, room, after: None, log: None, entries_only: false };
    line.send(join).await.map_err(lost)?;
    let (mut pieces, mut revision) = (RopeBuilder::new(), 0);
    loop {
        match line.next().await.map_err(lost)? {
            ServerMessage::Joined { snapshot: Some(info), .. } => revision = info.revision,
            ServerMessage::Snapshot { text, last, .. } => {
                pieces.append(&text);
                if last {
                    return Ok((line, welcome, revision, pieces.finish()));
                }
            }
            other => return Err(surprise(other)),
        }
    }
}

impl Peer {
    /// Connects and opens the room.
    pub(super) async fn join(part: Part) -> Result<Self, Failure> {
        let (mut line, welcome, revision, text) = open(&part.common, part.greeting.clone(), part.room.clone()).await?;
        if matches!(part.role, Role::Writer { .. }) {
            lock(&part.shared).add(welcome.participant);
        }
        if part.watches {
            line.send(ClientMessage::WatchPresence { channel: CHANNEL, on: true }).await.map_err(lost)?;
        }
        let mut client = Client::new(revision, 0);
        client.set_limits(&welcome.limits);
        Ok(Self {
            line,
            me: welcome.participant,
            client,
            text,
            random: StdRng::seed_from_u64(part.seed),
            phase: Phase::Ready,
            edit_at: None,
            cut_at: None,
            again_at: None,
            gathered: Waiting::default(),
            resume_at: None,
            is_waiting: false,
            part,
        })
    }

    /// Edits and reads until the end; returns the hash of what it holds then.
    pub(super) async fn run(mut self) -> Result<TextHash, Failure> {
        loop {
            self.notice_phase();
            if self.phase == Phase::Settle && self.client.revision() >= lock(&self.part.shared).head {
                return Ok(TextHash::of_rope(&self.text));
            }
            let wake_at = self.act().await?;
            tokio::select! {
                heard = self.line.next() => self.take(heard.map_err(lost)?).await?,
                _ = self.part.phase.changed() => {}
                () = until(wake_at), if wake_at.is_some() => {}
            }
        }
    }

    fn notice_phase(&mut self) {
        let (before, now) = (self.phase, *self.part.phase.borrow_and_update());
        self.phase = now;
        if before == Phase::Ready && now != Phase::Ready {
            let begin = Instant::now();
            if let Role::Writer { pace, begin_after, .. } = &self.part.role {
                self.edit_at = Some(pace.first(begin + *begin_after, &mut self.random));
            }
            for turn in [&mut self.part.says, &mut self.part.shows] {
                turn.begin(begin, &mut self.random);
            }
            self.cut_at = self.part.cuts.map(|(every, _)| begin + every.mul_f64(self.random.random()));
        }
        if matches!(now, Phase::Stop | Phase::Settle) {
            self.count_missed();
            (self.edit_at, self.cut_at) = (None, None);
            self.part.says.stop();
            self.part.shows.stop();
        }
    }

    /// Edits that were due before the end and that this process did not come to.
    fn count_missed(&mut self) {
        let (Some(mut due), Role::Writer { pace, .. }) = (self.edit_at, &self.part.role) else { return };
        let (now, mut missed) = (Instant::now(), 0);
        while due <= now {
            missed += 1;
            match pace.after_edit(due) {
                Some(next) => due = next,
                None => return,
            }
        }
        lock(&self.part.common.figures).edits_missed += missed;
    }

    /// Does what is due; returns when the next thing is.
    async fn act(&mut self) -> Result<Option<Instant>, Failure> {
        if self.next_at().is_none() {
            return Ok(None);
        }
        let now = Instant::now();
        if self.cut_at.is_some_and(|at| at <= now) {
            self.cut(now).await?;
        }
        if self.again_at.is_some_and(|at| at <= now) {
            self.again_at = None;
            self.submit().await?;
        }
        if let Some(due) = self.edit_at.filter(|due| *due <= now) {
            self.edit(due, now).await?;
        }
        if let Some(due) = self.part.says.take(now) {
            self.say(due, now).await?;
        }
        if self.part.shows.take(now).is_some() {
            self.show_caret().await?;
        }
        Ok(self.next_at())
    }

    /// When the next thing is due.
    fn next_at(&self) -> Option<Instant> {
        let times = [self.edit_at, self.cut_at, self.again_at, self.part.says.at, self.part.shows.at];
        times.into_iter().flatten().min()
    }

    /// Says something in the chat. It takes its place among the edits, and so waits behind those that are under way.
    async fn say(&mut self, due: Instant, now: Instant) -> Result<(), Failure> {
        self.gathered.said(Due { at: on_time(due, now), measured: self.phase == Phase::Measure });
        if self.client.command(words()).map_err(disagreement)?.is_some() {
            self.began();
            self.submit().await?;
        }
        Ok(())
    }

    /// Shows the caret, somewhere in the text.
    async fn show_caret(&mut self) -> Result<(), Failure> {
        if self.resume_at.is_some() {
            // The newest place counts only, and there will be another.
            return Ok(());
        }
        let presence = caret(self.text.len_chars() as u64, &mut self.random);
        let base = self.client.revision();
        self.line.send(ClientMessage::SetPresence { channel: CHANNEL, base, presence }).await.map_err(lost)?;
        if self.phase == Phase::Measure {
            lock(&self.part.common.figures).carets += 1;
        }
        Ok(())
    }

    async fn edit(&mut self, due: Instant, now: Instant) -> Result<(), Failure> {
        let Role::Writer { mix, pace, .. } = &mut self.part.role else { return Ok(()) };
        let operation = mix.next(self.text.len_chars() as u64, &mut self.random);
        let operation = operation.map_err(|error| Failure::Failed(format!("an edit cannot be made: {error}")))?;
        self.edit_at = pace.after_edit(due);
        // In a closed loop nothing is due at a time of its own.
        let is_open = self.edit_at.is_some();
        let at = if is_open { on_time(due, now) } else { now };
        let measured = self.phase == Phase::Measure;
        if measured && is_open {
            lock(&self.part.common.figures).late_us.record(now.saturating_duration_since(due).as_micros() as u64);
        }
        operation.apply_to_rope(&mut self.text).map_err(disagreement)?;
        self.gathered.edited(Due { at, measured });
        if self.client.edit(operation).map_err(disagreement)?.is_some() {
            self.began();
            self.submit().await?;
        }
        Ok(())
    }

    /// A new submit leaves, and holds of what was gathered what belongs to it.
    fn began(&mut self) {
        let seq = self.client.seq();
        let mut shared = lock(&self.part.shared);
        if !self.is_waiting {
            self.is_waiting = true;
            shared.waiting += 1;
        }
        let leaving = self.client.state().unacknowledged().next();
        if let (Some(slot), Some(command)) = (shared.slot(self.me, seq), leaving) {
            self.gathered.leaves(seq, command, slot);
        }
    }

    async fn submit(&mut self) -> Result<(), Failure> {
        if self.resume_at.is_some() {
            return Ok(());
        }
        let Some(outgoing) = self.client.outgoing() else { return Ok(()) };
        let Outgoing { seq, base, command } = outgoing;
        let submit = ClientMessage::Submit { channel: CHANNEL, seq, base, command };
        self.line.send(submit).await.map_err(lost)
    }

    /// Drops the connection, if the dice say so, and resumes on a new one.
    async fn cut(&mut self, now: Instant) -> Result<(), Failure> {
        let Some((every, share)) = self.part.cuts else { return Ok(()) };
        self.cut_at = Some(now + every);
        if !self.random.random_bool(share) {
            return Ok(());
        }
        let common = &self.part.common;
        let opened = Line::open(&common.server, common.wire, self.part.greeting.clone(), &common.meter).await;
        // The old connection goes only now, when the new one takes its place: the server sees both orders of the two.
        (self.line, _) = opened.map_err(|error| Error::no_connection(&common.server, error))?;
        let (room, after) = (self.part.room.clone(), Some(self.client.revision()));
        let join = ClientMessage::Join { channel: CHANNEL, room, after, log: None, entries_only: true };
        self.line.send(join).await.map_err(lost)?;
        self.again_at = None;
        self.resume_at = Some(match self.line.next().await.map_err(lost)? {
            ServerMessage::Joined { head, snapshot: None, .. } => head,
            other => return Err(surprise(other)),
        });
        if self.phase == Phase::Measure {
            lock(&common.figures).cuts += 1;
        }
        if self.part.watches {
            self.line.send(ClientMessage::WatchPresence { channel: CHANNEL, on: true }).await.map_err(lost)?;
        }
        self.resume().await
    }

    /// Sends what was outstanding again, once everything that the server had at the time is here: it may be among it.
    async fn resume(&mut self) -> Result<(), Failure> {
        if self.resume_at.is_some_and(|head| head <= self.client.revision()) {
            self.resume_at = None;
            self.submit().await?;
        }
        Ok(())
    }

    async fn take(&mut self, message: ServerMessage) -> Result<(), Failure> {
        match message {
            ServerMessage::Entry { entry, .. } => self.show(&entry).await?,
            ServerMessage::Ack { seq, revision, .. } => self.finish(seq, revision).await?,
            ServerMessage::Error(error) => self.refused(error)?,
            ServerMessage::Presence { presence, .. } => self.see(&presence),
            ServerMessage::Pong { .. } => {}
            other => return Err(surprise(other)),
        }
        self.resume().await
    }

    /// Others show where they are.
    fn see(&self, presence: &[PresenceOf]) {
        if self.phase == Phase::Measure {
            let mut figures = lock(&self.part.common.figures);
            figures.presence_messages += 1;
            figures.carets_seen += presence.len() as u64;
        }
    }

    fn refused(&mut self, error: ErrorMessage) -> Result<(), Failure> {
        lock(&self.part.common.figures).error(error.code.as_str());
        match error {
            ErrorMessage { about: About::Submit { .. }, retry_after_ms: Some(wait_ms), .. } => {
                self.again_at = Some(Instant::now() + Duration::from_millis(wait_ms.into()));
                Ok(())
            }
            error => Err(surprise(ServerMessage::Error(error))),
        }
    }

    /// Another connection's edit is on this screen.
    async fn show(&mut self, entry: &Entry) -> Result<(), Failure> {
        let Command::Edit(operation) = &entry.command else {
            return self.client.pass(entry.revision).map_err(disagreement);
        };
        let operation: Operation = self.client.remote(entry.revision, operation).map_err(disagreement)?;
        operation.apply_to_rope(&mut self.text).map_err(disagreement)?;
        if let Role::SlowReader { pause } = self.part.role {
            if matches!(self.phase, Phase::WarmUp | Phase::Measure) {
                sleep(pause).await;
            }
            return Ok(());
        }
        let now = Instant::now();
        let shared = lock(&self.part.shared);
        if let Some(sent) = shared.find(entry.participant, entry.seq) {
            let mut figures = lock(&self.part.common.figures);
            for took_us in sent.edits.iter().filter_map(|due| due.took_us(now)) {
                figures.to_screen_us.record(took_us);
            }
        }
        Ok(())
    }

    async fn finish(&mut self, seq: Seq, revision: Revision) -> Result<(), Failure> {
        let before = self.client.revision();
        let next = self.client.acknowledged(seq, revision).map_err(disagreement)?;
        if self.client.revision() == before {
            // The answer to a submit that was sent twice.
            return Ok(());
        }
        let now = Instant::now();
        let held_edits = self.time(seq, now);
        if next.is_some() {
            self.began();
            self.submit().await?;
        } else if *self.client.state() == State::Synchronized && self.is_waiting {
            self.is_waiting = false;
            lock(&self.part.shared).waiting -= 1;
        }
        if let (true, Role::Writer { pace, .. }, Phase::WarmUp | Phase::Measure) =
            (held_edits, &self.part.role, self.phase)
        {
            self.edit_at = pace.after_ack(now, &mut self.random).or(self.edit_at);
        }
        Ok(())
    }

    /// Counts and times what an acknowledged submit holds. Returns whether that is edits.
    fn time(&self, seq: Seq, now: Instant) -> bool {
        let shared = lock(&self.part.shared);
        let Some(sent) = shared.find(self.me, seq) else { return false };
        let mut recent = lock(&self.part.common.recent);
        recent.0 += sent.edits.len() as u64;
        let mut figures = lock(&self.part.common.figures);
        if self.phase == Phase::Measure {
            figures.edits += sent.edits.len() as u64;
        }
        if let Some(took_us) = sent.chat.and_then(|due| due.took_us(now)) {
            figures.chat_to_ack_us.record(took_us);
        }
        for took_us in sent.edits.iter().filter_map(|due| due.took_us(now)) {
            recent.1.record(took_us);
            figures.to_ack_us.record(took_us);
            figures.edits_late += u64::from(self.phase != Phase::Measure);
        }
        !sent.edits.is_empty()
    }
}

/// What was due is counted from then, unless it is as good as now.
fn on_time(due: Instant, now: Instant) -> Instant {
    if now.saturating_duration_since(due) > TIMER_GRAIN { due } else { now }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        sleep_until(at.into()).await;
    }
}

fn lost(error: ConnectionError) -> Failure {
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
