//! `/api/rooms/{id}/links` and `/api/projects/{id}/links`: a role for whoever has the link. They are followed at
//! `/api/auth/redeem`.

use axum::{Json, extract::State, http::StatusCode};
use motet_protocol::{
    access::{ProjectId, Role},
    ids::{RoomId, UnixMs},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, body::Body, params::Path, problem::Answer, projects, who::Who};
use crate::{
    auth::{Link, NewLink, NewShare, Secret, Target, TokenId},
    hub::now_ms,
    room::Refusal,
    session::Caller,
};

/// Links to a room or a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// Those that are still good, in the order in which they were made.
    links: Vec<Link>,
}

/// A link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkWanted {
    /// What whoever follows it may do.
    role: Role,
    /// What you call it.
    #[serde(default)]
    #[schema(max_length = 64)]
    label: String,
    /// When it ends, in milliseconds since 1970; never without it.
    expires_ms: Option<UnixMs>,
}

/// A link that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkMade {
    /// It.
    link: Link,
    /// What is passed around; it is told this once.
    #[schema(value_type = String)]
    secret: Secret,
}

async fn make(api: &Api, caller: &Caller, target: Target, wanted: LinkWanted) -> Result<Json<LinkMade>, Refusal> {
    let LinkWanted { role, label, expires_ms } = wanted;
    let new = NewLink { role, label, created_by: caller.account().cloned(), expires_ms };
    let NewShare { link, secret } = api.context.auth.create_link(target, new, now_ms()).await?;
    Ok(Json(LinkMade { link, secret }))
}

/// The links to a room; for hosts
#[utoipa::path(
    get, path = "/rooms/{id}/links", tag = "people", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "Those that are still good, without their secrets", body = Links)),
)]
pub async fn of_room(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<Links>> {
    api.enter(who, &room, Role::Host).await?;
    Ok(Json(Links { links: api.context.auth.links(Target::Room(room), now_ms()).await? }))
}

/// Make a link to a room; for hosts
#[utoipa::path(
    post, path = "/rooms/{id}/links", tag = "people", params(("id" = RoomId, Path, description = "The room")),
    request_body = LinkWanted,
    responses((status = 201, description = "It, and the secret to pass around", body = LinkMade)),
)]
pub async fn make_for_room(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(wanted): Body<LinkWanted>,
) -> Answer<(StatusCode, Json<LinkMade>)> {
    let caller = who.caller.clone();
    api.enter(who, &room, Role::Host).await?;
    Ok((StatusCode::CREATED, make(&api, &caller, Target::Room(room), wanted).await?))
}

/// Take a link to a room back; for hosts
#[utoipa::path(
    delete, path = "/rooms/{id}/links/{link}", tag = "people",
    params(("id" = RoomId, Path, description = "The room"), ("link" = String, Path, description = "The link's id")),
    responses((status = 204, description = "Who followed it is out")),
)]
pub async fn revoke_of_room(
    State(api): State<Api>,
    Path((room, link)): Path<(RoomId, TokenId)>,
    who: Who,
) -> Answer<StatusCode> {
    api.enter(who, &room, Role::Host).await?;
    api.context.auth.revoke_link(Target::Room(room), link).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The links to a project; for its hosts
#[utoipa::path(
    get, path = "/projects/{id}/links", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    responses((status = 200, description = "Those that are still good, without their secrets", body = Links)),
)]
pub async fn of_project(State(api): State<Api>, Path(id): Path<ProjectId>, who: Who) -> Answer<Json<Links>> {
    projects::require_host(&api, &who.caller, &id).await?;
    Ok(Json(Links { links: api.context.auth.links(Target::Project(id), now_ms()).await? }))
}

/// Make a link to a project, and so to all of its rooms; for its hosts
#[utoipa::path(
    post, path = "/projects/{id}/links", tag = "projects",
    params(("id" = ProjectId, Path, description = "The project")), request_body = LinkWanted,
    responses((status = 201, description = "It, and the secret to pass around", body = LinkMade)),
)]
pub async fn make_for_project(
    State(api): State<Api>,
    Path(id): Path<ProjectId>,
    Who { caller, .. }: Who,
    Body(wanted): Body<LinkWanted>,
) -> Answer<(StatusCode, Json<LinkMade>)> {
    projects::require_host(&api, &caller, &id).await?;
    Ok((StatusCode::CREATED, make(&api, &caller, Target::Project(id), wanted).await?))
}

/// Take a link to a project back; for its hosts
#[utoipa::path(
    delete, path = "/projects/{id}/links/{link}", tag = "projects",
    params(
        ("id" = ProjectId, Path, description = "The project"), ("link" = String, Path, description = "The link's id"),
    ),
    responses((status = 204, description = "Who followed it is out")),
)]
pub async fn revoke_of_project(
    State(api): State<Api>,
    Path((id, link)): Path<(ProjectId, TokenId)>,
    Who { caller, .. }: Who,
) -> Answer<StatusCode> {
    projects::require_host(&api, &caller, &id).await?;
    api.context.auth.revoke_link(Target::Project(id), link).await?;
    Ok(StatusCode::NO_CONTENT)
}
