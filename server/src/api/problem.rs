//! Errors of the HTTP API: RFC 9457 problem documents, with the codes that the protocol has.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use motet_protocol::error::ErrorCode;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use crate::refusal::Refusal;

/// The media type of a problem document (RFC 9457, section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, as a problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; the code is its last part.
    #[serde(rename = "type")]
    #[schema(example = "urn:motet:error:unauthorized")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "Not signed in")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 401)]
    pub status: u16,
    /// What is wrong this time, and what to do.
    pub detail: String,
    /// The code; the same as in the protocol. Programs decide by this.
    #[schema(schema_with = code_schema)]
    pub code: ErrorCode,
    /// Set when the same may succeed later: how long to wait, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

/// What a handler gives: its answer, or a problem document.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem with the status that its code has.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Refusal::new(code, detail).into()
    }

    /// The same with another status, where HTTP has one that says more.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status: status.as_u16(), ..self }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, retry_after_ms } = refusal;
        let (status, title) = status_and_title(code);
        let kind = format!("urn:motet:error:{code}");
        Self { kind, title, status: status.as_u16(), detail: message, code, retry_after_ms }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_ms = self.retry_after_ms;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait_ms) = retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1_000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2, wants it of every 401.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn status_and_title(code: ErrorCode) -> (StatusCode, &'static str) {
    use ErrorCode as Code;
    use StatusCode as Status;
    match code {
        Code::BadMessage => (Status::BAD_REQUEST, "The request cannot be read"),
        Code::FrameTooLarge => (Status::PAYLOAD_TOO_LARGE, "The request is too large"),
        Code::FramingLost => (Status::BAD_REQUEST, "These are not frames"),
        Code::UnsupportedProtocol => (Status::BAD_REQUEST, "The version is not spoken here"),
        Code::HelloRequired => (Status::BAD_REQUEST, "Hello comes first"),
        Code::HelloRepeated => (Status::BAD_REQUEST, "Hello was said before"),
        Code::HandshakeTimeout | Code::IdleTimeout => (Status::REQUEST_TIMEOUT, "Nothing was heard in time"),
        Code::Unauthorized => (Status::UNAUTHORIZED, "Not signed in"),
        Code::Forbidden => (Status::FORBIDDEN, "Not allowed"),
        Code::RoomNotFound => (Status::NOT_FOUND, "There is no such room"),
        Code::RoomExists => (Status::CONFLICT, "There is such a room"),
        Code::RoomDeleted => (Status::GONE, "The room was deleted"),
        Code::RoomDamaged => (Status::INTERNAL_SERVER_ERROR, "The room is damaged"),
        Code::ChannelUnknown => (Status::BAD_REQUEST, "The channel is not joined"),
        Code::ChannelInUse => (Status::CONFLICT, "The channel is joined"),
        Code::TooManyChannels => (Status::CONFLICT, "Too many rooms are open"),
        Code::BadOperation => (Status::BAD_REQUEST, "The operation is malformed"),
        Code::OperationMismatch => (Status::CONFLICT, "The operation does not fit the text"),
        Code::EditTooLarge => (Status::PAYLOAD_TOO_LARGE, "The edit is too large"),
        Code::TextTooLarge => (Status::PAYLOAD_TOO_LARGE, "The text would be too long"),
        Code::SeqGap => (Status::CONFLICT, "The seq is not the next one"),
        Code::SeqConflict => (Status::CONFLICT, "The seq was used before"),
        Code::RevisionUnknown => (Status::NOT_FOUND, "There is no such revision"),
        Code::BaseTooOld => (Status::CONFLICT, "The base is too old"),
        Code::StorageFull => (Status::INSUFFICIENT_STORAGE, "The disk is full"),
        Code::StorageUnavailable => (Status::SERVICE_UNAVAILABLE, "The storage does not work for now"),
        Code::Overloaded => (Status::SERVICE_UNAVAILABLE, "Too much at once"),
        Code::SessionReplaced => (Status::CONFLICT, "The session went on elsewhere"),
        Code::TooManyConnections => (Status::SERVICE_UNAVAILABLE, "Too many connections"),
        Code::ShuttingDown => (Status::SERVICE_UNAVAILABLE, "The server ends"),
        Code::BadArgument => (Status::BAD_REQUEST, "An argument is wrong"),
        Code::Internal => (Status::INTERNAL_SERVER_ERROR, "The server made a mistake"),
        Code::TooManyAttempts => (Status::TOO_MANY_REQUESTS, "Too many attempts"),
        Code::AccountExists => (Status::CONFLICT, "There is such an account"),
        Code::NotFound => (Status::NOT_FOUND, "There is no such thing"),
        Code::LimitReached => (Status::CONFLICT, "There are as many as there may be"),
        Code::RateLimited => (Status::TOO_MANY_REQUESTS, "Too fast"),
        Code::NotConfigured => (Status::NOT_IMPLEMENTED, "The server was not set up for this"),
        Code::RoomExpired => (Status::GONE, "The room has expired"),
        Code::RoomReplaced => (Status::GONE, "The room was deleted and made anew"),
        Code::PreconditionFailed => (Status::PRECONDITION_FAILED, "What the request was made for is no longer so"),
    }
}

/// The codes as an enumeration of strings: the protocol's crate knows nothing of OpenAPI.
fn code_schema() -> RefOr<Schema> {
    let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).into()
}

/// [`ErrorCode`] in an OpenAPI document, for `#[schema(value_type = CodeSchema)]`.
#[derive(Debug)]
pub struct CodeSchema;

impl PartialSchema for CodeSchema {
    fn schema() -> RefOr<Schema> {
        code_schema()
    }
}

impl ToSchema for CodeSchema {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_over_http_has_the_code_of_the_protocol() {
        for code in ErrorCode::ALL {
            let response = Problem::from(Refusal::for_now(*code, "Words.", 1_500)).into_response();
            assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
            assert_eq!(response.headers()[header::RETRY_AFTER], "2");
            let status = response.status();
            assert!(status.is_client_error() || status.is_server_error(), "{code}: {status}");
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(document["code"], code.as_str());
            assert_eq!(document["type"], format!("urn:motet:error:{code}"));
            assert_eq!(document["status"], status.as_u16());
            assert_eq!((&document["detail"], &document["retry_after_ms"]), (&"Words.".into(), &1_500.into()));
        }
    }

    #[test]
    fn who_is_not_signed_in_hears_how_to() {
        let response = Problem::new(ErrorCode::Unauthorized, "Words.").into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }
}
