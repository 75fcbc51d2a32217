//! Who makes a request to a room: its caller, and the session of what it appends.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use motet_protocol::{error::ErrorCode, ids::SessionId};
use uuid::Uuid;

use super::{caller::Caller, limits::KEY_BYTES_MAX, problem::Problem};
use crate::{auth::Authenticator, context::Context, refusal::Refusal, session};

/// The header with a session: a client that gives the same one each time is the same participant each time.
pub const SESSION: &str = "motet-session";

/// The header with which a client makes sure that a request that it sends again is done once.
pub const KEY: &str = "idempotency-key";

/// Who makes a request.
#[derive(Clone, Debug)]
pub struct Who {
    /// Its sender, as a participant of rooms.
    pub caller: session::Caller,
    /// What the request appends is a session of its own: that of its key, so that a repeat is appended once, whatever
    /// happened in between.
    pub submits: SessionId,
    /// Whether it has a key.
    pub has_key: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Who
where
    Context: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // A token may be good once only, so it is shown once only.
        if let Some(who) = parts.extensions.get::<Self>() {
            return Ok(who.clone());
        }
        // A ticket is good once: it is not spent on a request that is refused for its other headers.
        let session = session_of(&parts.headers)?;
        let key = key(&parts.headers)?.map(str::to_owned);
        let auth = Context::from_ref(state).auth;
        let Caller(identity) = <Caller as FromRequestParts<Authenticator>>::from_request_parts(parts, &auth).await?;
        let id = session.unwrap_or_else(|| SessionId(Uuid::new_v4()));
        let caller = session::Caller::new(id.participant(), identity);
        let submits = match &key {
            Some(key) => submits(&caller, session, key),
            None => SessionId(Uuid::new_v4()),
        };
        let who = Self { caller, submits, has_key: key.is_some() };
        parts.extensions.insert(who.clone());
        Ok(who)
    }
}

/// The session of a key: another one for each caller, so that nobody takes somebody else's.
fn submits(caller: &session::Caller, session: Option<SessionId>, key: &str) -> SessionId {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6d6f_7465_7400_5000_8000_6964_656d_706f);
    let whose = match (caller.account(), session) {
        (Some(account), _) => format!("account/{account}"),
        (None, Some(session)) => format!("session/{}", session.0),
        (None, None) => "guest".to_owned(),
    };
    SessionId(Uuid::new_v5(&NAMESPACE, format!("{whose}\0{key}").as_bytes()))
}

fn session_of(headers: &HeaderMap) -> Result<Option<SessionId>, Refusal> {
    let bad = || Refusal::new(ErrorCode::BadArgument, "the header Motet-Session is to be one UUID");
    let Some(value) = one(headers, SESSION).map_err(|()| bad())? else { return Ok(None) };
    Uuid::parse_str(value).map(|uuid| Some(SessionId(uuid))).map_err(|_| bad())
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let bad = || {
        let words = format!("the header Idempotency-Key is to be one word of 1 to {KEY_BYTES_MAX} visible characters");
        Refusal::new(ErrorCode::BadArgument, words)
    };
    let key = one(headers, KEY).map_err(|()| bad())?;
    let fits = |key: &&str| (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    key.map(|key| Some(key).filter(fits).ok_or_else(bad)).transpose()
}

/// The value of a header that may be there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}
