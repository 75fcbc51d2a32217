//! A "no" with its reason.

use motet_protocol::error::{About, ErrorCode, ErrorMessage};

/// Why something was not done. Nothing has changed where one is returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The kind, for programs.
    pub code: ErrorCode,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// When the same may succeed later: how long to wait, in milliseconds.
    pub retry_after_ms: Option<u32>,
}

impl Refusal {
    /// One that will be the same next time.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// One that may be otherwise after a while.
    pub fn for_now(code: ErrorCode, message: impl Into<String>, retry_after_ms: u32) -> Self {
        Self { code, message: message.into(), retry_after_ms: Some(retry_after_ms) }
    }

    /// As it travels.
    pub fn about(self, about: About) -> ErrorMessage {
        ErrorMessage { about, code: self.code, message: self.message, retry_after_ms: self.retry_after_ms }
    }
}
