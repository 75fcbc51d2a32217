//! Motet next to a bare relay, in one run: the same closed loop of edits against both, in turns, each server a process of
//! its own. Prints a table of processor time per edit, throughput and latency.
//!
//! `cargo build --release --workspace && cargo run --release -p motet-benches --bin race`

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use motet_protocol::{
    client::Client,
    codec::{self, Frame, FrameDecoder},
    ids::{RoomId, SessionId},
    limits::{FRAME_BYTES_MAX, PROTOCOL_VERSION},
    message::{ClientMessage, Command as Edit, Hello, ServerMessage},
    ot::Operation,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::codec::Decoder;
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs Motet and a bare relay next to each other.
#[derive(Parser)]
struct Options {
    /// Rounds; each has every server once, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Rooms.
    #[arg(long, default_value_t = 50)]
    rooms: usize,
    /// Writers in each room, each with one edit outstanding.
    #[arg(long, default_value_t = 2)]
    writers: usize,
    /// A writer's pause after each acknowledgement, in microseconds: with one writer of two at a time, what is unloaded.
    #[arg(long, default_value_t = 0)]
    pause_us: u64,
}

/// One row of the table.
struct Entrant {
    name: String,
    program: &'static str,
    flags: Vec<&'static str>,
    websocket: bool,
    runs: Vec<Run>,
}

struct Run {
    edits_per_second: f64,
    cpu_us_per_edit: f64,
    to_screen_us: (u64, u64),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let mut entrants: Vec<Entrant> = [("bare relay, TCP", false), ("bare relay, WebSocket", true)]
        .map(|(name, websocket)| Entrant {
            name: name.to_owned(),
            program: "relay",
            flags: Vec::new(),
            websocket,
            runs: Vec::new(),
        })
        .into();
    for store in ["fjall", "sled"] {
        for durability in ["sync", "os", "none"] {
            for (transport, websocket) in [("TCP", false), ("WebSocket", true)] {
                let name = format!("motetd, {store}, {durability}, {transport}");
                let flags = vec!["--store", store, "--durability", durability];
                entrants.push(Entrant { name, program: "motetd", flags, websocket, runs: Vec::new() });
            }
        }
    }
    for _ in 0..options.rounds {
        for entrant in &mut entrants {
            let run = run(entrant, &options).await?;
            entrant.runs.push(run);
        }
    }
    println!("| server | µs CPU per edit | to relay | edits/s | edit to other screen p50 / p99 µs |");
    println!("|---|---|---|---|---|");
    let relay = |websocket: bool| median(&entrants[usize::from(websocket)].runs, |run| run.cpu_us_per_edit);
    for entrant in &entrants {
        let cpu = median(&entrant.runs, |run| run.cpu_us_per_edit);
        println!(
            "| {} | {cpu:.1} | {:.2} | {:.0} | {:.0} / {:.0} |",
            entrant.name,
            cpu / relay(entrant.websocket),
            median(&entrant.runs, |run| run.edits_per_second),
            median(&entrant.runs, |run| run.to_screen_us.0 as f64),
            median(&entrant.runs, |run| run.to_screen_us.1 as f64),
        );
    }
    Ok(())
}

fn median(runs: &[Run], figure: impl Fn(&Run) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A server as a process of its own, killed in the end.
struct Server {
    child: Child,
    tcp: SocketAddr,
    http: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(entrant: &Entrant) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        let mut program = std::env::current_exe()?;
        program.set_file_name(entrant.program);
        let mut command = Command::new(&program);
        if entrant.program == "motetd" {
            command.args(["--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log", "error", "--data"]);
            command.arg(data.path()).args(&entrant.flags);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}; build the workspace in release first", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
        let address = |name: &str| -> Result<SocketAddr, Failure> {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(name));
            Ok(word.ok_or_else(|| format!("not a ready line: {line}"))?.parse()?)
        };
        Ok(Self { tcp: address("tcp=")?, http: address("http=")?, child, _data: data })
    }

    /// Processor time so far, from the system's count of 10 ms ticks.
    fn cpu_us(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks * 10_000.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Edits of a writer that others may not have seen yet, at most.
const SENT: usize = 64;

/// What all writers share.
struct Shared {
    measuring: AtomicBool,
    edits: AtomicU64,
    start: Instant,
    /// When each writer sent its last edits, by their number modulo [`SENT`], in microseconds since the start.
    sent_us: Vec<[AtomicU64; SENT]>,
}

async fn run(entrant: &Entrant, options: &Options) -> Result<Run, Failure> {
    let server = Server::start(entrant)?;
    let writers = options.rooms * options.writers;
    let shared = Arc::new(Shared {
        measuring: AtomicBool::new(false),
        edits: AtomicU64::new(0),
        start: Instant::now(),
        sent_us: (0..writers).map(|_| [const { AtomicU64::new(0) }; SENT]).collect(),
    });
    let mut all = Vec::new();
    for number in 0..writers {
        let mut link = Link::open(&server, entrant.websocket).await?;
        let room = RoomId::new(&format!("room-{}", number / options.writers))?;
        if number % options.writers == 0 {
            link.say(&ClientMessage::CreateRoom { request: 1, room: Some(room.clone()), settings: Box::default() })
                .await?;
            link.next().await?;
        }
        link.say(&ClientMessage::Join { channel: 1, room, after: Some(0), entries_only: true }).await?;
        link.next().await?;
        // In a room of two, whose edit has come is clear: the other's.
        let other = (options.writers == 2).then_some(number ^ 1);
        let writer = Writer {
            link,
            number,
            other,
            relay: entrant.program == "relay",
            shared: Arc::clone(&shared),
            client: Client::new(0, 0),
            len: 0,
            seen: 0,
            to_screen_us: Histogram::new(3)?,
        };
        all.push(writer);
    }
    // Nobody types before everybody is there, so that each one's edits are counted alike by all.
    let mut tasks = JoinSet::new();
    for writer in all {
        tasks.spawn(writer.write(Duration::from_micros(options.pause_us)));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    shared.measuring.store(true, Ordering::Relaxed);
    let (start, cpu_us, edits) = (Instant::now(), server.cpu_us()?, shared.edits.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    let edits = shared.edits.load(Ordering::Relaxed) - edits;
    let (seconds, cpu_us) = (start.elapsed().as_secs_f64(), server.cpu_us()? - cpu_us);
    shared.measuring.store(false, Ordering::Relaxed);
    let mut to_screen_us = Histogram::<u64>::new(3)?;
    while let Some(ended) = tasks.join_next().await {
        to_screen_us.add(&ended??)?;
    }
    Ok(Run {
        edits_per_second: edits as f64 / seconds,
        cpu_us_per_edit: cpu_us / edits.max(1) as f64,
        to_screen_us: (to_screen_us.value_at_quantile(0.5), to_screen_us.value_at_quantile(0.99)),
    })
}

struct Writer {
    link: Link,
    number: usize,
    other: Option<usize>,
    relay: bool,
    shared: Arc<Shared>,
    client: Client,
    len: u64,
    /// How many edits of the other's have come.
    seen: usize,
    to_screen_us: Histogram<u64>,
}

impl Writer {
    /// One edit after the other until the end; returns the times from the other's edits to this screen.
    async fn write(mut self, pause: Duration) -> Result<Histogram<u64>, Failure> {
        let mut begun = false;
        loop {
            let measuring = self.shared.measuring.load(Ordering::Relaxed);
            if begun && !measuring {
                return Ok(self.to_screen_us);
            }
            begun |= measuring;
            self.edit().await?;
            loop {
                let bytes = self.link.next().await?;
                if self.take(&bytes).await? {
                    break;
                }
            }
            if begun {
                self.shared.edits.fetch_add(1, Ordering::Relaxed);
            }
            let until = tokio::time::Instant::now() + pause;
            while !pause.is_zero() {
                match tokio::time::timeout_at(until, self.link.next()).await {
                    Ok(bytes) => drop(self.take(&bytes?).await?),
                    Err(_) => break,
                }
            }
        }
    }

    async fn edit(&mut self) -> Result<(), Failure> {
        let at = self.len / 2;
        let operation = match self.len {
            0..500 => Operation::builder().retain(at).insert("x").retain(self.len - at),
            _ => Operation::builder().retain(at).delete(1).retain(self.len - at - 1),
        };
        let operation = operation.build()?;
        self.len = operation.target_len();
        let outgoing = self.client.edit(operation)?.ok_or("an edit is still outstanding")?;
        let (seq, base, command) = (outgoing.seq, outgoing.base, outgoing.command);
        self.shared.sent_us[self.number][seq as usize % SENT].store(self.now_us(), Ordering::Relaxed);
        self.link.say(&ClientMessage::Submit { channel: 1, seq, base, command }).await
    }

    /// Takes a message; says whether it was the acknowledgement.
    async fn take(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        /// The place of `Ack` among the variants of `ServerMessage`.
        const ACK: u8 = 7;
        if self.relay {
            if bytes[0] == ACK {
                // A relay knows no revisions that a client could keep to.
                self.client.acknowledged(self.client.seq(), self.client.revision() + 1)?;
                return Ok(true);
            }
            self.seen();
            return Ok(false);
        }
        match codec::decode(bytes)? {
            ServerMessage::Ack { seq, revision, .. } => {
                self.client.acknowledged(seq, revision)?;
                return Ok(true);
            }
            ServerMessage::Entry { entry, .. } => {
                let Edit::Edit(operation) = &entry.command else { return Ok(false) };
                self.len = self.client.remote(entry.revision, operation)?.target_len();
                self.seen();
            }
            ServerMessage::Ping { nonce } => self.link.say(&ClientMessage::Pong { nonce }).await?,
            other => return Err(format!("{other:?}").into()),
        }
        Ok(false)
    }

    fn now_us(&self) -> u64 {
        self.shared.start.elapsed().as_micros() as u64
    }

    fn seen(&mut self) {
        self.seen += 1;
        if let Some(other) = self.other.filter(|_| self.shared.measuring.load(Ordering::Relaxed)) {
            let sent_us = self.shared.sent_us[other][self.seen % SENT].load(Ordering::Relaxed);
            // Records beyond the histogram's bounds widen it; only memory for that could fail.
            let _ = self.to_screen_us.record(self.now_us().saturating_sub(sent_us));
        }
    }
}

/// A connection that says and hears messages as bytes.
enum Link {
    Tcp { stream: TcpStream, buffer: BytesMut, frames: FrameDecoder },
    Ws(Box<WebSocketStream<TcpStream>>),
}

impl Link {
    async fn open(server: &Server, websocket: bool) -> Result<Self, Failure> {
        let stream = TcpStream::connect(if websocket { server.http } else { server.tcp }).await?;
        stream.set_nodelay(true)?;
        let mut link = if websocket {
            let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
            let url = format!("ws://{}/ws", server.http);
            Self::Ws(Box::new(client_async_with_config(url, stream, Some(config)).await?.0))
        } else {
            Self::Tcp { stream, buffer: BytesMut::new(), frames: FrameDecoder::new(FRAME_BYTES_MAX) }
        };
        let session = SessionId(Uuid::new_v4());
        let hello = Hello { protocol: PROTOCOL_VERSION, token: None, session, name: String::new() };
        link.say(&ClientMessage::Hello(hello)).await?;
        link.next().await?;
        Ok(link)
    }

    async fn say(&mut self, message: &ClientMessage) -> Result<(), Failure> {
        match self {
            Self::Tcp { stream, .. } => {
                let mut frame = BytesMut::with_capacity(64);
                codec::frame_into(message, &mut frame);
                stream.write_all(&frame).await?;
            }
            Self::Ws(socket) => socket.send(Message::Binary(codec::encode(message))).await?,
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Bytes, Failure> {
        loop {
            match self {
                Self::Tcp { stream, buffer, frames } => {
                    if let Some(Frame::Message(bytes)) = frames.decode(buffer)? {
                        return Ok(bytes);
                    }
                    if stream.read_buf(buffer).await? == 0 {
                        return Err("the server closed the connection".into());
                    }
                }
                Self::Ws(socket) => {
                    if let Message::Binary(bytes) = socket.next().await.ok_or("the server closed the connection")?? {
                        return Ok(bytes);
                    }
                }
            }
        }
    }
}
