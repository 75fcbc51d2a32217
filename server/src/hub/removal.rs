//! Rooms that go: a host deletes them, or they expire. With a room goes all that is kept of it: its log, its chat, what lists
//! tell of it, and the links to it, which are not to lead to another room of the same name.

use std::time::Duration;

use motet_protocol::{access::Role, error::ErrorCode, ids::RoomId};

use super::{blocking, chat, expiry::expired, refusal_of, rooms::Rooms};
use crate::{
    auth::Target,
    room::{Refusal, access, people::People},
    session::Caller,
};

/// How often a room that goes is looked at until nothing of it is on its way to the log.
const LOOK: Duration = Duration::from_millis(5);

impl Rooms {
    /// Deletes a room with its history, for a host of it.
    pub async fn delete(&self, caller: &Caller, id: &RoomId) -> Result<(), Refusal> {
        match self.enter(caller, id, Role::Host).await {
            Ok(_) => {}
            // Nobody can tell who is a host of a room that cannot be read; its owner and admins are, and who made a room
            // for everybody can do it away.
            Err(refusal) if refusal.code == ErrorCode::RoomDamaged => {
                let (registry, name) = (self.registry().clone(), id.clone());
                let ground = self.ground(&blocking(move || registry.get(&name)).await??);
                let principal = caller.in_room(id, None, None);
                access::require(access::role_of(&principal, &People::default(), ground.public, &ground), Role::Host)?;
            }
            Err(refusal) => return Err(refusal),
        }
        self.remove(id, Refusal::new(ErrorCode::RoomDeleted, format!("the room {id} was deleted"))).await
    }

    /// Removes a room that has expired.
    pub async fn forget(&self, id: &RoomId, what: &'static str) {
        match self.remove(id, expired(id)).await {
            Ok(()) => tracing::info!(room = %id, what, "a room has expired"),
            Err(refusal) => tracing::warn!(room = %id, %refusal, "a room that has expired could not be removed"),
        }
    }

    /// Removes a room with all that is kept of it. Who has it open is told why.
    async fn remove(&self, id: &RoomId, why: Refusal) -> Result<(), Refusal> {
        let (registry, name) = (self.registry().clone(), id.clone());
        let record = blocking(move || {
            let record = registry.get(&name)?;
            registry.begin_removal(&name, &record).map_err(|error| refusal_of(&error))?;
            Ok::<_, Refusal>(record)
        })
        .await??;
        self.watches.touch(id);
        let cell = self.take_out(id);
        if let Some(cell) = &cell {
            cell.close(&why);
        }
        // After those who are there were told why: who came by a link is nobody from here on.
        self.revoke_links(id).await?;
        if let Some(cell) = cell {
            while cell.has_pending() {
                // What is on its way to the log must not come after the log is gone.
                tokio::time::sleep(LOOK).await;
            }
            blocking(move || chat::end(&cell)).await?;
        }
        let (registry, name) = (self.registry().clone(), id.clone());
        blocking(move || registry.finish_removal(&name, &record)).await?.map_err(|error| refusal_of(&error))
    }

    async fn revoke_links(&self, id: &RoomId) -> Result<(), Refusal> {
        match &self.auth {
            Some(auth) => auth.revoke_links(Target::Room(id.clone())).await.map(drop),
            None => Ok(()),
        }
    }

    /// Finishes removals that a crash cut off. Returns how many.
    pub async fn finish_removals(&self) -> Result<usize, Refusal> {
        let registry = self.registry().clone();
        let gone = blocking(move || registry.being_removed()).await?.map_err(|error| refusal_of(&error))?;
        for room in &gone {
            self.revoke_links(room).await?;
        }
        let registry = self.registry().clone();
        blocking(move || registry.finish_removals()).await?.map_err(|error| refusal_of(&error))
    }
}
