//! From a token to who shows it. Waits for the disk.

use motet_protocol::{access::AccountId, ids::UnixMs};

use super::{
    account::{Account, Kept},
    authenticator::{Parts, unauthorized},
    config::{AuthMode, JwtKeys},
    identity::{Grant, Identity, Target},
    links::{Link, Links},
    tickets,
    token::{self, Access, Holder, Share, TokenId},
};
use crate::refusal::Refusal;

impl Parts {
    pub(super) fn identify(&self, token: &str, now: UnixMs) -> Result<Identity, Refusal> {
        let found = if token.starts_with(tickets::PREFIX) {
            self.tickets.lock().take(token, now)
        } else if let Some(access) = self.key.open(token) {
            self.by_access(&access, now)?
        } else if let Some(share) = self.key.open(token) {
            self.by_share(share, now)?
        } else if token::is_own(token) {
            None
        } else {
            self.by_jwt(token, now)
        };
        found.filter(|identity| identity.still_valid(now)).ok_or_else(unauthorized)
    }

    fn by_access(&self, access: &Access, now: UnixMs) -> Result<Option<Identity>, Refusal> {
        let found = self.by_session(&access.account, access.session, now)?;
        Ok(found.map(|identity| Identity { expires_ms: Some(access.expires_ms), ..identity }))
    }

    /// Who has a session. Accounts of a server that is not to know any more whose they are do not count.
    fn by_session(&self, name: &AccountId, id: TokenId, now: UnixMs) -> Result<Option<Identity>, Refusal> {
        if !matches!(self.config.mode, AuthMode::Accounts) {
            return Ok(None);
        }
        // Before the store is looked into: see `Watch`.
        let mark = self.watch.mark(id);
        let Some(account) = self.account(name)? else { return Ok(None) };
        if account.session(id, now).is_none() {
            return Ok(None);
        }
        let identity = Identity {
            account: Some(name.clone()),
            admin: account.admin,
            token_id: Some(id),
            marks: vec![mark],
            ..Identity::guest(name.as_str())?
        };
        Ok(Some(identity))
    }

    fn by_share(&self, share: Share, now: UnixMs) -> Result<Option<Identity>, Refusal> {
        let Share { id, target, link, holder, expires_ms } = share;
        let mark = self.watch.mark(link);
        let Some(Link { role, .. }) = self.link(&target, link, now)? else { return Ok(None) };
        let who = match holder {
            Holder::Guest { name } => Some(Identity::guest(&name)?),
            Holder::Session { account, session } => self.by_session(&account, session, now)?,
            Holder::Foreign { account, name, admin } => {
                let guest = Identity::guest(&name)?;
                let issued = matches!(self.config.mode, AuthMode::Jwt { .. });
                issued.then_some(Identity { account: Some(account), admin, ..guest })
            }
        };
        let Some(mut who) = who else { return Ok(None) };
        who.marks.push(mark);
        let grant = Some(Grant { target, role, link });
        Ok(Some(Identity { grant, expires_ms: Some(expires_ms), token_id: Some(id), ..who }))
    }

    fn by_jwt(&self, token: &str, now: UnixMs) -> Option<Identity> {
        let AuthMode::Jwt { keys, expected } = &self.config.mode else { return None };
        match keys {
            JwtKeys::Secret(keys) => keys.identify(token, expected, now),
            JwtKeys::File(file) => file.keys(now).identify(token, expected, now),
        }
    }

    /// An account that is kept here.
    pub(super) fn account(&self, name: &AccountId) -> Result<Option<Account>, Refusal> {
        Ok(match self.records.get(&account_key(name))? {
            Some(Kept::Account(account)) => Some(account),
            Some(Kept::Removed { .. }) | None => None,
        })
    }

    /// A link that is still good.
    pub(super) fn link(&self, target: &Target, id: TokenId, now: UnixMs) -> Result<Option<Link>, Refusal> {
        let links: Option<Links> = self.records.get(&links_key(target))?;
        Ok(links.and_then(|links| links.find(id, now)))
    }
}

/// What the keys of accounts begin with.
pub(super) const ACCOUNTS: &str = "auth/account/";

/// The key of an account.
pub(super) fn account_key(name: &AccountId) -> String {
    format!("{ACCOUNTS}{name}")
}

/// The key of the links to a room or project.
pub(super) fn links_key(target: &Target) -> String {
    format!("auth/links/{target}")
}
