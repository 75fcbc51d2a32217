//! The task that owns the socket: it says what the handles want said, brings what the server says to the rooms, and
//! connects again when the connection is lost.

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use motet_protocol::{
    error::{About, ErrorCode, ErrorMessage},
    ids::{Channel, RoomId},
    limits::Limits,
    message::{ClientMessage, ServerMessage},
    people::News,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Options,
    request::{Request, Requests},
};
use crate::{
    connection::{Connection, ConnectionError},
    error::{Error, ErrorKind, is_passing},
    room::{Answered, Bell, Event, Events, Replica, Seat, events},
};

/// What a room's handle is made of.
pub(crate) type Opened = (Arc<Seat>, Events, Arc<Bell>);

/// What a handle asks of the task.
pub(crate) enum Order {
    /// A question.
    Ask(Request),
    /// To open a room.
    Join { room: RoomId, replica: Box<Replica>, opened: oneshot::Sender<Result<Opened, Error>> },
}

/// A room as the task knows it.
struct Joined {
    seat: Arc<Seat>,
    channel: Channel,
    events: mpsc::Sender<Event>,
    /// Who waits for it to open.
    opening: Option<(oneshot::Sender<Result<Opened, Error>>, Events)>,
}

/// Why a conversation ended.
enum End {
    /// No handle is left.
    Dropped,
    Lost(ConnectionError),
}

/// What happened while the task waited.
enum Happened {
    Heard(Result<ServerMessage, ConnectionError>),
    Ordered(Option<Order>),
    Rung,
    Time,
}

pub(crate) struct Task {
    options: Options,
    limits: Limits,
    orders: mpsc::Receiver<Order>,
    /// Cancelled when the last handle is dropped.
    alive: CancellationToken,
    bell: Arc<Bell>,
    requests: Requests,
    rooms: HashMap<u64, Joined>,
    channels: HashMap<Channel, u64>,
    next_key: u64,
    /// Channels are never used twice on a connection, so that late messages for an old one are ignored.
    next_channel: Channel,
    heard_at: Instant,
    pinged: bool,
}

impl Task {
    pub(crate) fn new(
        options: Options,
        limits: Limits,
        orders: mpsc::Receiver<Order>,
        alive: CancellationToken,
    ) -> Self {
        Self {
            options,
            limits,
            orders,
            alive,
            bell: Arc::default(),
            requests: Requests::default(),
            rooms: HashMap::new(),
            channels: HashMap::new(),
            next_key: 0,
            next_channel: 0,
            heard_at: Instant::now(),
            pinged: false,
        }
    }

    pub(crate) async fn run(mut self, mut connection: Connection) {
        let alive = self.alive.clone();
        loop {
            let error = match self.converse(&mut connection).await {
                End::Dropped => return,
                End::Lost(error) => error,
            };
            tracing::debug!(%error, "the connection was lost");
            self.lost(&error).await;
            let connected = tokio::select! {
                connected = self.reconnect(error) => connected,
                () = alive.cancelled() => return,
            };
            connection = match connected {
                Ok(connection) => connection,
                Err(error) => return self.give_up(&error).await,
            };
        }
    }

    /// Speaks on one connection until its end.
    async fn converse(&mut self, connection: &mut Connection) -> End {
        match self.try_converse(connection).await {
            Ok(()) => End::Dropped,
            Err(error) => End::Lost(error),
        }
    }

    async fn try_converse(&mut self, connection: &mut Connection) -> Result<(), ConnectionError> {
        self.heard_at = Instant::now();
        self.pinged = false;
        let mut out = self.requests.again();
        let keys: Vec<u64> = self.rooms.keys().copied().collect();
        for key in keys {
            self.join(key, &mut out);
        }
        loop {
            self.say(connection, &mut out).await?;
            let wake_at = self.wake_at();
            let happened = tokio::select! {
                () = self.alive.cancelled() => return Ok(()),
                heard = connection.next() => Happened::Heard(heard),
                order = self.orders.recv(), if self.requests.has_room() => Happened::Ordered(order),
                () = self.bell.rung() => Happened::Rung,
                () = sleep_until(wake_at.into()) => Happened::Time,
            };
            match happened {
                Happened::Heard(message) => {
                    self.heard_at = Instant::now();
                    self.pinged = false;
                    self.hear(message?, &mut out).await;
                }
                Happened::Ordered(None) => return Ok(()),
                Happened::Ordered(Some(order)) => self.obey(order, &mut out),
                Happened::Rung => {
                    for key in self.bell.take() {
                        self.look_at(key, &mut out).await;
                    }
                }
                Happened::Time => self.tick(&mut out).await?,
            }
        }
    }

    async fn say(&self, connection: &mut Connection, out: &mut Vec<ClientMessage>) -> Result<(), ConnectionError> {
        if out.is_empty() {
            return Ok(());
        }
        let said = async {
            for message in out.drain(..) {
                connection.feed(message).await?;
            }
            connection.flush().await
        };
        match timeout(Duration::from_millis(self.limits.idle_timeout_ms), said).await {
            Ok(said) => said,
            Err(_) => Err(silence("the server read nothing", self.limits.idle_timeout_ms)),
        }
    }

    fn obey(&mut self, order: Order, out: &mut Vec<ClientMessage>) {
        match order {
            Order::Ask(request) => out.push(self.requests.start(request)),
            Order::Join { room, mut replica, opened } => {
                replica.set_patience(self.options.give_up_after);
                self.next_key += 1;
                let key = self.next_key;
                let (events_in, events_out) = events();
                let joined = Joined {
                    seat: Arc::new(Seat::new(key, room, *replica)),
                    channel: 0,
                    events: events_in,
                    opening: Some((opened, events_out)),
                };
                self.rooms.insert(key, joined);
                self.join(key, out);
            }
        }
    }

    /// Opens a room on a new channel.
    fn join(&mut self, key: u64, out: &mut Vec<ClientMessage>) {
        let Some(joined) = self.rooms.get_mut(&key) else { return };
        if self.channels.remove(&joined.channel).is_some() {
            out.push(ClientMessage::Leave { channel: joined.channel });
        }
        self.next_channel = self.next_channel.wrapping_add(1);
        joined.channel = self.next_channel;
        self.channels.insert(joined.channel, key);
        out.push(joined.seat.lock().join(joined.channel, joined.seat.room.clone()));
    }

    /// A handle did something to a room.
    async fn look_at(&mut self, key: u64, out: &mut Vec<ClientMessage>) {
        let Some(joined) = self.rooms.get(&key) else { return };
        if joined.seat.is_gone() {
            if self.channels.remove(&joined.channel).is_some() {
                out.push(ClientMessage::Leave { channel: joined.channel });
            }
            self.rooms.remove(&key);
            return;
        }
        let now = Instant::now();
        let message = {
            let mut replica = joined.seat.lock();
            if replica.is_due_to_join(now) { None } else { Some(replica.poll(joined.channel, now)) }
        };
        match message {
            Some(message) => out.extend(message),
            None => self.join(key, out),
        }
    }

    async fn hear(&mut self, message: ServerMessage, out: &mut Vec<ClientMessage>) {
        match message {
            ServerMessage::Joined { channel, log, head, snapshot, role: _ } => {
                self.tell(channel, out, |replica| replica.joined(log, head, snapshot)).await;
            }
            ServerMessage::Snapshot { channel, text, last } => {
                self.tell(channel, out, |replica| replica.piece(&text, last)).await;
            }
            ServerMessage::Entry { channel, entry } => {
                self.tell(channel, out, |replica| replica.entry(entry)).await;
            }
            ServerMessage::Ack { channel, seq, revision } => {
                self.tell(channel, out, |replica| replica.acknowledged(seq, revision)).await;
            }
            ServerMessage::Presence { channel, revision, whole, present, people, presence, left } => {
                let news = News { whole, present, people, presence, left };
                self.tell(channel, out, |replica| replica.told(revision, news)).await;
            }
            ServerMessage::Signal { channel, from, kind, payload } => {
                let event = Event::Signal { from, kind, payload };
                self.tell(channel, out, |_| Answered::Event(event)).await;
            }
            ServerMessage::Error(error) => self.hear_error(&error, out).await,
            ServerMessage::Answer { request, answer } => {
                self.requests.answer(request, answer, self.limits.text_bytes_max);
            }
            // What the connection itself takes, and what nothing here depends on.
            ServerMessage::Welcome(_)
            | ServerMessage::Ping { .. }
            | ServerMessage::Pong { .. }
            | ServerMessage::Left { .. }
            | ServerMessage::Authenticated { .. }
            | ServerMessage::Bye { .. }
            | ServerMessage::Role { .. }
            | ServerMessage::Expiring { .. } => {}
        }
    }

    async fn hear_error(&mut self, error: &ErrorMessage, out: &mut Vec<ClientMessage>) {
        let now = Instant::now();
        match error.about {
            About::Connection => tracing::warn!(code = %error.code, "the server says: {}", error.message),
            About::Request(number) => self.requests.refuse(number, error),
            About::Channel(channel) => {
                self.tell(channel, out, |replica| replica.turned_away(error, now)).await;
            }
            About::Submit { channel, seq } => {
                self.tell(channel, out, |replica| replica.refused(seq, error, now)).await;
            }
        }
    }

    /// Brings something to the replica on a channel, and what comes of it to those who wait.
    async fn tell(
        &mut self,
        channel: Channel,
        out: &mut Vec<ClientMessage>,
        say: impl FnOnce(&mut Replica) -> Answered,
    ) {
        let Some(key) = self.channels.get(&channel).copied() else { return };
        let Some(joined) = self.rooms.get_mut(&key) else { return };
        let (answered, is_open, next) = {
            let mut replica = joined.seat.lock();
            let answered = say(&mut replica);
            (answered, replica.is_open(), replica.poll(channel, Instant::now()))
        };
        out.extend(next);
        joined.seat.changed();
        if is_open && let Some((opened, events)) = joined.opening.take() {
            // The caller may have stopped waiting; then the dropped handle leaves the room again.
            if opened.send(Ok((Arc::clone(&joined.seat), events, Arc::clone(&self.bell)))).is_err() {
                out.push(ClientMessage::Leave { channel });
                self.channels.remove(&channel);
                self.rooms.remove(&key);
                return;
            }
        }
        let events = joined.events.clone();
        match answered {
            Answered::Nothing => {}
            Answered::Event(event) => self.publish(&events, event).await,
            Answered::Rejoin(event) => {
                self.join(key, out);
                if let Some(event) = event {
                    self.publish(&events, event).await;
                }
            }
            Answered::Closed(error) => {
                out.push(ClientMessage::Leave { channel });
                self.close(key, error).await;
            }
        }
    }

    /// Waits while the program does not take its events.
    async fn publish(&self, events: &mpsc::Sender<Event>, event: Event) {
        tokio::select! {
            // Fails where the events were dropped.
            _ = events.send(event) => {}
            () = self.alive.cancelled() => {}
        }
    }

    async fn close(&mut self, key: u64, error: Error) {
        let Some(joined) = self.rooms.remove(&key) else { return };
        self.channels.remove(&joined.channel);
        joined.seat.changed();
        match joined.opening {
            Some((opened, _)) => drop(opened.send(Err(error))),
            None => self.publish(&joined.events, Event::Closed { error }).await,
        }
    }

    /// When something is due though nothing happens.
    fn wake_at(&self) -> Instant {
        let silence_ms = if self.pinged { self.limits.idle_timeout_ms } else { self.limits.heartbeat_ms };
        let silent = self.heard_at + Duration::from_millis(silence_ms);
        let rooms = self.rooms.values().filter_map(|joined| joined.seat.lock().wake_at());
        rooms.min().map_or(silent, |at| at.min(silent))
    }

    async fn tick(&mut self, out: &mut Vec<ClientMessage>) -> Result<(), ConnectionError> {
        let now = Instant::now();
        let due: Vec<u64> = self
            .rooms
            .iter()
            .filter(|(_, joined)| joined.seat.lock().wake_at().is_some_and(|at| at <= now))
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            self.look_at(key, out).await;
        }
        let silent = now - self.heard_at;
        if silent >= Duration::from_millis(self.limits.idle_timeout_ms) {
            return Err(silence("nothing was heard of the server", self.limits.idle_timeout_ms));
        }
        if silent >= Duration::from_millis(self.limits.heartbeat_ms) && !self.pinged {
            self.pinged = true;
            out.push(ClientMessage::Ping { nonce: 0 });
        }
        Ok(())
    }

    async fn lost(&mut self, error: &ConnectionError) {
        self.requests.lost();
        self.channels.clear();
        let rooms: Vec<(Arc<Seat>, mpsc::Sender<Event>, bool)> = self
            .rooms
            .values()
            .map(|joined| (Arc::clone(&joined.seat), joined.events.clone(), joined.opening.is_some()))
            .collect();
        for (seat, events, opening) in rooms {
            seat.lock().lost();
            seat.changed();
            if !opening {
                self.publish(&events, Event::Disconnected { reason: error.to_string() }).await;
            }
        }
    }

    /// Tries until it succeeds, or it is of no use or too late.
    async fn reconnect(&mut self, mut error: ConnectionError) -> Result<Connection, Error> {
        let Options { server, mut greeting, backoff, give_up_after, tokens } = self.options.clone();
        let lost_at = Instant::now();
        for attempt in 0_u32.. {
            let comes_back = match &error {
                // An expired token is renewed once; the next one is good, or of no use.
                ConnectionError::Bye(bye) if bye.code == ErrorCode::Unauthorized => attempt == 0 && tokens.is_some(),
                ConnectionError::Bye(bye) => is_passing(bye),
                _ => true,
            };
            let wait = backoff.wait(attempt, rand::random());
            if !comes_back || give_up_after.is_some_and(|most| lost_at.elapsed() + wait > most) {
                break;
            }
            sleep(wait).await;
            if let Some(tokens) = &tokens
                && let Some(token) = tokens.next().await
            {
                greeting.token = Some(token);
            }
            match Connection::open(&server, greeting.clone()).await {
                Ok((connection, welcome)) => {
                    self.limits = welcome.limits;
                    for joined in self.rooms.values() {
                        joined.seat.lock().set_limits(&self.limits);
                    }
                    return Ok(connection);
                }
                Err(next) => error = next,
            }
        }
        Err(Error::no_connection(&server, error))
    }

    async fn give_up(mut self, error: &Error) {
        self.requests.fail(error);
        let keys: Vec<u64> = self.rooms.keys().copied().collect();
        for key in keys {
            if let Some(joined) = self.rooms.get(&key) {
                joined.seat.lock().close(error.clone());
            }
            self.close(key, error.clone()).await;
        }
        // Later handles get the same error.
        while let Some(order) = self.orders.recv().await {
            let error = Error::new(ErrorKind::NoConnection, error.to_string());
            match order {
                Order::Ask(request) => drop(request.answer.send(Err(error))),
                Order::Join { opened, .. } => drop(opened.send(Err(error))),
            }
        }
    }
}

fn silence(message: &str, ms: u64) -> ConnectionError {
    ConnectionError::Io(io::Error::new(io::ErrorKind::TimedOut, format!("{message} for {} seconds", ms / 1_000)))
}
