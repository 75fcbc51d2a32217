//! What the HTTP API's handlers share.
//!
//! - [`problem`]: errors as RFC 9457 problem documents.
//! - [`body`]: JSON bodies, whose faults are problem documents too.

pub mod body;
pub mod problem;
