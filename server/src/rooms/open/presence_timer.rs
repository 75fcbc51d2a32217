//! The one timer for presence: rooms with presence to tell are looked at together, at most once in [`PRESENCE_PAUSE_MS`]. While
//! there is no such room it sleeps.

use std::{sync::Arc, time::Duration};

use motet_protocol::limits::PRESENCE_PAUSE_MS;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::{RoomHandle, append_batch::flush_if_many};
use crate::{clock::now_ms, outbox::flush_dirty};

/// The rooms that have presence to tell with the next tick.
#[derive(Debug, Default)]
pub struct PresenceTimer {
    due: Mutex<Vec<Arc<RoomHandle>>>,
    wanted: Notify,
}

impl PresenceTimer {
    /// Schedules a presence broadcast for a room at the next tick. A room is to be given once until then.
    pub fn add(&self, room: Arc<RoomHandle>) {
        let mut due = self.due.lock();
        due.push(room);
        let first = due.len() == 1;
        drop(due);
        if first {
            self.wanted.notify_one();
        }
    }

    /// Ticks for as long as the server runs. What comes while all was quiet is told at once, what comes after that with the
    /// next tick.
    pub async fn run(self: Arc<Self>) {
        loop {
            self.wanted.notified().await;
            let due = std::mem::take(&mut *self.due.lock());
            for room in due {
                room.feed_presence(now_ms());
                flush_if_many();
                // A thousand rooms must not hold up everything else on this thread.
                tokio::task::yield_now().await;
            }
            flush_dirty();
            sleep(Duration::from_millis(PRESENCE_PAUSE_MS)).await;
        }
    }
}
