//! Rooms in which nothing happens are let go of. What lists and statistics tell of them, and a snapshot where opening them
//! again would take long, is written down first: many rooms at a time, on a thread that may wait for the disk.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use motet_protocol::ids::UnixMs;

use super::RoomHandle;
use crate::{
    blocking::offload,
    clock::now_ms,
    hub::{activity, card, rooms::Rooms},
    room::{RoomState, expiry, limits::UNLOAD_REPLAY_MAX, open::Unload},
    store::{Store, StoredSnapshot},
};

/// Rooms that are written down in one go.
const BATCH: usize = 64;

/// Rooms in which nobody is that stay open for who comes back. Where there are more, those go first in which nothing happened
/// for longest, however short that is.
const EMPTY_ROOMS_MAX: usize = 256;

/// How often the events of a room that is in use are kept, in milliseconds: who came and went since may be lost in a crash.
const ACTIVITY_KEPT_EVERY_MS: u64 = 60_000;

impl Rooms {
    /// Lets go of rooms in which nothing happened for a while.
    pub async fn unload_idle(&self, idle_for: Duration) {
        let since_ms = now_ms().saturating_sub(u64::try_from(idle_for.as_millis()).unwrap_or(u64::MAX));
        let mut open = self.open_rooms();
        let since_ms = since_ms.max(crowded_since(&open));
        while !open.is_empty() {
            let batch = open.split_off(open.len().saturating_sub(BATCH));
            let store = Arc::clone(&self.store);
            let idle = move || {
                let mut idle = batch;
                idle.retain(|cell| may_go(store.as_ref(), cell, since_ms));
                idle
            };
            for cell in offload(idle).await.unwrap_or_default() {
                self.unload(cell, since_ms);
            }
        }
    }

    fn unload(&self, cell: Arc<RoomHandle>, since_ms: UnixMs) {
        let (ttl_s, active_ms) = (self.ttl_of(&cell), cell.active_ms());
        if self.places.let_go(cell, |cell| matches!(cell.take_unload(since_ms), Unload::Ready)) {
            if ttl_s > 0 {
                self.first_due_ms.fetch_min(expiry::times(ttl_s, active_ms).0, Ordering::Relaxed);
            }
            self.metrics.rooms_open.dec();
        }
    }

    /// Writes down what there is of the rooms that are open, for a server that ends: opening them again is quick.
    pub async fn snapshot_all(&self) {
        let (store, open) = (Arc::clone(&self.store), self.open_rooms());
        let keep = move || {
            for cell in open {
                keep_beside(store.as_ref(), &cell);
                if let Some(state) = cell.take_snapshot(UNLOAD_REPLAY_MAX) {
                    store_snapshot(store.as_ref(), &cell, &state);
                }
            }
        };
        let _ = offload(keep).await;
    }
}

/// Since when something must have happened in a room in which nobody is, for it to stay open; 0 where all may.
fn crowded_since(open: &[Arc<RoomHandle>]) -> UnixMs {
    let mut active: Vec<_> = open.iter().filter(|cell| cell.present() == 0).map(|cell| cell.active_ms()).collect();
    let Some(most) = active.len().checked_sub(EMPTY_ROOMS_MAX + 1) else { return 0 };
    *active.select_nth_unstable(most).1
}

/// Whether a room may be let go of, with all written down that is to be.
fn may_go(store: &dyn Store, cell: &RoomHandle, since_ms: UnixMs) -> bool {
    if let Some(events) = cell.take_due_activity(now_ms(), ACTIVITY_KEPT_EVERY_MS) {
        cell.beside(|| activity::keep(store, cell.log_id(), &events));
    }
    let ready = match cell.take_unload(since_ms) {
        Unload::Busy => false,
        Unload::Ready => true,
        Unload::Snapshot(state) => store_snapshot(store, cell, &state),
    };
    if ready {
        keep_beside(store, cell);
    }
    ready
}

/// What is told of a room without opening it.
fn keep_beside(store: &dyn Store, cell: &RoomHandle) {
    cell.beside(|| {
        card::keep(store, cell.log_id(), &cell.state(), cell.active_ms());
        if let Some(events) = cell.take_due_activity(now_ms(), 0) {
            activity::keep(store, cell.log_id(), &events);
        }
    });
}

/// Stores a snapshot without holding anything up. Should it fail, the next one is taken later; nothing depends on it.
pub(super) fn snapshot_soon(store: Arc<dyn Store>, room: &Arc<RoomHandle>, state: Box<RoomState>) {
    let room = Arc::clone(room);
    tokio::task::spawn_blocking(move || store_snapshot(store.as_ref(), &room, &state));
}

/// Stores a snapshot, unless the room is being removed. Waits for the disk. Says whether it is stored.
fn store_snapshot(store: &dyn Store, room: &RoomHandle, state: &RoomState) -> bool {
    room.beside(|| put_snapshot(store, room, state)).unwrap_or(false)
}

fn put_snapshot(store: &dyn Store, room: &RoomHandle, state: &RoomState) -> bool {
    let started = now_ms();
    let snapshot = StoredSnapshot { revision: state.revision(), state: state.encode() };
    match store.put_snapshot(room.log_id(), &snapshot) {
        Ok(()) => {
            let (revision, bytes, took_ms) =
                (snapshot.revision, snapshot.state.len(), now_ms().saturating_sub(started));
            tracing::debug!(room = %room.id, revision, bytes, took_ms, "snapshot");
            true
        }
        Err(error) => {
            tracing::warn!(room = %room.id, %error, "a snapshot could not be stored; opening the room takes longer");
            false
        }
    }
}
