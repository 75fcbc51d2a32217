//! What projects give people in rooms that are open. Who joins a room gets what its project gives then; here it is brought
//! up to date where the project changes, or the room comes into another one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use motet_protocol::access::ProjectId;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{projects::Project, rooms::Rooms};
use crate::{blocking::blocking, outbox::flush_dirty, refusal::Refusal, rooms::open::RoomHandle};

/// Which open rooms are to be looked at.
#[derive(Debug, Default)]
pub struct Grants {
    /// How often something changed.
    changes: AtomicU64,
    /// Rooms that came into another project.
    moved: Mutex<Vec<Arc<RoomHandle>>>,
    wanted: Notify,
}

impl Grants {
    /// Counts the changes. Whoever lets somebody into a room asks before they look at what its project gives, and again when
    /// they are in: if it is another number, the room is to be looked at once more.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Has a room looked at that came into another project.
    pub fn moved(&self, cell: Arc<RoomHandle>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.moved.lock().push(cell);
        self.wanted.notify_one();
    }
}

/// Looks at rooms that came into another project, for ever.
pub async fn follow(rooms: Rooms) {
    loop {
        rooms.grants.wanted.notified().await;
        let moved = std::mem::take(&mut *rooms.grants.moved.lock());
        for cell in moved {
            if let Err(refusal) = rooms.regrant(&cell).await {
                tracing::error!(room = %cell.id, %refusal, "what its project gives in a room is not known");
            }
        }
        flush_dirty();
    }
}

impl Rooms {
    /// Makes, changes or removes a project: `change` is given what there is, and returns what is to be. When it returns, those
    /// who have rooms of the project open have been told what they may do there now.
    pub async fn update_project(
        &self,
        id: &ProjectId,
        change: impl Fn(Option<Project>) -> Result<Option<Project>, Refusal> + Send + 'static,
    ) -> Result<Option<Arc<Project>>, Refusal> {
        let (projects, name) = (self.projects.clone(), id.clone());
        let after = blocking(move || projects.update(&name, change)).await?;
        self.grants.changes.fetch_add(1, Ordering::SeqCst);
        for cell in self.open_rooms() {
            if cell.project().as_ref() == Some(id) {
                self.regrant(&cell).await?;
                // Who follows a list of rooms sees this one from now on, or no longer.
                self.watches.touch(&cell.id);
            }
        }
        Ok(after)
    }

    /// Gives everybody in a room what its project gives them.
    pub async fn regrant(&self, cell: &Arc<RoomHandle>) -> Result<(), Refusal> {
        loop {
            let changes = self.grants.changes();
            let project = cell.project();
            let of_project = self.of_project(project.as_ref()).await?;
            cell.regrant(project.as_ref(), |who| {
                let account = who.author.account.as_ref();
                let member = of_project.as_ref().and_then(|of_project| of_project.gives(who.participant, account));
                who.given_by(project.as_ref(), member)
            });
            // What was just given may be older than what somebody else gave meanwhile.
            if self.grants.changes() == changes {
                return Ok(());
            }
        }
    }

    /// The project of a room, if it has one that was made.
    pub(super) async fn of_project(&self, project: Option<&ProjectId>) -> Result<Option<Arc<Project>>, Refusal> {
        let Some(id) = project else { return Ok(None) };
        match self.projects.cached(id) {
            Some(found) => Ok(found),
            None => {
                let (projects, id) = (self.projects.clone(), id.clone());
                blocking(move || projects.get(&id)).await
            }
        }
    }
}
