//! What looking back costs: a trace becomes a log in a store of each kind, the store is opened again, and the text at 200 random
//! revisions is asked for and compared with the trace's.
//!
//! `cargo run --release -p motet-server --example time_travel -- TRACE DIRECTORY [SEED]`: takes a sequential trace of
//! <https://github.com/josephg/editing-traces>, plain or gzipped; leaves the stores in the directory, and takes those that it
//! finds there as they are.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flate2::read::MultiGzDecoder;
use motet_protocol::{
    codec,
    ids::ParticipantId,
    message::{Command, Entry},
    ot::Operation,
};
use motet_server::{
    hub::history,
    room::{
        RoomState,
        limits::{SNAPSHOT_BYTES_PER_ENTRY, SNAPSHOT_ENTRIES_MIN},
    },
    store::{
        Append, AppendOutcome, Durability, Head, LogId, Store, StoreKind, StoredSnapshot, conformance::Random, open,
    },
};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

const LOG: LogId = LogId(1);
const LOOKS: u64 = 200;
/// Entries of one append.
const BATCH: usize = 64;

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    start_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    patches: Vec<(u64, u64, String)>,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: time_travel TRACE DIRECTORY [SEED]";
    let entries = entries(Path::new(&arguments.next().ok_or(usage)?))?;
    let root = PathBuf::from(arguments.next().ok_or(usage)?);
    let mut random = Random(arguments.next().map_or(Ok(1), |seed| seed.parse())?);
    for kind in [StoreKind::Sled, StoreKind::Fjall] {
        let path = root.join(kind.to_string());
        if !path.exists() {
            let began = Instant::now();
            write(&*open(kind, &path, Durability::Sync)?, &entries)?;
            println!("{kind:5} {} entries written and closed in {:.2?}", entries.len(), began.elapsed());
        }
        look_back(kind, &path, &entries, &mut random)?;
    }
    Ok(())
}

/// The trace as a log's entries, the first of which inserts the text that it begins with.
fn entries(path: &Path) -> Result<Vec<Entry>, Failure> {
    let mut bytes = fs::read(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let packed = std::mem::take(&mut bytes);
        MultiGzDecoder::new(&*packed).read_to_end(&mut bytes)?;
    }
    let trace: Trace = serde_json::from_slice(&bytes)?;
    let mut length = 0;
    let mut operations = Vec::with_capacity(trace.txns.len() + 1);
    if !trace.start_content.is_empty() {
        operations.push(patch(&mut length, (0, 0, trace.start_content))?);
    }
    for Transaction { patches } in trace.txns {
        let mut whole = Operation::builder().retain(length).build()?;
        for each in patches {
            whole = whole.compose(&patch(&mut length, each)?)?;
        }
        operations.push(whole);
    }
    let entry = |(revision, operation)| Entry {
        revision,
        participant: ParticipantId(1),
        seq: revision,
        time_ms: 1_700_000_000_000 + revision * 100,
        command: Command::Edit(operation),
    };
    Ok((1..).zip(operations).map(entry).collect())
}

/// A patch as an operation on a text of this length, which becomes that of the text after it.
fn patch(length: &mut u64, (at, deleted, inserted): (u64, u64, String)) -> Result<Operation, Failure> {
    let rest = length.checked_sub(at + deleted).ok_or("a patch goes beyond the text's end")?;
    let operation = Operation::builder().retain(at).insert(&inserted).delete(deleted).retain(rest).build()?;
    *length = operation.target_len();
    Ok(operation)
}

/// Writes the log, with snapshots when a room would take them.
fn write(store: &dyn Store, entries: &[Entry]) -> Result<(), Failure> {
    let (mut state, mut kept) = (RoomState::default(), 0);
    for batch in entries.chunks(BATCH) {
        let append = Append {
            log: LOG,
            expected: Head { revision: state.revision(), position: 0 },
            entries: batch.iter().map(codec::encode).collect(),
        };
        let outcome = store.append(&[append]);
        if !matches!(outcome[..], [AppendOutcome::Appended(_)]) {
            return Err(format!("{outcome:?}").into());
        }
        for entry in batch {
            state.fold(entry)?;
        }
        let due = SNAPSHOT_ENTRIES_MIN.max(state.text().len_bytes() as u64 / SNAPSHOT_BYTES_PER_ENTRY);
        if state.revision() - kept >= due {
            kept = state.revision();
            store.put_snapshot(LOG, &StoredSnapshot { revision: kept, state: state.encode() })?;
        }
    }
    Ok(())
}

fn look_back(kind: StoreKind, path: &Path, entries: &[Entry], random: &mut Random) -> Result<(), Failure> {
    let mut revisions = (0..LOOKS).map(|_| 1 + random.below(entries.len() as u64)).collect::<Vec<_>>();
    let mut sorted = revisions.clone();
    sorted.sort_unstable();
    let (mut state, mut texts) = (RoomState::default(), std::collections::HashMap::new());
    for entry in entries {
        state.fold(entry)?;
        if sorted.binary_search(&entry.revision).is_ok() {
            texts.insert(entry.revision, state.text().clone());
        }
    }
    let began = Instant::now();
    let store = open(kind, path, Durability::Sync)?;
    let opened = began.elapsed();
    for round in ["first", "again"] {
        let (mut times, mut processor) = (Vec::new(), Vec::new());
        for revision in &revisions {
            let (began, before) = (Instant::now(), processor_time());
            let state = history::state_at(&*store, LOG, Some(*revision))?.state;
            times.push(began.elapsed());
            processor.push(processor_time() - before);
            if state.text() != &texts[revision] {
                return Err(format!("{kind}: the text at revision {revision} is another").into());
            }
        }
        println!("{kind:5} opened in {opened:.2?}; {LOOKS} texts {round}: {}", quantiles(&mut times));
        println!("{kind:5}   of that, processor time: {}", quantiles(&mut processor));
        revisions.reverse();
    }
    Ok(())
}

/// This thread's, which says more than the clock on a machine that has other things to do.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn quantiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("median {:.2?}, 95 % below {:.2?}, slowest {:.2?}", at(50), at(95), at(100))
}
