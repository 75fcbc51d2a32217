//! The web editor, embedded in the server: the page for `/` and `/r/ROOM`, and the files that it loads.
//!
//! The files are the build's (`web/app/dist`), kept gzipped. Those in `assets` have a hash of their content in their
//! names and are cached for good. The page is made for each response: with a nonce, which its Content-Security-Policy
//! names, and with a `<base>` that is the path of the server, so that the same build serves behind any reverse proxy.

use std::{collections::HashMap, io::Read, sync::LazyLock};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::read::GzDecoder;

use super::listener::Http;

/// The files of the editor: name and gzipped content.
static FILES: LazyLock<HashMap<&str, &[u8]>> = LazyLock::new(|| {
    let files: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));
    files.iter().copied().collect()
});

/// The page as it was built, with `MOTET_NONCE` where a nonce belongs.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let page = FILES.get("index.html").and_then(|packed| String::from_utf8(unpack(packed)).ok());
    page.expect("the build has a page, in UTF-8")
});

/// The header in which a reverse proxy gives the path below which it serves this server.
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// The routes of the web editor: its page at `/` and `/r/ROOM`, and the files that the page loads.
pub(super) fn routes() -> Router<Http> {
    Router::new()
        .route("/", get(home))
        .route("/r/{room}", get(home))
        .route("/assets/{name}", get(asset))
        .route("/icon.svg", get(icon))
}

async fn home(State(http): State<Http>, request: Request) -> Response {
    page(&request, http.proxies)
}

/// The editor's page. `proxies` is how many reverse proxies are in front; with 0, the
/// header that gives a path is ignored.
fn page(request: &Request, proxies: usize) -> Response {
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(nonce);
    let base = base_path(request.headers(), proxies);
    let body =
        PAGE.replace("MOTET_NONCE", &nonce).replacen("<head>", &format!("<head>\n    <base href=\"{base}\" />"), 1);
    let Ok(policy) = HeaderValue::try_from(policy(&nonce, request.headers())) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    const PERMISSIONS: &str =
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()";
    (head, [("permissions-policy", PERMISSIONS), ("cross-origin-opener-policy", "same-origin")], body).into_response()
}

/// A file of the editor in `assets`, which never changes under its name.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{name}"), "public, max-age=31536000, immutable", &headers)
}

/// The editor's icon.
async fn icon(headers: HeaderMap) -> Response {
    file("icon.svg", "public, max-age=86400", &headers)
}

fn file(name: &str, caching: &'static str, headers: &HeaderMap) -> Response {
    let Some(packed) = FILES.get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let head = [
        (header::CONTENT_TYPE, kind(name)),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if takes_gzip(headers) {
        (head, [(header::CONTENT_ENCODING, "gzip")], Bytes::from_static(packed)).into_response()
    } else {
        (head, unpack(packed)).into_response()
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let mut codings = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut content).expect("the build script packed it");
    content
}

/// The Content-Security-Policy of the page: only its own scripts run, it loads only from this server, no page may frame
/// it, and scripts may not turn text into HTML.
fn policy(nonce: &str, headers: &HeaderMap) -> String {
    // Older browsers take 'self' to be http and https only, so the WebSocket's address is named as well.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_plain_host(host));
    let sockets = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         connect-src 'self'{sockets}; media-src 'self' blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn is_plain_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

/// The path of the server as the browser sees it, with a slash at its end. Of several proxies the nearest counts, which
/// is the last named.
fn base_path(headers: &HeaderMap, proxies: usize) -> String {
    let said = headers.get_all(FORWARDED_PREFIX).iter().next_back().and_then(|value| value.to_str().ok());
    let nearest = said.and_then(|value| value.rsplit(',').next()).map(|value| value.trim().trim_end_matches('/'));
    match nearest {
        Some(path) if proxies > 0 && is_plain_path(path) => format!("{path}/"),
        _ => "/".to_owned(),
    }
}

/// Whether a path may stand in an attribute, and does not begin another host's address (`//`).
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains("//")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_page_is_under_the_path_that_a_trusted_proxy_names() {
        let base = |proxies, prefix| base_path(&headers(&[(FORWARDED_PREFIX, prefix)]), proxies);
        assert_eq!(base(1, "/motet"), "/motet/");
        assert_eq!(base(1, "/a/b/"), "/a/b/");
        assert_eq!(base(1, "/evil, /motet"), "/motet/");
        assert_eq!(base(0, "/motet"), "/", "no proxy is trusted");
        for prefix in ["//evil.example", "motet", "/\"><script>", "/a b", ""] {
            assert_eq!(base(1, prefix), "/", "{prefix}");
        }
        assert_eq!(base_path(&HeaderMap::new(), 1), "/");
    }

    #[test]
    fn each_response_has_a_nonce_of_its_own_in_policy_and_page() {
        let nonces: Vec<String> = (0..2)
            .map(|_| {
                let request =
                    Request::builder().header("host", "motet.example:1").body(axum::body::Body::empty()).unwrap();
                let answer = page(&request, 0);
                let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
                assert!(policy.contains("connect-src 'self' ws://motet.example:1 wss://motet.example:1;"), "{policy}");
                policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned()
            })
            .collect();
        assert_ne!(nonces[0], nonces[1]);
    }

    #[test]
    fn a_host_that_is_none_gets_into_no_policy() {
        assert!(!policy("n", &headers(&[("host", "a; script-src *")])).contains("script-src *"));
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        assert!(takes_gzip(&headers(&[("accept-encoding", "br, GZIP;q=0.5")])));
        assert!(!takes_gzip(&headers(&[("accept-encoding", "br, gzip;q=0")])));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
