//! What completion costs in texts of several lengths: `cargo run --release -p motet-server --example assist_figures`.
//!
//! Each figure is the median and the worst of many, in time of the processor, so that a busy machine tells the same; the texts look like code of about as many different words as real code has.

#![allow(missing_docs, clippy::unwrap_used, reason = "an example")]

use std::time::Duration;

use motet_protocol::ot::{Operation, position::Scalar};
use motet_server::assist::{complete::complete, languages::Language, words::WordIndex};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::Rope;

const SEED: u64 = 1;
const ROUNDS: usize = 300;

fn main() {
    println!("text bytes  words      make ms   type a character µs   complete ms: '' / one letter / two / four");
    for bytes in [1_000, 100_000, 1_000_000, 10_000_000] {
        figures(bytes);
    }
}

fn figures(bytes: usize) {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut text = Rope::from(code(&mut random, bytes));
    let made = times(5, || drop(WordIndex::of(&text)));
    let mut index = WordIndex::of(&text);

    let mut typed = Vec::new();
    for _ in 0..ROUNDS {
        let length = text.len_chars() as u64;
        let at = random.random_range(0..=length);
        let operation = Operation::builder().retain(at).insert("e").retain(length - at).build().unwrap();
        let start = spent();
        index.update(&text, &operation).unwrap();
        typed.push(spent() - start);
        operation.apply_to_rope(&mut text).unwrap();
    }

    let asked = ["", "w", "wo", "word"].map(|prefix| {
        let mut taken = Vec::new();
        for _ in 0..ROUNDS {
            let mut text = text.clone();
            let line = random.random_range(0..text.len_lines());
            let at = text.line_to_char(line);
            text.insert(at, &format!("    {prefix}\n"));
            let at = Scalar((at + 4 + prefix.len()) as u64);
            let start = spent();
            let found = complete(&text, at, Language::Rust, &index, 20);
            taken.push(spent() - start);
            assert!(!found.is_empty());
        }
        in_ms(taken)
    });
    let typed = spread(typed);
    println!(
        "{:>10}  {:>5}  {:>11}   {:>8.1} to {:>6.1}   {}",
        text.len_bytes(),
        index.len(),
        in_ms(made),
        typed.0.as_secs_f64() * 1e6,
        typed.1.as_secs_f64() * 1e6,
        asked.join(" / ")
    );
}

/// What this thread has taken of the processor.
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Lines of words, a few of which are frequent and most of which are rare.
fn code(random: &mut StdRng, bytes: usize) -> String {
    let vocabulary = (bytes / 40).clamp(50, 20_000) as f64;
    let mut text = String::new();
    while text.len() < bytes {
        text.push_str("    ");
        for _ in 0..random.random_range(1..8) {
            let rank = vocabulary.powf(random.random_range(0.0..1.0)) as u64;
            text.push_str(&format!("word{}_{rank} = ", rank % 17));
        }
        text.push('\n');
    }
    text
}

fn times(rounds: usize, mut act: impl FnMut()) -> Vec<Duration> {
    let time = |_| {
        let start = spent();
        act();
        spent() - start
    };
    (0..rounds).map(time).collect()
}

/// The median and the worst.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

fn in_ms(times: Vec<Duration>) -> String {
    let (median, worst) = spread(times);
    format!("{:.2} to {:.2}", median.as_secs_f64() * 1e3, worst.as_secs_f64() * 1e3)
}
