//! [`Remote`]: asks an OpenAI-compatible endpoint. `prompt` says what is sent and how the answer is read; here is the way there.

mod prompt;

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use parking_lot::Mutex;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{CompletionRequest, Endpoint, Provider, ProviderError};
use crate::assist::{
    complete::Completion,
    limits::{
        COMPLETE_TIMEOUT, ERROR_BODY_BYTES_MAX, QUOTE_CHARS_MAX, REMOTE_REQUESTS_MAX, RESPONSE_BYTES_MAX, REST,
        SUMMARY_TIMEOUT,
    },
    quote::one_line,
    summary::Summary,
};

/// An OpenAI-compatible endpoint: `POST {base}/chat/completions`.
///
/// Redirects are not followed: the key goes where the configuration says and nowhere else. Of the environment's proxies it knows
/// nothing.
#[derive(Debug)]
pub struct Remote {
    endpoint: Endpoint,
    patience: Patience,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    slots: Arc<Semaphore>,
    rests_until: Mutex<Option<Instant>>,
}

/// How long answers are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For completions.
    pub complete: Duration,
    /// For summaries.
    pub summarize: Duration,
    /// How long nobody is asked after that, or after there was no connection.
    pub rest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { complete: COMPLETE_TIMEOUT, summarize: SUMMARY_TIMEOUT, rest: REST }
    }
}

/// How long a connection that nobody uses is kept.
const CONNECTION_IDLE: Duration = Duration::from_secs(60);

/// What the head of a response may take, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

impl Remote {
    /// Asks this endpoint, and trusts whom the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` count). Fails if the endpoint has
    /// `https` and the system trusts nobody.
    pub fn new(endpoint: Endpoint) -> std::io::Result<Self> {
        let builder = tls_builder();
        let tls = match endpoint.is_encrypted() {
            true => builder.with_native_roots()?.with_no_client_auth(),
            false => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        };
        Ok(Self::with(endpoint, tls, Patience::default()))
    }

    /// The same with everything said.
    pub fn with(endpoint: Endpoint, tls: ClientConfig, patience: Patience) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CONNECTION_IDLE)
            .pool_max_idle_per_host(REMOTE_REQUESTS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Self {
            endpoint,
            patience,
            client,
            slots: Arc::new(Semaphore::new(REMOTE_REQUESTS_MAX)),
            rests_until: Mutex::new(None),
        }
    }

    /// Sends a conversation; returns what the model says.
    async fn ask(&self, messages: serde_json::Value, patience: Duration) -> Result<String, ProviderError> {
        let _slot = self.slots.try_acquire().map_err(|_| ProviderError::Busy)?;
        if self.rests_until.lock().is_some_and(|until| Instant::now() < until) {
            return Err(ProviderError::Resting);
        }
        let asked = timeout(patience, self.exchange(messages)).await;
        let answer = asked.unwrap_or(Err(ProviderError::Timeout { after: patience }));
        *self.rests_until.lock() = match answer {
            Err(ProviderError::Timeout { .. } | ProviderError::Unreachable { .. }) => {
                Instant::now().checked_add(self.patience.rest)
            }
            _ => None,
        };
        answer.map_err(|error| self.redacted(error))
    }

    async fn exchange(&self, messages: serde_json::Value) -> Result<String, ProviderError> {
        let response = self.client.request(self.request(messages)).await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            // What the body says is a help and no more; the status is the answer.
            let body = body(response, ERROR_BODY_BYTES_MAX).await.unwrap_or_default();
            return Err(ProviderError::Refused { status: status.as_u16(), why: prompt::reason(&body) });
        }
        prompt::content(&body(response, RESPONSE_BYTES_MAX).await?)
    }

    fn request(&self, messages: serde_json::Value) -> Request<Full<Bytes>> {
        // Nothing but what every such service knows: of limits on the answer, for one, some know only `max_tokens` and others only
        // `max_completion_tokens`.
        let body = serde_json::json!({ "model": self.endpoint.model(), "messages": messages, "stream": false });
        let mut request = Request::new(Full::new(Bytes::from(body.to_string())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.chat().clone();
        let headers = request.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json.clone());
        headers.insert(ACCEPT, json);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("motetd/", env!("CARGO_PKG_VERSION"))));
        if let Some(key) = self.endpoint.key() {
            headers.insert(AUTHORIZATION, key.header());
        }
        request
    }

    /// The error without the key, and in one line.
    fn redacted(&self, mut error: ProviderError) -> ProviderError {
        if let ProviderError::Unreachable { why }
        | ProviderError::Refused { why, .. }
        | ProviderError::Malformed { why } = &mut error
        {
            if let Some(key) = self.endpoint.key() {
                *why = key.redact(why);
            }
            *why = one_line(why, QUOTE_CHARS_MAX);
        }
        error
    }
}

/// Said which cryptography to use, TLS needs no default of the process.
fn tls_builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows TLS 1.2 and 1.3")
}

async fn body(response: Response<Incoming>, bytes_max: usize) -> Result<Bytes, ProviderError> {
    match Limited::new(response.into_body(), bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ProviderError::TooLarge { bytes_max }),
        Err(error) => Err(unreachable(&*error)),
    }
}

fn unreachable(error: &(dyn Error + 'static)) -> ProviderError {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        why.push_str(": ");
        why.push_str(&error.to_string());
        source = error.source();
    }
    ProviderError::Unreachable { why }
}

impl Provider for Remote {
    fn name(&self) -> &str {
        self.endpoint.model()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Vec<Completion>, ProviderError>> {
        Box::pin(async move {
            let content = self.ask(prompt::completion(&request), self.patience.complete).await?;
            let mut completions =
                prompt::suggestions(&content, &request, self.name()).map_err(|error| self.redacted(error))?;
            completions.extend(request.known);
            completions.truncate(request.limit);
            Ok(completions)
        })
    }

    fn summarize<'a>(&'a self, summary: &'a Summary) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(async move {
            let content = self.ask(prompt::summary(summary), self.patience.summarize).await?;
            prompt::prose(&content)
        })
    }
}

#[cfg(test)]
mod tests;
