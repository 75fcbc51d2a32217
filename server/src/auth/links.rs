//! Links to rooms and projects. The records are pure; the time is an argument.

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, Role},
    error::ErrorCode,
    ids::UnixMs,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    limits::{LABEL_BYTES_MAX, LINKS_MAX},
    token::TokenId,
};
use crate::refusal::Refusal;

/// A link, as those who may give them out see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, ToSchema)]
pub struct Link {
    /// What it is known by.
    #[schema(value_type = String, example = "0f2c6a7e9b1d4c3f8e5a6b7c8d9e0f1a")]
    pub id: TokenId,
    /// What whoever follows it may do.
    #[schema(value_type = String, example = "editor")]
    pub role: Role,
    /// What its maker calls it.
    pub label: String,
    /// Who made it; nobody for a guest.
    #[schema(value_type = Option<String>)]
    pub created_by: Option<AccountId>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: UnixMs,
    /// When it ends, in milliseconds since 1970; never if this is not set.
    pub expires_ms: Option<UnixMs>,
}

/// What a new link is to be.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// What whoever follows it may do.
    pub role: Role,
    /// What its maker calls it; may be empty.
    pub label: String,
    /// Who makes it.
    pub created_by: Option<AccountId>,
    /// When it ends.
    pub expires_ms: Option<UnixMs>,
}

/// All links to one room or project.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub(super) struct Links {
    links: Vec<Link>,
}

impl Link {
    fn is_good(&self, now: UnixMs) -> bool {
        self.expires_ms.is_none_or(|expires_ms| now < expires_ms)
    }
}

impl Links {
    /// Those that are still good, in the order in which they were made.
    pub(super) fn good(self, now: UnixMs) -> Vec<Link> {
        self.links.into_iter().filter(|link| link.is_good(now)).collect()
    }

    /// One that is still good.
    pub(super) fn find(self, id: TokenId, now: UnixMs) -> Option<Link> {
        self.links.into_iter().find(|link| link.id == id && link.is_good(now))
    }

    /// Makes a link. Those that have ended are forgotten.
    pub(super) fn add(&mut self, new: NewLink, id: TokenId, now: UnixMs) -> Result<Link, Refusal> {
        let refused = |words: String| Err(Refusal::new(ErrorCode::BadArgument, words));
        let NewLink { role, label, created_by, expires_ms } = new;
        if label.len() > LABEL_BYTES_MAX || label.chars().any(char::is_control) {
            return refused(format!("a link's label has at most {LABEL_BYTES_MAX} bytes and no control characters"));
        }
        if expires_ms.is_some_and(|expires_ms| expires_ms <= now) {
            return refused("a link ends in the future, or never".to_owned());
        }
        self.links.retain(|link| link.is_good(now));
        if self.links.len() >= LINKS_MAX {
            return refused(format!("there are {LINKS_MAX} links already; revoke one first"));
        }
        let link = Link { id, role, label, created_by, created_ms: now, expires_ms };
        self.links.push(link.clone());
        Ok(link)
    }

    /// Takes a link away. Returns whether there was one.
    pub(super) fn remove(&mut self, id: TokenId) -> bool {
        self.links.extract_if(.., |link| link.id == id).count() > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub(super) fn ids(&self) -> Vec<TokenId> {
        self.links.iter().map(|link| link.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(label: &str, expires_ms: Option<UnixMs>) -> NewLink {
        NewLink { role: Role::Editor, label: label.to_owned(), created_by: None, expires_ms }
    }

    #[test]
    fn a_link_ends_when_it_was_said_to() {
        let mut links = Links::default();
        let link = links.add(new("", Some(10)), TokenId::random(), 5).unwrap();
        assert!(links.clone().find(link.id, 9).is_some() && links.clone().find(link.id, 10).is_none());
        assert!(links.clone().good(10).is_empty());
        assert!(links.add(new("", Some(10)), TokenId::random(), 10).is_err(), "ended before it began");
    }

    #[test]
    fn as_many_links_as_there_may_be_fit_in_the_store() {
        let mut links = Links::default();
        for _ in 0..LINKS_MAX {
            let by = Some(AccountId::new(&"a".repeat(128)).unwrap());
            let long = NewLink { created_by: by, ..new(&"x".repeat(LABEL_BYTES_MAX), Some(u64::MAX)) };
            links.add(long, TokenId::random(), u64::MAX - 1).unwrap();
        }
        assert_eq!(links.add(new("", None), TokenId::random(), 0).unwrap_err().code, ErrorCode::BadArgument);
        let length = motet_protocol::codec::encode(&links).len();
        assert!(length <= 30 * 1_024, "{length} bytes");
        assert!(links.add(new("", None), TokenId::random(), u64::MAX).is_ok(), "when the others have ended");
    }

    #[test]
    fn labels_are_short_and_can_be_shown() {
        for bad in ["\u{1b}[2J", &"x".repeat(LABEL_BYTES_MAX + 1)] {
            assert!(Links::default().add(new(bad, None), TokenId::random(), 0).is_err());
        }
    }
}
