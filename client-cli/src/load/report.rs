//! What came out of a load, for people and programs.

use std::collections::BTreeMap;

use motet_client::address::Address;
use motet_protocol::message::Durability;
use serde::Serialize;

use super::{figures::Outcome, metrics::Usage, scenario::Scenario};
use crate::cli::{Failure, latency::Latency, output::Output};

/// A process of the load has one thread; with this share of a processor in use it has no time left.
const CPU_SHARE_MAX: f64 = 0.9;
/// With this share of the machine's processors in use by server and load, one takes time from the other.
const MACHINE_SHARE_MAX: f64 = 0.95;
/// How late the load may come to one of 100 edits, in microseconds, and still call the latency the server's.
const LATE_US_MAX: u64 = 10_000;
/// The share of edits that the load may leave out. Those due within the last tick of the timer always are.
const MISSED_SHARE_MAX: f64 = 0.01;

/// What was measured.
#[derive(Serialize)]
pub(super) struct Report {
    server: String,
    durability: Durability,
    #[serde(flatten)]
    scenario: Scenario,
    pub(super) seconds: f64,
    /// Edits acknowledged in the measured time.
    edits: u64,
    edits_per_second: f64,
    /// Edits of the measured time that were acknowledged after it; they are in the times.
    edits_late: u64,
    /// Edits that were due and that the load never came to.
    edits_missed: u64,
    to_ack_us: Latency,
    to_screen_us: Latency,
    screens: u64,
    joins: u64,
    to_join_us: Option<Latency>,
    /// Messages of the chat that were said in the measured time.
    chats: u64,
    chat_to_ack_us: Option<Latency>,
    /// Carets that were shown to the server.
    carets: u64,
    /// Messages of presence that were delivered, and the places of people that they told.
    presence_messages: u64,
    carets_seen: u64,
    cuts: u64,
    errors: BTreeMap<String, u64>,
    bytes_up_per_edit: f64,
    bytes_down_per_edit: f64,
    /// Processor time of the server, in microseconds; none where its /metrics could not be read.
    server_cpu_us_per_edit: Option<f64>,
    /// Processors that the server kept busy.
    server_cpus: Option<f64>,
    server_memory_bytes: Option<f64>,
    /// Processor time of the load itself.
    client_cpu_us_per_edit: f64,
    client_cpus: f64,
    /// How late the load itself came to what was due, in an open loop.
    client_late_us: Option<Latency>,
    /// Why the figures say more of the load or the machine than of the server; empty where nothing speaks for that.
    limited_by_client: Vec<String>,
    /// Rooms in which all replicas and the server hold the same text.
    rooms_equal: u32,
}

impl Report {
    pub(super) fn new(
        scenario: &Scenario,
        server: (String, Durability, &Address),
        outcome: &Outcome,
        used: Option<(Usage, Usage)>,
    ) -> Self {
        let figures = &outcome.figures;
        let (edits, seconds) = (figures.edits, outcome.seconds.max(1e-9));
        let per_edit = |what: f64| what / edits.max(1) as f64;
        let own: f64 = outcome.cpu_seconds.iter().sum();
        let cpu_seconds = used.map(|(before, after)| after.cpu_seconds - before.cpu_seconds);
        let latency = |times: &super::figures::Times| (!times.0.is_empty()).then(|| Latency::of(&times.0));
        Self {
            server: server.0,
            durability: server.1,
            scenario: scenario.clone(),
            seconds,
            edits,
            edits_per_second: edits as f64 / seconds,
            edits_late: figures.edits_late,
            edits_missed: figures.edits_missed,
            to_ack_us: Latency::of(&figures.to_ack_us.0),
            to_screen_us: Latency::of(&figures.to_screen_us.0),
            screens: figures.to_screen_us.0.len(),
            joins: figures.to_join_us.0.len(),
            to_join_us: latency(&figures.to_join_us),
            chats: figures.chat_to_ack_us.0.len(),
            chat_to_ack_us: latency(&figures.chat_to_ack_us),
            carets: figures.carets,
            presence_messages: figures.presence_messages,
            carets_seen: figures.carets_seen,
            cuts: figures.cuts,
            errors: figures.errors.clone(),
            bytes_up_per_edit: per_edit(outcome.bytes_up as f64),
            bytes_down_per_edit: per_edit(outcome.bytes_down as f64),
            server_cpu_us_per_edit: cpu_seconds.map(|cpu| per_edit(cpu * 1e6)),
            server_cpus: cpu_seconds.map(|cpu| cpu / seconds),
            server_memory_bytes: used.map(|(_, after)| after.memory_bytes),
            client_cpu_us_per_edit: per_edit(own * 1e6),
            client_cpus: own / seconds,
            client_late_us: latency(&figures.late_us),
            limited_by_client: limits(outcome, cpu_seconds.filter(|_| is_local(server.2))),
            rooms_equal: outcome.rooms_equal,
        }
    }

    /// Whether everyone holds the same texts.
    pub(super) fn is_equal(&self) -> bool {
        self.rooms_equal == self.scenario.rooms
    }

    /// The lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let it = &self.scenario;
        let loop_ = it.rate.map_or("closed loop".to_owned(), |rate| format!("open loop at {rate} edits/s"));
        let mut lines = vec![
            format!(
                "load      {} rooms, {} writers and {} readers each, {loop_}, {} at durability {}, seed {}",
                it.rooms,
                it.writers,
                it.readers + it.slow_readers,
                self.server,
                self.durability.as_str(),
                it.seed
            ),
            format!("edits     {} in {:.1} s, {:.0} edits/s", self.edits, self.seconds, self.edits_per_second),
            format!("to ack    {}", self.to_ack_us),
            format!("to screen {}", self.to_screen_us),
        ];
        if self.edits_late + self.edits_missed > 0 && it.rate.is_some() {
            let (late, missed) = (self.edits_late, self.edits_missed);
            lines.push(format!("behind    {late} edits acknowledged after the end, {missed} never sent"));
        }
        if let Some(times) = &self.to_join_us {
            lines.push(format!("to join   {times}, {} joins", self.joins));
        }
        if let Some(times) = &self.chat_to_ack_us {
            lines.push(format!("chat      {} messages, {times}", self.chats));
        }
        if it.presence > 0.0 {
            let (carets, messages, seen) = (self.carets, self.presence_messages, self.carets_seen);
            lines.push(format!("presence  {carets} carets shown, {messages} messages delivered with {seen} places"));
        }
        if self.cuts > 0 {
            lines.push(format!("cuts      {}, all resumed", self.cuts));
        }
        lines.push(format!(
            "bytes     {:.0} up and {:.0} down an edit",
            self.bytes_up_per_edit, self.bytes_down_per_edit
        ));
        for (code, count) in &self.errors {
            lines.push(format!("error     {code}: {count}"));
        }
        if let (Some(per_edit), Some(cpus), Some(memory)) =
            (self.server_cpu_us_per_edit, self.server_cpus, self.server_memory_bytes)
        {
            let megabytes = memory / 1e6;
            lines.push(format!(
                "server    {per_edit:.1} µs of processor an edit, {cpus:.2} processors, {megabytes:.0} MB"
            ));
        }
        lines.push(format!(
            "load      {:.1} µs of processor an edit, {:.2} processors",
            self.client_cpu_us_per_edit, self.client_cpus
        ));
        lines.extend(self.limited_by_client.iter().map(|reason| format!("limit     {reason}")));
        lines.push(format!("texts     equal in {} of {} rooms", self.rooms_equal, it.rooms));
        lines
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        let mut out = Output::new();
        if json {
            out.json(self)?;
        } else {
            for line in self.lines() {
                out.line(line)?;
            }
        }
        out.flush()
    }
}

fn is_local(server: &Address) -> bool {
    let authority = server.authority();
    ["127.", "localhost", "[::1]"].iter().any(|local| authority.starts_with(local))
}

/// What speaks for it that the load, not the server, was the limit. The server's processor time is given where it runs
/// on the same machine.
fn limits(outcome: &Outcome, server_cpu_seconds: Option<f64>) -> Vec<String> {
    let mut limits = Vec::new();
    let seconds = outcome.seconds.max(1e-9);
    let busiest = outcome.cpu_seconds.iter().copied().fold(0.0, f64::max) / seconds;
    if busiest > CPU_SHARE_MAX {
        limits.push(format!("the load itself: a process of it used {busiest:.2} of one processor; try --workers"));
    }
    let late_us = outcome.figures.late_us.0.value_at_quantile(0.99);
    if late_us > LATE_US_MAX {
        limits.push(format!("the load itself: it came {late_us} µs late to one edit in 100"));
    }
    let missed = outcome.figures.edits_missed;
    if missed as f64 > MISSED_SHARE_MAX * (outcome.figures.edits + missed) as f64 {
        limits.push(format!("the load itself: it never came to {missed} edits"));
    }
    let cpus = std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64);
    let own = outcome.cpu_seconds.iter().sum::<f64>();
    if let Some(all) = server_cpu_seconds.map(|server| (server + own) / seconds / cpus)
        && all > MACHINE_SHARE_MAX
    {
        limits.push(format!("the machine: server and load used {:.0} % of its processors", all * 100.0));
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(cpu_seconds: f64, late_us: u64) -> Outcome {
        let mut outcome = Outcome { seconds: 10.0, cpu_seconds: vec![cpu_seconds], ..Outcome::default() };
        outcome.figures.late_us.record(late_us);
        outcome
    }

    #[test]
    fn a_load_that_is_its_own_limit_says_so() {
        assert_eq!(limits(&outcome(5.0, 100), None), [""; 0]);
        assert!(limits(&outcome(9.5, 100), None)[0].contains("0.95 of one processor"));
        assert!(limits(&outcome(1.0, 50_000), None)[0].contains("late"));
        assert!(limits(&outcome(1.0, 100), Some(1e6))[0].contains("the machine"));
        let mut left_out = outcome(1.0, 100);
        left_out.figures.edits_missed = 500;
        assert!(limits(&left_out, None)[0].contains("never came to 500"));
    }
}
