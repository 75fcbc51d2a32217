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
use motet_protocol::{error::ErrorCode, ids::UnixMs};

use crate::{
    room::{Refusal, limits::RETRY_AFTER_MS},
    store::{Store, StoreError},
};

/// The time of the wall clock, in milliseconds since 1970.
pub fn now_ms() -> UnixMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What a client hears of trouble in the store.
pub fn refusal_of(error: &StoreError) -> Refusal {
    match error {
        StoreError::Damaged { revision, what, .. } => Refusal::new(
            ErrorCode::RoomDamaged,
            format!(
                "the room's log is damaged at revision {revision} ({what}); its operator can restore it from a copy"
            ),
        ),
        StoreError::DamagedValue { what, .. } => {
            Refusal::new(ErrorCode::RoomDamaged, format!("what the server keeps of the room is damaged ({what})"))
        }
        StoreError::Full => Refusal::for_now(
            ErrorCode::StorageFull,
            "the server's disk is full; rooms can be read, edits are taken again when there is space",
            RETRY_AFTER_MS,
        ),
        StoreError::Engine { .. } | StoreError::Format { .. } | StoreError::InUse => Refusal::for_now(
            ErrorCode::StorageUnavailable,
            "the server's storage does not work for now; its log says why",
            RETRY_AFTER_MS,
        ),
    }
}

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

/// Runs something that waits for the disk, away from the runtime's threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::new(ErrorCode::Internal, "the server failed at this; its log says where"))
}
