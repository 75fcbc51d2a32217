//! The rooms of a server, and what joins them to the log, the store and the connections. Here is where the pure room meets
//! locks and waiting.
//!
//! - [`cell`]: one open room behind its mutex, which is never held across an await or IO.
//! - [`rooms`]: which rooms there are, and which are open.
//! - [`history`]: a room's state at any revision, from the store.
//! - [`commits`]: what the log answers, brought to the rooms.
//! - [`answers`]: questions that take looking up.

pub mod answers;
pub mod cell;
pub mod commits;
pub mod history;
pub mod registry;
pub mod rooms;

use motet_protocol::{error::ErrorCode, ids::UnixMs};

use crate::{
    room::{Refusal, limits::RETRY_AFTER_MS},
    store::StoreError,
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

/// Runs something that waits for the disk, away from the runtime's threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::new(ErrorCode::Internal, "the server failed at this; its log says where"))
}
