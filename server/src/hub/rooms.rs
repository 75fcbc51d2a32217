//! Which rooms are open. A room is read from the store when it is first asked for, and let go of when it is idle.

use std::{collections::HashMap, sync::Arc, time::Duration};

use motet_protocol::{error::ErrorCode, ids::RoomId, message::RoomInfo};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    blocking,
    cell::{Idle, RoomCell, RoomLog},
    commits::store_snapshot,
    history, now_ms, refusal_of,
    registry::{Registry, RoomRecord},
};
use crate::{
    metrics::Metrics,
    room::{Refusal, Room, limits::RoomLimits},
    store::Store,
};

/// A room that is open or being opened: whoever asks meanwhile waits for the same.
type Slot = Arc<OnceCell<Arc<RoomCell>>>;

/// The rooms of a server.
#[derive(Clone)]
pub struct Rooms {
    table: Arc<Mutex<HashMap<RoomId, Slot>>>,
    /// The store.
    pub store: Arc<dyn Store>,
    registry: Registry,
    log: RoomLog,
    limits: RoomLimits,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("open", &self.table.lock().len()).finish_non_exhaustive()
    }
}

impl Rooms {
    /// The rooms in a store, none of them open.
    pub fn new(store: Arc<dyn Store>, log: RoomLog, limits: RoomLimits, metrics: Arc<Metrics>) -> Self {
        let registry = Registry::new(Arc::clone(&store));
        Self { table: Arc::default(), store, registry, log, limits, metrics }
    }

    /// A room, opened if it is not.
    pub async fn open(&self, id: &RoomId) -> Result<Arc<RoomCell>, Refusal> {
        loop {
            let slot = Arc::clone(self.table.lock().entry(id.clone()).or_default());
            let opened = slot.get_or_try_init(|| self.load(id)).await.cloned();
            let mut table = self.table.lock();
            let current = table.get(id).is_some_and(|current| Arc::ptr_eq(current, &slot));
            match opened {
                // A room that was deleted while it was being read is looked for anew.
                Ok(_) if !current => continue,
                Ok(cell) => return Ok(cell),
                Err(refusal) => {
                    if current && slot.get().is_none() {
                        table.remove(id);
                    }
                    return Err(refusal);
                }
            }
        }
    }

    async fn load(&self, id: &RoomId) -> Result<Arc<RoomCell>, Refusal> {
        let (rooms, name) = (self.clone(), id.clone());
        let (record, recovered, head) = blocking(move || {
            let record = rooms.registry.get(&name)?;
            let recover = || {
                let recovered = history::state_at(rooms.store.as_ref(), record.log(), None)?;
                Ok((recovered, rooms.store.head(record.log())?))
            };
            let (recovered, head) = recover().map_err(|error: crate::store::StoreError| {
                tracing::error!(room = %name, %error, "a room cannot be opened");
                refusal_of(&error)
            })?;
            Ok::<_, Refusal>((record, recovered, head))
        })
        .await??;
        let room = Room::new(recovered.state, recovered.snapshot_revision, self.limits);
        self.metrics.rooms_open.inc();
        Ok(RoomCell::new(id.clone(), record, room, head, self.log.clone(), Arc::clone(&self.metrics)))
    }

    /// Makes a room.
    pub async fn create(&self, id: Option<RoomId>) -> Result<RoomInfo, Refusal> {
        let id = id.unwrap_or_else(|| RoomId::from_uuid(Uuid::new_v4()));
        let (registry, name) = (self.registry.clone(), id.clone());
        let record = blocking(move || registry.create(&name, now_ms())).await??;
        Ok(RoomInfo { room: id, created_ms: record.created_ms, head: 0, present: 0, text_bytes: Some(0) })
    }

    /// Deletes a room with its history. Who has it open is told.
    pub async fn delete(&self, id: &RoomId) -> Result<(), Refusal> {
        let (registry, name) = (self.registry.clone(), id.clone());
        let record = blocking(move || {
            let record = registry.get(&name)?;
            registry.begin_removal(&name, record).map_err(|error| refusal_of(&error))?;
            Ok::<_, Refusal>(record)
        })
        .await??;
        let slot = self.table.lock().remove(id);
        if let Some(cell) = slot.as_ref().and_then(|slot| slot.get()) {
            self.metrics.rooms_open.dec();
            cell.close(&Refusal::new(ErrorCode::RoomDeleted, format!("the room {id} was deleted")));
            while cell.has_pending() {
                // What is on its way to the log must not come after the log is gone.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let (registry, name) = (self.registry.clone(), id.clone());
        blocking(move || registry.finish_removal(&name, record)).await?.map_err(|error| refusal_of(&error))
    }

    /// What is known of a room.
    pub async fn show(&self, id: &RoomId) -> Result<RoomInfo, Refusal> {
        let cell = self.open(id).await?;
        let (head, present, text_bytes) = cell.measure();
        let created_ms = cell.record.created_ms;
        Ok(RoomInfo { room: id.clone(), created_ms, head, present, text_bytes: Some(text_bytes) })
    }

    /// At most `limit` rooms whose names come after `after`, by name.
    pub async fn list(&self, after: Option<RoomId>, limit: usize) -> Result<Vec<RoomInfo>, Refusal> {
        let rooms = self.clone();
        blocking(move || {
            let found = rooms.registry.list(after.as_ref(), limit)?;
            found.into_iter().map(|(id, record)| rooms.info(id, record)).collect()
        })
        .await?
    }

    fn info(&self, id: RoomId, record: RoomRecord) -> Result<RoomInfo, Refusal> {
        let open = self.table.lock().get(&id).and_then(|slot| slot.get().cloned());
        let (head, present) = match open {
            Some(cell) => {
                let (head, present, _) = cell.measure();
                (head, present)
            }
            None => (self.store.head(record.log()).map_err(|error| refusal_of(&error))?.revision, 0),
        };
        Ok(RoomInfo { room: id, created_ms: record.created_ms, head, present, text_bytes: None })
    }

    /// The open rooms.
    pub fn open_rooms(&self) -> Vec<Arc<RoomCell>> {
        self.table.lock().values().filter_map(|slot| slot.get().cloned()).collect()
    }

    /// Lets go of rooms in which nothing happened for a while.
    pub async fn unload_idle(&self, idle_for: Duration) {
        let since_ms = now_ms().saturating_sub(u64::try_from(idle_for.as_millis()).unwrap_or(u64::MAX));
        for cell in self.open_rooms() {
            match cell.idle(since_ms) {
                Idle::Busy => continue,
                Idle::Unload => {}
                Idle::Snapshot(state) => {
                    let (store, of) = (Arc::clone(&self.store), Arc::clone(&cell));
                    if !blocking(move || store_snapshot(store.as_ref(), &of, &state)).await.unwrap_or(false) {
                        continue;
                    }
                }
            }
            self.unload(cell, since_ms);
        }
    }

    fn unload(&self, cell: Arc<RoomCell>, since_ms: u64) {
        /// The table's and the one in hand: whoever else holds the room would be left with one that nobody else sees.
        const OWNERS: usize = 2;
        let mut table = self.table.lock();
        let Some(slot) = table.get(&cell.id) else { return };
        let alone = Arc::strong_count(slot) == 1 && Arc::strong_count(&cell) == OWNERS;
        let same = slot.get().is_some_and(|current| Arc::ptr_eq(current, &cell));
        if alone && same && matches!(cell.idle(since_ms), Idle::Unload) {
            table.remove(&cell.id);
            if table.capacity() > 64 && table.len() < table.capacity() / 4 {
                table.shrink_to_fit();
            }
            self.metrics.rooms_open.dec();
        }
    }

    /// Waits until everything that was ordered is durable, or until the time is up: `false`.
    pub async fn settle(&self, at_most: Duration) -> bool {
        let all_durable = async {
            while self.open_rooms().iter().any(|cell| cell.has_pending()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(at_most, all_durable).await.is_ok()
    }

    /// Stores snapshots of the rooms that are open: opening them again is quick.
    pub async fn snapshot_all(&self) {
        for cell in self.open_rooms() {
            if let Some(state) = cell.take_snapshot() {
                let (store, of) = (Arc::clone(&self.store), Arc::clone(&cell));
                let _ = blocking(move || store_snapshot(store.as_ref(), &of, &state)).await;
            }
        }
    }

    /// Finishes removals that a crash cut off.
    pub async fn finish_removals(&self) -> Result<usize, Refusal> {
        let registry = self.registry.clone();
        blocking(move || registry.finish_removals()).await?.map_err(|error| refusal_of(&error))
    }
}
