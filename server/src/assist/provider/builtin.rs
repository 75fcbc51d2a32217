//! [`BuiltIn`]: answers at once, from what the server knows itself.

use futures_util::future::{BoxFuture, ready};

use super::{CompletionRequest, Provider, ProviderError};
use crate::assist::{complete::Completion, summary::Summary};

/// The server itself. It never fails, and nothing leaves the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

impl BuiltIn {
    pub(super) const NAME: &str = "built-in";

    pub(super) fn completions(mut request: CompletionRequest) -> Vec<Completion> {
        request.known.truncate(request.limit);
        request.known
    }
}

impl Provider for BuiltIn {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Vec<Completion>, ProviderError>> {
        Box::pin(ready(Ok(Self::completions(request))))
    }

    fn summarize<'a>(&'a self, summary: &'a Summary) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(ready(Ok(summary.to_string())))
    }
}
