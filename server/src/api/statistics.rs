//! `/api/rooms/{id}/statistics`: who did how much.

use axum::{Json, extract::State};
use motet_protocol::{
    access::Role,
    ids::{Revision, RoomId, UnixMs},
    room::Author,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, params::Path, problem::Answer, who::Who};
use crate::history::stats::{Done, Stats};

/// Sums over a room's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statistics {
    /// The newest revision that is in them: how many entries there are.
    revision: Revision,
    /// When the first entry was ordered.
    first_ms: Option<UnixMs>,
    /// When the last one was.
    last_ms: Option<UnixMs>,
    /// The time in which something was done: the pauses between entries that are shorter than five minutes.
    active_ms: u64,
    /// Connections that had the room open at once, at most.
    present_max: u32,
    /// Connections that have it open now.
    present: u32,
    /// All together.
    #[serde(flatten)]
    all: Work,
    /// What each did, who did the most first; of more than 1,000, the first.
    people: Vec<PersonWork>,
    /// How many people there are.
    people_count: u64,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Work {
    /// Changes of the text.
    edits: u64,
    /// Other entries: settings, roles, versions, chat, comments.
    others: u64,
    /// Characters (scalars) that were put in.
    inserted: u64,
    /// Characters that were taken out.
    deleted: u64,
}

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonWork {
    /// Who. An account is one person, however often it came; a guest is one in each session.
    author: Author,
    /// When the last of it was.
    last_ms: UnixMs,
    /// What.
    #[serde(flatten)]
    work: Work,
}

impl From<&Done> for Work {
    fn from(&Done { edits, others, inserted, deleted, .. }: &Done) -> Self {
        Self { edits, others, inserted, deleted }
    }
}

/// People in one answer.
const PEOPLE_SHOWN: usize = 1_000;

/// Who did how much in a room, and when
#[utoipa::path(
    get, path = "/rooms/{id}/statistics", tag = "history",
    params(("id" = RoomId, Path, description = "The room")),
    responses((status = 200, description = "Sums over its log", body = Statistics)),
)]
pub async fn statistics(State(api): State<Api>, Path(room): Path<RoomId>, who: Who) -> Answer<Json<Statistics>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let known = api.sums.get(entered.cell.log_id());
    let take = |stats: &mut Stats, entry: &_| {
        stats.fold(entry);
        Ok(())
    };
    let stats = entered.scan((known.revision, entered.head()), known, take).await?;
    api.sums.keep(entered.cell.log_id(), &stats);
    let people = stats.people();
    let present = entered.cell.present();
    Ok(Json(Statistics {
        revision: stats.revision,
        first_ms: stats.first_ms,
        last_ms: stats.last_ms,
        active_ms: stats.active_ms,
        present_max: entered.cell.activity().present_max.max(present),
        present,
        all: Work::from(&stats.all),
        people_count: people.len() as u64,
        people: people
            .iter()
            .take(PEOPLE_SHOWN)
            .map(|(_, done)| PersonWork { author: done.author.clone(), last_ms: done.last_ms, work: Work::from(done) })
            .collect(),
    }))
}
