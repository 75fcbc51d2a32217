//! What a load is, once its arguments are checked.

use std::{fs::File, sync::Arc, time::Duration};

use serde::Serialize;

use super::arguments::{Arguments, Wire};
use crate::{
    cli::{Failure, Globals},
    trace::Trace,
};
use motet_client::address::Address;

/// Edits a second that can be asked for: more than any server on one machine takes.
const RATE_MAX: f64 = 10_000_000.0;

/// A load that can be run. Its arguments are valid.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scenario {
    pub(super) rooms: u32,
    pub(super) writers: u32,
    pub(super) readers: u32,
    pub(super) slow_readers: u32,
    pub(super) seed: u64,
    pub(super) wire: Wire,
    /// Edits a second of all writers together; a closed loop without it.
    pub(super) rate: Option<f64>,
    pub(super) text_size: u32,
    /// The share of insertions; as the text's length asks for without it.
    pub(super) inserts: Option<f64>,
    pub(super) length: u32,
    pub(super) storm: u32,
    pub(super) cut: f64,
    /// Carets that are moved a second, of all writers together.
    pub(super) presence: f64,
    /// Chat messages a second, of all writers together.
    pub(super) chat: f64,
    pub(super) workers: u32,
    #[serde(skip)]
    pub(super) slow_pause: Duration,
    #[serde(skip)]
    pub(super) seconds: Duration,
    #[serde(skip)]
    pub(super) warmup: Duration,
    #[serde(skip)]
    pub(super) ramp: Duration,
    #[serde(skip)]
    pub(super) think: Duration,
    #[serde(skip)]
    pub(super) storm_every: Duration,
    #[serde(skip)]
    pub(super) cut_every: Duration,
    #[serde(skip)]
    pub(super) trace: Option<Arc<Trace>>,
    #[serde(skip)]
    pub(super) keep: bool,
    #[serde(skip)]
    pub(super) http: Option<String>,
}

impl Scenario {
    /// Checks the arguments and fills in what they do not say. What makes no sense is wrong usage.
    pub(super) fn new(arguments: &Arguments, globals: &Globals) -> Result<Self, Failure> {
        let number = |name, said: Option<u32>, usual, least, most| within(name, said.unwrap_or(usual), least, most);
        let time = |name, said: Option<f64>, usual, least| {
            within(name, said.unwrap_or(usual), least, 86_400.0).map(Duration::from_secs_f64)
        };
        let pause = |name, said: Option<u64>, usual| {
            within(name, said.unwrap_or(usual), 0, 86_400_000).map(Duration::from_millis)
        };
        let scenario = Self {
            rooms: number("rooms", arguments.rooms, 50, 1, 10_000)?,
            writers: number("writers", arguments.writers, if arguments.trace.is_some() { 1 } else { 2 }, 1, 1_000)?,
            readers: number("readers", arguments.readers, 0, 0, 10_000)?,
            slow_readers: number("slow-readers", arguments.slow_readers, 0, 0, 10_000)?,
            seed: arguments.seed.unwrap_or_else(rand::random),
            wire: arguments.wire.unwrap_or_default(),
            rate: arguments.rate.map(|rate| within("rate", rate, 0.001, RATE_MAX)).transpose()?,
            text_size: number("text-size", arguments.text_size, 1_000, 1, 1_000_000)?,
            inserts: arguments.inserts.map(|share| within("inserts", share, 0.0, 1.0)).transpose()?,
            length: number("length", arguments.length, 1, 1, 10_000)?,
            storm: number("storm", arguments.storm, 0, 0, 10_000)?,
            cut: within("cut", arguments.cut.unwrap_or(0.0), 0.0, 1.0)?,
            presence: within("presence", arguments.presence.unwrap_or(0.0), 0.0, RATE_MAX)?,
            chat: within("chat", arguments.chat.unwrap_or(0.0), 0.0, RATE_MAX)?,
            workers: number("workers", arguments.workers, 1, 1, 64)?,
            slow_pause: pause("slow-pause", arguments.slow_pause, 50)?,
            seconds: time("seconds", arguments.seconds, 10.0, 0.0)?,
            warmup: time("warmup", arguments.warmup, 2.0, 0.0)?,
            ramp: time("ramp", arguments.ramp, 0.0, 0.0)?,
            think: pause("think", arguments.think, 0)?,
            storm_every: time("storm-every", arguments.storm_every, 5.0, 0.1)?,
            cut_every: time("cut-every", arguments.cut_every, 1.0, 0.1)?,
            trace: arguments.trace.as_ref().map(|path| trace(path)).transpose()?,
            keep: arguments.keep,
            http: arguments.http.clone(),
        };
        let usage = |message: &str| Err(Failure::Usage(message.to_owned()));
        match &scenario {
            it if it.wire == Wire::Json && matches!(globals.server, Address::Tcp { .. }) => {
                usage("--wire json needs --server ws://HOST:PORT")
            }
            it if it.rate.is_some() && !it.think.is_zero() => {
                usage("--think is for a closed loop, --rate makes an open one: give one of them")
            }
            it if it.trace.is_some() && it.writers != 1 => usage("a trace is played by one writer: --writers 1"),
            it if it.workers > it.rooms => usage("workers share the rooms: give at least as many --rooms as --workers"),
            _ => Ok(scenario),
        }
    }

    /// How often each writer does something that all together do at this rate; never at 0.
    pub(super) fn every(&self, rate: f64) -> Option<Duration> {
        let writers = f64::from(self.rooms) * f64::from(self.writers);
        // A rate close to 0 is once in more seconds than there are.
        (rate > 0.0).then(|| Duration::try_from_secs_f64(writers / rate).unwrap_or(Duration::MAX / 4))
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(name: &str, value: T, least: T, most: T) -> Result<T, Failure> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Failure::Usage(format!("{name} is a number from {least} to {most}, not {value}")))
    }
}

fn trace(path: &std::path::Path) -> Result<Arc<Trace>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let trace = Trace::read(file).map_err(|error| wrong(&error))?;
    if trace.is_concurrent || trace.agents != 1 {
        return Err(wrong(&"only a sequential trace can be played; `motet replay` takes the others"));
    }
    Ok(Arc::new(trace))
}
