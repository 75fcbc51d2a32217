//! Bytes in, bytes out: TCP, WebSocket and HTTP.
//!
//! - [`outbox`]: what a connection is to be sent, bounded, written when the runtime thread parks.
//! - [`inbound`]: what came in, cut into messages.
//! - [`assets`]: the web editor, embedded.
//! - [`connection`]: the one task of each connection.
//! - [`listen`]: who is let in; [`http`]: the HTTP listener and the way to WebSocket; [`pages`]: which web pages may use them.

pub mod assets;
pub mod connection;
pub mod http;
pub mod inbound;
pub mod listen;
pub mod outbox;
pub mod pages;
