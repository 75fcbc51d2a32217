//! A room, without IO: what clients ask for is proposed, ordered, handed to the log, and folded into the room's state once
//! the log has it. Nothing in here awaits, locks, sleeps, reads a clock or touches a file.
//!
//! - [`state`]: the fold over the log; the only code that changes what a room durably is.
//! - [`text`]: the text, and what it is while nobody changes it.
//! - [`decided`]: the part of the fold that is not text: [`settings`], [`people`], [`versions`].
//! - [`comments`], [`chat`]: what is said in it; [`mentions`]: who is meant; [`actor`]: who asks, and whose an entry is.
//! - [`access`]: which role may do what.
//! - [`open`]: an open room, all of the following together: [`submit`] puts what clients ask for in order, [`rebase`] moves it
//!   over the entries after its base, `pending` holds it until it is durable, [`commit`] folds it, [`feed`] and
//!   `feed_presence` bring it to the readers.
//! - [`window`]: recent entries, encoded once for all readers.
//! - [`readers`]: who follows the room, each a cursor on its log.
//! - [`presence`]: who is there and where; live, never logged.

pub mod access;
pub mod actor;
pub mod chat;
pub mod comments;
pub mod commit;
pub mod decided;
pub mod effects;
pub mod expiry;
pub mod feed;
mod feed_presence;
pub mod limits;
pub mod mentions;
pub mod open;
mod pending;
pub mod people;
pub mod presence;
pub mod readers;
pub mod rebase;
pub mod settings;
pub mod state;
pub mod submit;
mod talk;
pub mod text;
pub mod versions;
pub mod window;

pub use access::{AccessDefaults, Principal};
pub use effects::Effects;
pub use feed::{Join, not_found};
pub use open::OpenRoom;
pub use readers::{Fed, Outlet, ReaderId};
pub use state::{FoldError, RoomState};
pub use submit::{Submit, Submitted, Submitter};
