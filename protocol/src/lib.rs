//! Everything that both ends of a Motet connection agree on.
//!
//! - [`ids`]: the words: rooms, sessions, participants, revisions.
//! - [`access`]: roles, and who can be given one.
//! - [`limits`]: every limit on the wire, in one place.
//! - [`ot`]: operations on text and how concurrent ones are transformed.
//! - [`client`]: the client's state machine, from a keystroke to an acknowledgement.
//! - [`room`], [`chat`], [`comment`], [`presence`]: what a room is besides its text.
//! - [`people`]: what a reader knows of who is in a room and where.
//! - [`message`]: what is said; [`codec`] and [`json`]: its two encodings.
//! - [`hash`]: how both ends check that they hold the same text.
//! - [`error`]: stable error codes.
//! - [`time`]: times as people write them.
//!
//! Nothing here opens a socket, reads a clock or touches a file: all input, the time included, comes in as arguments.

pub mod access;
pub mod chat;
pub mod client;
pub mod codec;
pub mod comment;
pub mod error;
pub mod hash;
pub mod ids;
pub mod json;
pub mod limits;
pub mod message;
#[cfg(feature = "openapi")]
mod openapi;
pub mod ot;
pub mod people;
pub mod presence;
pub mod room;
pub mod time;
