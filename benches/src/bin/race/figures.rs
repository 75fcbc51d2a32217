//! What a race found out. Kept as JSON beside the page, so that the page can be written again without another race.

use serde::{Deserialize, Serialize};

/// A run of people typing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Typed {
    /// Processor time of the server, all its threads, per acknowledged edit.
    pub(crate) cpu_us_per_edit: f64,
    /// The same per letter that came to a screen.
    pub(crate) cpu_us_per_delivery: f64,
    pub(crate) edits_per_s: f64,
    /// From the writer's call to the last of the other screens.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// On the clients' sockets together, per edit.
    pub(crate) bytes_up: f64,
    pub(crate) bytes_down: f64,
    /// Resident memory of the server at the end of the run.
    pub(crate) memory_mb: f64,
}

/// A recorded history, typed by one client, and then a newcomer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Replayed {
    pub(crate) cpu_us_per_edit: f64,
    /// How much the server's memory grew meanwhile.
    pub(crate) memory_kb: f64,
    /// From connecting until the text is there as a string.
    pub(crate) join_ms: f64,
    pub(crate) join_bytes: u64,
}

/// What connections and rooms take that nobody uses.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) kb_per_connection: f64,
    /// A room of 1 KB and a connection to it.
    pub(crate) kb_per_room: f64,
    /// A room of 1 KB, opened on a connection that has many open.
    pub(crate) kb_per_room_alone: Option<f64>,
}

/// What an edit costs where there is much already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grown {
    /// Bytes of text, and µs of CPU per edit.
    pub(crate) by_text: Vec<(u64, f64)>,
    /// Revisions in the room's history, and µs of CPU per edit.
    pub(crate) by_revisions: Vec<(u64, f64)>,
    /// Memory that an edit of a long history takes: by how much the most that the server takes grows, by the number of edits.
    pub(crate) bytes_per_revision: f64,
    /// A newcomer after all those revisions.
    pub(crate) join_ms: f64,
}

/// Figures of one entrant in one scenario, a run for each round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row<T> {
    pub(crate) entrant: String,
    pub(crate) runs: Vec<T>,
}

/// All scenarios of one kind.
pub(crate) type Table<T> = Vec<(String, Vec<Row<T>>)>;

/// A whole race.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Race {
    /// The machine, versions and the time, as they are told on the page.
    pub(crate) setting: Vec<String>,
    /// What an append with `fdatasync` takes, without a server.
    pub(crate) disk_sync_us: f64,
    pub(crate) typed: Table<Typed>,
    pub(crate) replayed: Table<Replayed>,
    pub(crate) standing: Vec<Row<Standing>>,
    pub(crate) grown: Vec<Row<Grown>>,
}

/// The middle one; not a number if there is none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 0 => f64::midpoint(figures[count / 2 - 1], figures[count / 2]),
        count => figures[count / 2],
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
    }
}
