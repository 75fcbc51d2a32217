//! `/api/rooms/{id}/log`: a room's entries.

use axum::{Json, extract::State};
use motet_protocol::{
    access::Role,
    ids::{Revision, RoomId},
    message::Entry,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    params::{Path, Query},
    problem::Answer,
    rooms::page_size,
    who::Who,
};
use crate::requests;

/// Which entries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The first revision.
    #[param(minimum = 1, default = 1, nullable = false)]
    from: Option<Revision>,
    /// At most so many; fewer come where they are large.
    #[param(minimum = 1, maximum = 1000, nullable = false)]
    limit: Option<u32>,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Log {
    /// The entries, without gaps.
    entries: Vec<Entry>,
    /// The newest revision.
    head: Revision,
    /// Where to go on (as `from`), if there are more.
    next: Option<Revision>,
}

/// What happened in a room, entry by entry
#[utoipa::path(
    get, path = "/rooms/{id}/log", tag = "history",
    params(("id" = RoomId, Path, description = "The room"), Wanted),
    responses((status = 200, description = "A page of its log", body = Log)),
)]
pub async fn read(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(Wanted { from, limit }): Query<Wanted>,
    who: Who,
) -> Answer<Json<Log>> {
    let limit = page_size(limit)?;
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let (entries, head) = requests::log_page(&api.context.rooms, &entered.cell, from.unwrap_or(1), limit).await?;
    let next = entries.last().map(|last| last.revision + 1).filter(|next| *next <= head);
    Ok(Json(Log { entries, head, next }))
}
