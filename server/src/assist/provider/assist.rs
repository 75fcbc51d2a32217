//! [`Assist`]: asks the configured provider, and answers itself when that fails.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{BuiltIn, CompletionRequest, Endpoint, Provider, ProviderError, Remote};
use crate::assist::{complete::Completion, summary::Summary};

/// Completion and summaries, of which there is always an answer.
#[derive(Debug)]
pub struct Assist {
    provider: Option<Box<dyn Provider>>,
    /// Whether the provider failed last time: the log hears of changes, not of every request.
    failing: AtomicBool,
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// Who answered: `built-in`, or the name of the provider.
    pub by: String,
    /// Why it was not the configured provider, if there is one and it was not.
    pub instead: Option<ProviderError>,
}

impl Assist {
    /// Answers from what the server knows itself.
    pub fn built_in() -> Self {
        Self { provider: None, failing: AtomicBool::new(false) }
    }

    /// Asks this provider first.
    pub fn with(provider: Box<dyn Provider>) -> Self {
        Self { provider: Some(provider), failing: AtomicBool::new(false) }
    }

    /// Asks the configured endpoint first, if there is one. Reads the system's certificates for one with `https`, and fails if it
    /// has none.
    pub fn configured(endpoint: Option<&Endpoint>) -> std::io::Result<Self> {
        match endpoint {
            Some(endpoint) => Ok(Self::with(Box::new(Remote::new(endpoint.clone())?))),
            None => Ok(Self::built_in()),
        }
    }

    /// What may come at a position, best first.
    pub async fn complete(&self, request: CompletionRequest) -> Answer<Vec<Completion>> {
        let outcome = match &self.provider {
            Some(provider) => Some((provider.name(), provider.complete(request.clone()).await)),
            None => None,
        };
        self.answer(outcome, || BuiltIn::completions(request))
    }

    /// What happened, as a text for people.
    pub async fn summarize(&self, summary: &Summary) -> Answer<String> {
        let outcome = match &self.provider {
            Some(provider) => Some((provider.name(), provider.summarize(summary).await)),
            None => None,
        };
        self.answer(outcome, || summary.to_string())
    }

    fn answer<T>(&self, outcome: Option<(&str, Result<T, ProviderError>)>, built_in: impl FnOnce() -> T) -> Answer<T> {
        let itself = |instead| Answer { value: built_in(), by: BuiltIn::NAME.to_owned(), instead };
        match outcome {
            None => itself(None),
            Some((provider, Ok(value))) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(provider, "the assisting provider answers again");
                }
                Answer { value, by: provider.to_owned(), instead: None }
            }
            Some((provider, Err(error))) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(provider, %error, "the assisting provider fails; the server answers itself");
                }
                itself(Some(error))
            }
        }
    }
}
