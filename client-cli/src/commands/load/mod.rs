//! `motet load`: many writers, each with one edit outstanding, and what that costs the server.

mod metrics;
mod peer;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clap::Args;
use motet_protocol::{
    hash::TextHash,
    ids::RoomId,
    message::{At, Durability},
    ot::Operation,
};
use serde::Serialize;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use self::{
    metrics::{Usage, usage},
    peer::{Figures, Part, Peer, Phase, Shared, lock},
};
use super::{
    Failure, Globals,
    latency::{Latency, latency_histogram_us},
    output::Output,
};
use crate::{address::Address, client::Client};

/// How long the last edits may take to reach everyone.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Loads a server in a closed loop: every writer sends an edit of one character, waits for its acknowledgement, and sends
/// the next.
///
/// Measures edits per second, the time from sending an edit to its acknowledgement and to each other screen, and, from
/// the server's /metrics, its processor time per edit and its memory. At the end all replicas and the server must hold
/// the same texts; if not, the exit code is 1. The rooms are new ones, and deleted at the end.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet load\n  motet load --rooms 1 --writers 2 --think 100     # what one pair of people notices\n  motet --server ws://127.0.0.1:6683 load --rooms 50 --seconds 30 --json"
)]
pub(crate) struct Load {
    /// Rooms.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rooms: u32,
    /// Writers in each room.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    writers: u32,
    /// Readers in each room, who only receive.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    readers: u32,
    /// How long to measure.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// How long to edit before measuring, in seconds.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    warmup: f64,
    /// A writer's pause after each acknowledgement, in milliseconds, give or take a half.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    think: u64,
    /// The length around which texts stay, in characters.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    text_size: u32,
    /// Where the server's /metrics are; for ws:// the same host and port unless told otherwise.
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// The seed of what is typed; drawn and told where none is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Do not delete the rooms.
    #[arg(long)]
    keep: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("seconds are a number from 0 to 86400".to_owned()),
    }
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    server: String,
    durability: Durability,
    rooms: u32,
    writers: u32,
    readers: u32,
    seed: u64,
    seconds: f64,
    edits: u64,
    edits_per_second: f64,
    to_ack_us: Latency,
    to_screen_us: Latency,
    /// Processor time of the server, in microseconds; none where its /metrics could not be read.
    server_cpu_us_per_edit: Option<f64>,
    /// Processors that the server kept busy.
    server_cpus: Option<f64>,
    server_memory_bytes: Option<f64>,
    /// Rooms in which all replicas and the server hold the same text.
    rooms_equal: usize,
}

/// A room of the load and what its connections will say in the end.
struct Room {
    id: RoomId,
    shared: Arc<Mutex<Shared>>,
    peers: JoinSet<Result<TextHash, Failure>>,
}

impl Load {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect().await?;
        let seed = self.seed.unwrap_or_else(rand::random);
        let figures = Figures { edits: 0, to_ack_us: latency_histogram_us(), to_screen_us: latency_histogram_us() };
        let figures = Arc::new(Mutex::new(figures));
        let (phase_in, phase) = watch::channel(Phase::WarmUp);
        let mut rooms = Vec::new();
        for index in 0..self.rooms {
            let seed = seed.wrapping_add(u64::from(index) << 32);
            rooms.push(self.room(globals, &client, seed, &figures, &phase).await?);
        }
        sleep(Duration::from_secs_f64(self.warmup)).await;
        let usage_before = self.usage(globals).await;
        phase_in.send_replace(Phase::Measure);
        let start = Instant::now();
        sleep(Duration::from_secs_f64(self.seconds)).await;
        phase_in.send_replace(Phase::Stop);
        let seconds = start.elapsed().as_secs_f64();
        let usage_after = self.usage(globals).await;
        let equal = timeout(SETTLE_TIMEOUT, settle(&client, &mut rooms, &phase_in)).await;
        let rooms_equal =
            equal.map_err(|_| Failure::Failed("the last edits did not reach everyone in time".to_owned()))??;
        if !self.keep {
            for room in rooms {
                client.delete_room(room.id).await?;
            }
        }
        let figures = lock(&figures);
        let used = usage_before.zip(usage_after);
        let cpu_seconds = used.map(|(before, after)| after.cpu_seconds - before.cpu_seconds);
        let report = Report {
            server: client.welcome().server.clone(),
            durability: client.welcome().durability,
            rooms: self.rooms,
            writers: self.writers,
            readers: self.readers,
            seed,
            seconds,
            edits: figures.edits,
            edits_per_second: figures.edits as f64 / seconds,
            to_ack_us: Latency::of(&figures.to_ack_us),
            to_screen_us: Latency::of(&figures.to_screen_us),
            server_cpu_us_per_edit: cpu_seconds.map(|cpu| cpu * 1e6 / figures.edits.max(1) as f64),
            server_cpus: cpu_seconds.map(|cpu| cpu / seconds),
            server_memory_bytes: used.map(|(_, after)| after.memory_bytes),
            rooms_equal,
        };
        drop(figures);
        report.print(globals)?;
        if report.rooms_equal < self.rooms as usize {
            return Err(Failure::Failed("replicas and the server hold different texts".to_owned()));
        }
        Ok(())
    }

    /// Makes a room with its text, and its connections.
    async fn room(
        &self,
        globals: &Globals,
        client: &Client,
        seed: u64,
        figures: &Arc<Mutex<Figures>>,
        phase: &watch::Receiver<Phase>,
    ) -> Result<Room, Failure> {
        let id = client.create_room(Some(RoomId::from_uuid(Uuid::new_v4()))).await?.room;
        {
            let (room, events) = client.join(id.clone()).await?;
            drop(events);
            let text = "x".repeat(self.text_size as usize);
            let fill = Operation::builder().insert(&text).build();
            room.edit(fill.map_err(|error| Failure::Failed(error.to_string()))?)?;
            room.synchronized().await?;
        }
        let shared = Arc::<Mutex<Shared>>::default();
        let mut peers = JoinSet::new();
        for index in 0..self.writers + self.readers {
            let part = Part {
                room: id.clone(),
                writes: index < self.writers,
                text_size: self.text_size as usize,
                think: Duration::from_millis(self.think),
                seed: seed.wrapping_add(index.into()),
                shared: Arc::clone(&shared),
                figures: Arc::clone(figures),
                phase: phase.clone(),
            };
            peers.spawn(Peer::join(globals, part).await?.run());
        }
        Ok(Room { id, shared, peers })
    }

    async fn usage(&self, globals: &Globals) -> Option<Usage> {
        let authority = match (&self.http, &globals.server) {
            (Some(url), _) => url.trim_start_matches("http://").trim_end_matches('/'),
            (None, Address::Ws { authority, .. }) => authority,
            (None, Address::Tcp { .. }) => "127.0.0.1:6683",
        };
        match usage(authority).await {
            Ok(usage) => Some(usage),
            Err(error) => {
                eprintln!("motet: no figures of the server from http://{authority}/metrics: {error}; see --http");
                None
            }
        }
    }
}

/// Waits until everything is acknowledged and everyone has received everything. Returns in how many rooms all replicas
/// and the server hold the same text.
async fn settle(client: &Client, rooms: &mut [Room], phase: &watch::Sender<Phase>) -> Result<usize, Failure> {
    for room in &mut *rooms {
        while lock(&room.shared).waiting > 0 {
            if let Some(ended) = room.peers.try_join_next() {
                return Err(why(ended));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
    let mut hashes = Vec::with_capacity(rooms.len());
    for room in &*rooms {
        let (head, hash) = client.hash_text(room.id.clone(), At::Head).await?;
        lock(&room.shared).head = head;
        hashes.push(hash);
    }
    phase.send_replace(Phase::Settle);
    let mut equal = 0;
    for (room, hash) in rooms.iter_mut().zip(hashes) {
        let mut all = true;
        while let Some(ended) = room.peers.join_next().await {
            match ended {
                Ok(Ok(held)) => all &= held == hash,
                other => return Err(why(other)),
            }
        }
        equal += usize::from(all);
    }
    Ok(equal)
}

fn why(ended: Result<Result<TextHash, Failure>, tokio::task::JoinError>) -> Failure {
    match ended {
        Ok(Err(failure)) => failure,
        Ok(Ok(_)) => Failure::Failed("a connection ended before its time".to_owned()),
        Err(error) => Failure::Failed(format!("a connection's task failed: {error}")),
    }
}

impl Report {
    fn print(&self, globals: &Globals) -> Result<(), Failure> {
        let mut out = Output::new();
        if globals.json {
            out.json(self)?;
            return out.flush();
        }
        out.line(format_args!(
            "load      {} rooms, {} writers and {} readers each, {} at durability {}, seed {}",
            self.rooms,
            self.writers,
            self.readers,
            self.server,
            self.durability.as_str(),
            self.seed
        ))?;
        out.line(format_args!(
            "edits     {} in {:.1} s, {:.0} edits/s",
            self.edits, self.seconds, self.edits_per_second
        ))?;
        for (name, latency) in [("to ack   ", &self.to_ack_us), ("to screen", &self.to_screen_us)] {
            out.line(format_args!("{name} {latency}"))?;
        }
        if let (Some(per_edit), Some(cpus), Some(memory)) =
            (self.server_cpu_us_per_edit, self.server_cpus, self.server_memory_bytes)
        {
            let megabytes = memory / 1e6;
            out.line(format_args!(
                "server    {per_edit:.1} µs of processor an edit, {cpus:.2} processors, {megabytes:.0} MB"
            ))?;
        }
        out.line(format_args!("texts     equal in {} of {} rooms", self.rooms_equal, self.rooms))?;
        out.flush()
    }
}
