//! Rooms that are set to expire: those in which nothing happens for as long are deleted whole. Who is there is told before.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use motet_protocol::ids::{RoomId, UnixMs};

use super::{card, registry::RoomRecord, rooms::Rooms};
use crate::{
    blocking::blocking,
    clock::now_ms,
    refusal::Refusal,
    room::expiry::{Expiry, expired, times},
    rooms::open::RoomHandle,
    store::StoreError,
};

/// How often rooms that are open are looked at.
const TICK: Duration = Duration::from_millis(500);

/// When all others are looked at again if the store did not answer, or one of them did not go, in milliseconds.
const RETRY_MS: u64 = 60_000;

/// Rooms that are looked at together.
const PAGE: usize = 256;

/// Expires rooms, for ever. Rooms that are open are looked at every [`TICK`]; all others when the first of them is due. Of rooms
/// that were used before the server started nobody knows how long somebody was there: for them the time begins with the
/// server.
pub async fn run(rooms: Rooms) {
    let started_ms = now_ms();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        for cell in rooms.open_rooms() {
            if cell.expire(rooms.ttl_of(&cell), now_ms()) == Expiry::Expired {
                let (record, expired) = (cell.record.clone(), Arc::clone(&cell));
                let goes =
                    move |open: Option<&Arc<RoomHandle>>| Ok(open.is_some_and(|open| Arc::ptr_eq(open, &expired)));
                rooms.forget(&cell.id, &record, "open", goes).await;
            }
        }
        if rooms.first_due_ms.load(Ordering::Relaxed) <= now_ms() {
            rooms.first_due_ms.store(UnixMs::MAX, Ordering::Relaxed);
            let next_ms = match scan(&rooms, started_ms).await {
                Ok(next_ms) => next_ms,
                Err(refusal) => {
                    tracing::warn!(%refusal, "rooms that may have expired could not be looked at");
                    now_ms() + RETRY_MS
                }
            };
            rooms.first_due_ms.fetch_min(next_ms, Ordering::Relaxed);
        }
    }
}

/// Looks at the rooms that are not open. Returns when the next of them is due.
async fn scan(rooms: &Rooms, started_ms: UnixMs) -> Result<UnixMs, Refusal> {
    let (mut first_ms, mut after) = (UnixMs::MAX, None);
    loop {
        let looking = rooms.clone();
        let (due, next, page_first_ms) = blocking(move || look(&looking, after.as_ref(), started_ms)).await?;
        first_ms = first_ms.min(page_first_ms);
        for (room, record) in due {
            // Those before it took their time: it may have been used since, and be open or another one.
            let (looking, name, going) = (rooms.clone(), room.clone(), record.clone());
            let goes = move |open: Option<&Arc<RoomHandle>>| match open {
                Some(_) => Ok(false),
                None => Ok(end_of(&looking, &name, &going, started_ms)?.is_some_and(|end_ms| end_ms <= now_ms())),
            };
            if !rooms.forget(&room, &record, "closed", goes).await {
                first_ms = first_ms.min(now_ms() + RETRY_MS);
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(first_ms),
        }
    }
}

/// Rooms that are due, where to go on, and when the next of these is due.
type Page = (Vec<(RoomId, RoomRecord)>, Option<RoomId>, UnixMs);

fn look(rooms: &Rooms, after: Option<&RoomId>, started_ms: UnixMs) -> Result<Page, Refusal> {
    let page = rooms.registry().list(after, PAGE)?;
    let next = page.last().filter(|_| page.len() == PAGE).map(|(room, _)| room.clone());
    let (mut due, mut first_ms, now) = (Vec::new(), UnixMs::MAX, now_ms());
    for (room, record) in page {
        if rooms.is_open(&room) {
            continue;
        }
        match end_of(rooms, &room, &record, started_ms)? {
            Some(end_ms) if end_ms <= now => due.push((room, record)),
            Some(end_ms) => first_ms = first_ms.min(end_ms),
            None => {}
        }
    }
    Ok((due, next, first_ms))
}

/// When a room that is not open expires, if it does.
fn end_of(rooms: &Rooms, room: &RoomId, record: &RoomRecord, started_ms: UnixMs) -> Result<Option<UnixMs>, Refusal> {
    let card = match card::read(rooms.store.as_ref(), room, record) {
        Ok(card) => card,
        // What cannot be read is not thrown away.
        Err(StoreError::Damaged { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let active_ms = card.changed_ms.max(card.active_ms).max(record.created_ms).max(started_ms);
    let ttl_s = rooms.ttl(&card.settings);
    Ok((ttl_s > 0).then(|| times(ttl_s, active_ms).0))
}

impl Rooms {
    /// Removes the room of a record, which has expired, if `goes` still says so. Returns whether it is gone.
    async fn forget(
        &self,
        id: &RoomId,
        record: &RoomRecord,
        what: &'static str,
        goes: impl FnOnce(Option<&Arc<RoomHandle>>) -> Result<bool, Refusal> + Send + 'static,
    ) -> bool {
        let removed = self.remove(id, record, expired(id), goes).await;
        match &removed {
            Ok(true) => tracing::info!(room = %id, what, "a room has expired"),
            Ok(false) => tracing::debug!(room = %id, what, "a room that had expired is used again"),
            Err(refusal) => tracing::warn!(room = %id, %refusal, "a room that has expired could not be removed"),
        }
        removed == Ok(true)
    }
}
