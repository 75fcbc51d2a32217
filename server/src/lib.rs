//! Motet's server.
pub mod room;
pub mod session;
pub mod store;
