//! Rooms that are set to expire: those in which nothing happens for as long are deleted whole. Who is there is told before.

use std::time::Duration;

use motet_protocol::{
    error::ErrorCode,
    ids::{RoomId, UnixMs},
};

use super::{blocking, card, cell::Expiry, now_ms, refusal_of, rooms::Rooms};
use crate::{room::Refusal, store::StoreError};

/// How often rooms that are open are looked at.
const TICK: Duration = Duration::from_millis(500);

/// How often, at least and at most, all others are: a quarter of the shortest time that one of them is set to.
const SCAN_MIN: Duration = Duration::from_secs(1);
/// See [`SCAN_MIN`].
const SCAN_MAX: Duration = Duration::from_secs(60);

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

/// Expires rooms, for ever. Of rooms that were used before the server started nobody knows how long somebody was there: for
/// them the time begins with the server.
pub async fn run(rooms: Rooms) {
    let started_ms = now_ms();
    let mut tick = tokio::time::interval(TICK);
    let mut scan_at = tokio::time::Instant::now();
    loop {
        tick.tick().await;
        for cell in rooms.open_rooms() {
            if cell.expire(rooms.ttl_of(&cell), now_ms()) == Expiry::Expired {
                rooms.forget(&cell.id, "open").await;
            }
        }
        if tokio::time::Instant::now() >= scan_at {
            let scanned = std::time::Instant::now();
            let shortest = scan(&rooms, started_ms).await;
            // Where there are very many rooms, looking at them all the time would be what the server does most.
            let pause = (shortest / 4).clamp(SCAN_MIN, SCAN_MAX).max(20 * scanned.elapsed());
            scan_at = tokio::time::Instant::now() + pause;
        }
    }
}

/// Looks at the rooms that are not open. Returns the shortest time that one of them is set to.
async fn scan(rooms: &Rooms, started_ms: UnixMs) -> Duration {
    let mut shortest = SCAN_MAX * 4;
    let mut after = None;
    loop {
        let (looking, from) = (rooms.clone(), after.clone());
        let page = blocking(move || look(&looking, from.as_ref(), started_ms)).await;
        let Ok(Ok((due, next, ttl_s))) = page else { return shortest };
        shortest = shortest.min(Duration::from_secs(ttl_s));
        for room in due {
            rooms.forget(&room, "closed").await;
        }
        match next {
            Some(next) => after = Some(next),
            None => return shortest,
        }
    }
}

type Page = (Vec<RoomId>, Option<RoomId>, u64);

fn look(rooms: &Rooms, after: Option<&RoomId>, started_ms: UnixMs) -> Result<Page, Refusal> {
    let page = rooms.registry().list(after, PAGE)?;
    let next = page.last().filter(|_| page.len() == PAGE).map(|(room, _)| room.clone());
    let (mut due, mut shortest, now) = (Vec::new(), u64::MAX, now_ms());
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
        shortest = shortest.min(ttl_s);
        let active_ms = card.changed_ms.max(card.active_ms).max(record.created_ms).max(started_ms);
        if times(ttl_s, active_ms).0 <= now {
            due.push(room);
        }
    }
    Ok((due, next, shortest))
}
