//! JSON bodies of requests. What is wrong with one is told as a [`Problem`].

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
};
use motet_protocol::error::ErrorCode;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The JSON body of a request. It is as large as the router's `DefaultBodyLimit` lets it be; fields that it should not
/// have are refused by types that say `deny_unknown_fields`.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(problem_of(&rejection)),
        }
    }
}

fn problem_of(rejection: &JsonRejection) -> Problem {
    let status = rejection.status();
    let code = match rejection {
        JsonRejection::JsonDataError(_) => ErrorCode::BadArgument,
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::FrameTooLarge,
        _ => ErrorCode::BadMessage,
    };
    let problem = Problem::new(code, rejection.body_text());
    match rejection {
        JsonRejection::MissingJsonContentType(_) => problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        _ => problem,
    }
}
