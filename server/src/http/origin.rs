//! Which web pages may use the server. A browser sends the site of the page (`Origin`) and the name under which it
//! reaches the server (`Host`). Other programs send no `Origin`, and these checks do not apply to them.
//!
//! Two attacks are refused:
//!
//! - **Pages of other sites.** Any page in a browser can send requests to a server on the same machine. The browser
//!   hides the answers from pages of other sites, but it lets those pages open WebSockets.
//! - **DNS rebinding.** A page of `evil.example`, whose name is pointed at 127.0.0.1 after the page has loaded, counts
//!   as the same site for its browser. It still sends its own name in `Host`. So a server that needs no sign-in because
//!   only its own machine reaches it answers only to addresses, to `localhost` and to configured names. An address in
//!   `Host` cannot be rebound.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use motet_protocol::error::ErrorCode;

use crate::api::problem::Problem;

/// The header in which a proxy gives the `Host` that it received.
const FORWARDED_HOST: &str = "x-forwarded-host";

/// Which web pages may use a server.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// Origins whose pages may use the server, besides its own; in lower case.
    pub origins: Vec<HeaderValue>,
    /// Host names of the server, in lower case, besides those of `origins`, `localhost` and addresses.
    pub names: Vec<String>,
    /// Whether requests with any other name in `Host` are refused.
    pub named_only: bool,
    /// How many proxies are in front; each may append the `Host` that it received to `X-Forwarded-Host`.
    pub proxies: usize,
}

/// Passes a request on, or answers `forbidden` if it comes from a page that may not use the server.
pub async fn check(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !pages.knows(headers) {
        let words =
            "this server does not go by the name in the header Host; use its address, or start it with --allow-host";
        return Problem::new(ErrorCode::Forbidden, words).into_response();
    }
    // A browser keeps the answer to a plain GET from pages that --cors-origin does not name.
    let acts = !request.method().is_safe() || headers.contains_key(header::UPGRADE);
    if acts && !pages.admit(headers) {
        let words = "a page of another site may not do this; --cors-origin names sites whose pages may";
        return Problem::new(ErrorCode::Forbidden, words).into_response();
    }
    next.run(request).await
}

impl Pages {
    /// Whether each `Host` of the request names this server; always true unless `named_only`.
    fn knows(&self, headers: &HeaderMap) -> bool {
        !self.named_only || headers.get_all(header::HOST).iter().all(|host| self.knows_host(host))
    }

    fn knows_host(&self, host: &HeaderValue) -> bool {
        let Some(authority) = authority(host.as_bytes()) else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        // Browsers take all below `localhost` to be this machine, without a DNS query (RFC 6761, section 6.3).
        name.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.names.iter().any(|known| known == name)
            || self.origins.iter().filter_map(site).any(|(site, _)| site.host() == name)
    }

    /// Whether a request is from one of the server's own pages, from a page of an allowed site, or from no page.
    fn admit(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::ORIGIN)
            .iter()
            .all(|origin| self.origins.contains(origin) || self.is_own(origin, headers))
    }

    fn is_own(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Some((own, default_port)) = site(origin) else { return false };
        let is_same = |host: &[u8]| {
            authority(host).is_some_and(|host| {
                let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
                host.host().eq_ignore_ascii_case(own.host()) && port(&host) == port(&own)
            })
        };
        let forwarded =
            headers.get_all(FORWARDED_HOST).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        let forwarded: Vec<&[u8]> = forwarded.map(<[u8]>::trim_ascii).collect();
        // The client itself can have written the earlier values.
        let seen_by_proxies = forwarded.iter().rev().take(self.proxies);
        headers.get(header::HOST).is_some_and(|host| is_same(host.as_bytes())) || seen_by_proxies.copied().any(is_same)
    }
}

/// The host and the port of an origin, and the port that it has where it names none. None of `null`, which many pages
/// share.
fn site(origin: &HeaderValue) -> Option<(Authority, u16)> {
    let (scheme, host) = origin.to_str().ok()?.split_once("://")?;
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    Some((authority(host.as_bytes())?, default_port))
}

/// A host with or without a port, and nothing else.
fn authority(host: &[u8]) -> Option<Authority> {
    Authority::try_from(host).ok().filter(|authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_page_is_the_servers_own_by_host_and_port() {
        let pages = Pages { origins: vec![HeaderValue::from_static("https://wiki.example")], ..Pages::default() };
        let admits = |origin, host| pages.admit(&headers(&[("origin", origin), ("host", host)]));
        for (origin, host) in [
            ("http://localhost:6683", "localhost:6683"),
            ("http://LocalHost:6683", "localhost:6683"),
            ("http://[::1]:6683", "[::1]:6683"),
            ("http://motet.example", "motet.example"),
            ("http://motet.example", "motet.example:80"),
            ("https://motet.example", "motet.example:443"),
            ("https://wiki.example", "motet.example"),
        ] {
            assert!(admits(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://evil.example", "localhost:6683"),
            ("http://localhost:3000", "localhost:6683"),
            ("http://localhost", "localhost:6683"),
            ("https://localhost:6683.evil.example", "localhost:6683"),
            ("http://localhost:6683@evil.example", "localhost:6683"),
            ("https://motet.example", "motet.example:80"),
            ("http://wiki.example", "motet.example"),
            ("file://", ""),
            ("null", "null"),
            ("", ""),
            ("http://", ""),
        ] {
            assert!(!admits(origin, host), "{origin} {host}");
        }
        assert!(pages.admit(&headers(&[("host", "motet.example")])), "a program");
        let twice = [("origin", "http://a.example"), ("origin", "http://evil.example"), ("host", "a.example")];
        assert!(!pages.admit(&headers(&twice)));
    }

    #[test]
    fn what_a_proxy_saw_counts_only_where_there_is_one() {
        let admits = |proxies, forwarded| {
            let all = [("origin", "https://a.example"), ("host", "127.0.0.1:6683"), ("x-forwarded-host", forwarded)];
            Pages { proxies, ..Pages::default() }.admit(&headers(&all))
        };
        assert!(!admits(0, "a.example"));
        assert!(admits(1, "a.example"));
        assert!(admits(2, "a.example, inner"));
        assert!(!admits(1, "a.example, b.example"), "the proxy saw b.example, and somebody said the rest");
    }

    #[test]
    fn names_that_lead_here_by_somebody_elses_will_are_told_from_the_servers_own() {
        let pages = Pages {
            origins: vec![HeaderValue::from_static("https://wiki.example:8443")],
            names: vec!["box.lan".to_owned()],
            named_only: true,
            proxies: 0,
        };
        let knows = |host: &str| pages.knows(&headers(&[("host", host)]));
        for host in [
            "127.0.0.1:6683",
            "[::1]:6683",
            "10.0.0.7",
            "localhost",
            "LOCALHOST.:1",
            "a.localhost",
            "Box.lan:1",
            "wiki.example",
        ] {
            assert!(knows(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example", "a@localhost", "", ":"]
        {
            assert!(!knows(host), "{host}");
        }
        assert!(!pages.knows(&headers(&[("host", "localhost"), ("host", "evil.example")])));
        assert!(pages.knows(&HeaderMap::new()), "no browser leaves it out");
        assert!(Pages::default().knows(&headers(&[("host", "evil.example")])));
    }
}
