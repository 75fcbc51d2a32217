//! The tests of the protocol, in one binary.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod clients;
mod docs;
mod frames;
mod golden;
mod json;
mod kernel;
mod support;
