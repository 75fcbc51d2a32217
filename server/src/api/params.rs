//! Parameters in a request's path and query. What is wrong with one is told as a [`Problem`].

use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};
use motet_protocol::error::ErrorCode;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Parameters in the path, as axum's `Path` has them.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(Problem::new(ErrorCode::BadArgument, rejection.body_text())),
        }
    }
}

/// Parameters in the query, as axum's `Query` has them.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::new(ErrorCode::BadArgument, rejection.body_text())),
        }
    }
}
