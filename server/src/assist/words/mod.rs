//! The words of a text: what a word is, an index of them that follows the text edit by edit, and how a room keeps one only
//! while somebody asks.

mod index;
mod room;
mod scan;

pub use index::WordIndex;
pub use room::RoomWords;
pub(super) use scan::{each_word, folded, is_word_part};
