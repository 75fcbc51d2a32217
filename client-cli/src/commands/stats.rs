//! `motet stats`: who did how much in a room.

use clap::Args;
use motet_protocol::{
    ids::{Revision, RoomId, UnixMs},
    room::Author,
};
use serde::{Deserialize, Serialize};

use crate::cli::{
    Failure, Globals,
    foreign::one_line,
    output::{Output, time_of},
};

/// Prints what happened in a room in numbers: edits, characters, time, and how much each did.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet stats minutes\n  motet stats minutes --json | jq '.people[] | {name: .author.name, edits}'"
)]
pub(crate) struct Stats {
    /// The room.
    room: RoomId,
}

/// Sums over a room's log.
#[derive(Serialize, Deserialize)]
struct Statistics {
    revision: Revision,
    first_ms: Option<UnixMs>,
    last_ms: Option<UnixMs>,
    active_ms: u64,
    present_max: u32,
    present: u32,
    #[serde(flatten)]
    all: Work,
    people: Vec<Person>,
    people_count: u64,
}

#[derive(Serialize, Deserialize)]
struct Work {
    edits: u64,
    others: u64,
    inserted: u64,
    deleted: u64,
}

#[derive(Serialize, Deserialize)]
struct Person {
    author: Author,
    last_ms: UnixMs,
    #[serde(flatten)]
    work: Work,
}

impl Stats {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let told: Statistics = globals.api()?.get(&format!("/rooms/{}/statistics", self.room))?;
        let mut out = Output::new();
        if globals.json {
            out.json(&told)?;
            return out.flush();
        }
        let Statistics { revision, active_ms, present, present_max, all, people, people_count, .. } = told;
        out.line(format_args!("revision  {revision}"))?;
        out.line(format_args!("edits     {}, and {} other entries", all.edits, all.others))?;
        out.line(format_args!("text      {} characters inserted, {} deleted", all.inserted, all.deleted))?;
        if let (Some(first_ms), Some(last_ms)) = (told.first_ms, told.last_ms) {
            out.line(format_args!("from      {}", time_of(first_ms)))?;
            out.line(format_args!("to        {}", time_of(last_ms)))?;
        }
        out.line(format_args!("active    {}", span_of(active_ms)))?;
        out.line(format_args!("present   {present}, at most {present_max}"))?;
        out.line(format_args!("people    {people_count}"))?;
        for Person { author, work, .. } in &people {
            let name = match (&author.account, author.name.as_str()) {
                (Some(account), _) => account.as_str(),
                (None, "") => "(a guest)",
                (None, name) => name,
            };
            let name = one_line(name);
            let Work { edits, inserted, deleted, .. } = work;
            out.line(format_args!("  {name:<20} {edits:>8} edits {inserted:>9} inserted {deleted:>9} deleted"))?;
        }
        out.flush()
    }
}

/// A span of time in its two largest units.
fn span_of(ms: u64) -> String {
    let seconds = ms / 1_000;
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_as_people_read_them() {
        for (ms, words) in
            [(999, "0 s"), (61_000, "1 min 1 s"), (3_660_000, "1 h 1 min"), (90_000_000, "1 d 1 h"), (0, "0 s")]
        {
            assert_eq!(span_of(ms), words);
        }
    }
}
