//! Who is where: in a room, or in which file of a project.

use motet_protocol::{access::ProjectId, ids::RoomId, presence::Person};

use super::rooms::Rooms;
use crate::{refusal::Refusal, session::Caller};

/// The people in one room of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRoom {
    /// The room.
    pub room: RoomId,
    /// Its path in the project; may be empty.
    pub path: String,
    /// Who is there, the longest first.
    pub people: Vec<Person>,
    /// How many are there, where those are not all.
    pub present: u32,
}

impl Rooms {
    /// Who is in which file of a project: its rooms in which somebody is and that the caller sees, by path and name. Of a
    /// room with very many people, those who may edit.
    pub async fn people_in(&self, caller: &Caller, project: &ProjectId) -> Result<Vec<InRoom>, Refusal> {
        let mut rooms = Vec::new();
        for cell in self.open_rooms() {
            let path = cell.with_state(|state| {
                let settings = &state.decided().settings;
                (settings.project.as_ref() == Some(project)).then(|| settings.path.clone())
            });
            let Some(path) = path else { continue };
            if cell.role_of(&self.principal(caller, &cell).await?).is_some() {
                let present = cell.present();
                rooms.push(InRoom { room: cell.id.clone(), path, people: cell.people(), present });
            }
        }
        rooms.retain(|room| room.present > 0);
        rooms.sort_unstable_by(|a, b| (&a.path, &a.room).cmp(&(&b.path, &b.room)));
        Ok(rooms)
    }
}
