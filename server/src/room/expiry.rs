//! When a room that is set to expire does so.

use motet_protocol::{
    error::ErrorCode,
    ids::{RoomId, UnixMs},
    message::ServerMessage,
};

use super::open::OpenRoom;
use crate::refusal::Refusal;

/// How long before the end people are told: a tenth of the room's time to live, but at least this, in milliseconds.
const NOTICE_MIN_MS: u64 = 1_000;
/// See [`NOTICE_MIN_MS`]: at most this.
const NOTICE_MAX_MS: u64 = 60_000;

/// Whether a room has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It goes on.
    Stays,
    /// It has expired, and is closed.
    Expired,
}

/// When a room expires that nothing has happened in since `active_ms`, and from when on people are told.
pub fn times(ttl_s: u64, active_ms: UnixMs) -> (UnixMs, UnixMs) {
    let ttl_ms = ttl_s.saturating_mul(1_000);
    let end = active_ms.saturating_add(ttl_ms);
    (end, end.saturating_sub((ttl_ms / 10).clamp(NOTICE_MIN_MS, NOTICE_MAX_MS)))
}

/// Why a room that has expired is closed.
pub fn expired(room: &RoomId) -> Refusal {
    Refusal::new(
        ErrorCode::RoomExpired,
        format!("the room {room} has expired: nothing happened in it for as long as it is set to"),
    )
}

impl<K: Clone, A> OpenRoom<K, A> {
    /// Closes the room, called `id`, if nothing happened in it for `ttl_s` seconds (0 for never), and tells its readers once
    /// when that is near.
    pub fn handle_expiry(&mut self, id: &RoomId, ttl_s: u64, now: UnixMs) -> Expiry {
        let (end, notice) = times(ttl_s, self.active_ms);
        if ttl_s == 0 || now < notice || self.has_pending() || self.closed.is_some() {
            self.expiry_told = false;
            return Expiry::Stays;
        }
        if now >= end {
            self.close(&expired(id));
            return Expiry::Expired;
        }
        if !std::mem::replace(&mut self.expiry_told, true) {
            self.effects.messages.extend(self.readers.iter().map(|reader| {
                let channel = reader.cursor.channel;
                (reader.key.clone(), ServerMessage::Expiring { channel, expires_ms: end })
            }));
        }
        Expiry::Stays
    }
}
