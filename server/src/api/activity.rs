//! `/api/rooms/{id}/activity`: who came and went, and what was decided.

use axum::{Json, extract::State};
use motet_protocol::{access::Role, ids::RoomId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, params::Path, problem::Answer, who::Who};
use crate::history::activity::Event;

/// The newest events of a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// The newest first.
    events: Vec<Event>,
}

/// What happened around a text
///
/// The newest events: who came and went, settings, roles, versions. The log has all that was decided; who was there when
/// is kept nowhere else.
#[utoipa::path(
    get, path = "/rooms/{id}/activity", tag = "people", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "The newest first", body = Events)),
)]
pub async fn activity(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<Events>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    Ok(Json(Events { events: entered.cell.activity().events().cloned().collect() }))
}
