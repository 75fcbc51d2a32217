//! Rooms that go: a host deletes them, or they expire. With a room goes all that is kept of it: its log, its chat, what lists
//! tell of it, and the links to it, which are not to lead to another room of the same name.
//!
//! ```text
//! decide   purge/<log> is set, the links and room/<name> are removed: one change, with the room's place held
//! close    who is there is told; who came by a link is nobody any more
//! clear    once nothing is on its way there, all that is kept under the log goes, and purge/<log> last
//! ```
//!
//! If deciding fails, the room stays. If clearing does, or is cut off, it is done again: see [`super::registry`].

use std::{sync::Arc, time::Duration};

use motet_protocol::{access::Role, error::ErrorCode, ids::RoomId};

use super::{
    registry::{Registry, RoomRecord},
    rooms::Rooms,
};
use crate::{
    auth::{Taken, Target},
    blocking::{blocking, offload},
    refusal::Refusal,
    room::{access, people::People},
    rooms::open::RoomHandle,
    session::Caller,
    store::LogId,
};

/// How long whoever removes a room waits for all of it to be cleared away; the rest is done without them.
const CLEAR_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long what the store refused is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The same where a room may be missing until it works.
const RESTORE_RETRY: Duration = Duration::from_millis(500);

impl Rooms {
    /// Deletes a room with its history, for a host of it.
    pub async fn delete(&self, caller: &Caller, id: &RoomId) -> Result<(), Refusal> {
        let record = match self.enter(caller, id, Role::Host).await {
            Ok((cell, _)) => cell.record.clone(),
            // Nobody can tell who is a host of a room that cannot be read; its owner and admins are, and who made a room
            // for everybody can do it away.
            Err(refusal) if refusal.code == ErrorCode::RoomDamaged => {
                let (registry, name) = (self.registry().clone(), id.clone());
                let record = blocking(move || registry.get(&name)).await?;
                let ground = self.ground(&record);
                let principal = caller.in_room(id, None, None);
                access::require(access::role_of(&principal, &People::default(), ground.public, &ground), Role::Host)?;
                record
            }
            Err(refusal) => return Err(refusal),
        };
        let why = Refusal::new(ErrorCode::RoomDeleted, format!("the room {id} was deleted"));
        self.remove(id, &record, why, |_| Ok(true)).await.map(drop)
    }

    /// Removes the room of a record with all that is kept of it, if `goes` says so, which is given the room if it is open and
    /// may wait for the disk; nobody opens it meanwhile. Who has it open is told why. Returns whether it is gone. What was
    /// begun is brought to its end, whoever stops waiting for it.
    pub(super) async fn remove(
        &self,
        id: &RoomId,
        record: &RoomRecord,
        why: Refusal,
        goes: impl FnOnce(Option<&Arc<RoomHandle>>) -> Result<bool, Refusal> + Send + 'static,
    ) -> Result<bool, Refusal> {
        let (rooms, id, record) = (self.clone(), id.clone(), record.clone());
        let removed = tokio::spawn(async move { rooms.remove_now(&id, &record, &why, goes).await });
        removed.await.map_err(|_| Refusal::new(ErrorCode::Internal, "the server failed at this; its log says where"))?
    }

    async fn remove_now(
        &self,
        id: &RoomId,
        record: &RoomRecord,
        why: &Refusal,
        goes: impl FnOnce(Option<&Arc<RoomHandle>>) -> Result<bool, Refusal> + Send + 'static,
    ) -> Result<bool, Refusal> {
        let held = self.places.hold(id).await;
        let (rooms, name, going, open) = (self.clone(), id.clone(), record.clone(), held.cell());
        let decided = blocking(move || match goes(open.as_ref())? {
            true => rooms.take_away(&name, &going).map(Some),
            false => Ok(None),
        });
        let links = match decided.await {
            Ok(Some(links)) => links,
            Ok(None) => return Ok(false),
            Err(refusal) => {
                self.restore(id.clone(), record.clone());
                return Err(refusal);
            }
        };
        let cell = held.take();
        if let Some(cell) = &cell {
            self.metrics.rooms_open.dec();
            cell.close(why);
        }
        // After they were told why, and before there can be another room of this name.
        if let Some(auth) = &self.auth {
            auth.end(links);
        }
        drop(held);
        self.watches.touch(id);
        self.clear(id, record.log(), cell).await;
        Ok(true)
    }

    /// Removes a room's record and the links to it. Waits for the disk.
    fn take_away(&self, id: &RoomId, record: &RoomRecord) -> Result<Taken, Refusal> {
        let target = Target::Room(id.clone());
        loop {
            let links = self.auth.as_ref().map(|auth| auth.links_to_take(&target)).transpose();
            let (along, links) = links?.unwrap_or_default();
            if self.registry().remove(id, record, along)? {
                return Ok(links);
            }
            // Either somebody made a link just now, or there is no such room any more, or another one.
            if self.registry().get(id)? != *record {
                return Err(Refusal::new(ErrorCode::RoomNotFound, format!("there is no room {id} any more")));
            }
        }
    }

    /// Sees to it that a room is there of which nobody knows whether its record was removed.
    fn restore(&self, id: RoomId, record: RoomRecord) {
        let registry = self.registry().clone();
        tokio::spawn(async move {
            loop {
                let (registry, name, record) = (registry.clone(), id.clone(), record.clone());
                match offload(move || registry.restore(&name, &record)).await {
                    Ok(Err(error)) => tracing::debug!(room = %id, %error, "a room that stays is not safe yet"),
                    Ok(Ok(())) | Err(_) => return,
                }
                tokio::time::sleep(RESTORE_RETRY).await;
            }
        });
    }

    /// Clears away what is kept under the log of a room that is no more. What fails is done again later.
    pub(super) async fn clear(&self, id: &RoomId, log: LogId, cell: Option<Arc<RoomHandle>>) {
        let (registry, id) = (self.registry().clone(), id.clone());
        let cleared = tokio::spawn(async move {
            if let Some(cell) = cell {
                // What is on its way to the log must not come after the log is gone.
                let _ = cell.drained().await;
                let _ = offload(move || cell.end()).await;
            }
            if !try_clear(&registry, &id, log).await {
                tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(RETRY).await;
                        if try_clear(&registry, &id, log).await {
                            return;
                        }
                    }
                });
            }
        });
        let _ = tokio::time::timeout(CLEAR_TIMEOUT, cleared).await;
    }

    /// Finishes removals, and imports, that a crash cut off. What cannot be finished now is later, and holds nothing up.
    pub async fn finish_removals(&self) {
        let registry = self.registry().clone();
        match offload(move || registry.cut_off()).await {
            Ok(Ok(unfinished)) => {
                for (room, log) in &unfinished {
                    tracing::info!(%room, %log, "the removal or the making of a room was cut off; what is left of it is looked after");
                    self.clear(room, *log, None).await;
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "removals that were cut off cannot be looked up"),
            Err(refusal) => tracing::error!(%refusal, "removals that were cut off cannot be looked up"),
        }
    }
}

async fn try_clear(registry: &Registry, room: &RoomId, log: LogId) -> bool {
    let (registry, name) = (registry.clone(), room.clone());
    match offload(move || registry.finish_removal(&name, log)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            tracing::warn!(%room, %error, "what is left of a room that is no more is not cleared away yet")
        }
        Err(refusal) => tracing::error!(%room, %refusal, "clearing away what is left of a room failed"),
    }
    false
}
