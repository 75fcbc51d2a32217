//! Figures about a server, as Prometheus reads them (OpenMetrics text).

use std::sync::atomic::{AtomicBool, AtomicU64};

use motet_protocol::{error::ErrorCode, message::Durability};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

/// The figures. Counting costs one atomic addition.
#[derive(Debug)]
pub struct Metrics {
    /// Connections now.
    pub connections: Gauge,
    /// Rooms in memory now.
    pub rooms_open: Gauge,
    /// Entries committed.
    pub entries: Counter,
    /// Batches that the log took, each with one sync.
    pub commits: Counter,
    /// Bytes read from connections.
    pub bytes_in: Counter,
    /// Bytes written to connections.
    pub bytes_out: Counter,
    /// Times that the store did not take a room's entries.
    pub store_errors: Counter,
    /// Whether the store took what it was last given.
    pub store_takes: AtomicBool,
    refused: Family<Refused, Counter>,
    cpu_seconds: Counter<f64, AtomicU64>,
    memory_bytes: Gauge,
    registry: Mutex<Registry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    code: &'static str,
}

impl Metrics {
    /// All at zero.
    pub fn new(durability: Durability, engine: &'static str) -> Self {
        let metrics = Self {
            connections: Gauge::default(),
            rooms_open: Gauge::default(),
            entries: Counter::default(),
            commits: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            store_errors: Counter::default(),
            store_takes: AtomicBool::new(true),
            refused: Family::default(),
            cpu_seconds: Counter::default(),
            memory_bytes: Gauge::default(),
            registry: Mutex::new(Registry::default()),
        };
        {
            let mut all = metrics.registry.lock();
            let motet = all.sub_registry_with_prefix("motet");
            let info = Info::new([
                ("version", env!("CARGO_PKG_VERSION")),
                ("durability", durability.as_str()),
                ("store", engine),
            ]);
            motet.register("server", "The server, and what an acknowledgement promises", info);
            motet.register("connections", "Connections now", metrics.connections.clone());
            motet.register("rooms_open", "Rooms in memory now", metrics.rooms_open.clone());
            motet.register("entries", "Entries committed", metrics.entries.clone());
            motet.register("commits", "Batches of entries made durable together", metrics.commits.clone());
            motet.register_with_unit("received", "Read from connections", Unit::Bytes, metrics.bytes_in.clone());
            motet.register_with_unit("sent", "Written to connections", Unit::Bytes, metrics.bytes_out.clone());
            motet.register("store_errors", "Appends that the store did not take", metrics.store_errors.clone());
            motet.register("refused", "Errors told to clients, by code", metrics.refused.clone());
            let process = all.sub_registry_with_prefix("process");
            process.register_with_unit("cpu", "Processor time", Unit::Seconds, metrics.cpu_seconds.clone());
            process.register_with_unit("resident_memory", "Memory", Unit::Bytes, metrics.memory_bytes.clone());
        }
        metrics
    }

    /// Counts an error that a client is told.
    pub fn refuse(&self, code: ErrorCode) {
        self.refused.get_or_create(&Refused { code: code.as_str() }).inc();
    }

    /// The figures as text.
    pub fn render(&self) -> String {
        if let Some((cpu_seconds, memory_bytes)) = process_figures() {
            let counted = self.cpu_seconds.get();
            if cpu_seconds > counted {
                self.cpu_seconds.inc_by(cpu_seconds - counted);
            }
            self.memory_bytes.set(memory_bytes);
        }
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry.lock());
        text
    }
}

/// Processor time in seconds and resident memory in bytes of this process, where the system tells.
fn process_figures() -> Option<(f64, i64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = resident.trim().trim_end_matches("kB").trim().parse().ok()?;
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some((time.tv_sec as f64 + time.tv_nsec as f64 / 1e9, kilobytes * 1024))
}
