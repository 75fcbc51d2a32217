//! `/api/projects`: rooms that belong together, as files do.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use motet_protocol::{
    access::{AccountId, Member, ProjectId, Role},
    error::ErrorCode,
    ids::{RoomId, UnixMs},
    presence::Person,
    room::{RoomFilter, RoomInfo},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Api,
    body::Body,
    limits::TREE_ROOMS_MAX,
    params::{Path, Query},
    problem::{Answer, Problem},
    rooms::page_size,
    who::Who,
};
use crate::{
    auth::Target,
    blocking::blocking,
    clock::now_ms,
    hub::{
        company::InRoom,
        projects::{Project, role_in},
    },
    refusal::Refusal,
    room::access,
    session::Caller,
};

/// Rooms that are looked at together for a tree.
const TREE_PAGE: usize = 256;

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectInfo {
    /// Its name.
    project: ProjectId,
    /// A name for people; may be empty.
    title: String,
    /// Who made it, where that was an account: a host in all of its rooms.
    owner: Option<AccountId>,
    /// When.
    created_ms: UnixMs,
    /// Who else has a role in all of its rooms.
    members: Vec<ProjectMember>,
    /// What you may do with it.
    role: Role,
}

/// A member of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectMember {
    /// Who.
    member: Member,
    /// What they may do in all of the project's rooms.
    role: Role,
}

/// A page of projects.
#[derive(Debug, Serialize, ToSchema)]
pub struct Projects {
    /// Those that you may see, by name.
    projects: Vec<ProjectInfo>,
    /// Where to go on (as `after`), if there are more.
    next: Option<ProjectId>,
}

/// Which projects are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Projects whose names come after this one.
    #[param(value_type = ProjectId, required = false)]
    after: Option<ProjectId>,
    /// At most so many are looked at; fewer come where you may not see all of them.
    #[param(minimum = 1, maximum = 1000, nullable = false)]
    limit: Option<u32>,
}

/// A project to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Its name; without one it is a new UUID.
    #[serde(default)]
    project: Option<ProjectId>,
    /// A name for people.
    #[serde(default)]
    #[schema(max_length = 128)]
    title: String,
}

/// A change of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPatch {
    /// A name for people.
    #[schema(max_length = 128)]
    title: String,
}

/// A decision on a member of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRole {
    /// Who.
    member: Member,
    /// What they may do in all of the project's rooms; nothing more than everybody without it.
    role: Option<Role>,
}

/// A project's rooms as files.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tree {
    /// Those that you may see, by path, so that what is in a folder stands together.
    files: Vec<File>,
    /// Whether there are more than are listed.
    more: bool,
}

/// Who is in which file of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Company {
    /// The rooms that you may see in which somebody is, by path.
    files: Vec<CompanyFile>,
}

/// The people in a room of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompanyFile {
    /// The room's path in the project; its name where none is set.
    path: String,
    /// The room.
    room: RoomId,
    /// How many are there.
    present: u32,
    /// Who they are, the longest there first. Of very many, those who may edit.
    people: Vec<Person>,
}

/// A room as a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct File {
    /// Its path in the project (`src/main.rs`); the room's name where none is set.
    path: String,
    /// The room.
    room: RoomInfo,
}

fn info(id: ProjectId, project: &Project, role: Role) -> ProjectInfo {
    let members = project.members.iter().map(|(member, role)| ProjectMember { member: member.clone(), role: *role });
    ProjectInfo {
        project: id,
        title: project.title.clone(),
        owner: project.owner.clone(),
        created_ms: project.created_ms,
        members: members.collect(),
        role,
    }
}

fn not_found(id: &ProjectId) -> Refusal {
    Refusal::new(ErrorCode::NotFound, format!("there is no project {id}, or it is not open to you"))
}

/// Changes a project, for a host of it.
async fn update(
    api: &Api,
    caller: Caller,
    id: ProjectId,
    change: impl Fn(Project) -> Result<Option<Project>, Refusal> + Send + 'static,
) -> Result<Option<ProjectInfo>, Refusal> {
    let public = api.context.rooms.public();
    let (asker, name) = (caller.clone(), id.clone());
    let after = api.context.rooms.update_project(&id, move |project| {
        let project = project.ok_or_else(|| not_found(&name))?;
        let role = role_in(&asker, &name, &project, public).ok_or_else(|| not_found(&name))?;
        access::require(Some(role), Role::Host)?;
        change(project)
    });
    let role = |project: &Project| role_in(&caller, &id, project, public).unwrap_or(Role::Viewer);
    Ok(after.await?.map(|project| info(id.clone(), &project, role(&project))))
}

/// The projects that you may see
#[utoipa::path(
    get, path = "/projects", tag = "projects", params(Wanted),
    responses((status = 200, description = "A page of them; the next one begins after `next`", body = Projects)),
)]
pub async fn list(
    State(api): State<Api>,
    Query(Wanted { after, limit }): Query<Wanted>,
    Who { caller, .. }: Who,
) -> Answer<Json<Projects>> {
    let limit = page_size(limit)?;
    let (projects, public) = (api.context.rooms.projects.clone(), api.context.rooms.public());
    let mut found = blocking(move || projects.list(after.as_ref(), limit + 1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(id, _)| id.clone());
    let seen = found.into_iter().filter_map(|(id, project)| {
        let role = role_in(&caller, &id, &project, public)?;
        Some(info(id, &project, role))
    });
    Ok(Json(Projects { projects: seen.collect(), next }))
}

/// Make a project
///
/// Rooms come into it by their settings `project` and `path`. Whoever makes it must be a host of those that name it
/// already.
#[utoipa::path(
    post, path = "/projects", tag = "projects", request_body = NewProject,
    responses((
        status = 201, description = "It is made", body = ProjectInfo,
        headers(("location" = String, description = "Its address")),
    )),
)]
pub async fn create(
    State(api): State<Api>,
    Who { caller, .. }: Who,
    Body(NewProject { project, title }): Body<NewProject>,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<ProjectInfo>)> {
    api.context.rooms.may_create(&caller)?;
    let id = match project {
        Some(id) => id,
        None => ProjectId::new(&Uuid::new_v4().to_string()).expect("a UUID is made of digits, letters and hyphens"),
    };
    // Its owner will be a host of all of its rooms: nobody gets at others' rooms this way.
    let mut admin = caller.identity.clone();
    admin.admin = true;
    let everything = Caller::new(caller.participant, admin);
    let (rooms, more) = rooms_of(&api, &everything, &id).await?;
    for room in rooms.iter().map(|room| Some(&room.room)).chain(more.then_some(None)) {
        let is_host = match room {
            Some(room) => api.context.rooms.enter(&caller, room, Role::Host).await.is_ok(),
            None => false,
        };
        if !is_host {
            let words =
                "there are rooms that name this project, and you are not a host of all of them; take another name";
            return Err(Problem::new(ErrorCode::Forbidden, words));
        }
    }
    let mut new = Project { owner: caller.account().cloned(), created_ms: now_ms(), ..Project::default() };
    new.rename(&title)?;
    if new.owner.is_none() && api.context.rooms.public() != Some(Role::Host) {
        // A guest would have made a project that nobody is the host of.
        new.decide(Member::Participant(caller.participant), Some(Role::Host))?;
    }
    let (made, auth, target) = (new.clone(), api.context.auth.clone(), Target::Project(id.clone()));
    // The one that is there stays.
    let update = move |before: Option<Project>| match before {
        Some(before) => Ok(Some(before)),
        None => {
            // Somebody may have made a link to the one before while it was deleted.
            auth.revoke_links(&target)?;
            Ok(Some(made.clone()))
        }
    };
    let after = api.context.rooms.update_project(&id, update).await?;
    if after.is_none_or(|after| *after != new) {
        let problem = Problem::new(ErrorCode::BadArgument, format!("there is a project {id}; take another name"));
        return Err(problem.with_status(StatusCode::CONFLICT));
    }
    let address = [(header::LOCATION, format!("/api/projects/{id}"))];
    Ok((StatusCode::CREATED, address, Json(info(id, &new, Role::Host))))
}

/// A project that was made, and what somebody may do with it.
async fn role_of(api: &Api, caller: &Caller, id: &ProjectId) -> Result<(Arc<Project>, Role), Refusal> {
    let (projects, public, name) = (api.context.rooms.projects.clone(), api.context.rooms.public(), id.clone());
    let found = blocking(move || projects.get(&name)).await?.ok_or_else(|| not_found(id))?;
    let role = role_in(caller, id, &found, public).ok_or_else(|| not_found(id))?;
    Ok((found, role))
}

/// Lets only hosts of a project go on.
pub async fn require_host(api: &Api, caller: &Caller, id: &ProjectId) -> Result<(), Refusal> {
    let (_, role) = role_of(api, caller, id).await?;
    access::require(Some(role), Role::Host).map(drop)
}

/// A project
#[utoipa::path(
    get, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    responses((status = 200, description = "It, with its members", body = ProjectInfo)),
)]
pub async fn show(
    State(api): State<Api>,
    Path(id): Path<ProjectId>,
    Who { caller, .. }: Who,
) -> Answer<Json<ProjectInfo>> {
    let (found, role) = role_of(&api, &caller, &id).await?;
    Ok(Json(info(id, &found, role)))
}

/// Change a project
#[utoipa::path(
    patch, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    request_body = ProjectPatch,
    responses((status = 200, description = "It is changed", body = ProjectInfo)),
)]
pub async fn change(
    State(api): State<Api>,
    Path(id): Path<ProjectId>,
    Who { caller, .. }: Who,
    Body(ProjectPatch { title }): Body<ProjectPatch>,
) -> Answer<Json<ProjectInfo>> {
    let changed = update(&api, caller, id.clone(), move |mut project| {
        project.rename(&title)?;
        Ok(Some(project))
    });
    Ok(Json(changed.await?.ok_or_else(|| not_found(&id))?))
}

/// Delete a project; its rooms stay
#[utoipa::path(
    delete, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    responses((status = 204, description = "It is gone; its members have no more role in its rooms than others")),
)]
pub async fn delete(State(api): State<Api>, Path(id): Path<ProjectId>, Who { caller, .. }: Who) -> Answer<StatusCode> {
    require_host(&api, &caller, &id).await?;
    // Before, since they must not lead to another project of the same name, whatever comes in between.
    let links = api.context.auth.take_links(Target::Project(id.clone())).await?;
    let deleted = update(&api, caller, id, |_| Ok(None)).await;
    api.context.auth.end(links);
    deleted?;
    Ok(StatusCode::NO_CONTENT)
}

/// Decide what somebody may do in all rooms of a project
///
/// It takes a host of the project. Who has rooms of the project open is told what they may do there now.
#[utoipa::path(
    put, path = "/projects/{id}/members", tag = "projects",
    params(("id" = ProjectId, Path, description = "The project")), request_body = MemberRole,
    responses((status = 200, description = "It is decided", body = ProjectInfo)),
)]
pub async fn decide(
    State(api): State<Api>,
    Path(id): Path<ProjectId>,
    Who { caller, .. }: Who,
    Body(MemberRole { member, role }): Body<MemberRole>,
) -> Answer<Json<ProjectInfo>> {
    let decided = update(&api, caller, id.clone(), move |mut project| {
        project.decide(member.clone(), role)?;
        Ok(Some(project))
    });
    Ok(Json(decided.await?.ok_or_else(|| not_found(&id))?))
}

/// The rooms of a project, as files
#[utoipa::path(
    get, path = "/projects/{id}/tree", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    responses((status = 200, description = "Those that you may see, by path", body = Tree)),
)]
pub async fn tree(State(api): State<Api>, Path(id): Path<ProjectId>, Who { caller, .. }: Who) -> Answer<Json<Tree>> {
    let (rooms, more) = rooms_of(&api, &caller, &id).await?;
    if rooms.is_empty() {
        // Rooms that name a project make a tree, whether or not it was made; nothing at all does not.
        role_of(&api, &caller, &id).await?;
    }
    let path = |room: &RoomInfo| file_path(&room.room, &room.settings.path);
    let mut files: Vec<_> = rooms.into_iter().map(|room| File { path: path(&room), room }).collect();
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    Ok(Json(Tree { files, more }))
}

/// Who is in which file of a project
#[utoipa::path(
    get, path = "/projects/{id}/people", tag = "projects", params(("id" = ProjectId, Path, description = "The project")),
    responses((status = 200, description = "The rooms that you may see in which somebody is, by path", body = Company)),
)]
pub async fn people(
    State(api): State<Api>,
    Path(id): Path<ProjectId>,
    Who { caller, .. }: Who,
) -> Answer<Json<Company>> {
    let found = api.context.rooms.people_in(&caller, &id).await?;
    if found.is_empty() && rooms_of(&api, &caller, &id).await?.0.is_empty() {
        role_of(&api, &caller, &id).await?;
    }
    let mut files: Vec<_> = found
        .into_iter()
        .map(|InRoom { room, path, people, present }| CompanyFile {
            path: file_path(&room, &path),
            room,
            present,
            people,
        })
        .collect();
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    Ok(Json(Company { files }))
}

/// The path of a room in its project; its name where it has none.
fn file_path(room: &RoomId, path: &str) -> String {
    if path.is_empty() { room.to_string() } else { path.to_owned() }
}

/// The rooms of a project that somebody may see, and whether there are more.
async fn rooms_of(api: &Api, caller: &Caller, id: &ProjectId) -> Result<(Vec<RoomInfo>, bool), Refusal> {
    let (mut rooms, mut after): (Vec<RoomInfo>, Option<RoomId>) = (Vec::new(), None);
    while rooms.len() < TREE_ROOMS_MAX {
        let filter = RoomFilter { project: Some(id.clone()), ..RoomFilter::default() };
        let (page, next) = api.context.rooms.list(caller, filter, after, TREE_PAGE).await?;
        rooms.extend(page);
        if next.is_none() {
            return Ok((rooms, false));
        }
        after = next;
    }
    Ok((rooms, true))
}
