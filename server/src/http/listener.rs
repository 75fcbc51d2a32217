//! The HTTP listener: accepts connections, puts the routes together and serves them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
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
use utoipa_axum::router::OpenApiRouter;

use super::{
    assets, health,
    origin::{self, Pages},
    upgrade,
};
use crate::{
    api::{self, Api, problem::Problem},
    context::Context,
    transport::listen::{Door, Place, accept},
};

/// A request's head must arrive within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// What the handlers of this folder share.
#[derive(Clone, Debug)]
pub(super) struct Http {
    /// The server's shared parts.
    pub context: Context,
    /// Counts connections, upgraded ones too.
    pub door: Door,
    /// How many reverse proxies are in front of the server; only their headers are trusted.
    pub proxies: usize,
}

/// Serves HTTP until the server stops; `door` limits how many connections there are.
pub async fn accept_http(listener: TcpListener, door: Door, context: Context, pages: Pages) {
    let stopping = context.stopping.clone();
    let http = Http { context, door: door.clone(), proxies: pages.proxies };
    let others = OpenApiRouter::new().nest("/auth", api::auth::routes(http.context.auth.clone()));
    let api = api::router(Api::new(http.context.clone()), others, pages.origins.clone());
    let router = Router::new()
        .merge(assets::routes())
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/ws", get(upgrade::websocket))
        .with_state(http.clone())
        .merge(api)
        .fallback(api::nothing_here)
        .method_not_allowed_fallback(api::wrong_method)
        .layer(from_fn(to_its_end))
        .layer(from_fn_with_state(Arc::new(pages), origin::check));
    let serve = move |stream, peer, place| serve(stream, peer, place, router.clone(), http.context.clone());
    accept(listener, door, stopping, serve).await;
}

/// Finishes a request even if its client disconnects, so that work of several steps is not left half done. The
/// connection keeps counting against the limit until then.
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
        // Attempts to sign in are counted per address.
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
