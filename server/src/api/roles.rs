//! `/api/rooms/{id}/roles`: who may do what.

use axum::{Json, extract::State};
use motet_protocol::{
    access::{AccountId, Member, Role},
    ids::RoomId,
    message::Command,
    room::{Public, RoleOf, Standing},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, body::Body, params::Path, problem::Answer, text::Appended, who::Who};

/// Who may do what in a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roles {
    /// Who made it, where that was an account: always a host.
    owner: Option<AccountId>,
    /// What those may do who were given no role.
    public: Public,
    /// What you may do.
    role: Option<Role>,
    /// Every decision on a member.
    roles: Vec<RoleOf>,
}

/// What is decided of somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who.
    member: Member,
    /// What.
    standing: Standing,
}

/// Who may do what in a room
#[utoipa::path(
    get, path = "/rooms/{id}/roles", tag = "people", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "Every decision", body = Roles)),
)]
pub async fn read(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<Roles>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let (public, roles) = entered.cell.with_state(|state| {
        let decided = state.decided();
        (decided.settings.public, decided.people.roles().collect())
    });
    Ok(Json(Roles { owner: entered.cell.record.owner.clone(), public, role: entered.role(), roles }))
}

/// Decide what somebody may do in a room
///
/// It takes a host, and takes effect at once, on connections that are open too.
#[utoipa::path(
    put, path = "/rooms/{id}/roles", tag = "people", params(("id" = RoomId, Path, description = "The room")),
    request_body = Decision,
    responses((status = 200, description = "It is decided", body = Appended)),
)]
pub async fn decide(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(Decision { member, standing }): Body<Decision>,
) -> Answer<Json<Appended>> {
    let role = RoleOf { member, standing };
    let revision = api.enter(who, &room, Role::Host).await?.append(Command::SetRole(role)).await?;
    Ok(Json(Appended { revision }))
}
