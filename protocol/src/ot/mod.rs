//! The operational-transformation kernel: operations on a text of Unicode scalar values, and transforming concurrent
//! ones so that all
//! sides reach the same text. It uses the crate `operational-transform`, which only `operation` names.

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
