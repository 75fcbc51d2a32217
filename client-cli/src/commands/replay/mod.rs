//! `motet replay`: an editing history, through the server, edit by edit.

mod agent;

use std::{
    fs::File,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use motet_client::{client::Client, error::ErrorKind};
use motet_protocol::{
    error::ErrorCode,
    hash::TextHash,
    ids::{Revision, RoomId},
    message::At,
    ot::Operation,
};
use serde::Serialize;

use self::agent::Agent;
use crate::cli::{
    Failure, Globals,
    latency::{Latency, latency_histogram_us},
    output::{Output, is_watched},
};
use crate::trace::{AGENTS_MAX, Trace};

/// How often agents that have nothing to do say that they are there.
const STAY: Duration = Duration::from_secs(5);

/// Replays an editing history through the server: each transaction is one edit and one revision.
///
/// Takes the two formats of https://github.com/josephg/editing-traces, plain or gzipped. A sequential trace goes through
/// one client, or in turns through several; a concurrent one through a client for each of its agents, which receives the
/// others' edits exactly up to what the trace says it had seen. Makes the room where there is none. At the end every
/// replica and the server must hold the trace's final text; if not, the exit code is 1.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet replay demo sveltecomponent.json.gz\n  motet replay demo automerge-paper.json.gz --clients 3\n  motet replay demo clownschool.json.gz --json"
)]
pub(crate) struct Replay {
    /// The room; made where there is none. One that exists must be empty or hold the trace's first text.
    room: RoomId,
    /// The trace.
    trace: PathBuf,
    /// Deals the edits of a sequential trace in turns to this many clients; each waits to see the edit before its own.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=AGENTS_MAX as i64))]
    clients: Option<u16>,
}

/// How it went.
#[derive(Serialize)]
struct Report {
    room: RoomId,
    edits: usize,
    clients: usize,
    revision: Revision,
    seconds: f64,
    edits_per_second: f64,
    /// From sending an edit to its acknowledgement, in microseconds.
    latency_us: Latency,
    replicas_equal: usize,
    server_equal: bool,
}

impl Replay {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let trace = self.read()?;
        let client = globals.connect().await?;
        prepare(&client, &self.room, &trace.start).await?;
        let mut agents = Vec::with_capacity(trace.agents);
        for _ in 0..trace.agents {
            agents.push(Agent::join(globals, &self.room).await?);
        }
        let mut latency = latency_histogram_us();
        let start = Instant::now();
        let revision = replay(&trace, &mut agents, &mut latency).await?;
        let seconds = start.elapsed().as_secs_f64();
        let mut replicas_equal = 0;
        for agent in &mut agents {
            agent.see(revision).await?;
            replicas_equal += usize::from(*agent.view() == trace.end);
        }
        let report = Report {
            edits: trace.edits.len(),
            clients: agents.len(),
            revision,
            seconds,
            edits_per_second: trace.edits.len() as f64 / seconds,
            latency_us: Latency::of(&latency),
            replicas_equal,
            server_equal: server_holds(&client, &self.room, revision, &trace.end).await?,
            room: self.room,
        };
        report.print(globals)?;
        if report.replicas_equal < report.clients || !report.server_equal {
            return Err(Failure::Failed("not everyone holds the trace's final text".to_owned()));
        }
        Ok(())
    }

    fn read(&self) -> Result<Trace, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", self.trace.display()));
        let file = File::open(&self.trace).map_err(|error| wrong(&error))?;
        let mut trace = Trace::read(file).map_err(|error| wrong(&error))?;
        match self.clients {
            Some(_) if trace.is_concurrent => {
                Err(Failure::Usage("--clients is for sequential traces; a concurrent one says who edits".to_owned()))
            }
            Some(clients) => {
                trace.deal(clients.into());
                Ok(trace)
            }
            None => Ok(trace),
        }
    }
}

/// Sees to it that the room exists and holds the first text.
async fn prepare(client: &Client, room: &RoomId, start: &str) -> Result<(), Failure> {
    match client.show_room(room.clone()).await {
        Err(error) if error.kind() == ErrorKind::Refused(ErrorCode::RoomNotFound) => {
            client.create_room(Some(room.clone())).await?;
        }
        known => drop(known?),
    }
    let (room, events) = client.join(room.clone()).await?;
    drop(events);
    let mut right = false;
    room.update(|text| {
        right = text.len_bytes() == 0 || *text == start;
        (right && *text != start).then(|| Operation::builder().insert(start).build().ok()).flatten()
    })?;
    if !right {
        let words = "is neither empty nor the text that the trace begins with; take another room";
        return Err(Failure::Failed(format!("the text of room {} {words}", room.id())));
    }
    room.synchronized().await?;
    Ok(())
}

/// Sends edit after edit; returns the last revision. The order of the trace becomes that of the log: each edit is sent
/// when the one before is acknowledged.
async fn replay(trace: &Trace, agents: &mut [Agent], latency: &mut Histogram<u64>) -> Result<Revision, Failure> {
    let first = agents.iter().map(Agent::revision).max().unwrap_or(0);
    let bar = progress(trace.edits.len());
    let mut stayed_at = Instant::now();
    for (index, edit) in trace.edits.iter().enumerate() {
        let wrong = |failure: &dyn std::fmt::Display| Failure::Failed(format!("transaction {index}: {failure}"));
        let at = |failure: Failure| if failure.is_about_connection() { failure } else { wrong(&failure) };
        let agent = &mut agents[edit.agent];
        agent.see(first + edit.seen as u64).await.map_err(at)?;
        // The server transforms what counts on older revisions, and takes none that is too old.
        let head = first + index as u64;
        agent.receive(head.saturating_sub(agent.base_age_max())).await.map_err(at)?;
        let operation = edit.operation(agent.view().len_chars() as u64).map_err(|what| wrong(&what))?;
        let sent_at = Instant::now();
        let revision = agent.edit(operation).await.map_err(at)?;
        let took_us = sent_at.elapsed().as_micros() as u64;
        if revision != head + 1 {
            return Err(wrong(&"another client edits this room; use another room"));
        }
        latency.saturating_record(took_us);
        if index % 256 == 255 {
            bar.set_position(index as u64 + 1);
            if stayed_at.elapsed() > STAY {
                stayed_at = Instant::now();
                for agent in &mut *agents {
                    agent.stay().await?;
                }
            }
        }
    }
    bar.finish_and_clear();
    Ok(first + trace.edits.len() as u64)
}

/// Whether the server holds this text, by its hash and by its bytes.
async fn server_holds(client: &Client, room: &RoomId, revision: Revision, text: &str) -> Result<bool, Failure> {
    let hash = client.hash_text(room.clone(), At::Head).await?;
    let read = client.read_text(room.clone(), At::Head).await?;
    Ok(hash == (revision, TextHash::of_text(text)) && read.revision == revision && read.text == text)
}

fn progress(edits: usize) -> ProgressBar {
    if !is_watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(edits as u64);
    match ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} edits, {per_sec}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Report {
    fn print(&self, globals: &Globals) -> Result<(), Failure> {
        let mut out = Output::new();
        if globals.json {
            out.json(self)?;
            return out.flush();
        }
        let word = |equal: bool| if equal { "equal" } else { "NOT EQUAL" };
        out.line(format_args!("edits     {} by {} clients, revision {}", self.edits, self.clients, self.revision))?;
        out.line(format_args!("seconds   {:.2}, {:.0} edits/s", self.seconds, self.edits_per_second))?;
        out.line(format_args!("latency   {}", self.latency_us))?;
        let all = self.replicas_equal == self.clients;
        out.line(format_args!("replicas  {} of {}: {}", self.replicas_equal, self.clients, word(all)))?;
        out.line(format_args!("server    {}", word(self.server_equal)))?;
        out.flush()
    }
}
