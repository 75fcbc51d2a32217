//! The HTTP listener: health, figures, and the way to WebSocket.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use motet_protocol::error::ErrorCode;
use tokio::net::{TcpListener, TcpStream};
use tungstenite::handshake::derive_accept_key;
use utoipa_axum::router::OpenApiRouter;

use super::{
    assets,
    connection::{self},
    inbound::Inbound,
    listen::{Door, Place, accept},
    pages::{self, Pages},
};
use crate::{
    api::{self, Api, problem::Problem},
    auth,
    context::Context,
    wire::Wire,
};

/// A request's head must be there within this.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// A request's head in bytes, at most.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// What a client of WebSocket must say for its version (RFC 6455, section 4.2.1).
const WEBSOCKET_VERSION: &str = "13";

#[derive(Clone, Debug)]
struct Http {
    context: Context,
    door: Door,
    /// How many reverse proxies are in front, whose headers are believed.
    proxies: usize,
}

/// Serves HTTP.
pub async fn accept_http(listener: TcpListener, door: Door, context: Context, pages: Pages) {
    let stopping = context.stopping.clone();
    let http = Http { context, door: door.clone(), proxies: pages.proxies };
    let others = OpenApiRouter::new().nest("/auth", auth::routes::routes(http.context.auth.clone()));
    let api = api::router(Api::new(http.context.clone()), others, pages.origins.clone());
    let router = Router::new()
        .route("/", get(home))
        .route("/r/{room}", get(home))
        .route("/assets/{name}", get(assets::asset))
        .route("/icon.svg", get(assets::icon))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/ws", get(websocket))
        .with_state(http.clone())
        .merge(api)
        .fallback(api::nothing_here)
        .method_not_allowed_fallback(api::wrong_method)
        .layer(from_fn(to_its_end))
        .layer(from_fn_with_state(Arc::new(pages), pages::check));
    let serve = move |stream, peer, place| serve(stream, peer, place, router.clone(), http.context.clone());
    accept(listener, door, stopping, serve).await;
}

/// Brings a request to its end though its client goes away meanwhile: what takes several steps is not left half done. It keeps
/// its connection's place for so long.
async fn to_its_end(request: Request, next: Next) -> Response {
    let place = request.extensions().get::<Place>().cloned();
    let answer = tokio::spawn(async move {
        let answer = next.run(request).await;
        drop(place);
        answer
    });
    answer.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request could not be answered");
        Problem::new(ErrorCode::Internal, "the server failed to answer; its log says why").into_response()
    })
}

async fn serve(stream: TcpStream, peer: std::net::SocketAddr, place: Place, router: Router, context: Context) {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES_MAX);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        // Attempts to sign in are counted by address.
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(place.clone());
        TowerToHyperService::new(router.clone()).call(request)
    });
    let served = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = context.stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "an HTTP connection ended early");
    }
}

/// The web editor.
async fn home(State(http): State<Http>, request: Request) -> Response {
    assets::page(&request, http.proxies)
}

async fn ready(State(http): State<Http>) -> Response {
    if http.context.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    if !http.context.metrics.store_takes.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the store takes no edits for now; the log says why\n")
            .into_response();
    }
    "ready\n".into_response()
}

async fn metrics(State(http): State<Http>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], http.context.metrics.render()).into_response()
}

/// Answers the opening handshake (RFC 6455, section 4.2.2) and hands the socket to a connection's task.
async fn websocket(State(http): State<Http>, mut request: Request) -> Response {
    let says = |name: header::HeaderName, what: &str| {
        let values = request.headers().get_all(name);
        let mut words = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        words.any(|word| word.trim().eq_ignore_ascii_case(what))
    };
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        let upgrade = [(header::UPGRADE, "websocket")];
        return (StatusCode::UPGRADE_REQUIRED, upgrade, "this is a WebSocket; see docs/protocol.md\n").into_response();
    }
    if !says(header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION) {
        let version = [(header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION)];
        return (StatusCode::UPGRADE_REQUIRED, version, "WebSocket version 13 is spoken here\n").into_response();
    }
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return (StatusCode::BAD_REQUEST, "the header Sec-WebSocket-Key is missing\n").into_response();
    };
    let accept_key = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    let place = request.extensions().get::<Place>().cloned();
    let context = http.context;
    http.door.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
            tracing::error!("an upgraded connection is not the TCP connection that it came on");
            return;
        };
        let inbound = Inbound::websocket(parts.read_buf);
        connection::serve(parts.io.into_inner(), inbound, Wire::WsBinary, context).await;
        drop(place);
    });
    let head = [
        (header::CONNECTION, "upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept_key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}
