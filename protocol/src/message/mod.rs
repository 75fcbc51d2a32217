//! The messages of clients and servers. One set of types; [`codec`](crate::codec) and [`json`](crate::json) are its two
//! encodings. Variants are only ever appended: their order is the wire format.
//!
//! A message either belongs to the conversation of a connection (a variant of [`ClientMessage`] or [`ServerMessage`]), or it is a
//! [`Question`] or an [`Answer`] with the number of a request.

mod client;
mod entry;
pub(crate) mod flat;
mod request;
mod server;

pub use self::{
    client::{ClientMessage, Hello},
    entry::{Command, Entry},
    request::{Answer, At, Completion, CompletionKind, Question},
    server::{Durability, HttpAddress, ServerMessage, SnapshotInfo, Welcome},
};
