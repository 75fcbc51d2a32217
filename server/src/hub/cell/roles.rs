//! What people may do in an open room, where that changes while they are there.

use std::sync::Arc;

use motet_protocol::{
    access::{ProjectId, Role},
    error::{About, ErrorCode},
    message::ServerMessage,
};

use super::{Open, RoomCell};
use crate::{
    hub::projects::Project,
    refusal::Refusal,
    room::{Principal, live::RoleChange},
};

impl RoomCell {
    /// What somebody may do here.
    pub fn role_of(&self, who: &Principal) -> Option<Role> {
        self.open.lock().room.role_of(who)
    }

    /// Who has it open, and what they may do.
    pub fn present(&self) -> Vec<(Arc<Principal>, Role)> {
        let open = self.open.lock();
        open.room.readers().iter().map(|reader| (Arc::clone(&reader.principal), reader.role)).collect()
    }

    /// The project that it belongs to.
    pub fn project(&self) -> Option<ProjectId> {
        self.with_state(|state| state.decided().settings.project.clone())
    }

    /// Gives everybody here what a project gives them, if it is the one that the room belongs to: otherwise it has just come
    /// into another one, and is looked at again for that.
    pub fn regrant(self: &Arc<Self>, id: Option<&ProjectId>, project: Option<&Project>) {
        let mut open = self.open.lock();
        if open.room.state().decided().settings.project.as_ref() != id {
            return;
        }
        open.room.regrant(|who| {
            let member = project.and_then(|project| project.gives(who.participant, who.author.account.as_ref()));
            who.given_by(id, member)
        });
        self.tell_roles(&mut open);
    }

    /// Has the room looked at if what was committed moved it into another project.
    pub(super) fn note_project(self: &Arc<Self>, open: &mut Open) {
        let project = &open.room.state().decided().settings.project;
        if *project != open.project {
            open.project.clone_from(project);
            self.grants.moved(Arc::clone(self));
        }
    }

    /// Tells those whose role has changed; who may not be here any more is out.
    pub(super) fn tell_roles(self: &Arc<Self>, open: &mut Open) {
        let changes = open.room.take_role_changes();
        if !changes.is_empty() {
            self.note_news(open);
        }
        for RoleChange { reader, key, channel, role } in changes {
            match role {
                Some(role) => {
                    let reason = format!("a host has changed what you may do here: your role is {role} now");
                    key.send(&ServerMessage::Role { channel, role, reason });
                }
                None => {
                    let words = "a host of the room or of its project has taken your role in it away";
                    let error = Refusal::new(ErrorCode::Forbidden, words).about(About::Channel(channel));
                    key.deliver(|outbox| outbox.drop_channel(channel, reader, error));
                }
            }
        }
    }
}
