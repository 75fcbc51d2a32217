//! The stores: one commit, by engine, durability and size of the batch.

#![allow(missing_docs, reason = "criterion's macros")]

use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use motet_server::store::{Append, AppendOutcome, Durability, Head, LogId, StoreKind, open};

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit");
    group.sample_size(20);
    for kind in [StoreKind::Sled, StoreKind::Fjall] {
        for durability in [Durability::Sync, Durability::Os, Durability::None] {
            for rooms in [1, 16, 256] {
                let data = motet_benches::disk_directory().expect("it can be written to");
                let store = open(kind, data.path(), durability).expect("it is empty");
                let mut revision = 0;
                group.throughput(Throughput::Elements(rooms));
                let name = BenchmarkId::new(format!("{kind} {}", durability.as_str()), format!("{rooms} rooms"));
                group.bench_function(name, |bench| {
                    bench.iter(|| {
                        let expected = Head { revision, position: 0 };
                        let append =
                            |room| Append { log: LogId(room), expected, entries: vec![Bytes::from_static(&[7; 40])] };
                        let batch: Vec<_> = (1..=rooms).map(append).collect();
                        let outcomes = store.append(&batch);
                        assert!(outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended(_))));
                        revision += 1;
                    });
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = commits
}
criterion_main!(benches);
