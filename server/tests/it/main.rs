//! The tests of the whole server, in one binary: the crate is linked once, however many tests there are.
//!
//! What runs here is the server in the test's own process ([`harness::Server`]) or the shipped `motetd` as a child
//! ([`harness::process::Process`]). A test that measures its own process, or that sets something for all of it, calls
//! [`alone::is_alone`] and runs in a process of its own. The simulator is a binary of its own, `tests/simulator`: long
//! runs of it are built with optimisation, and need nothing of this.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod alone;
mod auth_api;
mod harness;
mod store_disk;
mod store_writer;

mod api;
mod api_history;
mod api_hostile;
mod api_put;
mod assist;
mod auth;
mod auth_flood;
mod auth_http;
mod auth_logs;
mod boundaries;
mod browser;
mod crash;
mod crowd;
mod editing;
mod foreign_log;
mod hostile;
mod node_client;
mod pages;
mod presence;
mod projects;
mod removal;
mod rooms;
mod scale;
mod store_damage;
mod store_full_disk;
mod store_kill;
mod store_power_cut;
mod talk;
mod trouble;
