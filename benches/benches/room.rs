//! The room: from a submit to every reader, without the network and the disk.

#![allow(missing_docs, reason = "criterion's macros")]

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use motet_benches::{TEXT_BYTES, Typing, entry, state};
use motet_protocol::ot::Operation;
use motet_server::room::RoomState;

/// Submit, order, commit, fold, acknowledge: all that one character costs a room in which two write.
fn edits(c: &mut Criterion) {
    for (name, bytes) in TEXT_BYTES {
        let mut typing = Typing::new(bytes, 2);
        c.bench_function(&format!("room: one character in {name}"), |bench| bench.iter(|| typing.type_one()));
    }
}

/// Putting an edit in order that others came before.
fn propose(c: &mut Criterion) {
    for behind in [0, 10, 100] {
        let mut typing = Typing::new(1 << 10, 2);
        c.bench_function(&format!("propose: {behind} revisions behind"), |bench| {
            bench.iter_custom(|times| (0..times).map(|_| typing.order_late(behind)).sum::<Duration>());
        });
    }
}

fn fold(c: &mut Criterion) {
    for (name, bytes) in TEXT_BYTES {
        let state = state(bytes);
        let len = state.text().len_chars() as u64;
        let operation = Operation::builder().retain(len / 2).insert("x").retain(len - len / 2).build();
        let next = entry(state.revision() + 1, operation.expect("it is small"));
        c.bench_function(&format!("fold: one entry in {name}"), |bench| {
            bench.iter_batched(|| state.clone(), |mut state| state.fold(&next).map(|()| state), BatchSize::SmallInput);
        });
    }
}

/// What one committed entry costs for all readers together.
fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan-out");
    for readers in [2, 20, 100, 1_000] {
        let mut typing = Typing::new(1 << 10, readers);
        group.throughput(Throughput::Elements(readers));
        group.bench_function(format!("one entry to {readers} readers"), |bench| {
            bench.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    typing.commit_one();
                    let start = Instant::now();
                    typing.feed();
                    took += start.elapsed();
                }
                took
            });
        });
    }
}

fn joins(c: &mut Criterion) {
    for (name, bytes) in TEXT_BYTES {
        let mut typing = Typing::new(bytes, 2);
        c.bench_function(&format!("join: a text of {name}"), |bench| bench.iter(|| typing.join()));
    }
}

fn snapshots(c: &mut Criterion) {
    let state = state(1 << 20);
    let bytes = state.encode();
    c.bench_function("snapshot: encode 1 MB", |bench| bench.iter(|| state.encode()));
    c.bench_function("snapshot: decode 1 MB", |bench| bench.iter(|| RoomState::decode(&bytes)));
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2)).sample_size(50);
    targets = edits, propose, fold, fan_out, joins, snapshots
}
criterion_main!(benches);
