//! What the HTTP API's handlers share.
//!
//! - [`problem`]: errors as RFC 9457 problem documents.
//! - [`body`]: JSON bodies, whose faults are problem documents too.
//! - [`params`]: the same for what stands in the path and the query.

pub mod body;
pub mod params;
pub mod problem;
