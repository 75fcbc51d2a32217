//! The kernel and the codecs: what each edit costs at the least.

#![allow(missing_docs, reason = "criterion's macros")]

use std::{hint::black_box, time::Duration};

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use motet_benches::{TEXT_BYTES, entry, text};
use motet_protocol::{
    codec, json,
    message::{ClientMessage, Command, ServerMessage},
    ot::Operation,
};
use ropey::Rope;

fn operation(at: u64, len: u64) -> Operation {
    Operation::builder().retain(at).insert("x").retain(len - at).build().expect("it is small")
}

fn kernel(c: &mut Criterion) {
    let (a, b) = (operation(500, 10_000), operation(7_000, 10_000));
    c.bench_function("transform two small operations", |bench| bench.iter(|| black_box(&a).transform(black_box(&b))));
    let next = operation(501, 10_001);
    c.bench_function("compose two small operations", |bench| bench.iter(|| black_box(&a).compose(black_box(&next))));
    for (name, bytes) in TEXT_BYTES {
        let mut rope = Rope::from_str(&text(bytes));
        let len = rope.len_chars() as u64;
        let insert = operation(len / 2, len);
        let delete = Operation::builder().retain(len / 2).delete(1).retain(len - len / 2).build().expect("it is small");
        c.bench_function(&format!("apply two edits to a rope of {name}"), |bench| {
            bench.iter(|| {
                insert.apply_to_rope(&mut rope).expect("it fits");
                delete.apply_to_rope(&mut rope).expect("it fits");
            });
        });
    }
}

fn codecs(c: &mut Criterion) {
    let entry = entry(100_000, operation(500, 10_000));
    let submit =
        ClientMessage::Submit { channel: 1, seq: 5, base: 100_000, command: Command::Edit(operation(500, 10_000)) };
    let bytes = codec::encode(&submit);
    let text = json::encode(&submit);
    let mut buffer = BytesMut::new();
    c.bench_function("encode an entry", |bench| {
        bench.iter(|| {
            buffer.clear();
            codec::encode_into(black_box(&entry), &mut buffer);
        });
    });
    c.bench_function("encode an entry as JSON", |bench| {
        bench.iter(|| {
            buffer.clear();
            json::encode_into(black_box(&entry), &mut buffer);
        });
    });
    let ack = ServerMessage::Ack { channel: 1, seq: 5, revision: 100_000 };
    c.bench_function("encode an acknowledgement as JSON", |bench| {
        bench.iter(|| {
            buffer.clear();
            json::encode_into(black_box(&ack), &mut buffer);
        });
    });
    c.bench_function("decode a submit", |bench| bench.iter(|| codec::decode::<ClientMessage>(black_box(&bytes))));
    c.bench_function("decode a submit from JSON", |bench| bench.iter(|| json::decode_client(black_box(&text))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = kernel, codecs
}
criterion_main!(benches);
