//! Signing in and out. Tokens are renewed when they are about to expire, by one process at a time.

use motet_client::error::Error;
use motet_protocol::{access::AccountId, ids::UnixMs};
use serde::Serialize;
use ureq::http::Method;

use super::{
    Api, Credentials,
    credentials::{FileError, SignedIn},
};

/// A token that expires sooner than this is renewed before it is used, in milliseconds: so that the command comes to its
/// end with it, also where two clocks are not quite the same.
const RENEWED_BEFORE_MS: u64 = 120_000;

/// Why signing in or out failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The server said no, or is not there.
    #[error(transparent)]
    Server(#[from] Error),
    /// What it said cannot be kept.
    #[error(transparent)]
    File(#[from] FileError),
}

#[derive(Serialize)]
struct NameAndPassword<'a> {
    name: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct RefreshToken<'a> {
    refresh_token: &'a str,
}

/// Makes an account, and signs in with it.
pub(crate) fn register(
    api: &Api,
    credentials: &Credentials,
    name: &str,
    password: &str,
) -> Result<AccountId, SessionError> {
    open(api, credentials, "/auth/register", name, password)
}

/// Signs in. A session that was kept before is ended.
pub(crate) fn login(
    api: &Api,
    credentials: &Credentials,
    name: &str,
    password: &str,
) -> Result<AccountId, SessionError> {
    open(api, credentials, "/auth/login", name, password)
}

fn open(
    api: &Api,
    credentials: &Credentials,
    path: &str,
    name: &str,
    password: &str,
) -> Result<AccountId, SessionError> {
    // Locked before, so that tokens that cannot be kept are not made.
    let locked = credentials.lock()?;
    locked.get(api.address())?;
    let signed_in: SignedIn = api.send(Method::POST, path, &NameAndPassword { name, password })?;
    let account = signed_in.account.clone();
    if let Some(before) = locked.set(api.address(), Some(signed_in))? {
        // It ends by itself if this fails, after a month.
        let _ = end(api, &before);
    }
    Ok(account)
}

/// Signs out, and removes the tokens also if the server refuses. Returns the account; none if no one was signed in.
pub(crate) fn logout(api: &Api, credentials: &Credentials) -> Result<Option<AccountId>, SessionError> {
    let locked = credentials.lock()?;
    let Some(signed_in) = locked.set(api.address(), None)? else { return Ok(None) };
    match end(api, &signed_in) {
        // A session that has ended already is what was asked for.
        Err(error) if !is_unauthorized(&error) => Err(error.into()),
        _ => Ok(Some(signed_in.account)),
    }
}

/// The access token of the account that is signed in, valid for two minutes or more. None if no account is.
///
/// # Errors
///
/// `unauthorized` where the session has ended: one signs in again.
pub(crate) fn access_token(api: &Api, credentials: &Credentials, now: UnixMs) -> Result<Option<String>, SessionError> {
    let Some(signed_in) = credentials.get(api.address())? else { return Ok(None) };
    if is_good(&signed_in, now) {
        return Ok(Some(signed_in.access_token));
    }
    let locked = credentials.lock()?;
    // Another process may have renewed it meanwhile.
    let Some(signed_in) = locked.get(api.address())? else { return Ok(None) };
    if is_good(&signed_in, now) {
        return Ok(Some(signed_in.access_token));
    }
    let body = RefreshToken { refresh_token: &signed_in.refresh_token };
    let next: SignedIn = api.send(Method::POST, "/auth/refresh", &body)?;
    let token = next.access_token.clone();
    locked.set(api.address(), Some(next))?;
    Ok(Some(token))
}

fn is_good(signed_in: &SignedIn, now: UnixMs) -> bool {
    now.saturating_add(RENEWED_BEFORE_MS) < signed_in.access_expires_ms
}

fn end(api: &Api, signed_in: &SignedIn) -> Result<(), Error> {
    api.send_only(Method::POST, "/auth/logout", &RefreshToken { refresh_token: &signed_in.refresh_token })
}

fn is_unauthorized(error: &Error) -> bool {
    use motet_protocol::error::ErrorCode;
    error.kind() == motet_client::error::ErrorKind::Refused(ErrorCode::Unauthorized)
}
