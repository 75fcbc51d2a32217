//! Entries that other servers put into a room's log.

use std::sync::Arc;

use motet_protocol::error::ErrorCode;

use super::RoomHandle;
use crate::{
    blocking::blocking,
    hub::history,
    refusal::Refusal,
    store::{Head, Store},
};

/// Bytes of others' entries that are read and committed at once.
const CATCH_UP_BYTES: usize = 4 * 1024 * 1024;

/// Reads what others have put into a room's log, and orders what is pending anew behind it.
pub(super) async fn catch_up(store: Arc<dyn Store>, room: Arc<RoomHandle>, head: Head) {
    let (log, after) = (room.log_id(), room.head());
    if head.revision < after {
        // With `--durability none` or `os` a store may have lost what it had taken. What was pending was for a text that is no more.
        let words = format!("the log ends at revision {}, before {after}, which was committed", head.revision);
        tracing::error!(room = %room.id, "{words}; the room is closed, and opened again as the log has it");
        return room.give_up(&Refusal::new(ErrorCode::RoomDamaged, words));
    }
    let read = blocking(move || history::read_between(store.as_ref(), log, after, head.revision, CATCH_UP_BYTES)).await;
    match read {
        Ok(entries) => {
            // Where these are not all of them, the next append meets the rest.
            let reached = entries.last().map_or(after, |(entry, _)| entry.revision);
            let position = if reached == head.revision { head.position } else { 0 };
            room.conflict(entries, Head { revision: reached, position });
        }
        Err(refusal) => room.give_up(&refusal),
    }
}
