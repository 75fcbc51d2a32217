//! What the listeners, connections and HTTP handlers of one server share.

use std::sync::Arc;

use motet_protocol::ids::SessionId;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::Authenticator,
    clock::now_ms,
    hub::rooms::Rooms,
    metrics::Metrics,
    refusal::Refusal,
    requests::Assistant,
    session::{Caller, Settings},
};

/// What every connection and HTTP request of a server shares. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Context {
    /// Opens, lists and removes rooms.
    pub rooms: Rooms,
    /// Turns tokens into identities.
    pub auth: Authenticator,
    /// Limits and intervals that `Welcome` tells clients.
    pub settings: Arc<Settings>,
    /// Completes and summarizes.
    pub(crate) assistant: Assistant,
    /// Counters that `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the server shuts down: connections finish what they have read and read nothing more.
    pub stopping: CancellationToken,
    /// Cancelled after that, when pending appends are durable: connections say goodbye and close.
    pub closing: CancellationToken,
}

impl Context {
    /// Authenticates the sender of a `Hello`: without a token, a guest called `name`.
    pub async fn identify(&self, session: SessionId, token: Option<&str>, name: &str) -> Result<Caller, Refusal> {
        let identity = self.auth.identify(token, name, now_ms()).await?;
        Ok(Caller::new(session.participant(), identity))
    }
}
