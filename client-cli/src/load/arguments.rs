//! The arguments of a load: the same as flags and in a scenario file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::Failure;

/// The largest scenario file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wire {
    /// bincode: over tcp:// or in binary messages of ws://.
    #[default]
    Binary,
    /// JSON, as browsers speak it: needs ws://.
    Json,
}

/// The arguments of a load; [`Scenario::new`](super::scenario::Scenario::new) sets those that are not given.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Arguments {
    /// Rooms [default: 50].
    #[arg(long)]
    pub(super) rooms: Option<u32>,
    /// Writers in each room [default: 2].
    #[arg(long)]
    pub(super) writers: Option<u32>,
    /// Readers in each room, who only receive [default: 0].
    #[arg(long)]
    pub(super) readers: Option<u32>,
    /// Readers in each room, besides the others, who take a pause before each message [default: 0].
    #[arg(long)]
    pub(super) slow_readers: Option<u32>,
    /// The pause of a slow reader, in milliseconds [default: 50].
    #[arg(long, value_name = "MS")]
    pub(super) slow_pause: Option<u64>,
    /// How long to measure, in seconds [default: 10].
    #[arg(long)]
    pub(super) seconds: Option<f64>,
    /// How long to edit before measuring, in seconds [default: 2].
    #[arg(long)]
    pub(super) warmup: Option<f64>,
    /// Over how many seconds before the warm-up the writers begin, one after the other [default: 0].
    #[arg(long, value_name = "SECONDS")]
    pub(super) ramp: Option<f64>,
    /// Closed loop: a writer's pause after each acknowledgement, in milliseconds, give or take a half [default: 0].
    #[arg(long, value_name = "MS")]
    pub(super) think: Option<u64>,
    /// Open loop: this many edits a second, of all writers together, however long the server takes. Latency counts from
    /// the moment when an edit was due.
    #[arg(long, value_name = "EDITS")]
    pub(super) rate: Option<f64>,
    /// The share of insertions, from 0 to 1; without it the text stays near its size.
    #[arg(long, value_name = "SHARE")]
    pub(super) inserts: Option<f64>,
    /// Characters that an edit inserts or deletes [default: 1].
    #[arg(long, value_name = "CHARACTERS")]
    pub(super) length: Option<u32>,
    /// Play this sequential editing trace, again and again, in each room; with one writer.
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// The length around which texts stay, in characters [default: 1000].
    #[arg(long)]
    pub(super) text_size: Option<u32>,
    /// How messages are written [default: binary].
    #[arg(long)]
    pub(super) wire: Option<Wire>,
    /// This many newcomers at once, who connect, open a room, take its text and go [default: 0].
    #[arg(long, value_name = "CONNECTIONS")]
    pub(super) storm: Option<u32>,
    /// The time from one storm to the next, in seconds [default: 5].
    #[arg(long, value_name = "SECONDS")]
    pub(super) storm_every: Option<f64>,
    /// The share of connections that are cut every so often, and resume at once [default: 0].
    #[arg(long, value_name = "SHARE")]
    pub(super) cut: Option<f64>,
    /// How often connections are cut, in seconds [default: 1].
    #[arg(long, value_name = "SECONDS")]
    pub(super) cut_every: Option<f64>,
    /// This many carets a second, of all writers together, are moved, and all connections receive them [default: 0].
    #[arg(long, value_name = "CARETS")]
    pub(super) presence: Option<f64>,
    /// This many chat messages a second, of all writers together; latency counts from when one was due [default: 0].
    #[arg(long, value_name = "MESSAGES")]
    pub(super) chat: Option<f64>,
    /// Processes that share the rooms of the load [default: 1].
    #[arg(long)]
    pub(super) workers: Option<u32>,
    /// Where the server's /metrics are, in a file; the flag is that of every command.
    #[arg(skip)]
    pub(super) http: Option<String>,
    /// The seed of what is typed; drawn and told where none is given.
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Do not delete the rooms.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) keep: bool,
}

impl Arguments {
    /// Reads a scenario file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: &dyn std::fmt::Display| Failure::Usage(format!("{}: {what}", path.display()));
        let length = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
        if length > FILE_BYTES_MAX {
            return Err(wrong(&format_args!("a scenario has at most {FILE_BYTES_MAX} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        toml::from_str(&text).map_err(|error| wrong(&error))
    }

    /// These arguments; a file sets those that are not given.
    pub(super) fn or(self, file: Self) -> Self {
        Self {
            rooms: self.rooms.or(file.rooms),
            writers: self.writers.or(file.writers),
            readers: self.readers.or(file.readers),
            slow_readers: self.slow_readers.or(file.slow_readers),
            slow_pause: self.slow_pause.or(file.slow_pause),
            seconds: self.seconds.or(file.seconds),
            warmup: self.warmup.or(file.warmup),
            ramp: self.ramp.or(file.ramp),
            think: self.think.or(file.think),
            rate: self.rate.or(file.rate),
            inserts: self.inserts.or(file.inserts),
            length: self.length.or(file.length),
            trace: self.trace.or(file.trace),
            text_size: self.text_size.or(file.text_size),
            wire: self.wire.or(file.wire),
            storm: self.storm.or(file.storm),
            storm_every: self.storm_every.or(file.storm_every),
            cut: self.cut.or(file.cut),
            cut_every: self.cut_every.or(file.cut_every),
            presence: self.presence.or(file.presence),
            chat: self.chat.or(file.chat),
            workers: self.workers.or(file.workers),
            http: self.http.or(file.http),
            seed: self.seed.or(file.seed),
            keep: self.keep || file.keep,
        }
    }
}
