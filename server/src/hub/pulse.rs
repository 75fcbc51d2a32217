//! The one timer for presence: rooms in which somebody is to be told something are looked at together, at most once in
//! [`PRESENCE_PAUSE_MS`]. While there is none it sleeps.

use std::{sync::Arc, time::Duration};

use motet_protocol::limits::PRESENCE_PAUSE_MS;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::cell::RoomCell;
use crate::{
    clock::now_ms,
    transport::outbox::{flush_dirty, flush_if_many},
};

/// Rooms with news.
#[derive(Debug, Default)]
pub struct Pulse {
    due: Mutex<Vec<Arc<RoomCell>>>,
    wanted: Notify,
}

impl Pulse {
    /// Has a room looked at with the next beat. A room is to be given once until then.
    pub fn add(&self, cell: Arc<RoomCell>) {
        let mut due = self.due.lock();
        due.push(cell);
        let first = due.len() == 1;
        drop(due);
        if first {
            self.wanted.notify_one();
        }
    }

    /// Beats for as long as the server runs. What comes while all was quiet is told at once, what comes after that with the
    /// next beat.
    pub async fn beat(self: Arc<Self>) {
        loop {
            self.wanted.notified().await;
            let due = std::mem::take(&mut *self.due.lock());
            for cell in due {
                cell.tell_news(now_ms());
                flush_if_many();
                // A thousand rooms must not hold up everything else on this thread.
                tokio::task::yield_now().await;
            }
            flush_dirty();
            sleep(Duration::from_millis(PRESENCE_PAUSE_MS)).await;
        }
    }
}
