//! What Motet promises of its speed, and what a race found of it.

use crate::figures::{Grown, Race, Replayed, Row, Standing, Typed, median};

/// A promise with what was measured.
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) most: f64,
    pub(crate) unit: &'static str,
}

impl Goal {
    pub(crate) fn is_kept(&self) -> bool {
        self.measured <= self.most
    }
}

const FJALL_TCP: &str = "Motet fjall sync, TCP";
const FJALL_JSON: &str = "Motet fjall sync, JSON";
const SLED_TCP: &str = "Motet sled sync, TCP";
const SLED_JSON: &str = "Motet sled sync, JSON";
const OS_TCP: &str = "Motet fjall os, TCP";
const RELAY_TCP: &str = "bare relay, TCP";
const RELAY_WS: &str = "bare relay, WebSocket";
const PEERS: [&str; 3] = ["ShareDB", "y-websocket", "Hocuspocus"];

/// All promises of which the race has the figures.
pub(crate) fn goals(race: &Race) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |what: String, measured: Option<f64>, most: Option<f64>, unit: &'static str| {
        if let (Some(measured), Some(most)) = (measured, most) {
            goals.push(Goal { what, measured, most, unit });
        }
    };
    let cpu = |run: &Typed| run.cpu_us_per_edit;
    let per_delivery = |run: &Typed| run.cpu_us_per_delivery;
    let best_peer = |name: &str, figure: fn(&Typed) -> f64| {
        PEERS.iter().filter_map(|peer| typed(race, name, peer, figure)).min_by(f64::total_cmp)
    };

    for (who, limit, most) in [
        (FJALL_TCP, RELAY_TCP, 1.6),
        (FJALL_JSON, RELAY_WS, 1.6),
        (SLED_TCP, RELAY_TCP, 2.0),
        (SLED_JSON, RELAY_WS, 2.0),
    ] {
        add(
            format!("M3: CPU per edit of {who}, to the {limit}'s"),
            ratio(race, "M3", who, limit, cpu),
            Some(most),
            "×",
        );
    }
    for who in [FJALL_TCP, FJALL_JSON, SLED_TCP, SLED_JSON] {
        let cheapest = best_peer("M3", cpu);
        let part = typed(race, "M3", who, cpu).zip(cheapest).map(|(mine, theirs)| mine / theirs);
        add(format!("M3: CPU per edit of {who}, to the cheapest peer's"), part, Some(1.0 / 3.0), "×");
    }
    for (who, limit) in [(FJALL_TCP, RELAY_TCP), (FJALL_JSON, RELAY_WS)] {
        let measured = ratio(race, "M2", who, limit, per_delivery);
        add(format!("M2: CPU per delivered message of {who}, to the {limit}'s"), measured, Some(1.0), "×");
    }
    for who in [FJALL_TCP, FJALL_JSON] {
        let p99 = |run: &Typed| run.p99_us;
        let what = format!("M2: p99 of {who}, at most the best peer's");
        add(what, typed(race, "M2", who, p99), best_peer("M2", p99), "µs");
    }
    let what = format!("M4: CPU per edit of {FJALL_TCP}, to the {RELAY_TCP}'s");
    add(what, ratio(race, "M4", FJALL_TCP, RELAY_TCP, cpu), Some(1.2), "×");
    let rate = |run: &Typed| run.edits_per_s;
    let fastest = PEERS.iter().filter_map(|peer| typed(race, "M4", peer, rate)).max_by(f64::total_cmp);
    let part = typed(race, "M4", FJALL_TCP, rate).zip(fastest).map(|(mine, theirs)| theirs / mine);
    add(format!("M4: edits/s of the fastest peer, to those of {FJALL_TCP}"), part, Some(0.25), "×");
    let p50 = |run: &Typed| run.p50_us;
    let what = format!("M1: p50 of {OS_TCP}, to the {RELAY_TCP}'s");
    add(what, ratio(race, "M1", OS_TCP, RELAY_TCP, p50), Some(1.5), "×");
    let most = typed(race, "M1", RELAY_TCP, p50).map(|relay| 1.5 * relay + 2.0 * race.disk_sync_us);
    let what = format!("M1: p50 of {FJALL_TCP}, at most 1.5 × the relay's and two syncs of the disk");
    add(what, typed(race, "M1", FJALL_TCP, p50), most, "µs");

    let joined = |who: &str, figure: fn(&Replayed) -> f64| {
        let (_, rows) = race.replayed.iter().find(|(name, _)| name == "automerge-paper")?;
        figure_of(rows, who, figure)
    };
    let least = |figure| PEERS.iter().filter_map(|peer| joined(peer, figure)).min_by(f64::total_cmp);
    for who in [OS_TCP, "Motet fjall os, JSON"] {
        let what = format!("M6: join after automerge-paper, {who}, below every peer's");
        add(format!("{what}: time"), joined(who, |run| run.join_ms), least(|run| run.join_ms), "ms");
        let bytes = |run: &Replayed| run.join_bytes as f64 / 1_024.0;
        add(format!("{what}: bytes"), joined(who, bytes), least(bytes), "KiB");
    }
    for who in [FJALL_TCP, FJALL_JSON, SLED_TCP] {
        let kb = |figure: fn(&Standing) -> f64| figure_of(&race.standing, who, figure);
        add(format!("M6: memory of an idle connection, {who}"), kb(|run| run.kb_per_connection), Some(10.0), "kB");
        let alone = kb(|run| run.kb_per_room_alone.unwrap_or(f64::NAN));
        add(format!("M6: memory of an open room of 1 KB, {who}"), alone, Some(6.0), "kB");
    }
    for row in &race.grown {
        let Some(run) = row.runs.first() else { continue };
        let spread = |points: &[(u64, f64)]| {
            let costs = || points.iter().map(|(_, cost)| *cost);
            Some(costs().fold(f64::MIN, f64::max) / costs().fold(f64::MAX, f64::min))
        };
        let Grown { by_text, by_revisions, bytes_per_revision, .. } = run;
        let who = &row.entrant;
        add(format!("M6: dearest edit to cheapest, 1 KB to 10 MB of text, {who}"), spread(by_text), Some(1.5), "×");
        let what = format!("M6: dearest edit to cheapest, 0 to 1,000,000 revisions, {who}");
        add(what, spread(by_revisions), Some(1.5), "×");
        let what = format!("M6: memory per edit of history once the store's buffers are full, {who}");
        add(what, Some(*bytes_per_revision), Some(1.0), "B");
    }
    goals
}

/// The median of a figure.
pub(crate) fn figure_of<T>(rows: &[Row<T>], who: &str, figure: impl Fn(&T) -> f64) -> Option<f64> {
    let row = rows.iter().find(|row| row.entrant == who)?;
    Some(median(row.runs.iter().map(figure))).filter(|figure| figure.is_finite())
}

fn typed(race: &Race, name: &str, who: &str, figure: impl Fn(&Typed) -> f64) -> Option<f64> {
    let (_, rows) = race.typed.iter().find(|(other, _)| other == name)?;
    figure_of(rows, who, figure)
}

fn ratio(race: &Race, name: &str, who: &str, limit: &str, figure: impl Fn(&Typed) -> f64) -> Option<f64> {
    let (_, rows) = race.typed.iter().find(|(other, _)| other == name)?;
    ratio_in(rows, who, limit, figure)
}

/// The median, over rounds, of a figure to that of another in the same round: what disturbs a round disturbs both.
pub(crate) fn ratio_in<T>(rows: &[Row<T>], who: &str, limit: &str, figure: impl Fn(&T) -> f64) -> Option<f64> {
    let runs = |name: &str| rows.iter().find(|row| row.entrant == name).map(|row| &row.runs);
    let ratios = runs(who)?.iter().zip(runs(limit)?).map(|(mine, theirs)| figure(mine) / figure(theirs));
    Some(median(ratios)).filter(|ratio| ratio.is_finite())
}
