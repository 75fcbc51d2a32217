//! `kill -9` under load, again and again on the same data: nothing acknowledged is lost, whether or not the store syncs.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

use std::{env, thread, time::Duration};

use motet_server::store::{Durability, StoreKind, conformance::Random};

use store_writer::{Writer, is_writer};

mod store_writer;

fn survives_kills(kind: StoreKind) {
    if is_writer() {
        return;
    }
    let seed = env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    for durability in [Durability::Os, Durability::Sync] {
        let directory = tempfile::tempdir().unwrap();
        let mut count = 0;
        for round in 1..=6 {
            let writer = Writer::start(directory.path(), kind, durability);
            let after = Duration::from_millis(100 + random.below(400));
            thread::sleep(after);
            let acknowledged = writer.kill();
            count = acknowledged.count().max(count);
            let lost = store_writer::lost(directory.path(), kind, durability, &acknowledged).unwrap();
            assert_eq!(lost, 0, "{durability:?}, kill {round} after {after:?}, seed {seed}: {acknowledged:?}");
        }
        eprintln!("{kind}, {durability:?}: {count} acknowledged writes, 6 kills, none lost");
        assert!(count > 500, "the writer made only {count} writes");
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
