//! What a room may hold, each with its reason.

use motet_protocol::limits::{BASE_AGE_REVISIONS_MAX, EDIT_BYTES_MAX, TEXT_BYTES_MAX};

/// Entries that are ordered and not yet durable. A log that is slower than its room answers `overloaded` from here on.
pub const PENDING_ENTRIES_MAX: usize = 1_024;

/// The same in bytes.
pub const PENDING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Entries of one room in one append.
pub const APPEND_ENTRIES_MAX: usize = 256;

/// Bytes of one room in one append: what a replicated log takes as one record (a single entry stays below it).
pub const APPEND_BYTES_MAX: usize = 256 * 1024;

/// Recent entries kept for readers that follow along and for edits on a recent base; older ones are read from the log.
pub const WINDOW_ENTRIES_MAX: usize = 512;

/// The same in bytes.
pub const WINDOW_BYTES_MAX: usize = 64 * 1024;

/// Messages of the chat that are kept at hand because somebody does something with them.
pub const RECORDS_MAX: usize = 16;

/// Entries of the chat that wait to be written to where messages are kept. Should there be more, the older ones are read
/// from the log again.
pub const CHAT_ENTRIES_MAX: usize = 256;

/// What the window is cut down to in a room that has been quiet.
pub const WINDOW_QUIET_ENTRIES: usize = 8;

/// The same in bytes of their encoded forms: a long one is in the text as well, and in the log.
pub const WINDOW_QUIET_BYTES: usize = 512;

/// The longest text, in bytes, that is packed in a room that has been quiet: what it takes to unpack it is not noticed, and a
/// longer one is not much larger as a rope.
pub const PACKED_BYTES_MAX: usize = 8 * 1024;

/// Sessions whose last seq is remembered. Twice as many are kept at most, then the older half is forgotten at once. A
/// forgotten session's repeat is still found in the log; only a jump of its seq is not noticed.
pub const SESSIONS_REMEMBERED: usize = 1_024;

/// Entries after which a snapshot is due, at least: bounds what opening a room and looking back in time replay.
pub const SNAPSHOT_ENTRIES_MIN: u64 = 4_096;

/// An idle room leaves memory without a snapshot while opening it again replays no more entries than this.
pub const UNLOAD_REPLAY_MAX: u64 = 256;

/// After this long without a commit, a join or a leave, a room lets go of memory that only a busy room needs, in milliseconds:
/// longer than people stop between two words, since it costs a little to begin again.
pub const SHRINK_AFTER_MS: u64 = 2_000;

/// A snapshot is due after as many entries as its bytes divided by this: bounds what snapshots add to each entry's disk.
pub const SNAPSHOT_BYTES_PER_ENTRY: u64 = 64;

/// What a reader costs when it is sent an entry, roughly; joins compare it with sending the text instead.
pub const ENTRY_BYTES_TYPICAL: u64 = 48;

/// Those limits of a room that a server may set.
#[derive(Clone, Copy, Debug)]
pub struct RoomLimits {
    /// Longest text in UTF-8 bytes.
    pub text_bytes_max: usize,
    /// Most UTF-8 bytes that one edit inserts.
    pub edit_bytes_max: usize,
    /// How many revisions the base of an edit may be behind.
    pub base_age_revisions_max: u64,
    /// Recent entries kept in memory.
    pub window_entries_max: usize,
    /// Entries after which a snapshot is due, at least.
    pub snapshot_entries_min: u64,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            text_bytes_max: TEXT_BYTES_MAX,
            edit_bytes_max: EDIT_BYTES_MAX,
            base_age_revisions_max: BASE_AGE_REVISIONS_MAX,
            window_entries_max: WINDOW_ENTRIES_MAX,
            snapshot_entries_min: SNAPSHOT_ENTRIES_MIN,
        }
    }
}
