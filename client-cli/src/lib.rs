//! Motet's client.
//!
//! - [`address`]: where a server is.
//! - [`commands`]: what `motet` does.
//! - [`connection`]: messages over TCP or WebSocket, after the handshake.

pub mod address;
pub mod commands;
pub mod connection;
