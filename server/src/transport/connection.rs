//! The one task of each connection: it reads, hands on what it read, moves lagging readers on, and watches the time.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use motet_protocol::{
    error::About,
    ids::{Channel, RequestId, Revision, UnixMs},
    limits::REQUESTS_MAX,
    message::{ClientMessage, Question, ServerMessage},
    presence::Presence,
};
use tokio::{
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};
use tokio_util::io::poll_read_buf;

use super::inbound::{Inbound, Incoming};
use crate::{
    blocking::blocking,
    clock::now_ms,
    context::Context,
    hub::{history, join::Joining},
    outbox::Connection,
    refusal::Refusal,
    requests::{Asked, answer},
    room::{Fed, Outlet, Submit, Submitted},
    rooms::open::{
        Joined,
        append_batch::{flush_all, flush_if_many},
        commits::shutting_down,
    },
    session::{Act, Caller, RateLimiter, Session},
    wire::Wire,
};

/// How often a connection looks at the time.
const TICK: Duration = Duration::from_secs(5);

/// How long a connection that closes may take to send what it has.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Context {
    /// Sends what a session says, and counts it if it is an error.
    fn say(&self, connection: &Arc<Connection>, act: Act<'_, Joined>) -> Next {
        let (message, next) = match act {
            Act::Reply(message) => (message, Next::GoOn),
            Act::Close(message) => (message, Next::Close),
            _ => return Next::GoOn,
        };
        if let ServerMessage::Error(error) | ServerMessage::Bye { error } = &message {
            self.metrics.refuse(error.code);
        }
        connection.send(&message);
        next
    }
}

/// Serves a connection until it ends.
pub async fn serve(stream: TcpStream, inbound: Inbound, wire: Wire, context: Context) {
    // Frames are small and wanted at once; they are gathered here, not by the kernel.
    let _ = stream.set_nodelay(true);
    let metrics = Arc::clone(&context.metrics);
    metrics.connections.inc();
    let (connection, reading) = Connection::new(stream, wire, Arc::clone(&metrics));
    let now = now_ms();
    let limiter = RateLimiter::new(context.settings.limits.messages_per_second_max, now);
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let (session, told) = (Session::new(now), Vec::new());
    // Bytes that came with an upgrade are there before the socket is readable.
    let mut task = Task { connection, reading, inbound, more: true, session, limiter, requests, told, context };
    task.run().await;
    for Joined { cell, reader } in task.session.into_channels() {
        cell.leave(reader);
    }
    task.connection.abandon();
    metrics.connections.dec();
}

struct Task {
    connection: Arc<Connection>,
    reading: OwnedReadHalf,
    inbound: Inbound,
    /// Whether there may be messages in what was read that are not taken yet.
    more: bool,
    session: Session<Joined>,
    limiter: RateLimiter,
    requests: Arc<Semaphore>,
    /// What was told of presence with the bytes that were read last: the newest of each channel.
    told: Vec<(Channel, Revision, Box<Presence>)>,
    context: Context,
}

/// What a connection's task wakes up for.
enum Event {
    More,
    Read(std::io::Result<usize>),
    Writable,
    Chores,
    Tick,
    Stopping,
    Closing,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Close,
}

impl Task {
    async fn run(&mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (stopping, closing) = (self.context.stopping.clone(), self.context.closing.clone());
        let (mut stopping, mut closing) = (pin!(stopping.cancelled()), pin!(closing.cancelled()));
        let mut stopped = false;
        loop {
            let standing = self.connection.standing();
            if standing.dead {
                return;
            }
            let takes = standing.has_room && self.takes_questions();
            let event = poll_fn(|context| {
                self.connection.task.register(context.waker());
                if self.connection.take_woken() {
                    return Poll::Ready(Event::Chores);
                }
                if standing.stuck && self.connection.poll_writable(context).is_ready() {
                    return Poll::Ready(Event::Writable);
                }
                if takes && self.more {
                    return Poll::Ready(Event::More);
                }
                if takes && !stopped {
                    let reading = Pin::new(&mut self.reading);
                    if let Poll::Ready(read) = poll_read_buf(reading, context, self.inbound.buffer()) {
                        return Poll::Ready(Event::Read(read));
                    }
                    self.inbound.rest();
                }
                // Asked last, since they rarely are; who always has something to read comes here when its turn is over.
                if closing.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Event::Closing);
                }
                if !stopped && stopping.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Event::Stopping);
                }
                Pin::new(&mut tick).poll_tick(context).map(|_| Event::Tick)
            })
            .await;
            let next = match event {
                Event::Read(Ok(0) | Err(_)) => return self.close().await,
                Event::Read(Ok(bytes)) => {
                    self.context.metrics.bytes_in.inc_by(bytes as u64);
                    self.session.heard(now_ms());
                    self.take_more().await
                }
                Event::More => self.take_more().await,
                Event::Writable => {
                    // Whoever takes what it is sent is there, though nothing is read of it meanwhile.
                    self.session.heard(now_ms());
                    self.connection.flush();
                    Next::GoOn
                }
                Event::Chores => Next::GoOn,
                Event::Tick => {
                    let act = self.session.tick(&self.context.settings, now_ms());
                    self.context.say(&self.connection, act)
                }
                Event::Stopping => {
                    stopped = true;
                    Next::GoOn
                }
                Event::Closing => {
                    let error = shutting_down().about(About::Connection);
                    self.connection.send(&ServerMessage::Bye { error });
                    Next::Close
                }
            };
            if next == Next::Close {
                return self.close().await;
            }
            self.chores().await;
        }
    }

    /// Sends what is there, for a moment, and ends.
    async fn close(&mut self) {
        let all_sent = async {
            loop {
                self.connection.flush();
                let standing = self.connection.standing();
                if standing.empty || standing.dead {
                    return;
                }
                self.connection.writable().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, all_sent).await;
    }

    /// Whether one more question may be answered beside those that are being answered.
    fn takes_questions(&self) -> bool {
        self.requests.available_permits() > 0
    }

    /// Takes the messages that are whole, as long as there is room for what they may be answered: who does not read what it is
    /// sent is not read either. The rest is taken when there is room, so that nothing here ever waits for the peer but the
    /// one place that also writes to it and watches the time.
    async fn take_more(&mut self) -> Next {
        let now = now_ms();
        let mut messages = 0;
        self.more = true;
        while self.connection.standing().has_room && self.takes_questions() {
            let Some((wire, incoming)) = self.inbound.take() else {
                self.more = false;
                break;
            };
            messages += 1;
            if self.take(wire, incoming, now).await == Next::Close {
                return Next::Close;
            }
        }
        self.pass_presence(now);
        flush_if_many();
        let outgoing = self.inbound.take_outgoing();
        if !outgoing.is_empty() {
            self.connection.deliver(|outbox| outbox.buffer().extend_from_slice(&outgoing));
        }
        if let Some(wait_ms) = self.limiter.spend(messages, now) {
            flush_all();
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        Next::GoOn
    }

    async fn take(&mut self, wire: Wire, incoming: Incoming, now: UnixMs) -> Next {
        let settings = Arc::clone(&self.context.settings);
        let act = match incoming {
            Incoming::Message(message) => {
                if matches!(message, ClientMessage::Hello(_)) {
                    // A WebSocket is answered in the form of its greeting.
                    self.connection.deliver(|outbox| outbox.wire = wire);
                }
                self.session.handle(message, &settings, now)
            }
            Incoming::Malformed(about, error) => self.session.malformed(about, &error, now),
            Incoming::Oversized(bytes) => self.session.oversized(bytes, &settings, now),
            Incoming::Lost(message) => self.session.framing_lost(message),
            Incoming::Closed => return self.closed_by_peer(),
        };
        match act {
            Act::Submit { participant, channel, joined, seq, base, command } => {
                let submit = Submit { participant, seq, base, command };
                let result = match joined.cell.submit(joined.reader, submit, &[], now) {
                    Ok(needs @ (Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..))) => {
                        let Joined { cell, reader } = joined.clone();
                        cell.submit_with_what_it_needs(&self.context.rooms.store, reader, needs).await.map(drop)
                    }
                    result => result.map(drop),
                };
                if let Err(refusal) = result {
                    self.refuse(refusal, About::Submit { channel, seq });
                }
            }
            Act::Identify { session, token, name } => {
                let caller = self.context.identify(session, token.as_deref(), &name).await;
                let act = self.session.identified(caller, &settings);
                return self.context.say(&self.connection, act);
            }
            Act::Authenticate { request, token } => {
                let identity = self.context.auth.identify(Some(&token), "", now_ms()).await;
                let act = self.session.authenticated(request, identity);
                return self.context.say(&self.connection, act);
            }
            Act::Join { caller, channel, room, after, log, entries_only } => {
                let joining = Joining { caller: &caller, channel, room: &room, after, log, entries_only };
                match self.context.rooms.join(&self.connection, joining).await {
                    Ok(joined) => self.session.joined(channel, joined),
                    Err(refusal) => self.refuse(refusal, About::Channel(channel)),
                }
            }
            Act::Leave { channel, joined } => {
                joined.cell.leave(joined.reader);
                self.connection.send(&ServerMessage::Left { channel });
            }
            Act::Watch { joined, on } => joined.cell.watch(joined.reader, on),
            Act::SetPresence { channel, base, presence } => {
                self.told.retain(|(told, ..)| *told != channel);
                self.told.push((channel, base, presence));
            }
            Act::Signal { channel, joined, to, kind, payload } => {
                if let Err(refusal) = joined.cell.signal(joined.reader, to, kind, payload) {
                    self.refuse(refusal, About::Channel(channel));
                }
            }
            Act::Answered { nonce } => {
                if self.connection.deliver(|outbox| outbox.answered(nonce)) {
                    self.session.channels().for_each(|joined| joined.cell.go_on());
                }
            }
            Act::Answer { caller, request, question } => self.look_up(caller, request, question),
            act @ (Act::Nothing | Act::Reply(_) | Act::Close(_)) => return self.context.say(&self.connection, act),
        }
        Next::GoOn
    }

    /// Answers a question in a task of its own.
    fn look_up(&self, caller: Arc<Caller>, request: RequestId, question: Question) {
        // There is a permit, since no message is taken while there is none.
        let permit = Arc::clone(&self.requests).try_acquire_owned();
        let (context, connection) = (self.context.clone(), Arc::clone(&self.connection));
        let asked = Asked { context, caller, request, connection };
        tokio::spawn(async move {
            answer(&asked, question).await;
            drop(permit);
            asked.connection.wake();
        });
    }

    /// Answers the closing handshake of a WebSocket.
    fn closed_by_peer(&mut self) -> Next {
        let outgoing = self.inbound.take_outgoing();
        self.connection.deliver(|outbox| outbox.buffer().extend_from_slice(&outgoing));
        Next::Close
    }

    fn refuse(&self, refusal: Refusal, about: About) {
        self.context.metrics.refuse(refusal.code);
        self.connection.send(&ServerMessage::Error(refusal.about(about)));
    }

    /// Brings what was told of presence to the rooms: of a flood, what came last.
    fn pass_presence(&mut self, now: UnixMs) {
        for (channel, base, presence) in std::mem::take(&mut self.told) {
            let Some(joined) = self.session.channel(channel) else { continue };
            if let Err(refusal) = joined.cell.set_presence(joined.reader, base, *presence, now) {
                self.refuse(refusal, About::Channel(channel));
            }
        }
    }

    /// Forgets channels that rooms have closed, and moves lagging readers on as far as there is room.
    async fn chores(&mut self) {
        let chores = self.connection.take_chores();
        for (channel, reader) in chores.dropped {
            if self.session.channel(channel).is_some_and(|joined| joined.reader == reader) {
                self.session.dropped(channel);
            }
        }
        for channel in chores.lagging {
            self.move_on(channel).await;
        }
    }

    async fn move_on(&mut self, channel: Channel) {
        let Some(joined) = self.session.channel(channel).cloned() else { return };
        let Joined { cell, reader } = &joined;
        match cell.feed(*reader, &self.connection) {
            Fed::CaughtUp | Fed::Gone => {}
            Fed::Full => {
                self.connection.deliver(|outbox| outbox.lag(channel));
            }
            Fed::Behind(after) => {
                let (store, log) = (Arc::clone(&self.context.rooms.store), cell.log_id());
                let read = blocking(move || history::read_after(store.as_ref(), log, after, usize::MAX)).await;
                match read {
                    Ok(entries) => {
                        cell.feed_stored(*reader, entries, &self.connection);
                        self.connection.deliver(|outbox| outbox.lag(channel));
                        // One step at a time, so that what comes in is heard in between.
                        self.connection.wake();
                    }
                    Err(refusal) => self.give_up(channel, &joined, refusal),
                }
            }
        }
    }

    fn give_up(&mut self, channel: Channel, joined: &Joined, refusal: Refusal) {
        joined.cell.leave(joined.reader);
        self.session.dropped(channel);
        self.refuse(refusal, About::Channel(channel));
    }
}
