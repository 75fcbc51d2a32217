//! Credentials of the relay for calls, which hold for a while: the REST scheme of coturn
//! (draft-uberti-behave-turn-rest-00, section 2.2). The relay knows the same secret; nobody asks it or tells it anything.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use motet_protocol::{
    ids::{ParticipantId, UnixMs},
    message::Answer,
};
use sha1::Sha1;

/// The relay, as it was configured.
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its addresses, as browsers take them: `turn:relay.example.org:3478?transport=udp`.
    pub urls: Vec<String>,
    /// What the relay and this server share.
    pub secret: String,
    /// How long credentials hold, in seconds.
    pub ttl_s: u64,
}

impl fmt::Debug for Turn {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("urls", &self.urls).field("ttl_s", &self.ttl_s).finish_non_exhaustive()
    }
}

impl Turn {
    /// Credentials for a participant: the name is when they expire, in seconds, and whose they are; the password is
    /// base64(HMAC-SHA1(secret, name)).
    pub fn credentials(&self, participant: ParticipantId, now: UnixMs) -> Answer {
        let expires_s = now / 1_000 + self.ttl_s;
        let username = format!("{expires_s}:{participant}");
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()).expect("HMAC takes keys of every length");
        mac.update(username.as_bytes());
        let credential = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let urls = self.urls.clone();
        Answer::Turn { urls, username, credential, expires_ms: expires_s * 1_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected password was computed by `openssl dgst -sha1 -hmac`, as coturn's manual has it.
    #[test]
    fn a_relay_that_knows_the_secret_takes_the_credentials() {
        let turn = Turn { urls: vec!["turn:a".to_owned()], secret: "north".to_owned(), ttl_s: 600 };
        let message = turn.credentials(ParticipantId(0xabc), 1_700_000_000_999);
        let expected = Answer::Turn {
            urls: vec!["turn:a".to_owned()],
            username: "1700000600:0000000000000abc".to_owned(),
            credential: "KtQpbNTru+ngWpikv99zXQNRqzk=".to_owned(),
            expires_ms: 1_700_000_600_000,
        };
        assert_eq!(message, expected);
        assert!(!format!("{turn:?}").contains("north"), "the secret is not logged");
    }
}
