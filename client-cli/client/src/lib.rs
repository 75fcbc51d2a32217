//! Motet's client library: a connection that reconnects and resumes by itself, and replicas of rooms on it.
//!
//! - [`client`]: the connection, with questions and rooms on it. Start here.
//! - [`room`]: the replica of a room, and its events.
//! - [`error`]: the errors of this library.
//! - [`connection`]: one connection over TCP or WebSocket, after the handshake; [`address`]: the address of a server.

pub mod address;
pub mod client;
pub mod connection;
pub mod error;
pub mod room;
