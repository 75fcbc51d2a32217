//! The command `motet`: a Motet server from a terminal and from scripts.
//!
//! - [`arguments`]: parses the command line and runs the command.
//! - `commands`: one file for each command; `load`: the load harness.
//! - `cli`: output, progress, failures, places in history: what several commands share.
//! - `trace`: recorded editing histories, which `motet replay` and the load harness type again.
//! - `http`: the HTTP API, and the file that keeps sign-ins.
//!
//! Programs use the library `motet-client` instead.

pub mod arguments;
mod cli;
mod commands;
mod http;
mod load;
mod trace;
