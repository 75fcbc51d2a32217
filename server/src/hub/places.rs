//! The rooms that are open, each in its place. Whoever opens a room or decides whether it goes holds its place meanwhile, and
//! all others who want the room wait for them: so nobody gets a room that has just been removed, and none is removed that
//! somebody has just opened.

use std::{collections::HashMap, sync::Arc};

use motet_protocol::ids::RoomId;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::rooms::open::RoomHandle;

/// The places of rooms that are open or being opened. It is locked for moments only.
#[derive(Debug, Default)]
pub(crate) struct Places {
    table: Mutex<HashMap<RoomId, Arc<Place>>>,
}

/// Where a room is when it is open.
#[derive(Debug, Default)]
struct Place {
    gate: Arc<tokio::sync::Mutex<()>>,
    cell: Mutex<Option<Arc<RoomHandle>>>,
}

/// A room's place, which nobody else holds until this is dropped.
pub(super) struct Held {
    places: Arc<Places>,
    id: RoomId,
    place: Arc<Place>,
    /// Dropped last, when an empty place is gone.
    _gate: OwnedMutexGuard<()>,
}

impl Places {
    /// Holds a room's place, once nobody else does.
    pub(super) async fn hold(self: &Arc<Self>, id: &RoomId) -> Held {
        loop {
            let place = Arc::clone(self.table.lock().entry(id.clone()).or_default());
            // Whoever waits, and may give up waiting, waits for somebody who takes an empty place out.
            let gate = match Arc::clone(&place.gate).try_lock_owned() {
                Ok(gate) => gate,
                Err(_) => Arc::clone(&place.gate).lock_owned().await,
            };
            // Places are taken out by those who hold them, so that this one stays if it still counts.
            if self.table.lock().get(id).is_some_and(|current| Arc::ptr_eq(current, &place)) {
                return Held { places: Arc::clone(self), id: id.clone(), place, _gate: gate };
            }
        }
    }

    /// A room, if it is open.
    pub(super) fn get(&self, id: &RoomId) -> Option<Arc<RoomHandle>> {
        self.table.lock().get(id).and_then(|place| place.cell.lock().clone())
    }

    /// All that are open.
    pub(super) fn all(&self) -> Vec<Arc<RoomHandle>> {
        self.table.lock().values().filter_map(|place| place.cell.lock().clone()).collect()
    }

    /// Lets go of a room if nobody else has it, or is about to, and `may` still says so. Returns whether it is gone.
    pub(crate) fn let_go(&self, cell: Arc<RoomHandle>, may: impl FnOnce(&RoomHandle) -> bool) -> bool {
        /// The place's and the one in hand: whoever else holds the room would be left with one that nobody else sees.
        const OWNERS: usize = 2;
        let mut table = self.table.lock();
        let Some(place) = table.get(&cell.id) else { return false };
        let alone = Arc::strong_count(place) == 1 && Arc::strong_count(&cell) == OWNERS;
        let same = place.cell.lock().as_ref().is_some_and(|current| Arc::ptr_eq(current, &cell));
        let goes = alone && same && may(&cell);
        if goes {
            table.remove(&cell.id);
            if table.capacity() > 64 && table.len() < table.capacity() / 4 {
                table.shrink_to_fit();
            }
        }
        goes
    }
}

impl Held {
    /// The room, if it is open.
    pub(super) fn cell(&self) -> Option<Arc<RoomHandle>> {
        self.place.cell.lock().clone()
    }

    /// Has the room open from here on.
    pub(super) fn put(&self, cell: Arc<RoomHandle>) {
        *self.place.cell.lock() = Some(cell);
    }

    /// Takes the room out, if it is open: nobody finds it from here on.
    pub(super) fn take(&self) -> Option<Arc<RoomHandle>> {
        self.place.cell.lock().take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever waits for it looks for another one.
        let mut table = self.places.table.lock();
        if self.place.cell.lock().is_none() {
            table.remove(&self.id);
        }
    }
}
