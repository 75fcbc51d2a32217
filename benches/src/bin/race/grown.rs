//! Whether an edit costs the same in a large text and after a long history, and whether history takes memory.

use std::{rc::Rc, time::Instant};

use tokio::task::JoinSet;

use crate::{
    Failure,
    entrant::Entrant,
    figures::{Grown, median},
    process::Server,
    typing::{Pace, Scenario, seed, type_more},
};

/// Bytes of text.
const TEXTS: [u32; 5] = [1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20];

/// Revisions of the history.
const REVISIONS: [u64; 5] = [0, 1_000, 10_000, 100_000, 1_000_000];

/// A history up to this length is made anew for each run, which would make it a good deal longer.
const RENEWED_MAX: u64 = 10_000;

/// The history whose memory is measured. Up to the first of these the store's buffers fill; the most that the server takes on
/// the way to the second is compared with the most on the way to the third.
const MEMORY_AT: [u64; 3] = [400_000, 700_000, 1_000_000];

/// How often memory is looked at, in revisions.
const MEMORY_EVERY: u64 = 10_000;

/// Who makes a history, all in one room.
const WRITERS: u64 = 20;

const ROOM_CHARS: u32 = 1_024;

/// How often each point is measured for each of the race's rounds: shortly and in turns, so that what disturbs the machine for
/// a few seconds disturbs all points alike.
const TURNS_PER_ROUND: usize = 3;

/// One who types, one who reads.
const fn scenario(chars: u32) -> Scenario {
    Scenario { rooms: 1, writers: 1, readers: 1, chars, pace: Pace::Seen }
}

pub(crate) async fn run(entrant: &Entrant, rounds: usize, seconds: f64) -> Result<Grown, Failure> {
    let turns = rounds * TURNS_PER_ROUND;
    let by_text = by_text(entrant, turns, seconds).await?;

    let mut histories = Vec::new();
    for revisions in REVISIONS {
        histories.push(History { server: Server::start(entrant.program)?, revisions, costs: Vec::new() });
    }
    let bytes_per_revision = {
        let longest = histories.last().ok_or("there are histories")?;
        longest.begin(entrant, 0).await?;
        longest.lengthen_measured(entrant).await?
    };
    // The first turn only warms up, and makes what is to be long.
    for turn in 0..=turns {
        for history in &mut histories {
            history.take_turn(entrant, turn, seconds).await?;
        }
    }
    let join_ms = histories.last().ok_or("there are histories")?.join_ms(entrant).await?;
    let (revisions, costs): (Vec<_>, Vec<_>) =
        histories.into_iter().map(|history| (history.revisions, history.costs)).unzip();
    let by_revisions = revisions.into_iter().zip(in_turns(&costs)).collect();
    Ok(Grown { by_text, by_revisions, bytes_per_revision, join_ms })
}

async fn by_text(entrant: &Entrant, turns: usize, seconds: f64) -> Result<Vec<(u64, f64)>, Failure> {
    let server = Server::start(entrant.program)?;
    for chars in TEXTS {
        drop(seed(entrant, &server, &format!("text-{chars}-0"), chars, &Rc::default()).await?);
    }
    let mut costs = TEXTS.map(|_| Vec::new());
    for turn in 0..=turns {
        for (chars, costs) in TEXTS.into_iter().zip(&mut costs) {
            let name = format!("text-{chars}");
            let typed = type_more(entrant, &server, &name, scenario(chars), seconds, Vec::new()).await?;
            costs.extend((turn > 0).then_some(typed.cpu_us_per_edit));
        }
    }
    Ok(TEXTS.into_iter().map(u64::from).zip(in_turns(&costs)).collect())
}

/// The cost of each point, from those of all turns: the median of what it was to the middle one of the same turn, which
/// whatever disturbed that turn raised as well.
fn in_turns(points: &[Vec<f64>]) -> Vec<f64> {
    let turns = points.iter().map(Vec::len).min().unwrap_or(0);
    let levels: Vec<f64> = (0..turns).map(|turn| median(points.iter().map(|costs| costs[turn]))).collect();
    let level = median(levels.iter().copied());
    let ratio = |costs: &Vec<f64>| median(costs.iter().zip(&levels).map(|(cost, level)| cost / level));
    points.iter().map(|costs| level * ratio(costs)).collect()
}

/// A length of history, on a server of its own, so that its store holds as much.
struct History {
    server: Server,
    revisions: u64,
    costs: Vec<f64>,
}

impl History {
    /// The room of a turn, less its number.
    fn name(&self, turn: usize) -> String {
        format!("turn-{}", if self.revisions > RENEWED_MAX { 0 } else { turn })
    }

    fn room(&self, turn: usize) -> String {
        format!("{}-0", self.name(turn))
    }

    async fn begin(&self, entrant: &Entrant, turn: usize) -> Result<(), Failure> {
        drop(seed(entrant, &self.server, &self.room(turn), ROOM_CHARS, &Rc::default()).await?);
        Ok(())
    }

    async fn take_turn(&mut self, entrant: &Entrant, turn: usize, seconds: f64) -> Result<(), Failure> {
        let made = self.revisions == REVISIONS[REVISIONS.len() - 1] || (turn > 0 && self.revisions > RENEWED_MAX);
        if !made {
            self.begin(entrant, turn).await?;
            self.lengthen(entrant, turn, self.revisions).await?;
        }
        let (name, scenario) = (self.name(turn), scenario(ROOM_CHARS));
        let typed = type_more(entrant, &self.server, &name, scenario, seconds, Vec::new()).await?;
        self.costs.extend((turn > 0).then_some(typed.cpu_us_per_edit));
        Ok(())
    }

    /// So many edits by all writers together: letters that come and go, so that the text stays as it is and the history grows.
    async fn lengthen(&self, entrant: &Entrant, turn: usize, edits: u64) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        for number in 0..WRITERS {
            // Each at a place of its own, so that nobody deletes another's letter.
            let at = number * u64::from(ROOM_CHARS) / WRITERS;
            let mut writer = entrant.connect(&self.server, &self.room(turn), ROOM_CHARS, &Rc::default()).await?;
            tasks.spawn_local(async move {
                for number in 0..edits / WRITERS {
                    let letter = if number % 2 == 0 { (at, 0, "+".to_owned()) } else { (at, 1, String::new()) };
                    writer.edit(&[letter]).await?;
                }
                Ok::<_, Failure>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Makes the whole history; returns the memory that its later revisions take, in bytes for each.
    async fn lengthen_measured(&self, entrant: &Entrant) -> Result<f64, Failure> {
        let [from, middle, to] = MEMORY_AT;
        let (mut first_kb, mut second_kb) = (0_f64, 0_f64);
        for revisions in (MEMORY_EVERY..=to).step_by(MEMORY_EVERY as usize) {
            self.lengthen(entrant, 0, MEMORY_EVERY).await?;
            let memory_kb = self.server.memory_kb()?;
            match revisions {
                _ if revisions <= from => {}
                _ if revisions <= middle => first_kb = first_kb.max(memory_kb),
                _ => second_kb = second_kb.max(memory_kb),
            }
        }
        Ok((second_kb - first_kb) * 1_024.0 / (to - middle) as f64)
    }

    /// How long a newcomer waits for the text.
    async fn join_ms(&self, entrant: &Entrant) -> Result<f64, Failure> {
        let start = Instant::now();
        let newcomer = entrant.connect(&self.server, &self.room(0), ROOM_CHARS, &Rc::default()).await?;
        newcomer.text()?.ok_or("a newcomer has a text")?;
        Ok(start.elapsed().as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::in_turns;

    #[test]
    fn a_turn_that_is_disturbed_changes_no_ratio() {
        let costs = in_turns(&[vec![10.0, 30.0, 10.0], vec![20.0, 60.0, 20.0], vec![40.0, 120.0, 40.0]]);
        assert!(
            costs.iter().zip([10.0, 20.0, 40.0]).all(|(cost, expected)| (cost - expected).abs() < 1e-9),
            "{costs:?}"
        );
    }
}
