//! The page at `/docs`, which shows the OpenAPI document, and the document itself.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;

/// The page. It is one file, and asks nobody but this server for anything.
const PAGE: &str = include_str!("page.html");

/// `/docs`
pub async fn show() -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (head, PAGE).into_response()
}

/// `/api/openapi.json`
pub fn document(document: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
