//! Whether the server can serve (`/readyz`), and its metrics (`/metrics`).

use std::sync::atomic::Ordering;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::listener::Http;

/// 200 if the server takes edits; 503 while it shuts down or its store does not take writes.
pub(super) async fn ready(State(http): State<Http>) -> Response {
    if http.context.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    if !http.context.metrics.store_takes.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the store takes no edits for now; the log says why\n")
            .into_response();
    }
    "ready\n".into_response()
}

/// The metrics in OpenMetrics text.
pub(super) async fn metrics(State(http): State<Http>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], http.context.metrics.render()).into_response()
}
