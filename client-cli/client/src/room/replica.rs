//! A room as one client holds it: the text, the edits that are not acknowledged, and where the channel stands. No IO: the
//! time and what the server says come in as arguments, what to say goes out as results.

use std::time::{Duration, Instant};

use motet_protocol::{
    client::{Client, ClientError, NotTaken, Outgoing, State},
    error::{ErrorCode, ErrorMessage},
    ids::{Channel, LogIdentity, ParticipantId, Revision, RoomId, Seq},
    limits::Limits,
    message::{ClientMessage, Command, Entry, SnapshotInfo},
    ot::{Mismatch, Operation},
    people::News,
};
use ropey::{Rope, RopeBuilder};

use super::{Company, Event, length};
use crate::error::{Error, ErrorKind};

/// How long to wait before a room is joined again that the session was said to have joined from elsewhere.
const REPLACED_PAUSE: Duration = Duration::from_millis(500);

/// How long the server may answer "later" before [`Event::PutOff`] is raised, in milliseconds: short delays are normal.
const PUT_OFF_TOLD_AFTER: Duration = Duration::from_secs(1);

/// The replica of one room.
#[derive(Debug)]
pub(crate) struct Replica {
    text: Rope,
    client: Client,
    stage: Stage,
    /// A follower keeps no text and makes no edits; it wants every entry.
    follows: bool,
    /// The log that the revisions count in, as the last join told it; none before the first one.
    log: Option<LogIdentity>,
    /// Whether the text must come from the server before anything else.
    empty: bool,
    /// Whether the outstanding submit was sent on this connection and not refused.
    sent: bool,
    /// Refused for now: when to send it again.
    again_at: Option<Instant>,
    /// Since when the server has answered "later", and whether that was reported; none while it accepts commands.
    put_off: Option<PutOff>,
    /// For how long it may say so; none is for ever.
    patience: Option<Duration>,
    /// A resync left open whether the last submit was appended, so its seq may be used or free.
    seq_in_doubt: bool,
    /// Edits were lost, which was not reported yet.
    refusal: Option<Error>,
    /// The room is gone.
    closed: Option<Error>,
    limits: Limits,
    /// Who else is there.
    pub(crate) company: Company,
}

/// What was said is refused for now.
#[derive(Clone, Copy, Debug)]
struct PutOff {
    since: Instant,
    told: bool,
}

/// Where the channel stands.
enum Stage {
    /// Nothing was said about this room on this connection.
    Away,
    /// `Join` was said.
    Joining { entries_only: bool },
    /// The text is on its way.
    Loading { head: Revision, info: SnapshotInfo, pieces: RopeBuilder, bytes: u64 },
    /// Entries come as they happen. At `head` the client has caught up.
    Following { head: Revision },
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Away => "Away",
            Self::Joining { .. } => "Joining",
            Self::Loading { .. } => "Loading",
            Self::Following { .. } => "Following",
        })
    }
}

/// What became of something that the server said.
#[derive(Debug)]
pub(crate) enum Answered {
    /// Nothing that anyone would notice.
    Nothing,
    /// This happened.
    Event(Event),
    /// The room must be left and joined again; this happened, if anything.
    Rejoin(Option<Event>),
    /// The room is gone.
    Closed(Error),
}

impl Replica {
    /// A replica that takes its text from the server.
    pub(crate) fn new(limits: &Limits, me: ParticipantId) -> Self {
        let mut client = Client::new(0, 0);
        client.set_limits(limits);
        Self {
            text: Rope::new(),
            client,
            stage: Stage::Away,
            follows: false,
            log: None,
            empty: true,
            sent: false,
            again_at: None,
            put_off: None,
            patience: None,
            seq_in_doubt: false,
            refusal: None,
            closed: None,
            limits: limits.clone(),
            company: Company::of(me),
        }
    }

    /// A follower that has everything up to a revision.
    pub(crate) fn following(limits: &Limits, me: ParticipantId, after: Revision) -> Self {
        Self { client: Client::new(after, 0), follows: true, empty: false, ..Self::new(limits, me) }
    }

    pub(crate) fn text(&self) -> &Rope {
        &self.text
    }

    pub(crate) fn revision(&self) -> Revision {
        self.client.revision()
    }

    pub(crate) fn is_synchronized(&self) -> bool {
        *self.client.state() == State::Synchronized && !self.empty
    }

    /// How many bytes of text were inserted and are not acknowledged.
    pub(crate) fn unacknowledged_bytes(&self) -> usize {
        self.client.state().unacknowledged().filter_map(Command::operation).map(Operation::inserted_bytes).sum()
    }

    /// Whether it is joined, with its text.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Following { .. })
    }

    /// Whether it holds a text and has caught up with where the room was when it was joined.
    pub(crate) fn has_caught_up(&self) -> bool {
        matches!(self.stage, Stage::Following { head } if self.revision() >= head)
    }

    pub(crate) fn closed(&self) -> Option<&Error> {
        self.closed.as_ref()
    }

    /// Why edits were lost, once.
    pub(crate) fn take_refusal(&mut self) -> Option<Error> {
        self.refusal.take()
    }

    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        self.client.set_limits(limits);
        self.limits = limits.clone();
    }

    /// For how long the server may put something off before the room is given up.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// Changes the text.
    pub(crate) fn edit(&mut self, operation: Operation) -> Result<(), Error> {
        if let Some(error) = &self.closed {
            return Err(error.clone());
        }
        if self.empty {
            return Err(Error::new(ErrorKind::Resyncing, "the text comes anew from the server; edit that one"));
        }
        let found = self.text.len_chars() as u64;
        if operation.base_len() != found {
            return Err(Mismatch { expected: operation.base_len(), found }.into());
        }
        length::check(&self.text, &operation, &self.limits)?;
        let applied = operation.clone();
        self.client.edit(operation)?;
        applied.apply_to_rope(&mut self.text)?;
        self.company.text_changed(&applied, true);
        Ok(())
    }

    /// Does something else than an edit; its positions count on the replica's text.
    pub(crate) fn command(&mut self, command: Command) -> Result<(), Error> {
        if let Some(error) = &self.closed {
            return Err(error.clone());
        }
        if self.empty {
            return Err(Error::new(ErrorKind::Resyncing, "the text comes anew from the server; do it on that one"));
        }
        match command {
            Command::Edit(operation) => self.edit(operation),
            command => match self.client.command(command) {
                Ok(_) => Ok(()),
                Err(NotTaken::Mismatch(mismatch)) => Err(mismatch.into()),
                Err(full @ NotTaken::Full) => Err(Error::new(ErrorKind::Full, full.to_string())),
            },
        }
    }

    /// What to say to open the room, on a connection or a channel that is new.
    pub(crate) fn join(&mut self, channel: Channel, room: RoomId) -> ClientMessage {
        let entries_only = !self.empty && (self.follows || !self.is_synchronized());
        self.stage = Stage::Joining { entries_only };
        self.sent = false;
        self.again_at = None;
        self.company.begin();
        let after = (!self.empty).then(|| self.revision());
        let log = after.and(self.log);
        ClientMessage::Join { channel, room, after, log, entries_only }
    }

    /// The connection is gone.
    pub(crate) fn lost(&mut self) {
        self.stage = Stage::Away;
        self.sent = false;
        self.again_at = None;
    }

    /// When [`poll`](Self::poll) has something to say though nothing happened.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.again_at
    }

    /// What to say now: the outstanding submit, when the client has caught up and it was not sent yet. (A resend meets
    /// its own acknowledgement on the way to the head, if it was appended before the connection was lost.)
    pub(crate) fn poll(&mut self, channel: Channel, now: Instant) -> Vec<ClientMessage> {
        if !self.has_caught_up() {
            return Vec::new();
        }
        let submit = self.poll_submit(channel, now);
        let synchronized = self.is_synchronized().then(|| self.revision());
        submit.into_iter().chain(self.company.poll(channel, synchronized)).collect()
    }

    fn poll_submit(&mut self, channel: Channel, now: Instant) -> Option<ClientMessage> {
        if self.sent || self.again_at.is_some_and(|at| at > now) {
            return None;
        }
        // Also where there is nothing to say any more: a time that has come must not stay.
        self.again_at = None;
        let Outgoing { seq, base, command } = self.client.outgoing()?;
        self.sent = true;
        Some(ClientMessage::Submit { channel, seq, base, command })
    }

    /// The room is open.
    pub(crate) fn joined(&mut self, log: LogIdentity, head: Revision, snapshot: Option<SnapshotInfo>) -> Answered {
        let Stage::Joining { entries_only } = self.stage else {
            return self.resync(Error::bad_server("a room was joined that was not asked for"));
        };
        self.log = Some(log);
        self.put_off = None;
        match snapshot {
            None if self.empty => self.resync(Error::bad_server("no text came where one was asked for")),
            Some(_) if entries_only => self.resync(Error::bad_server("a text came where entries were asked for")),
            Some(info) if info.bytes > self.limits.text_bytes_max => {
                self.close(Error::bad_server("it announces a text that is longer than it allows"))
            }
            Some(info) => {
                self.stage = Stage::Loading { head, info, pieces: RopeBuilder::new(), bytes: 0 };
                Answered::Event(Event::Joined { head })
            }
            None => {
                self.stage = Stage::Following { head };
                Answered::Event(Event::Joined { head })
            }
        }
    }

    /// A piece of the text.
    pub(crate) fn piece(&mut self, text: &str, last: bool) -> Answered {
        let Stage::Loading { pieces, bytes, info, .. } = &mut self.stage else {
            return self.resync(Error::bad_server("it sent a piece of a text unasked"));
        };
        pieces.append(text);
        *bytes += text.len() as u64;
        if *bytes > info.bytes || (last && *bytes < info.bytes) {
            return self.resync(Error::bad_server("a text has another length than was announced"));
        }
        if !last {
            return Answered::Nothing;
        }
        let Stage::Loading { head, info, pieces, .. } = std::mem::replace(&mut self.stage, Stage::Away) else {
            unreachable!("it was `Loading` a moment ago");
        };
        if !self.empty && !self.is_synchronized() {
            // There were edits while the text was on its way: now every entry is needed, to transform one by one.
            return Answered::Rejoin(None);
        }
        self.text = pieces.finish();
        self.empty = false;
        self.reset(info.revision, self.client.seq());
        self.stage = Stage::Following { head };
        self.company.text_replaced(self.text.len_chars() as u64);
        Answered::Event(Event::Replaced { revision: info.revision })
    }

    /// An entry of another participant.
    pub(crate) fn entry(&mut self, entry: Entry) -> Answered {
        if self.follows {
            return match self.client.pass(entry.revision) {
                Ok(()) => {
                    self.company.entry(&entry);
                    Answered::Event(Event::Entry { entry, applied: None })
                }
                Err(error) => self.close(Error::bad_server(error)),
            };
        }
        if !matches!(self.stage, Stage::Following { .. }) {
            return self.resync(Error::bad_server("an entry came before its text"));
        }
        let Command::Edit(operation) = &entry.command else {
            return match self.client.pass(entry.revision) {
                Ok(()) => Answered::Event(Event::Entry { entry, applied: None }),
                Err(error) => self.resync(Error::bad_server(error)),
            };
        };
        let applied = self.client.remote(entry.revision, operation).and_then(|operation| {
            operation.apply_to_rope(&mut self.text)?;
            Ok(operation)
        });
        match applied {
            Ok(operation) => Answered::Event(Event::Entry { entry, applied: Some(operation) }),
            Err(error) => self.resync(Error::bad_server(error)),
        }
    }

    /// One of the client's own submits is in the log.
    pub(crate) fn acknowledged(&mut self, seq: Seq, revision: Revision) -> Answered {
        let before = self.client.revision();
        let outstanding = match self.client.state() {
            State::Synchronized => None,
            State::AwaitingConfirm { outstanding } | State::AwaitingWithBuffer { outstanding, .. } => {
                Some(outstanding.clone())
            }
        };
        match self.client.acknowledged(seq, revision) {
            Ok(_) if self.client.revision() == before => Answered::Nothing,
            Ok(_) => {
                self.sent = false;
                self.again_at = None;
                self.put_off = None;
                self.seq_in_doubt = false;
                if let Some(operation) = outstanding.as_ref().and_then(Command::operation) {
                    self.company.acknowledged(operation);
                }
                Answered::Event(Event::Acknowledged { seq, revision })
            }
            // A submit of a replica that was given up for a new text.
            Err(ClientError::Gap { .. }) if self.empty => Answered::Nothing,
            Err(error) => self.resync(Error::bad_server(error)),
        }
    }

    /// A submit was not taken: it is sent again later, in smaller pieces, or given up.
    pub(crate) fn refused(&mut self, seq: Seq, error: &ErrorMessage, now: Instant) -> Answered {
        if !self.sent || seq != self.client.seq() {
            return Answered::Nothing;
        }
        self.sent = false;
        if let Some(wait_ms) = error.retry_after_ms {
            return self.put_off(error, wait_ms, now);
        }
        self.put_off = None;
        match error.code {
            ErrorCode::EditTooLarge | ErrorCode::BadOperation => {
                if let Ok(Some(_)) = self.client.too_large(seq) {
                    return Answered::Nothing;
                }
            }
            ErrorCode::SeqConflict if self.seq_in_doubt => {
                self.seq_in_doubt = false;
                self.client.skip_seq();
                return Answered::Nothing;
            }
            // The base is too old where the client fell behind between two messages: joining again brings what is missing.
            ErrorCode::BaseTooOld => return Answered::Rejoin(None),
            _ => {}
        }
        self.refusal = Some(Error::refused(error));
        let error = Error::refused(error);
        if let Ok(Some(command)) = self.client.refused(seq) {
            // The text is as it was.
            return Answered::Event(Event::Refused { error, lost: Operation::default(), commands: vec![command] });
        }
        // The seq of a refused submit is free again.
        let (lost, commands) = self.give_up(seq - 1);
        Answered::Rejoin(Some(Event::Refused { error, lost, commands }))
    }

    /// What the server tells of who is there.
    pub(crate) fn told(&mut self, revision: Revision, news: News) -> Answered {
        if revision != self.revision() || !self.is_open() {
            return self.resync(Error::bad_server("it told of people at a revision that it has not sent"));
        }
        self.company.hear(news.clone());
        Answered::Event(Event::Presence { revision, news })
    }

    /// The room could not be joined, or went away; or what was told of presence was refused, and the room stays.
    pub(crate) fn turned_away(&mut self, error: &ErrorMessage, now: Instant) -> Answered {
        let declined = matches!(
            error.code,
            ErrorCode::BadArgument
                | ErrorCode::RevisionUnknown
                | ErrorCode::NotFound
                | ErrorCode::RateLimited
                | ErrorCode::Overloaded
        );
        if declined && self.is_open() {
            return Answered::Event(Event::Declined { error: Error::refused(error) });
        }
        if let Some(wait_ms) = error.retry_after_ms {
            self.stage = Stage::Away;
            return self.put_off(error, wait_ms, now);
        }
        match error.code {
            // The server's history is shorter than the client's: it was set back.
            // No other client has this session: a join that was late on a connection of its own, lost since, came after this one.
            ErrorCode::SessionReplaced => {
                self.stage = Stage::Away;
                self.sent = false;
                self.again_at = Some(now + REPLACED_PAUSE);
                Answered::Nothing
            }
            ErrorCode::RevisionUnknown if !self.empty && !self.follows => self.resync(Error::refused(error)),
            ErrorCode::RoomReplaced if !self.empty && !self.follows => self.replaced(Error::refused(error)),
            _ => self.close(Error::refused(error)),
        }
    }

    /// The server says "later" to a join or a submit. It is said again then, or given up where that would be too late.
    fn put_off(&mut self, error: &ErrorMessage, wait_ms: u32, now: Instant) -> Answered {
        let wait = Duration::from_millis(wait_ms.into());
        let put_off = self.put_off.get_or_insert(PutOff { since: now, told: false });
        let lasts = now - put_off.since + wait;
        if self.patience.is_some_and(|most| lasts > most) {
            return self.close(Error::refused(error));
        }
        self.again_at = Some(now + wait);
        if put_off.told || lasts <= PUT_OFF_TOLD_AFTER {
            return Answered::Nothing;
        }
        put_off.told = true;
        Answered::Event(Event::PutOff { error: Error::refused(error) })
    }

    /// Whether a join that was turned away for now is due.
    pub(crate) fn is_due_to_join(&self, now: Instant) -> bool {
        matches!(self.stage, Stage::Away) && self.again_at.is_none_or(|at| at <= now)
    }

    /// Gives up what is not acknowledged, because the replica and the server cannot agree, and asks for the text.
    pub(crate) fn resync(&mut self, error: Error) -> Answered {
        if self.follows || self.empty {
            return self.close(error);
        }
        self.seq_in_doubt = !self.is_synchronized();
        let seq = self.client.seq();
        let (lost, commands) = self.give_up(seq - u64::from(self.seq_in_doubt));
        if lost.is_noop() && commands.is_empty() {
            return Answered::Rejoin(None);
        }
        self.refusal = Some(error.clone());
        Answered::Rejoin(Some(Event::Refused { error, lost, commands }))
    }

    /// The room was deleted and made anew. Gives up what is not acknowledged, since it belongs to the old room, and asks for the
    /// text of the new one, in which the session has submitted nothing yet.
    fn replaced(&mut self, error: Error) -> Answered {
        let answered = self.resync(error);
        self.seq_in_doubt = false;
        self.log = None;
        self.reset(0, 0);
        answered
    }

    /// Asks for the text anew, because a check found that the replica differs.
    pub(crate) fn heal(&mut self) {
        self.resync(Error::bad_server("the replica differed from its text"));
    }

    pub(crate) fn close(&mut self, error: Error) -> Answered {
        self.stage = Stage::Away;
        self.closed = Some(error.clone());
        Answered::Closed(error)
    }

    fn give_up(&mut self, seq: Seq) -> (Operation, Vec<Command>) {
        let lost = self.unacknowledged();
        self.reset(self.revision(), seq);
        self.empty = true;
        self.stage = Stage::Away;
        lost
    }

    fn reset(&mut self, revision: Revision, seq: Seq) {
        self.client = Client::new(revision, seq);
        self.client.set_limits(&self.limits);
        self.again_at = None;
    }

    /// Everything that is not acknowledged: the edits as one, and the rest.
    fn unacknowledged(&self) -> (Operation, Vec<Command>) {
        let (mut edits, mut commands): (Option<Operation>, _) = (None, Vec::new());
        for command in self.client.state().unacknowledged() {
            match command {
                Command::Edit(next) => {
                    let all = edits.as_ref().and_then(|edits| edits.compose(next).ok());
                    edits = Some(all.or(edits).unwrap_or_else(|| next.clone()));
                }
                command => commands.push(command.clone()),
            }
        }
        (edits.unwrap_or_default(), commands)
    }
}

#[cfg(test)]
mod tests;
