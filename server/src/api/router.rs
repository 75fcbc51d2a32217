//! The routes of the API, what their handlers share, and what holds for all of them.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Router,
    extract::FromRef,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::from_fn_with_state,
    routing::get,
};
use motet_protocol::error::ErrorCode;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    activity, blame,
    body::Shares,
    compare, document,
    limits::{CORS_KEPT, IMPORTS_MAX, SCANS_MAX},
    links, log, page, people,
    problem::Problem,
    projects,
    repeats::{self, Repeats},
    roles, rooms, server, statistics,
    sums::Sums,
    talk, text, transfer, versions, who,
};
use crate::context::Context;

/// What handlers share.
#[derive(Clone, Debug)]
pub struct Api {
    /// The rooms, and who somebody is.
    pub context: Context,
    pub(super) repeats: Arc<Repeats>,
    pub(super) scans: Arc<Semaphore>,
    pub(super) imports: Arc<Semaphore>,
    pub(super) sums: Arc<Sums>,
    pub(super) started: Instant,
}

impl FromRef<Api> for Context {
    fn from_ref(api: &Api) -> Self {
        api.context.clone()
    }
}

impl Api {
    /// The API of a server.
    pub fn new(context: Context) -> Self {
        Self {
            context,
            repeats: Arc::default(),
            scans: Arc::new(Semaphore::new(SCANS_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            sums: Arc::default(),
            started: Instant::now(),
        }
    }
}

/// The routes of the API, its document and the page that shows it, together with routes of others that stand below
/// `/api` and are in the document too.
pub fn router(api: Api, others: OpenApiRouter, cors_origins: Vec<HeaderValue>) -> Router {
    let routes = OpenApiRouter::with_openapi(document::head())
        .routes(routes!(rooms::list, rooms::create))
        .routes(routes!(rooms::show, rooms::change, rooms::delete))
        .routes(routes!(text::read, text::write, text::apply))
        .routes(routes!(people::participants))
        .routes(routes!(roles::read, roles::decide))
        .routes(routes!(links::of_room, links::make_for_room))
        .routes(routes!(links::revoke_of_room))
        .routes(routes!(links::of_project, links::make_for_project))
        .routes(routes!(links::revoke_of_project))
        .routes(routes!(log::read))
        .routes(routes!(versions::list, versions::name))
        .routes(routes!(versions::show, versions::remove))
        .routes(routes!(versions::restore))
        .routes(routes!(compare::diff))
        .routes(routes!(blame::blame))
        .routes(routes!(statistics::statistics))
        .routes(routes!(activity::activity))
        .routes(routes!(talk::chat, talk::say))
        .routes(routes!(talk::comments))
        .routes(routes!(transfer::export))
        .routes(routes!(transfer::import))
        .routes(routes!(projects::list, projects::create))
        .routes(routes!(projects::show, projects::change, projects::delete))
        .routes(routes!(projects::decide))
        .routes(routes!(projects::tree))
        .routes(routes!(projects::people))
        .routes(routes!(server::show))
        .layer(from_fn_with_state(api.clone(), repeats::once))
        .with_state(api)
        .merge(others);
    let (routes, document) = OpenApiRouter::new().nest("/api", routes).split_for_parts();
    let document = document::finish(document);
    routes
        // Before the layers, which are to hold for other methods too: browsers ask by OPTIONS.
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(Shares::default()))
        .layer(cors(cors_origins))
        .route("/api/openapi.json", get(move || async move { page::document(document) }))
        .route("/docs", get(page::show))
}

/// Which web pages may use the API: the server's own, and those of these origins.
fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let taken = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
        header::RANGE,
        HeaderName::from_static(who::KEY),
        HeaderName::from_static(who::SESSION),
    ];
    let shown = [header::ETAG, header::LOCATION, header::CONTENT_RANGE, header::RETRY_AFTER, text::REVISION];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(methods)
        .allow_headers(taken)
        .expose_headers(shown)
        .max_age(CORS_KEPT)
}

/// The answer where there is nothing.
pub async fn nothing_here() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is nothing at this address; /docs says what there is")
}

/// The answer to a method that an address does not have.
pub async fn wrong_method() -> Problem {
    let words = "this cannot be done at this address; the header Allow names what can";
    Problem::new(ErrorCode::BadArgument, words).with_status(StatusCode::METHOD_NOT_ALLOWED)
}
