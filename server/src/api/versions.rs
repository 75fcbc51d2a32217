//! `/api/rooms/{id}/versions`: revisions with names, and how to get one back.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::{At, Command},
    ot::Operation,
    room::Version,
};
use ropey::Rope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, at, body::Body, entry::Entered, params::Path, problem::Answer, text::Appended, who::Who};
use crate::{blocking::offload, refusal::Refusal};

/// The named versions of a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// By revision.
    versions: Vec<Version>,
}

/// A name for a revision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// The name, 1 to 64 bytes. If it is taken, it names the other revision from here on.
    #[schema(min_length = 1, max_length = 64, example = "draft")]
    name: String,
    /// The revision; the newest one without it.
    #[schema(minimum = 1)]
    revision: Option<Revision>,
    /// Words.
    #[serde(default)]
    #[schema(max_length = 512)]
    description: String,
}

/// What to get back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// A revision (`"17"`), a time (`"2026-07-01T12:00:00Z"`), or a version (`"version:draft"`).
    #[schema(example = "version:draft")]
    at: String,
}

/// The named versions of a room
#[utoipa::path(
    get, path = "/rooms/{id}/versions", tag = "history", params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "All of them, by revision", body = Versions)),
)]
pub async fn list(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<Versions>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let versions = entered.cell.with_state(|state| state.decided().versions.list().to_vec());
    Ok(Json(Versions { versions }))
}

/// Give a revision a name
#[utoipa::path(
    post, path = "/rooms/{id}/versions", tag = "history", params(("id" = RoomId, Path, description = "The room")),
    request_body = NewVersion,
    responses((
        status = 201, description = "It is named", body = Version,
        headers(("location" = String, description = "Its address")),
    )),
)]
pub async fn name(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(NewVersion { name, revision, description }): Body<NewVersion>,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<Version>)> {
    let entered = api.enter(who, &room, Role::Editor).await?;
    // 0 stands for the newest one.
    let command = Command::NameVersion { name: name.clone(), revision: revision.unwrap_or(0), description };
    entered.append(command).await?;
    let version = find(&entered, &name)?;
    let address = format!("/api/rooms/{room}/versions/{}", in_path(&name));
    Ok((StatusCode::CREATED, [(header::LOCATION, address)], Json(version)))
}

/// A named version
#[utoipa::path(
    get, path = "/rooms/{id}/versions/{name}", tag = "history",
    params(("id" = RoomId, Path, description = "The room"), ("name" = String, Path, description = "The version")),
    responses((status = 200, description = "It", body = Version)),
)]
pub async fn show(
    State(api): State<Api>,
    Path((room, name)): Path<(RoomId, String)>,
    who: Who,
) -> Answer<Json<Version>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    Ok(Json(find(&entered, &name)?))
}

/// Take a name away; the revision stays
#[utoipa::path(
    delete, path = "/rooms/{id}/versions/{name}", tag = "history",
    params(("id" = RoomId, Path, description = "The room"), ("name" = String, Path, description = "The version")),
    responses((status = 204, description = "It is no name any more")),
)]
pub async fn remove(
    State(api): State<Api>,
    Path((room, name)): Path<(RoomId, String)>,
    who: Who,
) -> Answer<StatusCode> {
    api.enter(who, &room, Role::Editor).await?.append(Command::RemoveVersion { name }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get an earlier text back
///
/// It becomes a new edit, which takes nothing away from the history. What others type meanwhile stays.
#[utoipa::path(
    post, path = "/rooms/{id}/restore", tag = "history", params(("id" = RoomId, Path, description = "The room")),
    request_body = Restore,
    responses((status = 200, description = "The text is as it was", body = Appended)),
)]
pub async fn restore(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(Restore { at }): Body<Restore>,
) -> Answer<Json<Appended>> {
    let entered = api.enter(who, &room, Role::Editor).await?;
    let at = at::parse(&at, &entered.cell)?;
    let (wanted, _) = entered.text_at(at).await?;
    let (now, base) = entered.text_at(At::Head).await?;
    let operation = difference(now, wanted).await?;
    Ok(Json(Appended { revision: entered.edit(base, operation).await? }))
}

/// The operation from one text to another.
pub async fn difference(before: Rope, after: Rope) -> Result<Operation, Refusal> {
    let operation = offload(move || Operation::diff_rope(&before, &String::from(&after))).await?;
    operation.map_err(|error| Refusal::new(ErrorCode::TextTooLarge, error.to_string()))
}

fn find(entered: &Entered, name: &str) -> Result<Version, Refusal> {
    let found = entered.cell.with_state(|state| state.decided().versions.get(name).cloned());
    found.ok_or_else(|| Refusal::new(ErrorCode::NotFound, format!("there is no version named {name:?}")))
}

/// A text as a part of a path (RFC 3986, section 2.3: what is unreserved stays).
fn in_path(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    escaped.collect()
}
