//! Motet's server: rooms of plain text that many edit at once, each a fold over its durable log.
//!
//! ```text
//! bytes ─ transport ─ session ─▶ hub ─▶ room ─▶ log ─▶ store
//!                                        │
//!           connections ◀── readers ◀────┘
//! ```
//! [`room`] and [`session`] are pure; [`store`] waits for the disk; [`transport`] for the network; [`hub`] and [`log`] join
//! them; [`run`] puts a server together. `main` only parses and calls it.

pub mod api;
pub mod assist;
pub mod auth;
pub mod blocking;
pub mod clock;
pub mod config;
pub mod context;
pub mod history;
pub mod http;
pub mod hub;
pub mod log;
pub mod metrics;
pub mod outbox;
pub mod refusal;
mod requests;
pub mod room;
pub mod rooms;
pub mod run;
mod server_id;
pub mod session;
pub mod store;
pub mod transport;
pub mod wire;
