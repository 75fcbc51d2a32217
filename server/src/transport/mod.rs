//! Bytes in, bytes out: TCP, WebSocket and HTTP.
//!
//! - [`inbound`]: what came in, cut into messages.
//! - [`assets`]: the web editor, embedded.
//! - [`connection`]: the one task of each connection.
//! - [`listen`]: who is let in; [`http`]: the HTTP listener and the way to WebSocket; [`pages`]: which web pages may use them.

pub mod assets;
pub mod connection;
pub mod http;
pub mod inbound;
pub mod listen;
pub mod pages;
