//! A client: one connection that comes back by itself, with questions and rooms on it.
//!
//! [`Client`] is a cheap handle to one task that owns the socket (as in async-nats). The task alone reads and writes; the
//! handles put orders in its bounded queue, and edits into the replica that they share with it.

mod backoff;
mod handle;
mod request;
mod task;

pub use backoff::Backoff;
pub use handle::{ChatPart, Client, Options, Summary, Text, TokenSource};
