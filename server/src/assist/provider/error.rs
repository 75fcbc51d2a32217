//! Why a provider has no answer.

use std::time::Duration;

/// Why a provider has no answer. None of them is the asker's fault, and each has a built-in answer in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// As many requests as may be are under way.
    #[error("the endpoint is asked too much at once")]
    Busy,
    /// It could not be reached a moment ago, and is left alone for a while.
    #[error("the endpoint could not be reached a moment ago")]
    Resting,
    /// It took too long.
    #[error("the endpoint has not answered within {after:?}")]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },
    /// There is no connection, or it broke.
    #[error("the endpoint cannot be reached: {why}")]
    Unreachable {
        /// Why, in one line.
        why: String,
    },
    /// It answered with a status other than success.
    #[error("the endpoint refuses with status {status}: {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says, in one line.
        why: String,
    },
    /// It answered with more than is read.
    #[error("the endpoint answered with more than {bytes_max} bytes")]
    TooLarge {
        /// What is read.
        bytes_max: usize,
    },
    /// The answer is not in the form of a chat completion, or does not hold what was asked for.
    #[error("the endpoint's answer cannot be understood: {why}")]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
}

impl ProviderError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Resting => "resting",
            Self::Timeout { .. } => "timeout",
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
        }
    }
}
