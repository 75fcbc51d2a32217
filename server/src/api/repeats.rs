//! Requests that are sent twice: one with an `Idempotency-Key` is done once, and its repeat is given the same answer
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! The answers are kept in memory, a bounded number of them for a bounded time. What a request appends to a room is
//! appended once even when its answer is kept no more, and after a crash: it is the submit of a session that belongs to
//! the key (see [`Who::submits`](super::who::Who)).

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Instant,
};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use motet_protocol::ids::SessionId;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::{
    Api, body,
    entry::key_used,
    limits::{ANSWER_BYTES_MAX, ANSWER_KEPT, ANSWERS_MAX, BODY_BYTES_MAX},
    problem::Problem,
    who::Who,
};

/// The answers that are kept.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    slots: HashMap<SessionId, Slot>,
    /// In the order in which they came.
    order: VecDeque<(SessionId, Instant)>,
}

/// A request that was made with a key, and its answer when there is one: whoever repeats it meanwhile waits for the same.
#[derive(Clone, Debug)]
struct Slot {
    asked: u64,
    answer: Arc<OnceCell<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Repeats {
    /// The slot of a key.
    fn slot(&self, key: SessionId, asked: u64, now: Instant) -> Slot {
        let mut table = self.0.lock();
        while table.order.len() >= ANSWERS_MAX
            || table.order.front().is_some_and(|(_, since)| now.duration_since(*since) >= ANSWER_KEPT)
        {
            let Some((oldest, _)) = table.order.pop_front() else { break };
            table.slots.remove(&oldest);
        }
        if !table.slots.contains_key(&key) {
            table.order.push_back((key, now));
        }
        table.slots.entry(key).or_insert_with(|| Slot { asked, answer: Arc::default() }).clone()
    }

    fn forget(&self, key: SessionId, slot: &Slot) {
        let mut table = self.0.lock();
        if table.slots.get(&key).is_some_and(|kept| Arc::ptr_eq(&kept.answer, &slot.answer)) {
            table.slots.remove(&key);
            table.order.retain(|(other, _)| *other != key);
        }
    }
}

/// Does a request with a key once. Passes others on.
pub async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(super::who::KEY) || is_long(&request) {
        return next.run(request).await;
    }
    answer(api, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

/// An import is not read twice; a repeat finds its room there.
fn is_long(request: &Request) -> bool {
    request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-ndjson"))
}

async fn answer(api: Api, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = Who::from_request_parts(&mut parts, &api).await?.submits;
    let held = body::read(Request::from_parts(parts.clone(), body), BODY_BYTES_MAX).await?;
    let mut hasher = DefaultHasher::new();
    (parts.method.as_str(), parts.uri.to_string(), &held.bytes).hash(&mut hasher);
    let asked = hasher.finish();
    let slot = api.repeats.slot(key, asked, Instant::now());
    if slot.asked != asked {
        return Err(key_used());
    }
    let request = Request::from_parts(parts, Body::from(held.bytes.clone()));
    let done = slot.answer.get_or_try_init(|| async {
        let response = next.run(request).await;
        if !response.status().is_success() {
            // It has changed nothing: a repeat tries again.
            return Err(response);
        }
        keep(response).await
    });
    match done.await {
        Ok(Kept { status, headers, body }) => Ok((*status, headers.clone(), body.clone()).into_response()),
        Err(response) => {
            api.repeats.forget(key, &slot);
            Ok(response)
        }
    }
}

/// The answer as it is kept. One that is too long is given and not kept.
async fn keep(response: Response) -> Result<Kept, Response> {
    let (parts, body) = response.into_parts();
    // Handlers that are asked by POST answer from memory.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::debug!(%error, "an answer could not be kept");
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
    };
    if body.len() > ANSWER_BYTES_MAX {
        return Err(Response::from_parts(parts, Body::from(body)));
    }
    Ok(Kept { status: parts.status, headers: parts.headers, body })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn no_more_answers_are_kept_than_may_be_and_none_for_ever() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let key = |n: usize| SessionId(Uuid::from_u128(n as u128));
        let first = repeats.slot(key(0), 7, start);
        assert!(Arc::ptr_eq(&first.answer, &repeats.slot(key(0), 8, start).answer), "the first one's");
        for n in 1..2 * ANSWERS_MAX {
            repeats.slot(key(n), 7, start);
        }
        let table = repeats.0.lock();
        assert!(table.slots.len() <= ANSWERS_MAX && table.order.len() == table.slots.len());
        drop(table);
        repeats.slot(key(0), 7, start + ANSWER_KEPT);
        assert_eq!(repeats.0.lock().slots.len(), 1);
    }
}
