//! The rooms of a server, and what joins them to the log, the store and the connections. Here is where the pure room meets
//! locks and waiting.
//!
//! - [`rooms`]: which rooms there are; [`places`]: those that are open.
//! - [`card`]: what lists tell of a room that is not open.
//! - [`activity`]: who came and went, kept beside the log.
//! - [`projects`]: whose members' roles count in all of their rooms; [`grants`]: in those that are open, too.
//! - [`company`]: who is where.
//! - [`history`]: a room's state at any revision, from the store.
//! - [`join`]: opening a room for a connection.
//! - [`import`]: making a room of the log of another.
//! - [`watch`]: lists of rooms that connections follow.
//! - [`removal`]: rooms that go, with all that is kept of them; [`expiry`]: those in which nothing happens.

pub mod activity;
pub mod card;
pub mod company;
pub mod expiry;
pub mod grants;
pub mod history;
pub mod import;
pub mod join;
mod places;
pub mod projects;
pub mod registry;
mod removal;
pub mod rooms;
pub mod watch;

use bytes::Bytes;

use crate::store::{Store, StoreError};

/// A value that is kept as a hint and can be made anew: one that is damaged is thrown away. Its key is the beginning of no
/// other. Waits for the disk.
fn hint(store: &dyn Store, key: &str) -> Option<Bytes> {
    let kept = store.get(key);
    if let Err(error @ StoreError::DamagedValue { .. }) = &kept {
        tracing::warn!(%error, "it is thrown away and made anew");
        if let Err(error) = store.remove_pairs(key) {
            tracing::warn!(key, %error, "it could not be thrown away");
        }
    }
    kept.ok().flatten()
}
