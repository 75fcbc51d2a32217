//! M1 to M4 and M7: rooms in which people type, one edit outstanding each.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, sleep, timeout},
};

use crate::{
    Failure, connection::Connection, dialect::Heard, entrant::Entrant, figures::Typed, process::Server, wire::Traffic,
};

/// When a writer types the next letter.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// When the one before is acknowledged.
    Acked,
    /// When it is also on all other screens.
    Seen,
    /// So often.
    Every(Duration),
}

/// Who types where.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) rooms: usize,
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    pub(crate) chars: u32,
    pub(crate) pace: Pace,
}

/// What goes by before figures are taken; longer for what is compiled while it runs.
const WARM_UP: Duration = Duration::from_millis(500);
const WARM_UP_NODE: Duration = Duration::from_secs(2);

/// How long everybody gets to hear of everything when the typing has ended.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Fewer edits than this are no figure.
const EDITS_MIN: u64 = 20;

/// Letters of a writer that are remembered until the last reader has them.
const LETTERS: usize = 4_096;

/// The most text that one edit brings when a room is filled.
const SEED_CHARS: usize = 100_000;

/// Puts text of this many characters into a room; keeps the connection that did it.
pub(crate) async fn seed(
    entrant: &Entrant,
    server: &Server,
    room: &str,
    chars: u32,
    traffic: &Rc<Traffic>,
) -> Result<Connection, Failure> {
    const LINE: &str = "The quick brown fox jumps over the lazy dog, and so on.\n";
    let text: String = LINE.chars().cycle().take(chars as usize).collect();
    let mut connection = entrant.connect(server, room, chars, traffic).await?;
    let mut at = 0;
    for piece in text.as_bytes().chunks(SEED_CHARS) {
        connection.edit(&[(at, 0, String::from_utf8(piece.to_vec())?)]).await?;
        at += piece.len() as u64;
    }
    Ok(connection)
}

/// Runs a scenario on a server of its own.
pub(crate) async fn run(entrant: &Entrant, scenario: Scenario, seconds: f64) -> Result<Typed, Failure> {
    let server = Server::start(entrant.program)?;
    type_in(entrant, &server, "room", scenario, seconds).await
}

/// Runs a scenario in new rooms of a server; everybody must have heard of everything in the end.
pub(crate) async fn type_in(
    entrant: &Entrant,
    server: &Server,
    name: &str,
    scenario: Scenario,
    seconds: f64,
) -> Result<Typed, Failure> {
    let mut seeders = Vec::new();
    for room in 0..scenario.rooms {
        let traffic = Rc::default();
        seeders.push(seed(entrant, server, &format!("{name}-{room}"), scenario.chars, &traffic).await?);
    }
    type_more(entrant, server, name, scenario, seconds, seeders).await
}

/// Runs a scenario in rooms that are there. Who filled them leaves when the others have come: some servers forget a
/// room that everybody has left.
pub(crate) async fn type_more(
    entrant: &Entrant,
    server: &Server,
    name: &str,
    scenario: Scenario,
    seconds: f64,
    seeders: Vec<Connection>,
) -> Result<Typed, Failure> {
    let traffic = Rc::<Traffic>::default();
    let board = Rc::new(Board::new(scenario));
    let mut tasks = JoinSet::new();
    let mut clients = Vec::new();
    for room in 0..scenario.rooms {
        for member in 0..scenario.writers + scenario.readers {
            let connection = entrant.connect(server, &format!("{name}-{room}"), scenario.chars, &traffic).await?;
            let heard = vec![0; scenario.writers];
            clients.push(Member { connection, board: Rc::clone(&board), room, member, heard });
        }
    }
    drop(seeders);
    // Nobody types before everybody is there, so that each one's letters are counted alike by all.
    for client in clients {
        tasks.spawn_local(client.take_part());
    }
    sleep(if entrant.is_peer() { WARM_UP_NODE } else { WARM_UP }).await;
    let before = Reading::take(server, &board, &traffic)?;
    board.phase.set(Phase::Measuring);
    sleep(Duration::from_secs_f64(seconds)).await;
    // A disk that others use can stall for longer than a run.
    let until = Instant::now() + SETTLE_TIMEOUT;
    while board.acked.get() < before.acked + EDITS_MIN && Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
    }
    board.phase.set(Phase::Over);
    let after = Reading::take(server, &board, &traffic)?;
    board.changed.notify_waiters();
    let memory_mb = server.memory_kb()? / 1_024.0;
    let ended = async {
        let mut members = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            members.push(ended??);
        }
        Ok::<_, Failure>(members)
    };
    let members = timeout(SETTLE_TIMEOUT, ended).await.map_err(|_| "some did not hear of all letters")??;
    check(entrant, server, &format!("{name}-0"), &board, &members).await?;
    Ok(board.figures(&before, &after, memory_mb))
}

/// Looks whether a newcomer gets a text with all that was typed, and whether all replicas have that very text.
async fn check(
    entrant: &Entrant,
    server: &Server,
    room: &str,
    board: &Board,
    members: &[Member],
) -> Result<(), Failure> {
    if entrant.is_relay() {
        return Ok(());
    }
    let newcomer = entrant.connect(server, room, board.scenario.chars, &Rc::default()).await?;
    let text = newcomer.text()?.ok_or("a newcomer has a text")?;
    let typed: usize = board.writers.iter().take(board.scenario.writers).map(|writer| writer.sent.get()).sum();
    let (chars, due) = (text.chars().count(), board.scenario.chars as usize + typed);
    if chars < due {
        return Err(format!("{}: {due} characters were typed, {chars} are there", entrant.name).into());
    }
    for member in members.iter().filter(|member| entrant.is_motet() && member.room == 0) {
        if member.connection.text()?.is_none_or(|replica| replica != text) {
            return Err("a replica has another text than the server".into());
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    WarmingUp,
    Measuring,
    Over,
}

/// What all clients of a run share; they are tasks of one thread.
struct Board {
    scenario: Scenario,
    phase: Cell<Phase>,
    /// Wakes who waits for letters to be seen, or for the end.
    changed: Notify,
    /// By room and number in it.
    writers: Vec<Writer>,
    /// Writers of each room that have ended.
    ended: Vec<Cell<usize>>,
    acked: Cell<u64>,
    delivered: Cell<u64>,
    to_last_screen_ns: RefCell<Histogram<u64>>,
}

struct Writer {
    sent: Cell<usize>,
    /// Of its last letters: when they left, and how many have not seen them yet.
    letters: RefCell<Vec<(Instant, usize)>>,
}

impl Board {
    fn new(scenario: Scenario) -> Self {
        let writer = |_| {
            let letters = RefCell::new(vec![(Instant::now(), 0); LETTERS]);
            Writer { sent: Cell::new(0), letters }
        };
        Self {
            scenario,
            phase: Cell::new(Phase::WarmingUp),
            changed: Notify::new(),
            writers: (0..scenario.rooms * scenario.writers).map(writer).collect(),
            ended: vec![Cell::new(0); scenario.rooms],
            acked: Cell::new(0),
            delivered: Cell::new(0),
            to_last_screen_ns: RefCell::new(Histogram::new(3).expect("three digits are few enough")),
        }
    }

    fn writer(&self, room: usize, member: usize) -> &Writer {
        &self.writers[room * self.scenario.writers + member]
    }

    fn send(&self, room: usize, member: usize) {
        let writer = self.writer(room, member);
        let others = self.scenario.writers + self.scenario.readers - 1;
        writer.letters.borrow_mut()[writer.sent.get() % LETTERS] = (Instant::now(), others);
        writer.sent.set(writer.sent.get() + 1);
    }

    fn ack(&self) {
        self.acked.set(self.acked.get() + 1);
    }

    /// Somebody has the `number`th letter of this writer on its screen.
    fn see(&self, room: usize, member: usize, number: usize) {
        self.delivered.set(self.delivered.get() + 1);
        let (sent, waiting) = &mut self.writer(room, member).letters.borrow_mut()[number % LETTERS];
        *waiting = waiting.saturating_sub(1);
        if *waiting == 0 {
            if self.phase.get() == Phase::Measuring {
                let ns = sent.elapsed().as_nanos() as u64;
                // Records beyond the histogram's bounds widen it; only memory for that could fail.
                let _ = self.to_last_screen_ns.borrow_mut().record(ns);
            }
            if self.scenario.pace == Pace::Seen {
                self.changed.notify_waiters();
            }
        }
    }

    fn all_seen(&self, room: usize, member: usize) -> bool {
        let writer = self.writer(room, member);
        writer.sent.get() == 0 || writer.letters.borrow()[(writer.sent.get() - 1) % LETTERS].1 == 0
    }

    /// Whether these counts are all letters of a room, its own writers' included.
    fn is_all(&self, room: usize, me: usize, heard: &[usize]) -> bool {
        self.ended[room].get() == self.scenario.writers
            && heard
                .iter()
                .enumerate()
                .all(|(member, heard)| member == me || *heard == self.writer(room, member).sent.get())
    }

    fn figures(&self, before: &Reading, after: &Reading, memory_mb: f64) -> Typed {
        let seconds = (after.at - before.at).as_secs_f64();
        let edits = (after.acked - before.acked).max(1) as f64;
        let delivered = (after.delivered - before.delivered).max(1) as f64;
        let cpu_us = after.cpu_us - before.cpu_us;
        let us = |quantile| self.to_last_screen_ns.borrow().value_at_quantile(quantile) as f64 / 1_000.0;
        Typed {
            cpu_us_per_edit: cpu_us / edits,
            cpu_us_per_delivery: cpu_us / delivered,
            edits_per_s: edits / seconds,
            p50_us: us(0.5),
            p99_us: us(0.99),
            bytes_up: (after.up - before.up) as f64 / edits,
            bytes_down: (after.down - before.down) as f64 / edits,
            memory_mb,
        }
    }
}

/// All counters at one moment.
struct Reading {
    at: Instant,
    cpu_us: f64,
    acked: u64,
    delivered: u64,
    up: u64,
    down: u64,
}

impl Reading {
    fn take(server: &Server, board: &Board, traffic: &Traffic) -> Result<Self, Failure> {
        Ok(Self {
            at: Instant::now(),
            cpu_us: server.cpu_us()?,
            acked: board.acked.get(),
            delivered: board.delivered.get(),
            up: traffic.up.get(),
            down: traffic.down.get(),
        })
    }
}

/// One client in one room: a writer if its number is below their count.
struct Member {
    connection: Connection,
    board: Rc<Board>,
    room: usize,
    member: usize,
    /// Letters of each writer that have come.
    heard: Vec<usize>,
}

impl Member {
    /// Types, if it is a writer, and reads until it has everything.
    async fn take_part(mut self) -> Result<Self, Failure> {
        let board = Rc::clone(&self.board);
        if self.member < board.scenario.writers {
            self.write().await?;
            board.ended[self.room].set(board.ended[self.room].get() + 1);
            board.changed.notify_waiters();
        }
        while !board.is_all(self.room, self.member, &self.heard) {
            tokio::select! {
                heard = self.connection.next() => self.hear(heard?),
                () = board.changed.notified() => {}
            }
        }
        Ok(self)
    }

    async fn write(&mut self) -> Result<(), Failure> {
        let letter = char::from(b'a' + u8::try_from(self.member)?);
        let board = Rc::clone(&self.board);
        let mut ticks = tokio::time::interval(match board.scenario.pace {
            Pace::Every(period) => period,
            Pace::Acked | Pace::Seen => Duration::from_secs(1),
        });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while board.phase.get() != Phase::Over {
            if matches!(board.scenario.pace, Pace::Every(_)) {
                ticks.tick().await;
            }
            board.send(self.room, self.member);
            self.connection.type_one(letter).await?;
            loop {
                let heard = self.connection.next().await?;
                self.hear(heard);
                if heard == Heard::Acked {
                    break;
                }
            }
            while board.scenario.pace == Pace::Seen && !board.all_seen(self.room, self.member) {
                board.changed.notified().await;
            }
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Opened => {}
            Heard::Acked => self.board.ack(),
            Heard::Typed(letter) => {
                // Letters of who is none of the writers are the rest of what filled the room.
                let Some(member) = (letter as usize).checked_sub(usize::from(b'a')) else { return };
                if let Some(heard) = self.heard.get_mut(member) {
                    self.board.see(self.room, member, *heard);
                    *heard += 1;
                }
            }
        }
    }
}
