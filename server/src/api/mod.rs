//! The HTTP API: what stands below `/api`, its OpenAPI document, and the page at `/docs` that shows it. docs/http.md says
//! what people see of it.
//!
//! One file for each resource:
//! - [`rooms`], [`projects`]: which there are, and what is set in them.
//! - [`text`]: reading and writing it; [`log`], [`versions`], [`compare`], [`blame`], [`statistics`]: its history.
//! - [`people`], [`roles`], [`links`], [`activity`]: who is there, who may do what, what happened.
//! - [`talk`]: the chat and the comments. [`auth`]: accounts, sessions and tokens.
//! - [`transfer`]: rooms as files; [`server`]: the server itself.
//!
//! What they share:
//! - [`problem`]: errors as RFC 9457 problem documents; [`limits`]: every limit, with its reason.
//! - [`caller`]: the token of a request and whose it is; [`who`]: that, with the session of what the request appends.
//! - [`repeats`]: requests that are sent twice.
//! - [`params`], [`body`], [`at`], [`etag`]: what stands in a request; [`streamed`]: answers of unbounded size.
//! - [`sums`]: statistics that were asked for lately.
//! - [`entry`]: from a request to a room and to its log.
//! - [`router`]: all of it together. [`document`]: the OpenAPI document; [`page`]: who shows it.

pub mod activity;
pub mod at;
pub mod auth;
pub mod blame;
pub mod body;
pub mod caller;
pub mod compare;
pub mod document;
pub mod entry;
pub mod etag;
pub mod limits;
pub mod links;
pub mod log;
pub mod page;
pub mod params;
pub mod people;
pub mod problem;
pub mod projects;
pub mod repeats;
pub mod roles;
pub mod rooms;
pub mod router;
pub mod server;
pub mod statistics;
pub mod streamed;
pub mod sums;
pub mod talk;
pub mod text;
pub mod transfer;
pub mod versions;
pub mod who;

pub use self::router::{Api, nothing_here, router, wrong_method};
