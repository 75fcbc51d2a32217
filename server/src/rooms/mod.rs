//! The rooms of a server: what joins pure rooms to locks, the log, the store and the connections.
//!
//! - [`open`]: rooms that are in memory.

pub mod open;
