//! Tokens that this server signs.
//!
//! ```text
//! mta_<base64url, no padding>          the letter says which kind it is
//!      claims (bincode) │ mac 32       HMAC-SHA256 with the server's key over "motet token a 1" and the claims
//! ```
//! There is nothing in one to choose an algorithm with. Any text that is not exactly what [`TokenKey::sign`] made is no
//! token, and why it is none is not told.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bincode::{Decode, Encode};
use hmac::{Hmac, Mac};
use motet_protocol::{access::AccountId, codec, ids::UnixMs, limits::TOKEN_BYTES_MAX};
use serde::{Deserialize, Serialize, de::Error};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    identity::Target,
    secret::{Secret, random},
};

const MAC_BYTES: usize = 32;

/// What knows a session, a link or a token by; random, and no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct TokenId(u128);

impl TokenId {
    /// A new one.
    pub fn random() -> Self {
        Self(u128::from_be_bytes(random()))
    }

    /// The one that stands for a token that somebody else issued.
    pub fn of_foreign(token: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let (first, _) = hash.split_first_chunk::<16>().expect("16 of 32 bytes");
        Self(u128::from_be_bytes(*first))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is no [`TokenId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 of 0-9 and a-f")]
pub struct BadTokenId;

impl FromStr for TokenId {
    type Err = BadTokenId;

    fn from_str(text: &str) -> Result<Self, BadTokenId> {
        let valid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = valid.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(BadTokenId)
    }
}

impl Serialize for TokenId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What a kind of token says.
pub trait Claims: Encode + Decode<()> {
    /// The letter that the kind is told by, in the token and in what is signed.
    const KIND: char;
}

/// Lets somebody in for a short while.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Access {
    /// Who.
    pub account: AccountId,
    /// By which session; it must still be there.
    pub session: TokenId,
    /// Until when.
    pub expires_ms: UnixMs,
}

impl Claims for Access {
    const KIND: char = 'a';
}

/// Gets the next access token, and the next one of these, once.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refresh {
    /// Whose it is.
    pub account: AccountId,
    /// The session.
    pub session: TokenId,
    /// How many the session has had before.
    pub turn: u32,
    /// What only its holder knows; the server keeps a hash of it.
    pub secret: [u8; 32],
}

impl Claims for Refresh {
    const KIND: char = 'r';
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, session, turn, secret: _ } = self;
        f.debug_struct("Refresh").field("account", account).field("session", session).field("turn", turn).finish()
    }
}

/// A link that is passed around. What it allows stands in the store.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LinkToken {
    /// Where it leads.
    pub target: Target,
    /// Which of the links there.
    pub link: TokenId,
}

impl Claims for LinkToken {
    const KIND: char = 'l';
}

/// What following a link gives.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Share {
    /// This token.
    pub id: TokenId,
    /// Where the link leads.
    pub target: Target,
    /// The link; it must still be there.
    pub link: TokenId,
    /// Who followed it.
    pub holder: Holder,
    /// Until when.
    pub expires_ms: UnixMs,
}

impl Claims for Share {
    const KIND: char = 's';
}

/// Who followed a link.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Holder {
    /// Somebody who is not signed in.
    Guest {
        /// What they call themselves.
        name: String,
    },
    /// An account of this server's, by one of its sessions, which must still be there.
    Session {
        /// The account.
        account: AccountId,
        /// The session.
        session: TokenId,
    },
    /// An account of somebody else's.
    Foreign {
        /// The account.
        account: AccountId,
        /// Its name for people.
        name: String,
        /// Whether it was one of the server's admins.
        admin: bool,
    },
}

/// What signs the server's tokens.
#[derive(Clone)]
pub struct TokenKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl TokenKey {
    /// The key of these bytes, which must be random.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The token that says this.
    pub fn sign<T: Claims>(&self, claims: &T) -> Secret {
        let mut bytes = Zeroizing::new(codec::encode(claims).to_vec());
        let mac = self.mac::<T>(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        Secret::new(format!("{}{}", prefix::<T>(), BASE64_URL_SAFE_NO_PAD.encode(&*bytes)))
    }

    /// What a token says, if this key signed it and it is of this kind. Whether it is still good is another question.
    pub fn open<T: Claims>(&self, token: &str) -> Option<T> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let text = token.strip_prefix(prefix::<T>().as_str())?;
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        let (claims, mac) = bytes.split_last_chunk::<MAC_BYTES>()?;
        self.mac::<T>(claims).verify_slice(mac).ok()?;
        codec::decode(claims).ok()
    }

    fn mac<T: Claims>(&self, claims: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.update(format!("motet token {} 1\0", T::KIND).as_bytes());
        mac.update(claims);
        mac
    }
}

fn prefix<T: Claims>() -> String {
    format!("mt{}_", T::KIND)
}

/// Whether a text looks like one of this server's tokens (and so is no JWT): `mt`, a letter, `_`.
pub fn is_own(token: &str) -> bool {
    matches!(token.as_bytes(), [b'm', b't', b'a'..=b'z', b'_', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let account = AccountId::new("ann").unwrap();
        Access { account, session: TokenId::random(), expires_ms: 1_700_000_000_000 }
    }

    #[test]
    fn a_token_says_what_was_signed() {
        let key = TokenKey::new(random());
        let token = key.sign(&access());
        assert!(token.expose().starts_with("mta_") && is_own(token.expose()));
        assert_eq!(key.open::<Access>(token.expose()).unwrap().account.as_str(), "ann");
    }

    #[test]
    fn no_other_text_is_a_token() {
        let key = TokenKey::new(random());
        let token = key.sign(&access());
        let token = token.expose();
        assert_eq!(TokenKey::new(random()).open::<Access>(token), None, "another server's key");
        for at in 0..token.len() {
            for other in [b'A', b'B', b'_', b'.', b'='] {
                let mut changed = token.as_bytes().to_vec();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(key.open::<Access>(&changed), None, "{changed}");
            }
            assert_eq!(key.open::<Access>(&token[..at]), None);
        }
        for tail in ["=", "A", "AAAA", "\n", " "] {
            assert_eq!(key.open::<Access>(&format!("{token}{tail}")), None, "{tail:?}");
        }
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let key = TokenKey::new(random());
        let token = key.sign(&access());
        let (_, body) = token.expose().split_once('_').unwrap();
        assert_eq!(key.open::<Refresh>(token.expose()), None);
        assert_eq!(key.open::<Share>(&format!("mts_{body}")), None);
        assert_eq!(key.open::<Refresh>(&format!("mtr_{body}")), None);
    }

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = TokenId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "+0000000000000000000000000000000", "g", &id.to_string().to_uppercase()[..31]] {
            assert_eq!(bad.parse::<TokenId>(), Err(BadTokenId), "{bad:?}");
        }
    }
}
