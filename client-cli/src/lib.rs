//! Motet's client: a library that connects, reconnects and resumes, and the commands of `motet`.
//!
//! - [`client`]: a connection that comes back by itself, with questions and rooms on it. Start here.
//! - [`room`]: the replica of a room, its events.
//! - [`error`]: what can go wrong.
//! - [`connection`]: messages over TCP or WebSocket, after the handshake; [`address`]: where a server is.
//! - [`http`]: the HTTP API, and who is signed in.
//! - [`commands`]: what `motet` does.

pub mod address;
pub mod client;
pub mod commands;
pub mod connection;
pub mod error;
pub mod http;
pub mod room;
