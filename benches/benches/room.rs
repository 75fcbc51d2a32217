//! The room: from a submit to every reader, without the network and the disk.

#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{Criterion, criterion_group, criterion_main};
use motet_benches::{TEXT_BYTES, Typing, state};
use motet_server::room::RoomState;

fn edits(c: &mut Criterion) {
    for (name, bytes) in TEXT_BYTES {
        let mut typing = Typing::new(bytes, 2);
        c.bench_function(&format!("one character in {name}, two clients"), |bench| bench.iter(|| typing.type_one()));
    }
    for readers in [20, 100] {
        let mut typing = Typing::new(1 << 10, readers);
        c.bench_function(&format!("one character in 1 KB, {readers} clients"), |bench| {
            bench.iter(|| typing.type_one());
        });
    }
}

fn snapshots(c: &mut Criterion) {
    let state = state(1 << 20);
    let bytes = state.encode();
    c.bench_function("encode a snapshot of 1 MB", |bench| bench.iter(|| state.encode()));
    c.bench_function("decode a snapshot of 1 MB", |bench| bench.iter(|| RoomState::decode(&bytes)));
}

criterion_group!(benches, edits, snapshots);
criterion_main!(benches);
