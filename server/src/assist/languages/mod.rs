//! The languages that a room can be in, and what is known of each. Their data stands in `data/`, one file a language.

mod data;
mod language;

pub use data::{Snippet, Vocabulary};
pub use language::{Language, UnknownLanguage};
