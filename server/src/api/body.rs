//! Bodies of requests. What is wrong with one is told as a [`Problem`]; one that is too slow is given up, and all of them
//! together take no more memory than they may.

use std::{error::Error, sync::Arc};

use axum::{
    RequestExt,
    extract::{FromRef, FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError};
use motet_protocol::{error::ErrorCode, json};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Api,
    limits::{BODIES_BYTES_MAX, BODY_BYTES_MAX, BODY_PERMIT_BYTES, BODY_SILENCE, BODY_TIMEOUT},
    problem::Problem,
};
use crate::refusal::{RETRY_AFTER_MS, Refusal};

/// What the bodies of all requests may take of memory together. The router puts it on each request.
#[derive(Clone, Debug)]
pub struct Shares(Arc<Semaphore>);

impl Default for Shares {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX / BODY_PERMIT_BYTES)))
    }
}

/// The JSON body of a request. It is as large as the router's `DefaultBodyLimit` lets it be; fields that it should not
/// have are refused by types that say `deny_unknown_fields`.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let words = "the body is to be JSON, and the header Content-Type to say so: application/json";
            return Err(Problem::new(ErrorCode::BadMessage, words).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        of_json(&read(request, BODY_BYTES_MAX).await?.bytes).map(Self)
    }
}

fn of_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let first = bytes.trim_ascii_start().first();
    if first.is_some_and(|first| b"[\"0123456789-tfn".contains(first)) {
        // A list would do for serde, its items for the fields in their order.
        return Err(Problem::new(ErrorCode::BadArgument, "the body is to be a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let words = error.to_string();
        if let Some(operation) = words.strip_prefix(json::BAD_OPERATION) {
            return Problem::new(ErrorCode::BadOperation, operation);
        }
        let code = if error.is_data() { ErrorCode::BadArgument } else { ErrorCode::BadMessage };
        Problem::new(code, format!("the body is not what it should be: {words}"))
    })
}

/// Whether a request says that its body is JSON (`application/json`, `application/…+json`).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// A body that is held in memory, and its share of what bodies may take.
#[derive(Debug)]
pub struct Held {
    /// It.
    pub bytes: Bytes,
    share: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `bytes_max` bytes, out of what all bodies may take together.
///
/// # Errors
///
/// `frame_too_large`, `idle_timeout` for one that is too slow, `overloaded` when others take the memory, `bad_message`
/// for one that ends in the middle.
pub async fn read(request: Request, bytes_max: usize) -> Result<Held, Problem> {
    let shares = request.extensions().get::<Shares>().cloned();
    let mut body = request.into_limited_body();
    let (mut bytes, mut share, ends) = (BytesMut::new(), None::<OwnedSemaphorePermit>, Instant::now() + BODY_TIMEOUT);
    loop {
        let frame = match timeout_at(ends, timeout(BODY_SILENCE, body.frame())).await {
            Err(_) | Ok(Err(_)) => return Err(too_slow()),
            Ok(Ok(None)) => return Ok(Held { bytes: bytes.freeze(), share }),
            Ok(Ok(Some(frame))) => frame.map_err(|error| broken(&error))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > bytes_max {
            return Err(too_large());
        }
        if let Some(Shares(shares)) = &shares {
            take_share(shares, &mut share, bytes.len() + data.len())?;
        }
        bytes.extend_from_slice(&data);
    }
}

fn broken(error: &axum::Error) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        cause = error.source();
    }
    Problem::new(ErrorCode::BadMessage, format!("the body ends in the middle: {error}"))
}

/// The answer to a body that is too large.
pub fn too_large() -> Problem {
    Problem::new(ErrorCode::FrameTooLarge, "the body is larger than this address takes; docs/http.md has the limits")
}

/// The answer to a body that is too slow.
pub fn too_slow() -> Problem {
    Problem::new(ErrorCode::IdleTimeout, "the body did not come in time; send it again on a better line")
}

fn take_share(shares: &Arc<Semaphore>, share: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), Refusal> {
    let has = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let more = bytes.div_ceil(BODY_PERMIT_BYTES).saturating_sub(has);
    let more = u32::try_from(more).unwrap_or(u32::MAX);
    let taken = Arc::clone(shares).try_acquire_many_owned(more).map_err(|_| {
        let words = "too many large requests are under way; send it again later";
        Refusal::for_now(ErrorCode::Overloaded, words, RETRY_AFTER_MS)
    })?;
    match share {
        Some(share) => share.merge(taken),
        None => *share = Some(taken),
    }
    Ok(())
}

/// A text as the body of a request: UTF-8, no longer than a room's may be.
#[derive(Debug)]
pub struct TextBody {
    /// It.
    pub text: String,
    /// Its share of what bodies may take.
    pub share: Option<OwnedSemaphorePermit>,
}

impl<S: Send + Sync> FromRequest<S> for TextBody
where
    Api: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let api = Api::from_ref(state);
        let bytes_max = usize::try_from(api.context.settings.limits.text_bytes_max).unwrap_or(usize::MAX);
        let Held { bytes, share } = read(request, bytes_max).await?;
        let text = String::from_utf8(bytes.into())
            .map_err(|error| Problem::new(ErrorCode::BadMessage, format!("the body is not UTF-8: {error}")))?;
        Ok(Self { text, share })
    }
}
