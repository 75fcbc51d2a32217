//! Every limit of completion and summaries, each with its reason.

use std::time::Duration;

/// The shortest word that is remembered, in scalars: typing two characters is quicker than choosing them.
pub const WORD_CHARS_MIN: usize = 3;

/// The longest word that is remembered, in scalars. What is longer is data (hashes, base64) and nobody's completion. It also
/// bounds what an edit looks at on either side of its place.
pub const WORD_CHARS_MAX: usize = 64;

/// Different words that are remembered of one text: some 4 MB at worst. Above it each word is kept or not by its hash, so that
/// what is kept stays exact; words near the position are found in the text itself.
pub const WORDS_MAX: usize = 32_768;

/// Entries over which an index is brought up. Beyond, reading the text anew is as quick, and a room's window has no more.
pub const INDEX_BEHIND_ENTRIES_MAX: usize = 4_096;

/// How long an index that nobody asks is kept, in milliseconds: longer than a pause for thought, shorter than a meal.
pub const INDEX_UNUSED_MS: u64 = 10 * 60 * 1_000;

/// How far from the position words count as near, in scalars on either side: some 250 lines, read in a fraction of a millisecond.
pub const NEAR_CHARS: usize = 10_000;

/// Completions in one answer: more than anybody looks through.
pub const COMPLETIONS_MAX: usize = 100;

/// Leading white space that a snippet's lines are indented with at most, in scalars.
pub const INDENT_CHARS_MAX: usize = 128;

/// Components of all operations that one summary follows, some 300,000 edits by hand: a few seconds of work at most. A longer span
/// is summarized up to there, and says so.
pub const SUMMARY_COMPONENTS_MAX: usize = 1_000_000;

/// Participants that a summary names, the first to write; the others are counted together.
pub const SUMMARY_PEOPLE_MAX: usize = 64;

/// Stretches of the text that are followed for each participant; beyond it the closest two become one. With
/// [`SUMMARY_PEOPLE_MAX`] it bounds what each edit of a span costs.
pub const SUMMARY_STRETCHES_MAX: usize = 64;

/// Line ranges that are told of each participant, and of all together; beyond it the closest two become one.
pub const SUMMARY_LINE_RANGES_MAX: usize = 12;

/// Sittings that are told of each participant; beyond it the last one goes on to the end.
pub const SUMMARY_SITTINGS_MAX: usize = 16;

/// A participant who was quiet for this long, in milliseconds, begins a new sitting with the next edit.
pub const SITTING_GAP_MS: u64 = 30 * 60 * 1_000;

/// Chat messages that a summary quotes; the last ones.
pub const SUMMARY_MESSAGES_MAX: usize = 20;

/// Chat messages that are read for their words and writers.
pub const SUMMARY_MESSAGES_READ_MAX: usize = 10_000;

/// What is read of each of them for its words, in scalars.
pub const SUMMARY_MESSAGE_CHARS_READ_MAX: usize = 500;

/// Words that say what a chat was about.
pub const SUMMARY_TOPICS_MAX: usize = 10;

/// Open comments that a summary lists; those that are first in the text.
pub const SUMMARY_COMMENTS_MAX: usize = 20;

/// What is quoted of a message, a comment or a name, in scalars.
pub const QUOTE_CHARS_MAX: usize = 160;

/// What a remote provider is shown of the text before the position, in scalars.
pub const PROMPT_BEFORE_CHARS: usize = 4_000;

/// What a remote provider is shown of the text after the position, in scalars.
pub const PROMPT_AFTER_CHARS: usize = 1_000;

/// What a remote provider is shown of a summary's facts, in scalars: all of nearly every summary, and what a small model can read. The
/// rest, which is about those who changed least, and older than the last messages, is cut off.
pub const PROMPT_FACTS_CHARS: usize = 24_000;

/// What a remote provider may answer, in bytes of its HTTP response.
pub const RESPONSE_BYTES_MAX: usize = 256 * 1024;

/// What is read of the response when its status is an error, in bytes: enough for the reason.
pub const ERROR_BODY_BYTES_MAX: usize = 16 * 1024;

/// One completion from a remote provider, in scalars.
pub const SUGGESTION_CHARS_MAX: usize = 2_000;

/// Completions that a remote provider is asked for.
pub const SUGGESTIONS_MAX: usize = 3;

/// The prose of a summary from a remote provider, in scalars.
pub const PROSE_CHARS_MAX: usize = 8_000;

/// Requests to the remote provider under way at once, of the whole server; who comes above it gets the built-in answer.
pub const REMOTE_REQUESTS_MAX: usize = 16;

/// How long a completion waits for the remote provider: the person who types waits too.
pub const COMPLETE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a summary waits for the remote provider.
pub const SUMMARY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a remote provider that could not be reached, or has not answered in time, is left alone: nobody else waits for it in
/// vain meanwhile, and nothing piles up before it.
pub const REST: Duration = Duration::from_secs(10);

/// The longest base URL of an endpoint, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;

/// The longest name of a model, in bytes.
pub const MODEL_BYTES_MAX: usize = 256;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 8 * 1024;
