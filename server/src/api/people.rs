//! `/api/rooms/{id}/participants`: who is there, and who was.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use motet_protocol::{
    access::Role,
    ids::{ParticipantId, RoomId},
    room::Author,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, params::Path, problem::Answer, who::Who};

/// People of a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    /// Those who have it open, and the last of those who have added something.
    participants: Vec<Participant>,
}

/// Somebody in a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct Participant {
    /// The session, as others see it.
    participant: ParticipantId,
    /// Who that is.
    author: Author,
    /// Whether they have the room open.
    present: bool,
    /// What they may do, if they have it open.
    role: Option<Role>,
}

/// Who is in a room, and who was
#[utoipa::path(
    get, path = "/rooms/{id}/participants", tag = "people",
    params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "Those who are there first", body = People)),
)]
pub async fn participants(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<People>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let mut people: BTreeMap<ParticipantId, Participant> = entered.cell.with_state(|state| {
        let known = state.decided().people.authors();
        let known = known.map(|(id, author)| (id, author.clone()));
        let were = known.map(|(participant, author)| {
            (participant, Participant { participant, author, present: false, role: None })
        });
        were.collect()
    });
    for (principal, role) in entered.cell.principals() {
        let (participant, author) = (principal.participant, principal.author.clone());
        people.insert(participant, Participant { participant, author, present: true, role: Some(role) });
    }
    let mut participants: Vec<_> = people.into_values().collect();
    participants.sort_by_key(|person| (!person.present, person.participant));
    Ok(Json(People { participants }))
}
