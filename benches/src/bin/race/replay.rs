//! M5, and the newcomer of M6: a recorded history, typed by one client, then somebody joins.

use std::{fs::File, io::Read, path::Path, rc::Rc, time::Instant};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::{Failure, dialect::Patch, entrant::Entrant, figures::Replayed, process::Server, wire::Traffic};

/// Joins of which the fastest counts: what disturbs one only ever makes it slower.
const JOINS: usize = 5;

/// A sequential editing trace in the format of <https://github.com/josephg/editing-traces>, gzipped or plain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    patches: Vec<Patch>,
}

impl Trace {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut packed = Vec::new();
        File::open(path).map_err(|error| format!("{}: {error}", path.display()))?.read_to_end(&mut packed)?;
        if !packed.starts_with(&[0x1f, 0x8b]) {
            return Ok(serde_json::from_slice(&packed)?);
        }
        let mut json = Vec::new();
        MultiGzDecoder::new(&*packed).read_to_end(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }

    pub(crate) fn edits(&self) -> usize {
        self.txns.len()
    }
}

/// Types the trace on a server of its own, so many of its edits in one message, and lets newcomers in: spoken to as the
/// entrant is, and as each of `others` is, which must be the same server.
pub(crate) async fn run(
    entrant: &Entrant,
    others: &[Entrant],
    trace: &Trace,
    edits_per_message: usize,
) -> Result<Vec<Replayed>, Failure> {
    let server = Server::start(entrant.program)?;
    let mut writer = entrant.connect(&server, "trace", 0, &Rc::default()).await?;
    let (cpu_us, memory_kb) = (server.cpu_us()?, server.memory_kb()?);
    for transactions in trace.txns.chunks(edits_per_message) {
        let patches: Vec<Patch> = transactions.iter().flat_map(|transaction| transaction.patches.clone()).collect();
        writer.edit(&patches).await?;
    }
    let cpu_us_per_edit = (server.cpu_us()? - cpu_us) / trace.edits() as f64;
    let memory_kb = server.memory_kb()? - memory_kb;
    let mut all = Vec::new();
    for entrant in [entrant].into_iter().chain(others) {
        let (mut join_ms, mut join_bytes) = (f64::INFINITY, 0);
        for _ in 0..JOINS {
            let traffic = Rc::<Traffic>::default();
            let start = Instant::now();
            let newcomer = entrant.connect(&server, "trace", 0, &traffic).await?;
            let text = newcomer.text()?;
            join_ms = start.elapsed().as_secs_f64().min(join_ms / 1_000.0) * 1_000.0;
            join_bytes = traffic.down.get();
            if text.is_some_and(|text| text != trace.end_content) {
                return Err(format!("{}: a newcomer has another text than the trace", entrant.name).into());
            }
        }
        all.push(Replayed { cpu_us_per_edit, memory_kb, join_ms, join_bytes });
    }
    Ok(all)
}
