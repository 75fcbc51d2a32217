//! What people set in a room: settings, roles, named versions.

use motet_protocol::{
    ids::RoomId,
    message::{Answer, At},
};

use super::{Asked, state_at};
use crate::refusal::Refusal;

pub(super) async fn read(asked: &Asked, room: &RoomId, at: At) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    let state = state_at(&asked.context.rooms, &cell, at).await?;
    let decided = state.decided();
    Ok(Answer::Settings {
        revision: state.revision(),
        settings: Box::new(decided.settings.clone()),
        owner: cell.record.owner.clone(),
        roles: decided.people.roles().collect(),
    })
}

pub(super) async fn versions(asked: &Asked, room: &RoomId) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    Ok(Answer::Versions { versions: cell.with_state(|state| state.decided().versions.list().to_vec()) })
}
