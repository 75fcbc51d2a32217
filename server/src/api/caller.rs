//! Who makes an HTTP request: the only place that reads a token from one. [`Caller`] is the identity;
//! [`Who`](super::who::Who) asks it for that.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use motet_protocol::limits::TOKEN_BYTES_MAX;

use super::problem::Problem;
use crate::{
    auth::{Authenticator, Identity, unauthorized},
    clock::now_ms,
    refusal::Refusal,
};

/// The sender of a request, identified by its `Authorization: Bearer …`; without that header a guest, if the server
/// lets guests in. As `Option<Caller>`: `None` without the header.
#[derive(Clone, Debug)]
pub struct Caller(pub Identity);

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        Ok(Self(Authenticator::from_ref(state).identify(token, "", now_ms()).await?))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller
where
    Authenticator: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        match bearer(&parts.headers)? {
            Some(_) => <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The token of a request, or `None` without the header (RFC 6750, section 2.1).
///
/// # Errors
///
/// `unauthorized` for a header that is there twice or is not text, another scheme, and a token that is empty, has a
/// space in it or is longer than [`TOKEN_BYTES_MAX`].
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let words = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((scheme, token)) = words.filter(|_| second.is_none()) else { return Err(unauthorized()) };
    let token = token.trim();
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !scheme.eq_ignore_ascii_case("bearer") || !fits {
        return Err(unauthorized());
    }
    Ok(Some(token))
}

/// The address that a request comes from: given by the trusted proxies, else the peer's ([`ConnectInfo`]). Requests
/// without either share `0.0.0.0`, and so one count of attempts.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Address
where
    Authenticator: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let proxies = Authenticator::from_ref(state).config().proxies;
        let address = forwarded(&parts.headers, proxies).or(peer);
        Ok(Self(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// The address that the outermost of `proxies` trusted proxies received the request from. The client itself can have
/// written the earlier values of the header.
fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let addresses: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let address = addresses.iter().nth_back(proxies.checked_sub(1)?)?;
    address.parse().ok().or_else(|| address.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// The `User-Agent` of a request; empty without that header.
#[derive(Clone, Debug)]
pub struct Client(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let named = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(named.unwrap_or_default().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_header_only() {
        let headers = |values: &[&str]| {
            let values = values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
            values.collect::<HeaderMap>()
        };
        assert_eq!(bearer(&headers(&[])), Ok(None));
        assert_eq!(bearer(&headers(&["Bearer abc"])), Ok(Some("abc")));
        assert_eq!(bearer(&headers(&["bearer  abc "])), Ok(Some("abc")));
        let longest = format!("Bearer {}", "a".repeat(TOKEN_BYTES_MAX));
        assert!(bearer(&headers(&[&longest])).is_ok());
        let longer = format!("{longest}a");
        let bad_ones = [
            &["Basic abc"][..],
            &["abc"],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a", "Bearer b"],
            &["Bearer a", "Basic b"],
            &[&longer],
        ];
        for bad in bad_ones {
            assert_eq!(bearer(&headers(bad)), Err(unauthorized()), "{bad:?}");
        }
    }

    #[test]
    fn behind_proxies_an_address_is_what_they_saw_and_not_what_somebody_says() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 10.0.0.7".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.8:4711".parse().unwrap());
        let address = |proxies| forwarded(&headers, proxies).map(|address| address.to_string());
        assert_eq!(address(0), None, "nobody vouches for it");
        assert_eq!(address(1).as_deref(), Some("10.0.0.8"));
        assert_eq!(address(2).as_deref(), Some("10.0.0.7"));
        assert_eq!(address(4), None);
        headers.insert("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(forwarded(&headers, 1), None);
    }
}
