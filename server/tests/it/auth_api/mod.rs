//! The routes of `/api/auth` without sockets: a request in, an answer out.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use motet_protocol::message::Durability;
use motet_server::{
    api::auth::routes,
    auth::{Authenticator, Secret, admin::create_admin, config::Choice},
    clock::now_ms,
    store::{self, StoreKind},
};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub struct Api {
    pub router: Router,
    pub document: OpenApi,
    pub authenticator: Authenticator,
    _data: tempfile::TempDir,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}")).to_owned()
    }
}

impl Api {
    /// A server of this kind, with a store on the disk and an admin `root`.
    pub fn start(choice: Choice, root_password: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = store::open(StoreKind::Sled, data.path(), Durability::Os).unwrap();
        create_admin(&store, "root", &Secret::new(root_password), now_ms()).unwrap();
        let authenticator = Authenticator::open(choice.check(&[]).unwrap(), store).unwrap();
        let nested = OpenApiRouter::new().nest("/api/auth", routes(authenticator.clone()));
        let (router, document) = nested.split_for_parts();
        Self { router, document, authenticator, _data: data }
    }

    /// Sends a request from the address 10.0.0.`from`.
    pub async fn send(&self, from: u8, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, from], 1))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap().to_vec();
        Answer { status: head.status, headers: head.headers, bytes }
    }

    /// Sends JSON, with a token if there is one.
    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/auth{path}"));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(1, request.body(body).unwrap()).await
    }

    pub async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.call(Method::POST, path, token, Some(body)).await
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    pub async fn delete(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(Method::DELETE, path, token, None).await
    }
}
