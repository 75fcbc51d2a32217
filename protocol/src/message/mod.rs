//! What clients and servers say to each other. One set of types; [`codec`](crate::codec) and [`json`](crate::json) are
//! its two encodings. Variants are only ever appended: their order is the wire format.

mod client;
mod entry;
mod request;
mod server;

pub use self::{
    client::{ClientMessage, Hello},
    entry::{Command, Entry},
    request::{At, Completion, CompletionKind},
    server::{Durability, HttpAddress, ServerMessage, SnapshotInfo, Welcome},
};
