//! Motet, other servers and a bare relay in one race: the same work for each, in turns, each server a process of its own, and one
//! client for all. Takes figures, and writes them with tables and plots into a page. `benches/peers/run` builds and installs what this needs.

mod connection;
mod dialect;
mod entrant;
mod figures;
mod goals;
mod grown;
mod page;
mod plot;
mod process;
mod replay;
mod setting;
mod standing;
mod typing;
mod wire;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Parser;
use serde::Serialize;
use tokio::task::LocalSet;

use crate::{
    entrant::{ENTRANTS, Entrant, GROWN, JOINED},
    figures::{Race, Row},
    replay::Trace,
    typing::{Pace, Scenario},
};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Races Motet against other servers and a bare relay.
#[derive(Parser)]
struct Options {
    /// Rounds; each has every server once, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each run
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only scenarios whose name begins so (M1 to M7, M6 for all that stands and grows)
    #[arg(long, default_value = "M")]
    only: String,
    /// Only entrants whose name has one of these in it, besides the relays
    #[arg(long)]
    entrants: Vec<String>,
    /// A directory with sveltecomponent.json.gz and automerge-paper.json.gz of github.com/josephg/editing-traces; without it M5
    /// and the join after a long history are left out
    #[arg(long)]
    traces: Option<PathBuf>,
    /// Where the page, the plots and the figures go
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"))]
    docs: PathBuf,
    /// Takes no figures: writes the page again from those that are there
    #[arg(long)]
    page_only: bool,
}

/// Everything that is typed: what it is called, and who does what.
const TYPING: [(&str, Scenario); 6] = {
    const fn scenario(rooms: usize, writers: usize, readers: usize, chars: u32, pace: Pace) -> Scenario {
        Scenario { rooms, writers, readers, chars, pace }
    }
    [
        ("M1", scenario(1, 1, 1, 500, Pace::Seen)),
        ("M2", scenario(1, 1, 100, 500, Pace::Every(Duration::from_millis(20)))),
        ("M3", scenario(50, 2, 0, 500, Pace::Acked)),
        ("M4", scenario(1, 20, 0, 500, Pace::Acked)),
        ("M7 2 KB", scenario(1, 1, 1, 2_000, Pace::Seen)),
        ("M7 200 KB", scenario(1, 1, 1, 200_000, Pace::Seen)),
    ]
};

/// The short trace of M5, and the long one that somebody joins after.
const SHORT_TRACE: &str = "sveltecomponent";
const LONG_TRACE: &str = "automerge-paper";

/// Edits of the long trace that the others get in one message: what a newcomer gets of them does not depend on that, and one
/// by one it would take ShareDB longer than all the rest of the race.
const EDITS_PER_MESSAGE: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let figures = options.docs.join("performance/figures.json");
    let mut race: Race = match fs::read(&figures) {
        Ok(json) => serde_json::from_slice(&json)?,
        Err(_) => Race::default(),
    };
    if !options.page_only {
        race.disk_sync_us = setting::disk_sync_us()?;
        race.setting = setting::tell(options.rounds, options.seconds, race.disk_sync_us)?;
        LocalSet::new().run_until(measure(&options, &mut race, &figures)).await?;
    }
    page::write(&race, &options.docs)
}

/// Runs everything that is asked for. What is not stays as it was; figures are saved after each scenario.
async fn measure(options: &Options, race: &mut Race, figures: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    let entrants: Vec<&Entrant> = ENTRANTS.iter().filter(|entrant| options.has(entrant)).collect();
    for (name, scenario) in TYPING.iter().filter(|(name, _)| name.starts_with(&options.only)) {
        let mut rows = Row::of(&entrants);
        for round in 1..=options.rounds {
            for (row, entrant) in rows.iter_mut().zip(&entrants) {
                let typed = typing::run(entrant, *scenario, options.seconds).await;
                let typed = typed.map_err(|error| format!("{name}, {}: {error}", entrant.name))?;
                tell(start, &format!("{name} round {round}, {}", entrant.name), &typed)?;
                row.runs.push(typed);
            }
        }
        put(&mut race.typed, name, rows);
        save(race, figures)?;
    }
    if let Some(traces) = options.traces.as_ref().filter(|_| "M5".starts_with(&options.only)) {
        let trace = Trace::read(&traces.join(format!("{SHORT_TRACE}.json.gz")))?;
        let mut rows = Row::of(&entrants);
        for (row, entrant) in rows.iter_mut().zip(&entrants) {
            row.runs = replay::run(entrant, &[], &trace, 1).await?;
            tell(start, &format!("M5 {SHORT_TRACE}, {}", entrant.name), &row.runs)?;
        }
        put(&mut race.replayed, SHORT_TRACE, rows);
        save(race, figures)?;
    }
    if "M6".starts_with(&options.only) {
        stand_and_grow(options, &entrants, race, start).await?;
        save(race, figures)?;
    }
    Ok(())
}

/// The parts of M6.
async fn stand_and_grow(
    options: &Options,
    entrants: &[&Entrant],
    race: &mut Race,
    start: Instant,
) -> Result<(), Failure> {
    if let Some(traces) = &options.traces {
        let trace = Trace::read(&traces.join(format!("{LONG_TRACE}.json.gz")))?;
        let mut rows = Vec::new();
        let [first, others @ ..] = &JOINED;
        if options.has(first) {
            let runs = replay::run(first, others, &trace, 1).await?;
            tell(start, &format!("M6 {LONG_TRACE}, {}", first.name), &runs)?;
            let row = |(entrant, run): (&Entrant, _)| Row { entrant: entrant.name.to_owned(), runs: vec![run] };
            rows.extend(JOINED.iter().zip(runs).map(row));
        }
        for peer in entrants.iter().filter(|entrant| entrant.is_peer()) {
            let runs = replay::run(peer, &[], &trace, EDITS_PER_MESSAGE).await?;
            tell(start, &format!("M6 {LONG_TRACE}, {}", peer.name), &runs)?;
            rows.push(Row { entrant: peer.name.to_owned(), runs });
        }
        put(&mut race.replayed, LONG_TRACE, rows);
    }
    // What stands takes the same memory at each durability.
    let standing: Vec<&Entrant> = entrants.iter().copied().filter(|entrant| !entrant.is_os()).collect();
    let mut rows = Row::of(&standing);
    for (row, entrant) in rows.iter_mut().zip(standing) {
        row.runs = vec![standing::run(entrant).await?];
        tell(start, &format!("M6 memory, {}", entrant.name), &row.runs)?;
    }
    race.standing = rows;
    let grown: Vec<&Entrant> = GROWN.iter().filter(|entrant| options.has(entrant)).collect();
    let mut rows = Row::of(&grown);
    for (row, entrant) in rows.iter_mut().zip(&grown) {
        row.runs = vec![grown::run(entrant, options.rounds, options.seconds / 4.0).await?];
        tell(start, &format!("M6 growth, {}", entrant.name), &row.runs)?;
    }
    race.grown = rows;
    Ok(())
}

impl Options {
    fn has(&self, entrant: &Entrant) -> bool {
        let names = &self.entrants;
        entrant.is_relay() || names.is_empty() || names.iter().any(|name| entrant.name.contains(name))
    }
}

impl<T> Row<T> {
    fn of(entrants: &[&Entrant]) -> Vec<Self> {
        entrants.iter().map(|entrant| Self { entrant: entrant.name.to_owned(), runs: Vec::new() }).collect()
    }
}

fn put<T>(table: &mut figures::Table<T>, name: &str, rows: Vec<Row<T>>) {
    table.retain(|(other, _)| other != name);
    table.push((name.to_owned(), rows));
}

fn save(race: &Race, figures: &Path) -> Result<(), Failure> {
    fs::create_dir_all(figures.parent().ok_or("a file is in a directory")?)?;
    Ok(fs::write(figures, serde_json::to_string_pretty(race)?)?)
}

/// Says how it goes, for who waits.
fn tell(start: Instant, what: &str, figures: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(figures)?;
    Ok(writeln!(std::io::stderr(), "{:5.0} s  {what}: {line}", start.elapsed().as_secs_f64())?)
}
