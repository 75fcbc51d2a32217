//! `kill -9` under load, again and again on the same data: nothing acknowledged is lost, whether or not the store syncs.
//! `KILLS=100` makes it that many kills instead of a few; `SEED` brings the same pauses back.

use std::{env, thread, time::Duration};

use motet_server::store::{Durability, StoreKind, conformance::Random};

use crate::store_writer::{self, Writer, is_writer};

/// The writer is killed at a random moment after so many writes; every third time at a random moment of its start.
const WRITES: u64 = 200;

fn survives_kills(kind: StoreKind) {
    if is_writer() {
        return;
    }
    let variable = |name| env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let (seed, kills) = (variable("SEED").unwrap_or_else(rand::random), variable("KILLS").unwrap_or(6));
    let mut random = Random(seed);
    for durability in [Durability::Os, Durability::Sync] {
        let directory = tempfile::tempdir().unwrap();
        let mut count = 0;
        for round in 1..=kills {
            let mut writer = Writer::start(directory.path(), kind, durability);
            let writes = if round % 3 == 2 { 0 } else { WRITES };
            writer.wait_for(writes);
            let after = Duration::from_micros(random.below(200_000));
            thread::sleep(after);
            let acknowledged = writer.kill();
            count = acknowledged.count().max(count);
            let what = format!("{kind}, {durability:?}, kill {round}, {after:?} after {writes} writes, seed {seed}");
            match store_writer::lost(directory.path(), kind, durability, &acknowledged) {
                Ok(0) => {}
                outcome => panic!("{what}: {outcome:?} lost of {acknowledged:?}"),
            }
        }
        eprintln!("{kind}, {durability:?}: {count} acknowledged writes, {kills} kills, none lost");
        assert!(count >= WRITES, "the writer made only {count} writes");
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_killing_a_process_that_writes_to_sled() {
    survives_kills(StoreKind::Sled);
}

#[test]
fn nothing_acknowledged_is_lost_by_killing_a_process_that_writes_to_fjall() {
    survives_kills(StoreKind::Fjall);
}
