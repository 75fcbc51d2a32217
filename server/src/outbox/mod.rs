//! What a connection is to be sent, and when it is written: *flush on park*.
//!
//! Code that has something for a connection puts it into the connection's outbox, which puts the connection on the list of
//! dirty connections of this thread. The list is written when the thread is about to park, when it is long, and after each
//! batch of commits: one write per connection, however many frames it gathered. Under load, writes coalesce by themselves; an
//! idle server writes at once. No task is spawned or woken for a write. Only a socket that would block wakes the task of its
//! connection, which waits until the socket is writable.
//!
//! - [`connection`]: the buffer of a connection, flow control, the socket.
//! - [`flush`]: the list of dirty connections.

mod connection;
mod flush;

pub use connection::{Chores, Connection, Outbox, Standing};
pub use flush::{flush_dirty, flush_if_many, is_any_dirty};
