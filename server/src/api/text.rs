//! `/api/rooms/{id}/text`: reading and writing it.

use std::ops::Range;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::At,
    ot::{Mismatch, Operation},
};
use ropey::Rope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, at,
    body::{Body, TextBody},
    etag,
    params::{Path, Query},
    problem::{Answer, Problem},
    streamed,
    who::Who,
};
use crate::{blocking::offload, refusal::Refusal, room::rebase};

/// The header with the revision of a text.
pub const REVISION: HeaderName = HeaderName::from_static("motet-revision");

/// A place in history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct When {
    /// A revision (`17`), a time (`2026-07-01T12:00:00Z`), or a version (`version:draft`); the newest one without it.
    #[param(example = "17", nullable = false)]
    pub at: Option<String>,
}

/// What a text was made from.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The revision; `If-Match` says the same.
    #[param(nullable = false)]
    base: Option<Revision>,
}

/// An operation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The revision whose text it counts on.
    base: Revision,
    /// It.
    operation: Operation,
}

/// What was appended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Appended {
    /// The revision that has it; that of the base, where nothing was to be changed.
    pub revision: Revision,
}

/// The text of a room
///
/// The `ETag` has the revision in it. `Range` takes bytes, one range at a time.
#[utoipa::path(
    get, path = "/rooms/{id}/text", tag = "text",
    params(
        ("id" = RoomId, Path, description = "The room"), When,
        ("if-none-match" = Option<String>, Header, description = "The ETag of a text that you have"),
        ("range" = Option<String>, Header, description = "`bytes=0-99`, `bytes=100-` or `bytes=-100`"),
        ("if-range" = Option<String>, Header, description = "The ETag of the text whose range is wanted"),
    ),
    responses(
        (
            status = 200, description = "The text", body = String, content_type = "text/plain; charset=utf-8",
            headers(("etag" = String), ("motet-revision" = u64)),
        ),
        (
            status = 206, description = "A part of it", body = String, content_type = "text/plain; charset=utf-8",
            headers(("etag" = String), ("motet-revision" = u64), ("content-range" = String)),
        ),
        (status = 304, description = "You have it", headers(("etag" = String))),
    ),
)]
pub async fn read(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(When { at }): Query<When>,
    headers: HeaderMap,
    who: Who,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let at = at.map_or(Ok(At::Head), |at| at::parse(&at, &entered.cell))?;
    let (text, revision) = entered.text_at(at).await?;
    Ok(answer(&text, revision, &etag::tag(revision, entered.cell.log_id()), &headers))
}

/// The text, or the part of it that is asked for, or that the client has it.
pub fn answer(text: &Rope, revision: Revision, tag: &str, headers: &HeaderMap) -> Response {
    let common = [(header::ETAG, tag.to_owned()), (REVISION, revision.to_string())];
    if etag::lists(headers, header::IF_NONE_MATCH, tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let (length, whole) = (text.len_bytes(), 0..text.len_bytes());
    let same = headers.get(header::IF_RANGE).is_none_or(|wanted| wanted.as_bytes() == tag.as_bytes());
    let wanted = headers.get(header::RANGE).filter(|_| same).and_then(|range| range_of(range, length));
    let (status, part) = match wanted {
        None => (StatusCode::OK, whole),
        Some(Ok(part)) => (StatusCode::PARTIAL_CONTENT, part),
        Some(Err(())) => {
            let problem = Problem::new(ErrorCode::BadArgument, format!("the text has {length} bytes"));
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return (range, problem.with_status(StatusCode::RANGE_NOT_SATISFIABLE)).into_response();
        }
    };
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, part.len().to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        // It is somebody's, and the newest one is another soon; what is asked for by revision stays what it is.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        // A page of some other kind must not be made of it.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let body = streamed::bytes_of(text.clone(), part.clone());
    let mut response = (status, common, head, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        let value = HeaderValue::try_from(range).expect("words, digits and hyphens are visible ASCII");
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// What a `Range` means (RFC 9110, section 14.1.2) for so many bytes; none for what is passed over (another unit, more
/// than one range, nonsense), `Err` for a range that begins behind the end.
fn range_of(value: &HeaderValue, length: usize) -> Option<Result<Range<usize>, ()>> {
    let (first, last) = value.to_str().ok()?.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |digits: &str| -> Option<usize> {
        let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse().unwrap_or(usize::MAX))
    };
    let range = match (first.trim(), last.trim()) {
        ("", last) => length - number(last)?.min(length)..length,
        (first, "") => number(first)?..length,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(length)
        }
    };
    Some(if range.start < range.end { Ok(range) } else { Err(()) })
}

/// Write the text of a room
///
/// The difference to the text at the base becomes an edit, so that what others typed since the base stays. Without a base
/// the text as it is when the request comes is replaced. A text that differs much becomes several entries; a write that is
/// cut off can leave the first of them. Repeat it with the same base, and the same `Idempotency-Key`.
#[utoipa::path(
    put, path = "/rooms/{id}/text", tag = "text",
    params(
        ("id" = RoomId, Path, description = "The room"), From,
        ("if-match" = Option<String>, Header, description = "The ETag of the text that this one was made from"),
        ("idempotency-key" = Option<String>, Header, description = "The same when the request is sent again"),
    ),
    request_body(content = String, content_type = "text/plain; charset=utf-8"),
    responses((status = 200, description = "It is written", body = Appended, headers(("etag" = String)))),
)]
pub async fn write(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(From { base }): Query<From>,
    headers: HeaderMap,
    who: Who,
    TextBody { text, share: _share }: TextBody,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Editor).await?;
    let log = entered.cell.log_id();
    let base = match (etag::base(&headers, log)?, base) {
        (Some(matched), Some(base)) if matched != base => {
            let words = "If-Match and base name different revisions; name one";
            return Err(Problem::new(ErrorCode::BadArgument, words));
        }
        (Some(base), _) | (None, Some(base)) => At::Revision(base),
        (None, None) => At::Head,
    };
    let (before, base) = entered.text_at(base).await?;
    let operation = offload(move || Operation::diff_rope(&before, &text)).await?;
    let operation = operation.map_err(|error| Refusal::new(ErrorCode::TextTooLarge, error.to_string()))?;
    let revision = entered.edit(base, operation).await?;
    Ok(([(header::ETAG, etag::value(revision, log))], Json(Appended { revision })).into_response())
}

/// Change the text of a room by an operation
#[utoipa::path(
    post, path = "/rooms/{id}/text", tag = "text", params(("id" = RoomId, Path, description = "The room")),
    request_body = Change,
    responses((status = 200, description = "It is changed", body = Appended, headers(("etag" = String)))),
)]
pub async fn apply(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(Change { base, operation }): Body<Change>,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Editor).await?;
    if operation.is_noop() {
        // It is not appended, and so nobody else looks whether it fits.
        let (text, _) = entered.text_at(At::Revision(base)).await?;
        let (expected, found) = (operation.base_len(), text.len_chars() as u64);
        if expected != found {
            return Err(rebase::mismatch(Mismatch { expected, found }, base).into());
        }
    }
    let revision = entered.edit(base, operation).await?;
    let tag = etag::value(revision, entered.cell.log_id());
    Ok(([(header::ETAG, tag)], Json(Appended { revision })).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_is_there_of_it() {
        let range = |words: &str| range_of(&HeaderValue::from_str(words).unwrap(), 10);
        assert_eq!(range("bytes=0-3"), Some(Ok(0..4)));
        assert_eq!(range("bytes=4-"), Some(Ok(4..10)));
        assert_eq!(range("bytes=4-99999999999999999999999"), Some(Ok(4..10)));
        assert_eq!(range("bytes=-3"), Some(Ok(7..10)));
        assert_eq!(range("bytes=-30"), Some(Ok(0..10)));
        assert_eq!(range("bytes=10-"), Some(Err(())));
        assert_eq!(range("bytes=-0"), Some(Err(())));
        for passed_over in ["bytes=3-1", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes", "bytes=-", "bytes=+1-2"] {
            assert_eq!(range(passed_over), None, "{passed_over}");
        }
        assert_eq!(range_of(&HeaderValue::from_static("bytes=0-"), 0), Some(Err(())));
    }
}
