//! Every limit of the HTTP API, each with its reason.

use std::time::Duration;

use motet_protocol::limits::JSON_BYTES_MAX;

/// A JSON body, in bytes: an edit of the greatest size, and the rest of its request.
pub const BODY_BYTES_MAX: usize = JSON_BYTES_MAX;

/// One line of an import, in bytes: an entry of the greatest size in JSON.
pub const IMPORT_LINE_BYTES_MAX: usize = JSON_BYTES_MAX;

/// What the bodies of all requests under way take of memory together, in bytes.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What that is counted in, in bytes.
pub const BODY_PERMIT_BYTES: usize = 1024;

/// How long a body may keep silent on its way: a line that is slow, not one that is dead.
pub const BODY_SILENCE: Duration = Duration::from_secs(10);

/// How long a body may take as a whole: a minute at the least for the longest text over a line of 8 Mbit/s; after it a
/// connection that sends a byte now and then has its end.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the body of an import may take.
pub const IMPORT_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Rooms, entries and the like on one page, unless asked for otherwise.
pub const PAGE_DEFAULT: u32 = 100;

/// Whole logs that are being read at once (blame, statistics): those after them wait, so that others find a thread.
pub const SCANS_MAX: usize = 2;

/// Stretches of text by one entry that blame tells apart: 48 bytes of memory each.
pub const BLAME_RANGES_MAX: usize = 500_000;

/// Lines of two texts together that a unified diff compares: bounds its worst case to a few seconds.
pub const UNIFIED_LINES_MAX: usize = 200_000;

/// The same in bytes.
pub const UNIFIED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An idempotency key, in bytes: a UUID and some more.
pub const KEY_BYTES_MAX: usize = 128;

/// Answers that are kept for a repeat of their request.
pub const ANSWERS_MAX: usize = 4_096;

/// The body of an answer that is kept, in bytes. A longer one is given again by doing the work again, which appends
/// nothing twice.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// How long an answer is kept: whoever repeats a request does so sooner.
pub const ANSWER_KEPT: Duration = Duration::from_secs(3_600);

/// Tries of a part of a long text that the log had no room for.
pub const OVERLOADED_TRIES: usize = 5;

/// Rooms in the tree of a project.
pub const TREE_ROOMS_MAX: usize = 5_000;

/// Entries of an import that are appended together.
pub const IMPORT_BATCH_ENTRIES: usize = 256;

/// The same in bytes of their lines.
pub const IMPORT_BATCH_BYTES: usize = 1024 * 1024;

/// How long a browser may keep what it was told of other origins.
pub const CORS_KEPT: Duration = Duration::from_secs(600);

/// Imports under way at once: each holds a batch of entries and a line, some megabytes.
pub const IMPORTS_MAX: usize = 8;
