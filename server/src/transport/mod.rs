//! Bytes in, bytes out: TCP, and WebSocket after its HTTP handshake.
//!
//! - [`inbound`]: what came in, cut into messages.
//! - [`connection`]: the one task of each connection.
//! - [`listen`]: who is let in.

pub mod connection;
pub mod inbound;
pub mod listen;
