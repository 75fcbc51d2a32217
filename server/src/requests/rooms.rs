//! Making, deleting, listing and describing rooms.

use motet_protocol::{
    ids::RoomId,
    message::Answer,
    room::{RoomFilter, SettingsPatch},
};

use super::answer::{Asked, page_size};
use crate::refusal::Refusal;

pub(super) async fn create(asked: &Asked, room: Option<RoomId>, settings: SettingsPatch) -> Result<Answer, Refusal> {
    let room = asked.context.rooms.create(&asked.caller, room, settings).await?;
    Ok(Answer::Created { room: Box::new(room) })
}

pub(super) async fn delete(asked: &Asked, room: RoomId) -> Result<Answer, Refusal> {
    asked.context.rooms.delete(&asked.caller, &room).await?;
    Ok(Answer::Deleted { room })
}

pub(super) async fn list(
    asked: &Asked,
    filter: RoomFilter,
    after: Option<RoomId>,
    limit: u32,
) -> Result<Answer, Refusal> {
    let (rooms, next) = asked.context.rooms.list(&asked.caller, filter, after, page_size(limit)?).await?;
    Ok(Answer::Rooms { rooms, next })
}

pub(super) async fn show(asked: &Asked, room: &RoomId) -> Result<Answer, Refusal> {
    let room = asked.context.rooms.show(&asked.caller, room).await?;
    Ok(Answer::Room { room: Box::new(room) })
}
