//! Whether an edit costs the same in a large text, and after a long history.

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

/// Who makes the history, all in one room.
const WRITERS: u64 = 20;

const ROOM: &str = "long-0";
const ROOM_CHARS: u32 = 1_024;

pub(crate) async fn run(entrant: &Entrant, rounds: usize, seconds: f64) -> Result<Grown, Failure> {
    let one = |chars| Scenario { rooms: 1, writers: 1, readers: 1, chars, pace: Pace::Seen };

    let server = Server::start(entrant)?;
    for chars in TEXTS {
        drop(seed(entrant, &server, &format!("text-{chars}-0"), chars, &Rc::default()).await?);
    }
    let mut by_text = TEXTS.map(|chars| (chars, Vec::new()));
    for _ in 0..rounds {
        for (chars, costs) in &mut by_text {
            let typed = type_more(entrant, &server, &format!("text-{chars}"), one(*chars), seconds, Vec::new()).await?;
            costs.push(typed.cpu_us_per_edit);
        }
    }
    let by_text = by_text.into_iter().map(|(chars, costs)| (u64::from(chars), median(costs))).collect();

    let server = Server::start(entrant)?;
    drop(seed(entrant, &server, ROOM, ROOM_CHARS, &Rc::default()).await?);
    let mut by_revisions = Vec::new();
    let mut memory_kb = server.memory_kb()?;
    for (index, revisions) in REVISIONS.into_iter().enumerate() {
        let before = REVISIONS[index.saturating_sub(1)];
        lengthen(entrant, &server, (revisions - before) / WRITERS).await?;
        if revisions == 10_000 {
            // By now every window and buffer is full.
            memory_kb = server.memory_kb()?;
        }
        let mut costs = Vec::new();
        for _ in 0..rounds {
            costs
                .push(type_more(entrant, &server, "long", one(ROOM_CHARS), seconds, Vec::new()).await?.cpu_us_per_edit);
        }
        by_revisions.push((revisions, median(costs)));
    }
    let bytes_per_revision = (server.memory_kb()? - memory_kb) * 1_024.0 / REVISIONS[REVISIONS.len() - 1] as f64;
    let start = Instant::now();
    let newcomer = entrant.connect(&server, ROOM, ROOM_CHARS, &Rc::default()).await?;
    newcomer.text()?.ok_or("a newcomer has a text")?;
    Ok(Grown { by_text, by_revisions, bytes_per_revision, join_ms: start.elapsed().as_secs_f64() * 1_000.0 })
}

/// So many edits by each of the writers: letters that come and go, so that the text stays as it is and the history grows.
async fn lengthen(entrant: &Entrant, server: &Server, edits: u64) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for number in 0..WRITERS {
        // Each at a place of its own, so that nobody deletes another's letter.
        let at = number * u64::from(ROOM_CHARS) / WRITERS;
        let mut writer = entrant.connect(server, ROOM, ROOM_CHARS, &Rc::default()).await?;
        tasks.spawn_local(async move {
            for number in 0..edits {
                writer.edit(&[if number % 2 == 0 { (at, 0, "+".to_owned()) } else { (at, 1, String::new()) }]).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
