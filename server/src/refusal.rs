//! The server's error type for requests: a stable code, a message for people, an optional retry delay.

use motet_protocol::error::{About, ErrorCode, ErrorMessage};

/// The retry delay of a refusal whose cause is expected to pass soon (a busy log, a full disk), in milliseconds.
pub const RETRY_AFTER_MS: u32 = 1_000;

/// Why a request was not done. A function that returns one has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code that clients branch on.
    pub code: ErrorCode,
    /// What is wrong and what to do about it, for people; never parsed.
    pub message: String,
    /// How long to wait before the same request may succeed, in milliseconds; `None` if repeating it is useless.
    pub retry_after_ms: Option<u32>,
}

impl Refusal {
    /// A permanent refusal: the same request will be refused again.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// A temporary refusal: the same request may succeed after `retry_after_ms` milliseconds.
    pub fn for_now(code: ErrorCode, message: impl Into<String>, retry_after_ms: u32) -> Self {
        Self { code, message: message.into(), retry_after_ms: Some(retry_after_ms) }
    }

    /// The wire form of the refusal; `about` names the request, channel or submit that it answers.
    pub fn about(self, about: About) -> ErrorMessage {
        ErrorMessage { about, code: self.code, message: self.message, retry_after_ms: self.retry_after_ms }
    }
}
