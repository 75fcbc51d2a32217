//! A room, without IO: what clients ask for is proposed, ordered, handed to the log, and folded into the room's state once
//! the log has it. Nothing in here awaits, locks, sleeps, reads a clock or touches a file.
//!
//! - [`state`]: the fold over the log; the only code that changes what a room durably is.
//! - [`text`]: the text, and what it is while nobody changes it.
//! - [`decided`]: the part of the fold that is not text: [`settings`], [`people`], [`versions`].
//! - [`comments`], [`chat`]: what is said in it; [`mentions`]: who is meant; [`who`]: whose it is.
//! - [`access`]: who may do what.
//! - [`propose`]: what may become an entry, transformed to where it will stand.
//! - [`window`]: recent entries, encoded once for all readers.
//! - [`readers`]: who follows the room, each a cursor on its log.
//! - [`presence`]: who is there and where; live, never logged.
//! - `pending`: what has its place in the order and is not durable yet.
//! - [`live`]: all of them together.

pub mod access;
pub mod chat;
pub mod comments;
pub mod decided;
pub mod limits;
pub mod live;
pub mod mentions;
mod pending;
pub mod people;
pub mod presence;
pub mod propose;
pub mod readers;
pub mod settings;
pub mod state;
pub mod text;
pub mod versions;
pub mod who;
pub mod window;

pub use access::{Ground, Principal};
pub use live::{Room, Submitted};
pub use readers::{Fed, Outlet, ReaderId};
pub use state::{FoldError, RoomState};
