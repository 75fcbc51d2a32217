//! The operational-transformation kernel: operations on a text of Unicode scalar values, and what makes concurrent ones
//! meet. The crate `operational-transform` does the transforming; only `operation` names it.

mod compact;
mod compose;
mod diff;
mod json;
mod operation;
pub mod position;
mod rebase;
mod rope;
mod split;

pub use operation::{Builder, Component, Mismatch, Operation, OperationError};
pub use position::{Scalar, Shift};
pub use rebase::Rebase;
