//! Random sessions of the client's state machine, as JSON lines, for a client in another language to go through: each line is one client's view
//! of a session of three with a server that transforms one by one.
//!
//! ```sh
//! cargo run --release -p motet-protocol --example kernel_vectors -- SESSIONS [FIRST_SEED]
//! ```
//!
//! A line has the `text` at revision 0, the `steps`, and the text after them (`after`). A step is one of
//!
//! - `{"edit": OPERATION}`: done here, on the client's text;
//! - `{"entry": [REVISION, OPERATION]}`: another's edit;
//! - `{"ack": [SEQ, REVISION]}`: the outstanding submit is in the log;
//!
//! each with `"send": [SEQ, BASE, OPERATION]` where the client has to send that submit after it.

use std::{collections::VecDeque, error::Error, io::Write};

use motet_protocol::{
    client::{Client, Outgoing},
    ids::{Revision, Seq},
    message::Command,
    ot::Operation,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::Rope;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PEERS: usize = 3;
const ALPHABET: [&str; 12] = ["a", "b", "c", "\n", "\r\n", "\r", "é", "漢", "😀", "𝄞", "\u{200d}", "\u{301}"];

enum Told {
    Entry(Revision, Operation),
    Ack(Seq, Revision),
}

struct Peer {
    client: Client,
    text: Rope,
    up: VecDeque<Outgoing>,
    down: VecDeque<Told>,
    steps: Vec<Value>,
}

impl Peer {
    /// Notes a step and sends what has come of it.
    fn step(&mut self, mut step: Value, outgoing: Option<Outgoing>) {
        if let Some(outgoing) = outgoing {
            step["send"] = json!([outgoing.seq, outgoing.base, outgoing.command.operation()]);
            self.up.push_back(outgoing);
        }
        self.steps.push(step);
    }

    fn edit(&mut self, rng: &mut StdRng) -> Result<()> {
        let length = self.text.len_chars() as u64;
        let mut operation = Operation::builder();
        let mut at = 0;
        for _ in 0..1 + rng.random_range(0..3) {
            let retained = rng.random_range(0..=length - at);
            let deleted = if rng.random_bool(0.4) { rng.random_range(0..=(length - at - retained).min(4)) } else { 0 };
            let inserted: String =
                (0..rng.random_range(0..3)).map(|_| ALPHABET[rng.random_range(0..ALPHABET.len())]).collect();
            operation = operation.retain(retained).insert(&inserted).delete(deleted);
            at += retained + deleted;
        }
        let operation = operation.retain(length - at).build()?;
        if operation.is_noop() {
            return Ok(());
        }
        operation.apply_to_rope(&mut self.text)?;
        let outgoing = self.client.edit(operation.clone())?;
        self.step(json!({ "edit": operation }), outgoing);
        Ok(())
    }

    fn hear(&mut self) -> Result<()> {
        match self.down.pop_front() {
            None => {}
            Some(Told::Entry(revision, operation)) => {
                self.client.remote(revision, &operation)?.apply_to_rope(&mut self.text)?;
                self.step(json!({ "entry": [revision, operation] }), None);
            }
            Some(Told::Ack(seq, revision)) => {
                let outgoing = self.client.acknowledged(seq, revision)?;
                self.step(json!({ "ack": [seq, revision] }), outgoing);
            }
        }
        Ok(())
    }
}

fn session(seed: u64) -> Result<Value> {
    let mut rng = StdRng::seed_from_u64(seed);
    let text: String = (0..rng.random_range(0..20)).map(|_| ALPHABET[rng.random_range(0..ALPHABET.len())]).collect();
    let mut log: Vec<Operation> = Vec::new();
    let peer = || Peer {
        client: Client::new(0, 0),
        text: Rope::from_str(&text),
        up: VecDeque::new(),
        down: VecDeque::new(),
        steps: Vec::new(),
    };
    let mut peers: Vec<Peer> = (0..PEERS).map(|_| peer()).collect();
    let mut busy = 60;
    while busy > 0 || peers.iter().any(|peer| !peer.up.is_empty() || !peer.down.is_empty()) {
        let who = rng.random_range(0..PEERS);
        match rng.random_range(0..3) {
            0 if busy > 0 => peers[who].edit(&mut rng)?,
            1 => append(&mut peers, who, &mut log)?,
            _ => peers[who].hear()?,
        }
        busy = (busy - 1).max(0);
    }
    if peers.iter().any(|peer| peer.text != peers[0].text) {
        return Err(format!("seed {seed}: the texts differ").into());
    }
    let first = peers.swap_remove(0);
    Ok(json!({ "seed": seed, "text": text, "steps": first.steps, "after": first.text.to_string() }))
}

/// The server takes a submit of one peer: transforms it over what came since, one by one, and tells everyone.
fn append(peers: &mut [Peer], who: usize, log: &mut Vec<Operation>) -> Result<()> {
    let Some(Outgoing { seq, base, command: Command::Edit(mut operation) }) = peers[who].up.pop_front() else {
        return Ok(());
    };
    for later in &log[usize::try_from(base)?..] {
        operation = operation.transform(later)?.0;
    }
    log.push(operation.clone());
    let revision = log.len() as u64;
    for (i, peer) in peers.iter_mut().enumerate() {
        let told = if i == who { Told::Ack(seq, revision) } else { Told::Entry(revision, operation.clone()) };
        peer.down.push_back(told);
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let sessions: u64 = arguments.next().as_deref().unwrap_or("100").parse()?;
    let first: u64 = arguments.next().as_deref().unwrap_or("1").parse()?;
    let out = std::io::stdout();
    let mut out = std::io::BufWriter::new(out.lock());
    for seed in first..first + sessions {
        writeln!(out, "{}", session(seed)?)?;
    }
    Ok(())
}
