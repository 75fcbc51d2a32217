//! The tests of the command and of the library against a real server, in one executable that links once.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod harness;

mod accounts;
mod assist;
mod commands;
mod elsewhere;
mod foreign;
mod history;
mod library;
mod load;
mod presence;
mod put;
mod replay;
mod resume;
mod talk;
