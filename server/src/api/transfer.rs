//! `/api/rooms/{id}/export` and `…/import`: rooms as files.

use std::{io, sync::Arc};

use axum::{
    Json, RequestExt,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::BodyExt;
use motet_protocol::{
    access::{AccountId, Role},
    error::ErrorCode,
    ids::{Revision, RoomId, UnixMs},
    json,
    message::{At, Entry},
    room::RoomInfo,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    body::{too_large, too_slow},
    entry::Entered,
    etag,
    limits::{BODY_SILENCE, IMPORT_BATCH_BYTES, IMPORT_BATCH_ENTRIES, IMPORT_LINE_BYTES_MAX, IMPORT_TIMEOUT},
    params::{Path, Query},
    problem::{Answer, Problem},
    text,
    who::Who,
};
use crate::{
    blocking::offload,
    hub::{history, import::Import},
    refusal::{RETRY_AFTER_MS, Refusal},
};

/// JSON Lines.
const NDJSON: &str = "application/x-ndjson";

/// What the first line of a file says it is.
const KIND: &str = "motet-room";

/// The version of the form of these files.
const VERSION: u32 = 1;

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Form {
    /// `log` for the whole log as JSON Lines, `text` for the text alone.
    #[serde(default)]
    #[param(inline, required = false)]
    format: Format,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The log.
    #[default]
    Log,
    /// The text.
    Text,
}

/// The first line of a room's file; its entries follow, one a line.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// `motet-room`.
    kind: String,
    /// The version of this form: 1.
    version: u32,
    /// The room.
    room: RoomId,
    /// When it was made.
    created_ms: UnixMs,
    /// Who made it, where that was an account.
    owner: Option<AccountId>,
    /// How many entries follow.
    head: Revision,
}

/// A room as a file
///
/// The log as JSON Lines: the first line says what it is, each line after it is an entry. Or the text alone.
#[utoipa::path(
    get, path = "/rooms/{id}/export", tag = "transfer", params(("id" = RoomId, Path, description = "The room"), Form),
    responses((
        status = 200, description = "The file",
        content((String = "application/x-ndjson"), (String = "text/plain; charset=utf-8")),
    )),
)]
pub async fn export(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(Form { format }): Query<Form>,
    who: Who,
) -> Answer<Response> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let (ending, mut response) = match format {
        Format::Text => {
            let (rope, revision) = entered.text_at(At::Head).await?;
            let tag = etag::tag(revision, entered.cell.log_id());
            ("txt", text::answer(&rope, revision, &tag, &axum::http::HeaderMap::new()))
        }
        Format::Log => {
            let record = &entered.cell.record;
            let head = Head {
                kind: KIND.to_owned(),
                version: VERSION,
                room: room.clone(),
                created_ms: record.created_ms,
                owner: record.owner.clone(),
                head: entered.head(),
            };
            ("jsonl", ([(header::CONTENT_TYPE, NDJSON)], lines_of(&api, entered, &head)).into_response())
        }
    };
    let file = format!("attachment; filename=\"{room}.{ending}\"");
    let value = HeaderValue::try_from(file).expect("a room's name and the words around it are visible ASCII");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    Ok(response)
}

/// The lines of a room's file, read as the client takes them. If something fails on the way the answer breaks off, so that
/// nobody takes a part for the whole.
fn lines_of(api: &Api, entered: Entered, head: &Head) -> Body {
    let (store, log, up_to) = (Arc::clone(&api.context.rooms.store), entered.cell.log_id(), head.head);
    let first = Bytes::from(json::encode(head) + "\n");
    // The room stays open while it is read, so that its log is not removed behind it.
    let pages = stream::try_unfold((0, entered), move |(after, entered)| {
        let store = Arc::clone(&store);
        async move {
            if after >= up_to {
                return Ok::<_, io::Error>(None);
            }
            let page = offload(move || {
                let most = usize::try_from(up_to - after).unwrap_or(usize::MAX);
                let page = history::read_after(store.as_ref(), log, after, most).map_err(io::Error::other)?;
                let last = page.last().map(|(entry, _)| entry.revision);
                let last = last.ok_or_else(|| io::Error::other("the log ends before its head"))?;
                let lines: String = page.iter().map(|(entry, _)| json::encode(entry) + "\n").collect();
                Ok::<_, io::Error>((Bytes::from(lines), last))
            });
            let (lines, last) = page.await.map_err(io::Error::other)??;
            Ok(Some((lines, (last, entered))))
        }
    });
    use futures_util::StreamExt;
    Body::from_stream(stream::once(async { Ok(first) }).chain(pages))
}

/// Make a room of a file
///
/// The file is one that an export gave, of this or another server. The room has all of its history, and a name of its own;
/// whose each entry is stays as it was, but for accounts, which only an admin can bring along. A text alone is no file of
/// this kind: make a room with it.
#[utoipa::path(
    post, path = "/rooms/{id}/import", tag = "transfer",
    params(("id" = RoomId, Path, description = "The name of the new room")),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((
        status = 201, description = "It is made", body = RoomInfo,
        headers(("location" = String, description = "Its address")),
    )),
)]
pub async fn import(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Who { caller, .. }: Who,
    NdJson(body): NdJson,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<RoomInfo>)> {
    let turn = Arc::clone(&api.imports).try_acquire_owned().map_err(|_| {
        let words = "too many rooms are being imported; send it again later";
        Refusal::for_now(ErrorCode::Overloaded, words, RETRY_AFTER_MS)
    })?;
    let import = api.context.rooms.begin_import(caller, room.clone()).await?;
    // On its own, so that what was begun is cleared away when the client is gone.
    let done = tokio::spawn(async move {
        let mut import = import;
        let made = take_all(&mut import, Lines::new(body)).await;
        if made.is_err() {
            import.abandon().await;
        }
        drop(turn);
        made
    });
    let failed = |_| Problem::new(ErrorCode::Internal, "the server failed at this; its log says where");
    let made = done.await.map_err(failed)??;
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/api/rooms/{room}"))], Json(made)))
}

async fn take_all(import: &mut Import, mut lines: Lines) -> Answer<RoomInfo> {
    let first = lines.next().await?.unwrap_or_default();
    let Head { kind, version, head, .. } = of_line(&first)?;
    if kind != KIND || version != VERSION {
        let words = format!("the first line is not that of a {KIND} of version {VERSION}");
        return Err(Problem::new(ErrorCode::BadMessage, words));
    }
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(line) = lines.next().await? {
        bytes += line.len();
        batch.push(of_line::<Entry>(&line)?);
        if batch.len() >= IMPORT_BATCH_ENTRIES || bytes >= IMPORT_BATCH_BYTES {
            bytes = 0;
            import.take(std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        import.take(batch).await?;
    }
    if import.revision() != head {
        let words = format!("the file has {} entries, and says that it has {head}", import.revision());
        return Err(Problem::new(ErrorCode::BadMessage, words));
    }
    Ok(import.finish().await?)
}

fn of_line<T: DeserializeOwned>(line: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(line).map_err(|error| {
        Refusal::new(ErrorCode::BadMessage, format!("a line of the file is not what it should be: {error}"))
    })
}

/// A body that says that it is JSON Lines. Nothing of it is read yet.
#[derive(Debug)]
pub struct NdJson(Body);

impl<S: Send + Sync> FromRequest<S> for NdJson {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().unwrap_or_default().trim() != NDJSON {
            let words = format!("the body is to be JSON Lines, and the header Content-Type to say so: {NDJSON}");
            return Err(Problem::new(ErrorCode::BadMessage, words).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        DefaultBodyLimit::disable().apply(&mut request);
        Ok(Self(request.into_limited_body()))
    }
}

/// The lines of a body, as they come.
#[derive(Debug)]
struct Lines {
    body: Body,
    buffer: BytesMut,
    ended: bool,
    ends: Instant,
}

impl Lines {
    fn new(body: Body) -> Self {
        Self { body, buffer: BytesMut::new(), ended: false, ends: Instant::now() + IMPORT_TIMEOUT }
    }

    /// The next line without its end; none at the end of the body. Empty lines are passed over.
    async fn next(&mut self) -> Answer<Option<Bytes>> {
        let mut looked_at = 0;
        loop {
            if let Some(end) = self.buffer[looked_at..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(looked_at + end + 1).freeze();
                looked_at = 0;
                if line.len() > 1 {
                    return Ok(Some(line.slice(..line.len() - 1)));
                }
                continue;
            }
            looked_at = self.buffer.len();
            if looked_at > IMPORT_LINE_BYTES_MAX {
                return Err(too_large());
            }
            if self.ended {
                let rest = std::mem::take(&mut self.buffer).freeze();
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            }
            match timeout_at(self.ends, timeout(BODY_SILENCE, self.body.frame())).await {
                Err(_) | Ok(Err(_)) => return Err(too_slow()),
                Ok(Ok(None)) => self.ended = true,
                Ok(Ok(Some(Ok(frame)))) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Ok(Ok(Some(Err(error)))) => {
                    return Err(Problem::new(ErrorCode::BadMessage, format!("the body ends in the middle: {error}")));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_cut_wherever_the_pieces_of_the_body_end() {
        let text = "one\n\ntwo 😀\nthree";
        for size in 1..text.len() {
            let pieces: Vec<_> = text.as_bytes().chunks(size).map(|piece| Ok::<_, io::Error>(piece.to_vec())).collect();
            let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)));
            for due in ["one", "two 😀", "three"] {
                assert_eq!(lines.next().await.unwrap().unwrap(), due, "{size}");
            }
            assert_eq!(lines.next().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_refused_before_it_takes_the_memory() {
        let pieces = std::iter::repeat_with(|| Ok::<_, io::Error>(vec![b'x'; 64 * 1024]));
        let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)));
        assert_eq!(lines.next().await.unwrap_err().code, ErrorCode::FrameTooLarge);
    }
}
