//! What the rest of the server asks who somebody is.

use std::{fmt, sync::Arc};

use motet_protocol::{error::ErrorCode, ids::UnixMs};
use parking_lot::Mutex;

use super::{
    attempts::{Attempts, Counted},
    config::{AuthConfig, AuthMode},
    identity::Identity,
    password::Hasher,
    records::Records,
    secret::Secret,
    tickets::Tickets,
    token::TokenKey,
    watch::Watch,
};
use crate::{
    blocking::blocking,
    refusal::Refusal,
    store::{Store, StoreError},
};

/// Knows who somebody is. Cloning it is cheap; all clones are one.
///
/// Its calls are async: those that look into the store or hash a password do so on threads for that, never on the
/// runtime's. All take the time, in milliseconds since 1970.
#[derive(Clone)]
pub struct Authenticator(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) config: AuthConfig,
    pub(super) records: Records,
    pub(super) key: TokenKey,
    pub(super) hasher: Hasher,
    pub(super) attempts: Mutex<Attempts>,
    pub(super) tickets: Mutex<Tickets>,
    pub(super) watch: Watch,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// The one of a server with this store. Waits for the disk, and for one password to be hashed.
    pub fn open(config: AuthConfig, store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let records = Records::new(store);
        let key = records.key()?;
        Ok(Self(Arc::new(Parts {
            config,
            records,
            key,
            hasher: Hasher::new(),
            attempts: Mutex::default(),
            tickets: Mutex::default(),
            watch: Watch::default(),
        })))
    }

    /// What it was told.
    pub fn config(&self) -> &AuthConfig {
        &self.0.config
    }

    /// Who shows this token, or somebody without a token who calls themselves `name`. The name counts for guests only: an
    /// account's is its own. A ticket is used up by this.
    ///
    /// # Errors
    ///
    /// `unauthorized`, the same for every token that is not good, and for none where guests are not let in; `bad_argument`
    /// for a guest's name that cannot be; what the store refuses.
    pub async fn identify(&self, token: Option<&str>, name: &str, now: UnixMs) -> Result<Identity, Refusal> {
        match token {
            None if self.0.config.guests => Identity::guest(name),
            None => Err(unauthorized()),
            Some(token) => {
                let token = Secret::new(token);
                self.blocking(move |parts| parts.identify(token.expose(), now)).await
            }
        }
    }

    /// A ticket for somebody who showed a token, and when it expires: it stands for that token once, within half a minute.
    ///
    /// # Errors
    ///
    /// `unauthorized` without a token, `too_many_attempts` when too many tickets are out.
    pub fn ticket(&self, identity: &Identity, now: UnixMs) -> Result<(Secret, UnixMs), Refusal> {
        if identity.token_id.is_none() || !identity.still_valid(now) {
            return Err(unauthorized());
        }
        self.0.tickets.lock().give(identity.clone(), now)
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let parts = Arc::clone(&self.0);
        blocking(move || work(&parts)).await
    }

    /// Whether this server keeps accounts.
    pub(super) fn keeps_accounts(&self) -> Result<(), Refusal> {
        match self.0.config.mode {
            AuthMode::Accounts => Ok(()),
            AuthMode::Open | AuthMode::Jwt { .. } => Err(Refusal::new(
                ErrorCode::Forbidden,
                "this server keeps no accounts: it does not run with --auth accounts",
            )),
        }
    }

    /// Takes a try of each of these.
    pub(super) fn try_once(&self, counted: &[Counted], now: UnixMs) -> Result<(), Refusal> {
        self.0.attempts.lock().take(counted, now).map_err(|wait_ms| {
            let words = "too many attempts, of this account or from this address; wait before the next one";
            Refusal::for_now(ErrorCode::TooManyAttempts, words, u32::try_from(wait_ms).unwrap_or(u32::MAX))
        })
    }
}

/// The one answer to every token that is not good.
pub(crate) fn unauthorized() -> Refusal {
    Refusal::new(ErrorCode::Unauthorized, "the token is missing, wrong, expired or revoked; sign in")
}
