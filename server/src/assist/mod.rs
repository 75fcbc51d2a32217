//! What helps people write: completion, and a summary of what happened in a room.
//!
//! ```text
//!  text, entries ─▶ words ──────┐                       ┌─▶ builtin: at once, nothing leaves the server
//!  position, languages ─▶ complete ─┬─▶ provider::Assist ┤
//!  entries, chat, comments ─▶ summary ┘                  └─▶ remote: an OpenAI-compatible endpoint, when configured
//! ```
//! - [`words`]: the words of a text, kept with it edit by edit. Pure.
//! - [`languages`]: the languages that a room can be in: names, file extensions, keywords, snippets. Pure.
//! - [`complete`]: what may come at a position, best first. Pure.
//! - [`summary`]: what happened in a span of a room's log. Pure.
//! - [`provider`]: who answers: the built-in functions above, or an HTTP endpoint first and they when it fails. The only part
//!   that waits.
//! - [`limits`]: every limit of the above, with its reason.

pub mod complete;
pub mod languages;
pub mod limits;
pub mod provider;
mod quote;
pub mod summary;
pub mod words;
