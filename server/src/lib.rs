//! Motet's server.
pub mod store;
