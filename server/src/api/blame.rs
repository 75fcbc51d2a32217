//! `/api/rooms/{id}/blame`: who wrote what.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{ParticipantId, Revision, RoomId, UnixMs},
    message::At,
    room::Author,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api, at,
    limits::BLAME_RANGES_MAX,
    params::{Path, Query},
    problem::Answer,
    streamed,
    text::When,
    who::Who,
};
use crate::{
    history::{blame, cast::Cast},
    refusal::Refusal,
};

/// Who wrote what of a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Blame {
    /// The revision that the text is of.
    revision: Revision,
    /// Its parts, in order and without gaps.
    ranges: Vec<Range>,
}

/// A part of a text by one entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Range {
    /// Where it begins, in scalars.
    start: u64,
    /// Where it ends.
    end: u64,
    /// The entry that put it there.
    revision: Revision,
    /// Whose that is.
    participant: ParticipantId,
    /// Who that is.
    author: Author,
    /// When.
    time_ms: UnixMs,
}

/// Who wrote each part of a text, and when
#[utoipa::path(
    get, path = "/rooms/{id}/blame", tag = "history", params(("id" = RoomId, Path, description = "The room"), When),
    responses((status = 200, description = "Its parts, in order", body = Blame)),
)]
pub async fn blame(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(When { at }): Query<When>,
    who: Who,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let at = at.map_or(Ok(At::Head), |at| at::parse(&at, &entered.cell))?;
    let revision = entered.revision_at(at).await?;
    let found = entered.scan((0, revision), (blame::Blame::default(), Cast::default()), |(blame, cast), entry| {
        blame.fold(entry);
        cast.fold(entry);
        if blame.range_count() <= BLAME_RANGES_MAX {
            return Ok(());
        }
        let words = format!("more than {BLAME_RANGES_MAX} parts are not told apart; read the log instead");
        Err(Refusal::new(ErrorCode::LimitReached, words))
    });
    let (blame, cast) = found.await?;
    let mut start = 0;
    let ranges = blame.into_ranges().map(move |blame::Range { len, by }| {
        let blame::Written { revision, participant, time_ms } = by;
        let author = cast.author(participant);
        let range = Range { start, end: start + len, revision, participant, author, time_ms };
        start = range.end;
        range
    });
    let body = streamed::object_with_list(format!("{{\"revision\":{revision},\"ranges\":["), ranges);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
