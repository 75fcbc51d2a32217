//! Rooms that are set to expire: those in which nothing happens for as long are deleted whole. Who is there is told before.

use std::{sync::atomic::Ordering, time::Duration};

use motet_protocol::{
    error::ErrorCode,
    ids::{RoomId, UnixMs},
};

use super::{blocking, card, cell::Expiry, now_ms, refusal_of, rooms::Rooms};
use crate::{room::Refusal, store::StoreError};

/// How often rooms that are open are looked at.
const TICK: Duration = Duration::from_millis(500);

/// When all others are looked at again if the store did not answer.
const RETRY: Duration = Duration::from_secs(60);

/// Rooms that are looked at together.
const PAGE: usize = 256;

/// How long before the end people are told: a tenth of the room's time, but at least and at most so long.
const NOTICE_MIN_MS: u64 = 1_000;
/// See [`NOTICE_MIN_MS`].
const NOTICE_MAX_MS: u64 = 60_000;

/// When a room that expires after so many seconds does so, and from when on people are told.
pub fn times(ttl_s: u64, active_ms: UnixMs) -> (UnixMs, UnixMs) {
    let ttl_ms = ttl_s.saturating_mul(1_000);
    let end = active_ms.saturating_add(ttl_ms);
    (end, end.saturating_sub((ttl_ms / 10).clamp(NOTICE_MIN_MS, NOTICE_MAX_MS)))
}

/// What people hear whose room has expired.
pub fn expired(room: &RoomId) -> Refusal {
    Refusal::new(
        ErrorCode::RoomExpired,
        format!("the room {room} has expired: nothing happened in it for as long as it is set to"),
    )
}

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
                rooms.forget(&cell.id, "open").await;
            }
        }
        if rooms.first_due_ms.load(Ordering::Relaxed) <= now_ms() {
            rooms.first_due_ms.store(UnixMs::MAX, Ordering::Relaxed);
            let next_ms = match scan(&rooms, started_ms).await {
                Ok(next_ms) => next_ms,
                Err(refusal) => {
                    tracing::warn!(%refusal, "rooms that may have expired could not be looked at");
                    now_ms() + RETRY.as_secs() * 1_000
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
        let (due, next, page_first_ms) = blocking(move || look(&looking, after.as_ref(), started_ms)).await??;
        first_ms = first_ms.min(page_first_ms);
        for room in due {
            rooms.forget(&room, "closed").await;
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(first_ms),
        }
    }
}

/// Rooms that are due, where to go on, and when the next of these is due.
type Page = (Vec<RoomId>, Option<RoomId>, UnixMs);

fn look(rooms: &Rooms, after: Option<&RoomId>, started_ms: UnixMs) -> Result<Page, Refusal> {
    let page = rooms.registry().list(after, PAGE)?;
    let next = page.last().filter(|_| page.len() == PAGE).map(|(room, _)| room.clone());
    let (mut due, mut first_ms, now) = (Vec::new(), UnixMs::MAX, now_ms());
    for (room, record) in page {
        if rooms.is_open(&room) {
            continue;
        }
        let card = match card::read(rooms.store.as_ref(), &room, record.log()) {
            Ok(card) => card,
            // What cannot be read is not thrown away.
            Err(StoreError::Damaged { .. }) => continue,
            Err(error) => return Err(refusal_of(&error)),
        };
        let ttl_s = rooms.ttl(&card.settings);
        if ttl_s == 0 {
            continue;
        }
        let active_ms = card.changed_ms.max(card.active_ms).max(record.created_ms).max(started_ms);
        let (end_ms, _) = times(ttl_s, active_ms);
        if end_ms <= now {
            due.push(room);
        } else {
            first_ms = first_ms.min(end_ms);
        }
    }
    Ok((due, next, first_ms))
}
