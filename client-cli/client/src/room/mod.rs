//! One client in one room.
//!
//! - [`Replica`]: the text, what is not acknowledged, and where the channel stands; without IO.
//! - [`Room`]: the handle that programs hold.
//! - [`Event`]: what happens in it.

mod company;
mod event;
mod handle;
mod length;
mod replica;

pub(crate) use company::{Company, Signal};
pub(crate) use event::events;
pub use event::{Event, Events};
pub(crate) use handle::{Bell, Seat};
pub use handle::{Check, Follower, Room};
pub(crate) use replica::{Answered, Replica};
