//! `/api/rooms/{id}/diff`: what differs between two revisions.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{Revision, RoomId},
    ot::Operation,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, at,
    limits::{UNIFIED_BYTES_MAX, UNIFIED_LINES_MAX},
    params::{Path, Query},
    problem::Answer,
    versions::difference,
    who::Who,
};
use crate::{blocking::offload, history::unified, refusal::Refusal};

/// Between what, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Between {
    /// The earlier text: a revision, a time, or a version (`version:draft`).
    #[param(example = "0")]
    from: String,
    /// The later text, as `from`; the newest one without it.
    #[param(example = "head", nullable = false)]
    to: Option<String>,
    /// `json` for an operation, `unified` for people and `patch`.
    #[serde(default)]
    #[param(inline, required = false)]
    format: Format,
}

/// The form of a difference.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// An operation.
    #[default]
    Json,
    /// A unified diff.
    Unified,
}

/// What differs between two texts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// The revision of the earlier text.
    from: Revision,
    /// The revision of the later text.
    to: Revision,
    /// Makes the later text of the earlier one.
    operation: Operation,
}

/// What differs between two revisions of a text
#[utoipa::path(
    get, path = "/rooms/{id}/diff", tag = "history",
    params(("id" = RoomId, Path, description = "The room"), Between),
    responses((
        status = 200, description = "The difference",
        content((Difference = "application/json"), (String = "text/plain; charset=utf-8")),
    )),
)]
pub async fn diff(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(Between { from, to, format }): Query<Between>,
    who: Who,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let (before, from) = entered.text_at(at::parse(&from, &entered.cell)?).await?;
    let (after, to) = entered.text_at(at::parse(to.as_deref().unwrap_or("head"), &entered.cell)?).await?;
    if let Format::Json = format {
        let operation = difference(before, after).await?;
        return Ok(Json(Difference { from, to, operation }).into_response());
    }
    let lines = before.len_lines() + after.len_lines();
    if lines > UNIFIED_LINES_MAX || before.len_bytes() + after.len_bytes() > UNIFIED_BYTES_MAX {
        let words = format!(
            "texts of more than {UNIFIED_LINES_MAX} lines or {UNIFIED_BYTES_MAX} bytes are not compared line by line; \
             ask for format=json"
        );
        return Err(Refusal::new(ErrorCode::LimitReached, words).into());
    }
    let names = (format!("{room}@{from}"), format!("{room}@{to}"));
    let text = offload(move || {
        let lines = unified::diff(&String::from(&before), &String::from(&after));
        format!("--- {}\n+++ {}\n{lines}", names.0, names.1)
    })
    .await?;
    let head = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((head, text).into_response())
}
