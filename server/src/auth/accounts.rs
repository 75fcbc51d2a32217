//! Accounts and their sessions.

use std::net::IpAddr;

use motet_protocol::{access::AccountId, error::ErrorCode, ids::UnixMs};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    account::{Account, Kept, Session, Turned, account_name, check_password},
    attempts::{Counted, counted_address},
    authenticator::{Authenticator, Parts, unauthorized},
    identify::{ACCOUNTS, account_key},
    identity::Identity,
    limits::{ACCESS_TOKEN_MS, ACCOUNTS_PAGE_MAX, SESSION_MS},
    secret::{Secret, random},
    token::{Access, Refresh, TokenId},
};
use crate::refusal::Refusal;

/// What signing in gives.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// Who is signed in.
    #[schema(value_type = String, example = "ann")]
    pub account: AccountId,
    /// Lets in: as `Authorization: Bearer …`, and in a connection's `hello`.
    #[schema(value_type = String)]
    pub access_token: Secret,
    /// When the access token expires, in milliseconds since 1970.
    pub access_expires_ms: UnixMs,
    /// Gets the next two tokens, once.
    #[schema(value_type = String)]
    pub refresh_token: Secret,
    /// When the refresh token expires, in milliseconds since 1970.
    pub refresh_expires_ms: UnixMs,
}

/// An account, as admins see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountInfo {
    /// Its name.
    #[schema(value_type = String, example = "ann")]
    pub name: AccountId,
    /// Whether it looks after the server.
    pub admin: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: UnixMs,
    /// In how many places it is signed in.
    pub sessions: usize,
}

/// A session, as its account sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionInfo {
    /// What it is known by.
    #[schema(value_type = String, example = "0f2c6a7e9b1d4c3f8e5a6b7c8d9e0f1a")]
    pub id: TokenId,
    /// The program, as it names itself.
    pub client: String,
    /// When somebody signed in, in milliseconds since 1970.
    pub created_ms: UnixMs,
    /// When it was refreshed last, in milliseconds since 1970.
    pub used_ms: UnixMs,
    /// When it ends unless it is refreshed before, in milliseconds since 1970.
    pub expires_ms: UnixMs,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Authenticator {
    /// Makes an account for somebody, and signs them in.
    ///
    /// # Errors
    ///
    /// `forbidden` where people cannot make accounts themselves, `bad_argument` for a name or password that cannot be,
    /// `account_exists`, `too_many_attempts` from this address, `overloaded`.
    pub async fn register(
        &self,
        name: &str,
        password: Secret,
        client: &str,
        address: IpAddr,
        now: UnixMs,
    ) -> Result<SignedIn, Refusal> {
        self.keeps_accounts()?;
        if !self.0.config.registration {
            return Err(Refusal::new(ErrorCode::Forbidden, "on this server an admin makes the accounts"));
        }
        self.try_once(&[Counted::Registers(counted_address(address))], now)?;
        let name = self.create_account(name, password, false, now).await?;
        self.open_session(name, None, client, now).await
    }

    /// Makes an account. Who may is for the caller to check.
    ///
    /// # Errors
    ///
    /// `bad_argument` for a name or password that cannot be, `account_exists`, `overloaded`.
    pub async fn create_account(
        &self,
        name: &str,
        password: Secret,
        admin: bool,
        now: UnixMs,
    ) -> Result<AccountId, Refusal> {
        self.keeps_accounts()?;
        let name = account_name(name)?;
        check_password(&name, &password)?;
        let hash = self.0.hasher.hash(password).await?;
        self.blocking(move |parts| {
            parts.records.update(&account_key(&name), |kept| create(kept, &name, &hash, admin, now))?;
            tracing::info!(account = %name, admin, "an account was made");
            Ok(name)
        })
        .await
    }

    /// Signs in. It does the same work and gives the same answer whether there is no such account or the password is wrong.
    ///
    /// # Errors
    ///
    /// `unauthorized`, `too_many_attempts` of this account or from this address, `overloaded`.
    pub async fn login(
        &self,
        name: &str,
        password: Secret,
        client: &str,
        address: IpAddr,
        now: UnixMs,
    ) -> Result<SignedIn, Refusal> {
        self.keeps_accounts()?;
        let name = account_name(name).ok();
        let mut counted = vec![Counted::Address(counted_address(address))];
        counted.extend(name.clone().map(Counted::Account));
        self.try_once(&counted, now)?;
        let hash = self.verify(name.clone(), password, &counted).await?;
        let (Some(hash), Some(name)) = (hash, name) else {
            // Not the name: people type their password there.
            tracing::info!(%address, "somebody could not sign in");
            return Err(wrong_password());
        };
        self.open_session(name, Some(hash), client, now).await
    }

    /// The hash of an account's password, if this is the password. Takes as long if it is not, or there is no account. A
    /// right one gives back what was counted, and so does a server that has no time.
    async fn verify(
        &self,
        name: Option<AccountId>,
        password: Secret,
        counted: &[Counted],
    ) -> Result<Option<String>, Refusal> {
        let known = self.blocking(move |parts| name.map_or(Ok(None), |name| parts.account(&name))).await?;
        let hash = known.map(|account| account.password);
        let right = self.0.hasher.verify(password, hash.clone()).await;
        if !matches!(right, Ok(false)) {
            self.0.attempts.lock().give_back(counted);
        }
        Ok(if right? { hash } else { None })
    }

    /// Signs in whose password was checked; it must be the same still, if it was.
    async fn open_session(
        &self,
        name: AccountId,
        hash: Option<String>,
        client: &str,
        now: UnixMs,
    ) -> Result<SignedIn, Refusal> {
        let client = client.to_owned();
        self.blocking(move |parts| {
            let (id, secret) = (TokenId::random(), random());
            let (refresh, closed) = parts.change(&name, |account| {
                if hash.as_ref().is_some_and(|hash| *hash != account.password) {
                    return Err(wrong_password());
                }
                Ok(account.open(&name, id, secret, &client, now))
            })?;
            parts.watch.revoke(closed);
            tracing::info!(account = %name, session = %id, "signed in");
            Ok(parts.signed_in(&refresh, now))
        })
        .await
    }

    /// Gets the next tokens for a refresh token. One that was used before ends its session: somebody has a copy.
    ///
    /// # Errors
    ///
    /// `unauthorized`, the same for every token that is not good.
    pub async fn refresh(&self, token: Secret, now: UnixMs) -> Result<SignedIn, Refusal> {
        self.keeps_accounts()?;
        self.blocking(move |parts| {
            let token: Refresh = parts.key.open(token.expose()).ok_or_else(unauthorized)?;
            let secret = random();
            let turned = parts.change(&token.account, |account| Ok(account.turn(&token, secret, now)));
            match turned.map_err(not_found_is_unauthorized)? {
                Turned::Next(refresh) => Ok(parts.signed_in(&refresh, now)),
                Turned::Unknown => Err(unauthorized()),
                Turned::Reused => {
                    parts.watch.revoke([token.session]);
                    let Refresh { account, session, .. } = &token;
                    tracing::warn!(%account, %session, "a refresh token was used twice; its session is closed");
                    Err(unauthorized())
                }
            }
        })
        .await
    }

    /// Ends the session of a refresh token.
    ///
    /// # Errors
    ///
    /// `unauthorized`, the same for every token that is not good.
    pub async fn logout(&self, token: Secret) -> Result<(), Refusal> {
        self.keeps_accounts()?;
        self.blocking(move |parts| {
            let token: Refresh = parts.key.open(token.expose()).ok_or_else(unauthorized)?;
            parts.close(&token.account, token.session).map_err(not_found_is_unauthorized)
        })
        .await
    }

    /// The sessions of whoever asks, the one that was used last first.
    ///
    /// # Errors
    ///
    /// `forbidden` for who has no account here.
    pub async fn sessions(&self, identity: &Identity, now: UnixMs) -> Result<Vec<SessionInfo>, Refusal> {
        let (name, current) = (self.own_account(identity)?, identity.token_id);
        self.blocking(move |parts| {
            let sessions = parts.account(&name)?.ok_or_else(unauthorized)?.sessions;
            let good = sessions.into_iter().filter(|session| now < session.expires_ms());
            let mut infos: Vec<_> = good.map(|session| session_info(session, current)).collect();
            infos.sort_by_key(|info| std::cmp::Reverse(info.used_ms));
            Ok(infos)
        })
        .await
    }

    /// Ends a session of whoever asks.
    ///
    /// # Errors
    ///
    /// `not_found` if there is none, `forbidden` for who has no account here.
    pub async fn revoke_session(&self, identity: &Identity, id: TokenId) -> Result<(), Refusal> {
        let name = self.own_account(identity)?;
        self.blocking(move |parts| parts.close(&name, id)).await
    }

    /// Ends all sessions of whoever asks, this one too. Returns how many there were.
    ///
    /// # Errors
    ///
    /// `forbidden` for who has no account here.
    pub async fn revoke_sessions(&self, identity: &Identity) -> Result<usize, Refusal> {
        let name = self.own_account(identity)?;
        self.revoke_sessions_of(name).await
    }

    /// Ends all sessions of an account. Who may is for the caller to check. Returns how many there were.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such account.
    pub async fn revoke_sessions_of(&self, name: AccountId) -> Result<usize, Refusal> {
        self.blocking(move |parts| {
            let closed = parts.change(&name, |account| Ok(account.close_where(|_| true)))?;
            parts.watch.revoke(closed.iter().copied());
            tracing::info!(account = %name, sessions = closed.len(), "all sessions were ended");
            Ok(closed.len())
        })
        .await
    }

    /// Changes the password of whoever asks, and ends their other sessions.
    ///
    /// # Errors
    ///
    /// `unauthorized` if the old one is wrong, `bad_argument` if the new one cannot be, `too_many_attempts`, `forbidden`
    /// for who has no account here, `overloaded`.
    pub async fn change_password(
        &self,
        identity: &Identity,
        old: Secret,
        new: Secret,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        let (name, current) = (self.own_account(identity)?, identity.token_id);
        check_password(&name, &new)?;
        let checked = self.check_own(&name, old, now).await?;
        let hash = self.0.hasher.hash(new).await?;
        self.blocking(move |parts| {
            let closed = parts.change(&name, |account| {
                if account.password != checked {
                    return Err(wrong_password());
                }
                account.password.clone_from(&hash);
                Ok(account.close_where(|session| Some(session.id) != current))
            })?;
            parts.watch.revoke(closed);
            tracing::info!(account = %name, "the password was changed");
            Ok(())
        })
        .await
    }

    /// Removes the account of whoever asks. Its name is not given away again.
    ///
    /// # Errors
    ///
    /// As those of [`change_password`](Self::change_password).
    pub async fn delete_own_account(&self, identity: &Identity, password: Secret, now: UnixMs) -> Result<(), Refusal> {
        let name = self.own_account(identity)?;
        self.check_own(&name, password, now).await?;
        self.delete_account(name, now).await
    }

    /// Removes an account. Its name is not given away again. Who may is for the caller to check.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such account.
    pub async fn delete_account(&self, name: AccountId, now: UnixMs) -> Result<(), Refusal> {
        self.keeps_accounts()?;
        self.blocking(move |parts| {
            let sessions = parts.records.update(&account_key(&name), |kept| match kept {
                Some(Kept::Account(account)) => Ok((Some(Kept::Removed { removed_ms: now }), account.sessions)),
                Some(Kept::Removed { .. }) | None => Err(no_account()),
            })?;
            parts.watch.revoke(sessions.into_iter().map(|session| session.id));
            tracing::info!(account = %name, "the account was removed");
            Ok(())
        })
        .await
    }

    /// At most `limit` accounts (and at most 1,000) whose names come after `after`, by name. Who may see them is for the
    /// caller to check.
    pub async fn accounts(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<AccountInfo>, Refusal> {
        self.keeps_accounts()?;
        self.blocking(move |parts| {
            let limit = limit.min(ACCOUNTS_PAGE_MAX);
            let (mut found, mut after) = (Vec::new(), after.map(|after| after.as_str().to_owned()));
            // Names of accounts that were removed take no place in the page.
            while found.len() < limit {
                let wanted = limit - found.len();
                let page: Vec<(String, Kept)> = parts.records.list(ACCOUNTS, after.as_deref(), wanted)?;
                let last = page.len() < wanted;
                after = page.last().map(|(name, _)| name.clone());
                found.extend(page.into_iter().filter_map(|(name, kept)| account_info(&name, kept)));
                if last {
                    break;
                }
            }
            Ok(found)
        })
        .await
    }

    async fn check_own(&self, name: &AccountId, password: Secret, now: UnixMs) -> Result<String, Refusal> {
        let counted = [Counted::Account(name.clone())];
        self.try_once(&counted, now)?;
        self.verify(Some(name.clone()), password, &counted).await?.ok_or_else(wrong_password)
    }

    /// The account that somebody may do everything with: their own, and not by a link.
    fn own_account(&self, identity: &Identity) -> Result<AccountId, Refusal> {
        self.keeps_accounts()?;
        let own = identity.account.clone().filter(|_| identity.grant.is_none());
        own.ok_or_else(|| Refusal::new(ErrorCode::Forbidden, "this takes the access token of an account"))
    }
}

impl Parts {
    /// Changes an account that is there.
    fn change<R>(
        &self,
        name: &AccountId,
        mut change: impl FnMut(&mut Account) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        self.records.update(&account_key(name), |kept| match kept {
            Some(Kept::Account(mut account)) => {
                let answer = change(&mut account)?;
                Ok((Some(Kept::Account(account)), answer))
            }
            Some(Kept::Removed { .. }) | None => Err(no_account()),
        })
    }

    fn close(&self, name: &AccountId, id: TokenId) -> Result<(), Refusal> {
        if !self.change(name, |account| Ok(account.close(id)))? {
            return Err(Refusal::new(ErrorCode::NotFound, "there is no such session"));
        }
        self.watch.revoke([id]);
        tracing::info!(account = %name, session = %id, "signed out");
        Ok(())
    }

    fn signed_in(&self, refresh: &Refresh, now: UnixMs) -> SignedIn {
        let Refresh { account, session, .. } = refresh;
        let access_expires_ms = now.saturating_add(ACCESS_TOKEN_MS);
        let access = Access { account: account.clone(), session: *session, expires_ms: access_expires_ms };
        SignedIn {
            account: account.clone(),
            access_token: self.key.sign(&access),
            access_expires_ms,
            refresh_token: self.key.sign(refresh),
            refresh_expires_ms: now.saturating_add(SESSION_MS),
        }
    }
}

/// A new account under a name that was never one.
pub(super) fn create(
    kept: Option<Kept>,
    name: &AccountId,
    hash: &str,
    admin: bool,
    now: UnixMs,
) -> Result<(Option<Kept>, ()), Refusal> {
    match kept {
        None => Ok((Some(Kept::Account(Account::new(hash.to_owned(), admin, now))), ())),
        Some(_) => {
            let words = format!("there is, or was, an account {name}; choose another name");
            Err(Refusal::new(ErrorCode::AccountExists, words))
        }
    }
}

fn session_info(session: Session, current: Option<TokenId>) -> SessionInfo {
    let expires_ms = session.expires_ms();
    let Session { id, client, created_ms, used_ms, .. } = session;
    SessionInfo { id, client, created_ms, used_ms, expires_ms, current: Some(id) == current }
}

fn account_info(name: &str, kept: Kept) -> Option<AccountInfo> {
    match kept {
        Kept::Account(Account { admin, created_ms, sessions, .. }) => {
            Some(AccountInfo { name: AccountId::new(name).ok()?, admin, created_ms, sessions: sessions.len() })
        }
        Kept::Removed { .. } => None,
    }
}

fn wrong_password() -> Refusal {
    Refusal::new(ErrorCode::Unauthorized, "the account or the password is wrong")
}

fn no_account() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no such account")
}

fn not_found_is_unauthorized(refusal: Refusal) -> Refusal {
    if refusal.code == ErrorCode::NotFound { unauthorized() } else { refusal }
}
