//! Bytes in, bytes out: TCP, and WebSocket after its HTTP handshake.
//!
//! - [`outbox`]: what a connection is to be sent, bounded, written when the runtime thread parks.
//! - [`inbound`]: what came in, cut into messages.
//! - [`connection`]: the one task of each connection.
//! - [`listen`]: who is let in.

pub mod connection;
pub mod inbound;
pub mod listen;
pub mod outbox;
