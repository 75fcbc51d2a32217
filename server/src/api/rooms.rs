//! `/api/rooms`: which there are, and what is set in them.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use motet_protocol::{
    access::{AccountId, ProjectId, Role},
    error::ErrorCode,
    ids::{RoomId, SessionId},
    limits::PAGE_MAX,
    message::Command,
    ot::Operation,
    room::{RoomFilter, RoomInfo, SettingsPatch},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    body::Body,
    limits::PAGE_DEFAULT,
    params::{Path, Query},
    problem::Answer,
    who::Who,
};
use crate::refusal::Refusal;

/// Which rooms are wanted; what is not named does not matter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A part of the room's name or title, in any case of letters.
    #[param(nullable = false)]
    name: Option<String>,
    /// A tag.
    #[param(nullable = false)]
    tag: Option<String>,
    /// A language.
    #[param(nullable = false)]
    language: Option<String>,
    /// A project.
    #[param(value_type = ProjectId, required = false)]
    project: Option<ProjectId>,
    /// Who made it.
    #[param(value_type = AccountId, required = false)]
    owner: Option<AccountId>,
    /// Only those in which the asker was given a role.
    #[serde(default)]
    #[param(required = false)]
    mine: bool,
    /// Rooms whose names come after this one.
    #[param(value_type = RoomId, required = false)]
    after: Option<RoomId>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, nullable = false)]
    limit: Option<u32>,
}

/// A page of rooms.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rooms {
    /// The rooms, by name.
    rooms: Vec<RoomInfo>,
    /// Where to go on (as `after`), if there are more.
    next: Option<RoomId>,
}

/// A room to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoom {
    /// Its name; without one it is a new UUID.
    #[serde(default)]
    room: Option<RoomId>,
    /// What is set in it from the start.
    #[serde(default)]
    settings: SettingsPatch,
    /// Its text.
    #[serde(default)]
    text: String,
}

/// How many things a page has.
pub fn page_size(limit: Option<u32>) -> Result<usize, Refusal> {
    match limit.unwrap_or(PAGE_DEFAULT) {
        limit @ 1..=PAGE_MAX => Ok(limit as usize),
        limit => Err(Refusal::new(ErrorCode::BadArgument, format!("a page's limit is 1 to {PAGE_MAX}, not {limit}"))),
    }
}

/// The rooms that you may see
#[utoipa::path(
    get, path = "/rooms", tag = "rooms", params(Wanted),
    responses((status = 200, description = "A page of them; the next one begins after `next`", body = Rooms)),
)]
pub async fn list(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    Who { caller, .. }: Who,
) -> Answer<Json<Rooms>> {
    let Wanted { name, tag, language, project, owner, mine, after, limit } = wanted;
    let filter = RoomFilter { name, tag, language, project, owner, mine };
    let (rooms, next) = api.context.rooms.list(&caller, filter, after, page_size(limit)?).await?;
    Ok(Json(Rooms { rooms, next }))
}

/// Make a room
///
/// A text that is too large for one request is written after it. With an `Idempotency-Key` and without a name, a repeat
/// makes no second room, even if the first try was cut off.
#[utoipa::path(
    post, path = "/rooms", tag = "rooms", request_body = NewRoom,
    responses((
        status = 201, description = "It is made", body = RoomInfo,
        headers(("location" = String, description = "Its address")),
    )),
)]
pub async fn create(
    State(api): State<Api>,
    who: Who,
    Body(NewRoom { room, settings, text }): Body<NewRoom>,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<RoomInfo>)> {
    let rooms = &api.context.rooms;
    // Nobody else comes by this name, so that a room of it was made by an earlier try.
    let of_key = room.is_none() && who.has_key;
    let SessionId(uuid) = who.submits;
    let name = if of_key { Some(RoomId::from_uuid(uuid)) } else { room };
    let mut made = match rooms.create(&who.caller, name.clone(), settings).await {
        Err(Refusal { code: ErrorCode::RoomExists, .. }) if of_key => {
            rooms.show(&who.caller, &RoomId::from_uuid(uuid)).await?
        }
        made => made?,
    };
    if !text.is_empty() {
        let operation = Operation::builder().insert(&text).build();
        let operation = operation.map_err(|error| Refusal::new(ErrorCode::TextTooLarge, error.to_string()))?;
        let caller = who.caller.clone();
        api.enter(who, &made.room, Role::Editor).await?.edit(0, operation).await?;
        made = rooms.show(&caller, &made.room).await?;
    }
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/api/rooms/{}", made.room))], Json(made)))
}

/// A room
#[utoipa::path(
    get, path = "/rooms/{id}", tag = "rooms", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "What is known of it", body = RoomInfo)),
)]
pub async fn show(State(api): State<Api>, Path(room): Path<RoomId>, Who { caller, .. }: Who) -> Answer<Json<RoomInfo>> {
    Ok(Json(api.context.rooms.show(&caller, &room).await?))
}

/// Change what is set in a room
///
/// What is not named stays. An empty text, an empty list, or 0 takes a setting away.
#[utoipa::path(
    patch, path = "/rooms/{id}", tag = "rooms", params(("id" = RoomId, Path, description = "The room")),
    request_body = SettingsPatch,
    responses((status = 200, description = "It is changed", body = RoomInfo)),
)]
pub async fn change(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(settings): Body<SettingsPatch>,
) -> Answer<Json<RoomInfo>> {
    let caller = who.caller.clone();
    api.enter(who, &room, Role::Editor).await?.append(Command::Settings(Box::new(settings))).await?;
    Ok(Json(api.context.rooms.show(&caller, &room).await?))
}

/// Delete a room with its history
#[utoipa::path(
    delete, path = "/rooms/{id}", tag = "rooms", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 204, description = "It is gone; who had it open was told")),
)]
pub async fn delete(State(api): State<Api>, Path(room): Path<RoomId>, Who { caller, .. }: Who) -> Answer<StatusCode> {
    api.context.rooms.delete(&caller, &room).await?;
    Ok(StatusCode::NO_CONTENT)
}
