//! A room at a place in its history.

use std::sync::Arc;

use motet_protocol::{ids::Revision, message::At};
use ropey::Rope;

use crate::{
    blocking::blocking,
    hub::{history, rooms::Rooms},
    refusal::Refusal,
    room::RoomState,
    rooms::open::RoomHandle,
};

/// The state of a room at a place in its history. Reads the store, unless it is the newest.
pub(crate) async fn state_at(rooms: &Rooms, cell: &Arc<RoomHandle>, at: At) -> Result<RoomState, Refusal> {
    if at == At::Head {
        return Ok(cell.state());
    }
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.head());
    blocking(move || {
        let revision = history::revision_at(store.as_ref(), log, at, head)?;
        Ok::<_, Refusal>(history::state_at(store.as_ref(), log, Some(revision))?.state)
    })
    .await
}

/// The text at a place in history, and its revision.
pub(crate) async fn text_at(rooms: &Rooms, cell: &Arc<RoomHandle>, at: At) -> Result<(Rope, Revision), Refusal> {
    if at == At::Head {
        return Ok(cell.text());
    }
    let state = state_at(rooms, cell, at).await?;
    Ok((state.text().rope(), state.revision()))
}
