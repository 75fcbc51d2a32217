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
    clock::now_ms,
    refusal::Refusal,
    room::not_found,
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

/// Makes a link. `still` says, when it is made, whether it leads where it was to lead: if that was deleted meanwhile, and perhaps
/// made anew by somebody else, the link is taken back before anybody was told of it.
async fn make(
    api: &Api,
    caller: &Caller,
    target: Target,
    wanted: LinkWanted,
    still: impl Future<Output = Result<(), Refusal>>,
) -> Result<Json<LinkMade>, Refusal> {
    let LinkWanted { role, label, expires_ms } = wanted;
    let new = NewLink { role, label, created_by: caller.account().cloned(), expires_ms };
    let NewShare { link, secret } = api.context.auth.create_link(target.clone(), new, now_ms()).await?;
    if let Err(refusal) = still.await {
        let _ = api.context.auth.revoke_link(target, link.id).await;
        return Err(refusal);
    }
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
    let entered = api.enter(who, &room, Role::Host).await?;
    let still = async {
        let (cell, _) = api.context.rooms.enter(&caller, &room, Role::Host).await?;
        if cell.log_id() == entered.cell.log_id() { Ok(()) } else { Err(not_found(Some(&room))) }
    };
    Ok((StatusCode::CREATED, make(&api, &caller, Target::Room(room.clone()), wanted, still).await?))
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
    let still = projects::require_host(&api, &caller, &id);
    Ok((StatusCode::CREATED, make(&api, &caller, Target::Project(id.clone()), wanted, still).await?))
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
