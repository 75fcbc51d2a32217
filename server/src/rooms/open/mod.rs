//! Rooms that are in memory. Here is where the pure room meets locks and waiting.
//!
//! - [`RoomHandle`]: an [`OpenRoom`](crate::room::OpenRoom) behind a mutex, which is never held across an await or IO; it
//!   applies what the room says is to be done.
//! - `submit`: submits that need something read from the log first, or that somebody waits for.
//! - [`append_batch`]: what a thread gathers for the log until it parks.
//! - [`commits`]: the log's answers, brought to the rooms; `follow`: entries of other servers.
//! - [`presence_timer`]: the one timer by which presence is told.
//! - [`chat_writer`]: messages on their way to the store; [`chat_pages`]: how they lie there, and are read.
//! - [`unload`]: rooms that leave memory, and what is stored of them first.

pub mod append_batch;
pub mod chat_pages;
pub mod chat_writer;
pub mod commits;
mod follow;
mod handle;
pub mod presence_timer;
mod submit;
pub mod unload;

pub use handle::{Joined, Listener, RoomHandle, RoomLog, Surroundings};
pub use submit::older_entries;
