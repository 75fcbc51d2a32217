//! Who answers: the server itself, or an HTTP endpoint that is asked first when one is configured.
//!
//! ```text
//!                   ┌─ Remote: POST {base}/chat/completions, with a timeout and limits
//!  Assist ─ asks ───┤        │ fails, for whatever reason
//!                   └─ BuiltIn ◀┘ : what `complete` and `summary` found, at once
//! ```
//! An endpoint is off unless it is configured, since it is shown text of the rooms. What it answers is material: it is
//! limited and cleaned, offered to a person, and never acted on.

mod assist;
mod builtin;
mod endpoint;
mod error;
mod remote;

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use motet_protocol::ot::position::Scalar;
use ropey::Rope;

pub use assist::{Answer, Assist};
pub use builtin::BuiltIn;
pub use endpoint::{Endpoint, EndpointError, Key};
pub use error::ProviderError;
pub use remote::{Patience, Remote};

use super::{complete::Completion, languages::Language, summary::Summary};

/// Somebody who completes and summarizes.
pub trait Provider: Debug + Send + Sync {
    /// What people know it by: told with its answers.
    fn name(&self) -> &str;

    /// What may come at a position, best first, at most `request.limit`.
    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Vec<Completion>, ProviderError>>;

    /// What happened, as a text for people.
    fn summarize<'a>(&'a self, summary: &'a Summary) -> BoxFuture<'a, Result<String, ProviderError>>;
}

/// What a completion is asked for. It borrows nothing, so that no lock is held while somebody else thinks.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// The text; cloning a rope is free.
    pub text: Rope,
    /// Where.
    pub position: Scalar,
    /// Its language.
    pub language: Language,
    /// How many are wanted.
    pub limit: usize,
    /// What [`complete`](super::complete::complete) has found: the answer, or what is added to a better one.
    pub known: Vec<Completion>,
}
