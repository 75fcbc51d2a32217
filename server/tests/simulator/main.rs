//! A deterministic simulator: clients, servers and one log, with the real rooms, sessions, codecs and client state machine.
//! Connections cut at any byte, servers crash, the power goes, clocks step, submits are sent twice, the log answers
//! "conflict" and "unknown". Everything follows from one seed; there is no time, no thread and no IO.
//!
//! - [`world`]: what happens next, and what must hold at the end.
//! - [`log`]: the log that all servers share, which loses what was not synced.
//! - [`server`]: the rooms that ship, and what the real server does about their effects.
//! - [`client`]: a client as a client should be.
//! - [`link`]: bytes on their way.
//! - [`faults`]: bugs to plant, to see that the simulator finds them.
//!
//! A failure prints its seed; `MOTET_SIM_SEED=… cargo test -p motet-server --test simulator replay` brings it back with
//! everything that happened.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod client;
mod faults;
mod link;
mod log;
mod server;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use faults::Fault;
use server::Met;
use world::World;

/// Runs one seed. Returns its steps and what it came across.
fn run(seed: u64, fault: Option<Fault>, verbose: bool) -> Result<(u64, Met), String> {
    let ran = catch_unwind(AssertUnwindSafe(|| World::new(seed, fault, verbose).run()));
    ran.map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned())).unwrap_or_default()
    })
}

/// Runs seeds on all processors. Returns the steps of all and what they came across; panics with the seed that fails.
fn run_all(seeds: std::ops::Range<u64>) -> (u64, Met) {
    let (next, failed) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || {
        let (mut steps, mut met) = (0, Met::new());
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let (ran, came_across) = run(seed, None, false).map_err(|words| {
                failed.store(true, Ordering::Relaxed);
                format!("MOTET_SIM_SEED={seed}: {words}")
            })?;
            steps += ran;
            add(&mut met, came_across);
        }
        Ok::<_, String>((steps, met))
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        let (mut steps, mut met) = (0, Met::new());
        for worker in workers {
            match worker.join().unwrap() {
                Ok((ran, came_across)) => {
                    steps += ran;
                    add(&mut met, came_across);
                }
                Err(words) => panic!("{words}"),
            }
        }
        (steps, met)
    })
}

fn add(met: &mut Met, more: Met) {
    for (what, times) in more {
        *met.entry(what).or_default() += times;
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// `MOTET_SIM_SEEDS` runs more of them; `MOTET_SIM_FROM` starts elsewhere.
#[test]
fn all_seeds_converge_and_lose_nothing() {
    let from = number("MOTET_SIM_FROM").unwrap_or(0);
    let seeds = number("MOTET_SIM_SEEDS").unwrap_or(20_000);
    let (steps, met) = run_all(from..from + seeds);
    println!("{seeds} seeds, {steps} steps, {met:#?}");
    // A simulator that never comes across something proves nothing about it.
    for what in [
        "a chat caught up from the log",
        "a caller that was answered",
        "a conflict",
        "a message that was looked up",
        "a reader behind the window",
        "a room with a snapshot",
        "a room that was removed",
        "a session that joined anew",
        "a snapshot that was due",
        "a submit that was there",
        "an append that nobody knows of",
        "an edit on a base older than the window",
        "an idle room",
        "entries of another server",
        "presence",
        "presence on a base older than the window",
    ] {
        let times = met.get(what).copied().unwrap_or_default();
        assert!(times >= seeds / 20, "{what}: {times} times in {seeds} seeds");
    }
}

/// One seed again, with everything that happened: for people.
#[test]
fn replay() {
    let seed = number("MOTET_SIM_SEED").unwrap_or(1);
    println!("{} steps", run(seed, None, number("MOTET_SIM_SEED").is_some()).unwrap().0);
}

/// The same seed is the same run.
#[test]
fn a_seed_is_one_run() {
    for seed in 0..20 {
        assert_eq!(run(seed, None, false).unwrap(), run(seed, None, false).unwrap());
    }
}

/// The first seed that finds a planted bug.
fn found_after(fault: Fault) -> u64 {
    const SEEDS: u64 = 2_000;
    let found = (0..SEEDS).find(|seed| run(*seed, Some(fault), false).is_err());
    let found = found.unwrap_or_else(|| panic!("{fault:?} was not found within {SEEDS} seeds"));
    let words = run(found, Some(fault), false).unwrap_err();
    println!("{fault:?}: found by seed {found}: {}", words.lines().next().unwrap_or_default());
    found
}

#[test]
fn a_reversed_tie_rule_is_found() {
    found_after(Fault::TieReversed);
}

#[test]
fn a_resend_taken_for_a_new_submit_is_found() {
    found_after(Fault::DedupeDropped);
}

#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    found_after(Fault::AcknowledgedBeforeSync);
}

#[test]
fn a_caret_that_is_not_moved_over_what_came_before_it_is_found() {
    found_after(Fault::LatePlacesNotMoved);
}

#[test]
fn history_composed_before_a_transform_is_found() {
    found_after(Fault::HistoryComposed);
}

#[test]
fn a_comment_that_is_not_moved_over_what_came_before_it_is_found() {
    found_after(Fault::CommentNotMoved);
}

#[test]
fn messages_that_are_missed_when_they_are_written_down_are_found() {
    found_after(Fault::ChatGapIgnored);
}

/// The steps after a commit stood twice once, and those after a conflict had fallen behind.
#[test]
fn steps_after_a_commit_that_a_conflict_misses_are_found() {
    found_after(Fault::ConflictForgotten);
}
