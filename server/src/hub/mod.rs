//! The rooms of a server, and what joins them to the log, the store and the connections. Here is where the pure room meets
//! locks and waiting.
//!
//! - [`cell`]: one open room behind its mutex, which is never held across an await or IO.
//! - [`rooms`]: which rooms there are; [`places`]: those that are open; [`unload`]: those that are let go of.
//! - [`card`]: what lists tell of a room that is not open.
//! - [`activity`]: who came and went, kept beside the log.
//! - [`projects`]: whose members' roles count in all of their rooms; [`grants`]: in those that are open, too.
//! - [`company`]: who is where.
//! - [`chat`]: the messages of rooms, in the store.
//! - [`history`]: a room's state at any revision, from the store.
//! - [`join`]: opening a room for a connection.
//! - [`import`]: making a room of the log of another.
//! - [`commits`]: what the log answers, brought to the rooms.
//! - [`pulse`]: the one timer by which presence is told.
//! - [`watch`]: lists of rooms that connections follow.
//! - [`removal`]: rooms that go, with all that is kept of them; [`expiry`]: those in which nothing happens.

pub mod activity;
pub mod card;
pub mod cell;
pub mod chat;
pub mod commits;
pub mod company;
pub mod due;
pub mod expiry;
pub mod grants;
pub mod history;
pub mod import;
pub mod join;
mod places;
pub mod projects;
pub mod pulse;
pub mod registry;
mod removal;
pub mod rooms;
mod unload;
pub mod watch;

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{error::ErrorCode, ids::Revision, message::Entry};

use self::cell::RoomCell;

use crate::{
    blocking::blocking,
    refusal::Refusal,
    store::{Store, StoreError},
};

/// Times that a submit on an old base is tried anew because the room went on while its history was read.
pub const HISTORY_TRIES: usize = 4;

/// Bytes of history that a submit on an old base is transformed over, at most.
const HISTORY_BYTES_MAX: usize = 16 * 1024 * 1024;

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

/// The entries between an old base and a room's head, to place a submit behind them.
pub async fn older_entries(
    store: &Arc<dyn Store>,
    cell: &Arc<RoomCell>,
    base: Revision,
) -> Result<Vec<Entry>, Refusal> {
    let (store, log, head) = (Arc::clone(store), cell.log_id(), cell.measure().0);
    let read = blocking(move || history::read_between(store.as_ref(), log, base, head, HISTORY_BYTES_MAX)).await?;
    let older: Vec<_> = read.into_iter().map(|(entry, _)| entry).collect();
    if older.last().is_some_and(|last| last.revision < head) {
        let words =
            format!("more than {HISTORY_BYTES_MAX} bytes came since revision {base}; join after it and transform");
        return Err(Refusal::new(ErrorCode::BaseTooOld, words));
    }
    Ok(older)
}
