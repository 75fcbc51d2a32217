//! Subscriptions to the list of rooms. Their later answers come from `hub::watch`.

use motet_protocol::{limits::PAGE_MAX, message::Answer, room::RoomFilter};

use super::Asked;
use crate::refusal::Refusal;

/// Begins a subscription. Its answer is the first page of the list.
pub(super) async fn begin(asked: &Asked, filter: RoomFilter) -> Result<Answer, Refusal> {
    let (rooms, Asked { caller, connection, request, .. }) = (&asked.context.rooms, asked);
    // Before the list is read, so that no change falls between.
    rooms.watches.add(connection, *request, caller, filter.clone())?;
    match rooms.list(caller, filter, None, PAGE_MAX as usize).await {
        Ok((found, next)) => {
            rooms.watches.told(connection, *request, found.iter().map(|room| room.room.clone()));
            Ok(Answer::Rooms { rooms: found, next })
        }
        Err(refusal) => {
            rooms.watches.remove(connection, *request);
            Err(refusal)
        }
    }
}

/// Ends the subscription of this number.
pub(super) fn end(asked: &Asked) {
    asked.context.rooms.watches.remove(&asked.connection, asked.request);
}
