//! Pages of a room's log.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::{Answer, Entry},
};

use super::answer::{Asked, page_size};
use crate::{
    blocking::blocking,
    hub::{history, rooms::Rooms},
    refusal::Refusal,
    rooms::open::RoomHandle,
};

/// Bytes of entries in one page: it stays well below a frame.
const PAGE_BYTES: usize = 128 * 1024;

pub(super) async fn read(asked: &Asked, room: &RoomId, from: Revision, limit: u32) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    let (entries, head) = log_page(&asked.context.rooms, &cell, from, page_size(limit)?).await?;
    Ok(Answer::Log { entries, head })
}

/// At most `limit` entries of a room's log from a revision on, fewer where they are large, and the newest committed revision.
pub(crate) async fn log_page(
    rooms: &Rooms,
    cell: &Arc<RoomHandle>,
    from: Revision,
    limit: usize,
) -> Result<(Vec<Entry>, Revision), Refusal> {
    let Some(after) = from.checked_sub(1) else {
        return Err(Refusal::new(ErrorCode::BadArgument, "revisions count from 1"));
    };
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.head());
    let read = blocking(move || {
        // The log may hold entries that are not committed yet; those are shown to no reader.
        let wanted = usize::try_from(head.saturating_sub(after)).unwrap_or(usize::MAX).min(limit);
        if wanted == 0 { Ok(Vec::new()) } else { history::read_after(store.as_ref(), log, after, wanted) }
    })
    .await?;
    let mut bytes = 0;
    let fits = |(_, encoded): &(Entry, Bytes)| {
        let first = bytes == 0;
        bytes += encoded.len();
        first || bytes <= PAGE_BYTES
    };
    Ok((read.into_iter().take_while(fits).map(|(entry, _)| entry).collect(), head))
}
