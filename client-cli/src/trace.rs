//! Editing traces: the two formats of <https://github.com/josephg/editing-traces>, plain or gzipped, parsed and checked.

use std::{
    fmt,
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;
use motet_protocol::ot::Operation;
use serde::{
    Deserialize,
    de::{Deserializer, Error as _, SeqAccess, Visitor},
};

/// The largest trace, unpacked: the automerge-paper trace with 260,000 edits has 12 MB.
const TRACE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Clients that one replay has at most: each takes a connection and a replica.
pub(crate) const AGENTS_MAX: usize = 1_000;

/// A trace: who edited what, having seen what.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace {
    /// The text before the first edit.
    pub(crate) start: String,
    /// The text after the last one, on every replica.
    pub(crate) end: String,
    /// Whether the trace itself says who edits.
    pub(crate) is_concurrent: bool,
    /// How many edit.
    pub(crate) agents: usize,
    /// The edits, in an order that a server can put them in.
    pub(crate) edits: Vec<Edit>,
}

/// One transaction of a trace, which is one edit and one revision.
#[derive(Debug, PartialEq)]
pub(crate) struct Edit {
    /// Whose it is.
    pub(crate) agent: usize,
    /// Its agent has seen this many of the trace's first edits, and all of its own.
    pub(crate) seen: usize,
    patches: Vec<Patch>,
}

/// Position, characters deleted there, text inserted there; counting on the text after the patch before.
type Patch = (u64, u64, String);

/// Why a file is no trace that can be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    #[error("the trace cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the trace is longer than {TRACE_BYTES_MAX} bytes")]
    TooLong,
    #[error("this is no editing trace: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("traces of kind {0:?} are not known; sequential and concurrent are")]
    Kind(String),
    #[error("the trace has {0} agents; 1 to {AGENTS_MAX} can be replayed")]
    Agents(usize),
    #[error("transaction {index}: {what}")]
    Transaction { index: usize, what: String },
}

fn wrong(index: usize, what: impl Into<String>) -> TraceError {
    TraceError::Transaction { index, what: what.into() }
}

impl Trace {
    /// Reads a trace, unpacking it where it is gzipped.
    pub(crate) fn read(file: impl Read) -> Result<Self, TraceError> {
        let mut packed = Vec::new();
        file.take(TRACE_BYTES_MAX + 1).read_to_end(&mut packed)?;
        if !packed.starts_with(&[0x1f, 0x8b]) {
            return Self::parse(&packed);
        }
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&*packed).take(TRACE_BYTES_MAX + 1).read_to_end(&mut unpacked)?;
        Self::parse(&unpacked)
    }

    fn parse(json: &[u8]) -> Result<Self, TraceError> {
        if json.len() as u64 > TRACE_BYTES_MAX {
            return Err(TraceError::TooLong);
        }
        let file: File = serde_json::from_slice(json)?;
        match file.kind.as_deref() {
            None | Some("sequential") => Self::sequential(file),
            Some("concurrent") => Self::concurrent(file),
            Some(other) => Err(TraceError::Kind(other.to_owned())),
        }
    }

    fn sequential(file: File) -> Result<Self, TraceError> {
        let mut length = file.start_content.chars().count() as u64;
        let mut edits = Vec::with_capacity(file.txns.0.len());
        for (index, transaction) in file.txns.0.into_iter().enumerate() {
            length = length_after(&transaction.patches, length).map_err(|what| wrong(index, what))?;
            edits.push(Edit { agent: 0, seen: index, patches: transaction.patches });
        }
        Ok(Self { start: file.start_content, end: file.end_content, is_concurrent: false, agents: 1, edits })
    }

    fn concurrent(file: File) -> Result<Self, TraceError> {
        let agents = file.num_agents.unwrap_or(0);
        if agents == 0 || agents > AGENTS_MAX {
            return Err(TraceError::Agents(agents));
        }
        let mut history = History::new(agents);
        let mut edits = Vec::with_capacity(file.txns.0.len());
        for (index, transaction) in file.txns.0.into_iter().enumerate() {
            let agent = transaction.agent.ok_or_else(|| wrong(index, "it names no agent"))?;
            let parents = transaction.parents.ok_or_else(|| wrong(index, "it names no parents"))?;
            let seen = history.add(agent, &parents).map_err(|what| wrong(index, what))?;
            edits.push(Edit { agent, seen, patches: transaction.patches });
        }
        Ok(Self { start: file.start_content, end: file.end_content, is_concurrent: true, agents, edits })
    }

    /// Deals the edits of one agent in turns to several.
    pub(crate) fn deal(&mut self, agents: usize) {
        self.agents = agents;
        for (index, edit) in self.edits.iter_mut().enumerate() {
            edit.agent = index % agents;
        }
    }
}

impl Edit {
    /// The edit as one operation on a text of this many characters.
    pub(crate) fn operation(&self, length: u64) -> Result<Operation, String> {
        let mut length = length;
        let mut whole: Option<Operation> = None;
        for (position, deleted, inserted) in &self.patches {
            let rest = rest_behind(*position, *deleted, length)?;
            let patch = Operation::builder().retain(*position).insert(inserted).delete(*deleted).retain(rest);
            let patch = patch.build().map_err(|error| error.to_string())?;
            length = patch.target_len();
            whole = Some(match whole {
                None => patch,
                Some(whole) => whole.compose(&patch).map_err(|error| error.to_string())?,
            });
        }
        match whole {
            Some(operation) => operation.within_limits().map(|()| operation),
            None => Operation::builder().retain(length).build(),
        }
        .map_err(|error| error.to_string())
    }
}

fn rest_behind(position: u64, deleted: u64, length: u64) -> Result<u64, String> {
    let end = position.checked_add(deleted).filter(|end| *end <= length);
    end.map(|end| length - end)
        .ok_or_else(|| format!("a patch deletes {deleted} characters at {position} in a text of {length} characters"))
}

fn length_after(patches: &[Patch], mut length: u64) -> Result<u64, String> {
    for (position, deleted, inserted) in patches {
        rest_behind(*position, *deleted, length)?;
        length = length - deleted + inserted.chars().count() as u64;
    }
    Ok(length)
}

/// Who has seen what, edit by edit. What an agent has seen of another is a beginning of that one's edits, so a number for
/// each agent says it all.
struct History {
    /// The indices of each agent's edits.
    edits_of: Vec<Vec<usize>>,
    /// For each edit: how many edits of each agent it has behind it, itself included.
    clocks: Vec<Box<[u32]>>,
}

impl History {
    fn new(agents: usize) -> Self {
        Self { edits_of: vec![Vec::new(); agents], clocks: Vec::new() }
    }

    /// Adds the next edit; returns how many of the first edits its agent has seen.
    fn add(&mut self, agent: usize, parents: &[usize]) -> Result<usize, String> {
        let agents = self.edits_of.len();
        if agent >= agents {
            return Err(format!("agent {agent} is none of the {agents}"));
        }
        let index = self.clocks.len();
        let mut clock = vec![0_u32; agents].into_boxed_slice();
        for parent in parents {
            let behind = self.clocks.get(*parent).ok_or_else(|| format!("parent {parent} does not come before it"))?;
            for (mine, theirs) in clock.iter_mut().zip(behind) {
                *mine = (*mine).max(*theirs);
            }
        }
        if clock[agent] as usize != self.edits_of[agent].len() {
            return Err(format!("agent {agent} has not seen an earlier edit of its own"));
        }
        let seen = self.seen(agent, &clock)?;
        clock[agent] += 1;
        self.edits_of[agent].push(index);
        self.clocks.push(clock);
        Ok(seen)
    }

    /// What a server's client has seen of the others is always a beginning of the log.
    fn seen(&self, agent: usize, clock: &[u32]) -> Result<usize, String> {
        let others = || (0..clock.len()).filter(|other| *other != agent);
        let last_seen = |other: usize| clock[other].checked_sub(1).map(|last| self.edits_of[other][last as usize]);
        let seen = others().filter_map(last_seen).max().map_or(0, |last| last + 1);
        for other in others() {
            if let Some(missed) = self.edits_of[other].get(clock[other] as usize).filter(|missed| **missed < seen) {
                let last = seen - 1;
                return Err(format!(
                    "its agent has seen edit {last} and not edit {missed} before it, which no order of a server's gives"
                ));
            }
        }
        Ok(seen)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    kind: Option<String>,
    #[serde(default)]
    start_content: String,
    end_content: String,
    num_agents: Option<usize>,
    txns: Transactions,
}

/// Transactions, whose errors name the index.
struct Transactions(Vec<Transaction>);

#[derive(Deserialize)]
struct Transaction {
    patches: Vec<Patch>,
    parents: Option<Vec<usize>>,
    agent: Option<usize>,
}

impl<'de> Deserialize<'de> for Transactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Transactions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of transactions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Transactions, A::Error> {
                let mut transactions = Vec::new();
                loop {
                    let next = items.next_element();
                    let index = transactions.len();
                    match next.map_err(|error| A::Error::custom(format_args!("transaction {index}: {error}")))? {
                        Some(transaction) => transactions.push(transaction),
                        None => return Ok(Transactions(transactions)),
                    }
                }
            }
        }

        deserializer.deserialize_seq(Each)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use ropey::Rope;

    use super::*;

    fn parse(json: &str) -> Result<Trace, TraceError> {
        Trace::read(json.as_bytes())
    }

    #[test]
    fn a_sequential_trace_ends_at_its_end_plain_or_packed() {
        let json = r#"{"startContent": "aä𝄞", "endContent": "x𝄞é!", "txns": [
            {"time": "2020-01-01", "patches": [[0, 2, "x"], [2, 0, "é"]]}, {"patches": []}, {"patches": [[3, 0, "!"]]}]}"#;
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(json.as_bytes()).unwrap();
        let trace = Trace::read(&*packed.finish().unwrap()).unwrap();
        assert_eq!(trace, parse(json).unwrap());
        let mut text = Rope::from_str(&trace.start);
        for edit in &trace.edits {
            edit.operation(text.len_chars() as u64).unwrap().apply_to_rope(&mut text).unwrap();
        }
        assert_eq!(text, trace.end);
        assert!(trace.edits[1].operation(4).unwrap().is_noop());
    }

    #[test]
    fn a_concurrent_trace_tells_what_each_agent_has_seen() {
        let json = r#"{"kind": "concurrent", "endContent": "", "numAgents": 4, "txns": [
            {"parents": [], "agent": 3, "patches": []},
            {"parents": [], "agent": 1, "patches": []},
            {"parents": [0], "agent": 3, "patches": []},
            {"parents": [1, 0], "agent": 1, "patches": []},
            {"parents": [3, 2], "agent": 0, "patches": []}]}"#;
        let seen: Vec<(usize, usize)> = parse(json).unwrap().edits.iter().map(|edit| (edit.agent, edit.seen)).collect();
        assert_eq!(seen, [(3, 0), (1, 0), (3, 0), (1, 1), (0, 4)]);
    }

    #[test]
    fn what_is_wrong_with_a_trace_is_told_with_the_transaction() {
        let sequential = |txns: &str| format!(r#"{{"startContent": "ab", "endContent": "", "txns": [{txns}]}}"#);
        let concurrent = |agents: usize, txns: &str| {
            format!(r#"{{"kind": "concurrent", "endContent": "", "numAgents": {agents}, "txns": [{txns}]}}"#)
        };
        let three = r#"{"parents": [], "agent": 0, "patches": []}, {"parents": [0], "agent": 1, "patches": []},"#;
        for (json, words) in [
            (sequential(r#"{"patches": []}, {"patches": [[3, 0, "x"]]}"#), "transaction 1: a patch deletes 0"),
            (sequential(r#"{"patches": [[1, 18446744073709551615, ""]]}"#), "transaction 0: a patch deletes"),
            (sequential(r#"{"patches": []}, {"patches": [[0, -1, ""]]}"#), "transaction 1: invalid value"),
            (sequential(r#"{"patches": []}, {"patches": [[0, 1]]}"#), "transaction 1: invalid length"),
            (sequential("{}"), "transaction 0: missing field"),
            (
                concurrent(2, &format!("{three} {{\"parents\": [3], \"agent\": 0, \"patches\": []}}")),
                "transaction 2: parent 3",
            ),
            (
                concurrent(2, &format!("{three} {{\"parents\": [0], \"agent\": 2, \"patches\": []}}")),
                "transaction 2: agent 2",
            ),
            (
                concurrent(2, &format!("{three} {{\"parents\": [], \"agent\": 0, \"patches\": []}}")),
                "transaction 2: agent 0 has",
            ),
            (concurrent(2, r#"{"parents": [], "patches": []}"#), "transaction 0: it names no agent"),
            (concurrent(2, r#"{"agent": 0, "patches": []}"#), "transaction 0: it names no parents"),
            (concurrent(0, ""), "0 agents"),
            (concurrent(1_000_000_000, ""), "1000000000 agents"),
            (r#"{"kind": "other", "endContent": "", "txns": []}"#.to_owned(), "\"other\""),
            (r#"{"txns": []}"#.to_owned(), "endContent"),
            ("hello".to_owned(), "no editing trace"),
            ("\u{1f}\u{8b}".to_owned(), "no editing trace"),
        ] {
            let error = parse(&json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}\n{error}");
        }
        assert!(matches!(Trace::read(&[0x1f, 0x8b, 0, 0][..]), Err(TraceError::Io(_))));
    }

    #[test]
    fn an_order_that_no_server_gives_is_refused_with_the_transaction() {
        let json = r#"{"kind": "concurrent", "endContent": "", "numAgents": 3, "txns": [
            {"parents": [], "agent": 0, "patches": []},
            {"parents": [], "agent": 1, "patches": []},
            {"parents": [1], "agent": 2, "patches": []}]}"#;
        let error = parse(json).unwrap_err().to_string();
        assert!(error.starts_with("transaction 2: its agent has seen edit 1 and not edit 0"), "{error}");
    }
}
