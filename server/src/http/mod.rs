//! HTTP: one listener for the API, the web pages, health checks and WebSocket.
//!
//! - [`listener`]: accepts connections and puts the routes together.
//! - `assets`: the web editor, embedded; `health`: `/readyz` and `/metrics`; `upgrade`: the way to WebSocket.
//! - [`origin`]: which web pages may use the server.

mod assets;
mod health;
pub mod listener;
pub mod origin;
mod upgrade;
