//! Links: making them, taking them back, and following them.

use motet_protocol::{access::Role, error::ErrorCode, ids::UnixMs};

use super::{
    authenticator::{Authenticator, Parts, unauthorized},
    identify::links_key,
    identity::{Identity, Target},
    limits::SHARE_TOKEN_MS,
    links::{Link, Links, NewLink},
    secret::Secret,
    token::{Holder, LinkToken, Share, TokenId},
};
use crate::{
    refusal::Refusal,
    store::{StoreError, Swap},
};

/// A link that was just made.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// The link.
    pub link: Link,
    /// What is passed around; it is told this once. Clients put it behind the `#` of an address, where servers do not see it.
    pub secret: Secret,
}

/// What following a link gives.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Lets in, as a token does.
    pub token: Secret,
    /// Where the link leads.
    pub target: Target,
    /// What it allows.
    pub role: Role,
    /// Until when.
    pub expires_ms: UnixMs,
}

/// Links that were taken back, by which some may still be in: see [`Authenticator::end`].
#[derive(Debug, Default)]
#[must_use = "who came by them is still in"]
pub struct Taken {
    ids: Vec<TokenId>,
}

impl Authenticator {
    /// Makes a link. That whoever asks may do so (its room's host, say) is for the caller to check.
    ///
    /// # Errors
    ///
    /// `bad_argument` for a label or an end that cannot be, or when there are too many links already.
    pub async fn create_link(&self, target: Target, new: NewLink, now: UnixMs) -> Result<NewShare, Refusal> {
        self.blocking(move |parts| {
            let id = TokenId::random();
            let link = parts.records.update(&links_key(&target), |links: Option<Links>| {
                let mut links = links.unwrap_or_default();
                let link = links.add(new.clone(), id, now)?;
                Ok((Some(links), link))
            })?;
            tracing::info!(%target, link = %id, role = %link.role, "a link was made");
            Ok(NewShare { link, secret: parts.key.sign(&LinkToken { target, link: id }) })
        })
        .await
    }

    /// The links to a room or project that are still good, in the order in which they were made. Who may see them is for
    /// the caller to check.
    pub async fn links(&self, target: Target, now: UnixMs) -> Result<Vec<Link>, Refusal> {
        self.blocking(move |parts| {
            let links: Option<Links> = parts.records.get(&links_key(&target))?;
            Ok(links.unwrap_or_default().good(now))
        })
        .await
    }

    /// Takes a link back: who followed it is nobody any more, connections that are open included. Who may do so is for the
    /// caller to check.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such link.
    pub async fn revoke_link(&self, target: Target, id: TokenId) -> Result<(), Refusal> {
        self.blocking(move |parts| {
            parts.records.update(&links_key(&target), |links: Option<Links>| {
                let mut links = links.unwrap_or_default();
                match links.remove(id) {
                    true => Ok(((!links.is_empty()).then_some(links), ())),
                    false => Err(Refusal::new(ErrorCode::NotFound, "there is no such link")),
                }
            })?;
            parts.watch.revoke([id]);
            tracing::info!(%target, link = %id, "a link was revoked");
            Ok(())
        })
        .await
    }

    /// Revokes all links to a room or project and returns how many there were. Blocks on the store.
    pub fn revoke_links(&self, target: &Target) -> Result<usize, Refusal> {
        let taken = self.0.take_links(target)?;
        let count = taken.ids.len();
        self.end(taken);
        Ok(count)
    }

    /// Takes all links to a room or project back. Whoever deletes one calls this before, so that its links never lead to another
    /// of the same name, and [`end`](Self::end) when it is deleted.
    pub async fn take_links(&self, target: Target) -> Result<Taken, Refusal> {
        self.blocking(move |parts| parts.take_links(&target)).await
    }

    /// The same for whoever makes the change together with others: it is returned, if there are links. Links that are damaged
    /// stay, since they lead nowhere. Waits for the disk.
    pub fn links_to_take(&self, target: &Target) -> Result<(Option<Swap>, Taken), StoreError> {
        let key = links_key(target);
        match self.0.records.find::<Links>(&key) {
            Ok(None) => Ok((None, Taken::default())),
            Ok(Some((links, stored))) => {
                Ok((Some(Swap { key, expected: Some(stored), new: None }), Taken { ids: links.ids() }))
            }
            Err(error @ StoreError::DamagedValue { .. }) => {
                tracing::error!(%target, %error, "the links to what is deleted are damaged, and stay");
                Ok((None, Taken::default()))
            }
            Err(error) => Err(error),
        }
    }

    /// Whoever came by links that were taken back is nobody from here on, connections that are open included.
    pub fn end(&self, taken: Taken) {
        self.0.watch.revoke(taken.ids);
    }

    /// Follows a link. Who is signed in stays who they are; others are guests who call themselves `name`.
    ///
    /// # Errors
    ///
    /// `not_found`, the same for every link that is not good; `forbidden` for somebody who is here by another link
    /// already; `bad_argument` for a name that cannot be.
    pub async fn redeem(
        &self,
        link: Secret,
        name: &str,
        caller: Option<&Identity>,
        now: UnixMs,
    ) -> Result<Shared, Refusal> {
        let (holder, until_ms) = self.holder(name, caller, now)?;
        self.blocking(move |parts| {
            let not_found = || Refusal::new(ErrorCode::NotFound, "the link is wrong, has ended, or was revoked");
            let LinkToken { target, link } = parts.key.open(link.expose()).ok_or_else(not_found)?;
            let Link { role, expires_ms, .. } = parts.link(&target, link, now)?.ok_or_else(not_found)?;
            let expires_ms = expires_ms.unwrap_or(UnixMs::MAX).min(until_ms);
            let share = Share { id: TokenId::random(), target: target.clone(), link, holder, expires_ms };
            Ok(Shared { token: parts.key.sign(&share), target, role, expires_ms })
        })
        .await
    }

    /// Who follows a link, and until when that is known.
    fn holder(&self, name: &str, caller: Option<&Identity>, now: UnixMs) -> Result<(Holder, UnixMs), Refusal> {
        let until_ms = now.saturating_add(SHARE_TOKEN_MS);
        let Some((caller, account)) = caller.and_then(|caller| Some((caller, caller.account.clone()?))) else {
            return Ok((Holder::Guest { name: Identity::guest(name)?.name }, until_ms));
        };
        if !caller.still_valid(now) {
            return Err(unauthorized());
        }
        if caller.grant.is_some() {
            let words = "this token is from a link itself; follow another link with your account's token";
            return Err(Refusal::new(ErrorCode::Forbidden, words));
        }
        let kept_here = self.keeps_accounts().is_ok();
        match caller.token_id.filter(|_| kept_here) {
            Some(session) => Ok((Holder::Session { account, session }, until_ms)),
            None => {
                let Identity { name, admin, expires_ms, .. } = caller;
                let holder = Holder::Foreign { account, name: name.clone(), admin: *admin };
                Ok((holder, expires_ms.unwrap_or(until_ms).min(until_ms)))
            }
        }
    }
}

impl Parts {
    fn take_links(&self, target: &Target) -> Result<Taken, Refusal> {
        let ids = self.records.update(&links_key(target), |links: Option<Links>| {
            Ok((None, links.map(|links| links.ids()).unwrap_or_default()))
        })?;
        Ok(Taken { ids })
    }
}
