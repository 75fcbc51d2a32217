//! Tickets: tokens for one use within half a minute, for whoever cannot set a header. Pure: the time is an argument.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use motet_protocol::{error::ErrorCode, ids::UnixMs};

use super::{
    identity::Identity,
    limits::{TICKET_MS, TICKETS_MAX, TICKETS_PER_TOKEN_MAX},
    secret::{Secret, random},
};
use crate::refusal::Refusal;

/// What a ticket begins with.
pub(super) const PREFIX: &str = "mtt_";

/// The tickets that are out. They do not survive the server, and need not.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    out: HashMap<Box<[u8]>, Ticket>,
}

#[derive(Debug)]
struct Ticket {
    identity: Identity,
    expires_ms: UnixMs,
}

impl Tickets {
    /// A ticket for this identity, and when it expires.
    pub(super) fn give(&mut self, identity: Identity, now: UnixMs) -> Result<(Secret, UnixMs), Refusal> {
        self.out.retain(|_, ticket| now < ticket.expires_ms);
        let same = self.out.values().filter(|ticket| ticket.identity.token_id == identity.token_id).count();
        if same >= TICKETS_PER_TOKEN_MAX || self.out.len() >= TICKETS_MAX {
            let words = "too many tickets are out that nobody used; use those, or wait until they expire";
            return Err(Refusal::for_now(ErrorCode::TooManyAttempts, words, TICKET_MS as u32));
        }
        let secret: [u8; 32] = random();
        let expires_ms = now.saturating_add(TICKET_MS);
        self.out.insert(secret.into(), Ticket { identity, expires_ms });
        Ok((Secret::new(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret))), expires_ms))
    }

    /// Whose ticket this is. It is used up.
    pub(super) fn take(&mut self, ticket: &str, now: UnixMs) -> Option<Identity> {
        let secret = BASE64_URL_SAFE_NO_PAD.decode(ticket.strip_prefix(PREFIX)?).ok()?;
        let Ticket { identity, expires_ms } = self.out.remove(secret.as_slice())?;
        (now < expires_ms && identity.still_valid(now)).then_some(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::TokenId;

    fn ann() -> Identity {
        Identity { token_id: Some(TokenId::random()), ..Identity::guest("Ann").unwrap() }
    }

    #[test]
    fn a_ticket_lets_in_once_and_not_for_long() {
        let mut tickets = Tickets::default();
        let (ticket, expires_ms) = tickets.give(ann(), 0).unwrap();
        assert_eq!(tickets.take(ticket.expose(), expires_ms - 1).unwrap().name, "Ann");
        assert!(tickets.take(ticket.expose(), 0).is_none(), "twice");
        let (ticket, expires_ms) = tickets.give(ann(), 0).unwrap();
        assert!(tickets.take(ticket.expose(), expires_ms).is_none(), "late");
        for bad in ["", "mtt_", "mtt_AAAA", "mta_AAAA"] {
            assert!(tickets.take(bad, 0).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_ticket_is_no_longer_good_than_the_token_it_was_given_for() {
        let mut tickets = Tickets::default();
        let (ticket, _) = tickets.give(Identity { expires_ms: Some(5), ..ann() }, 0).unwrap();
        assert!(tickets.take(ticket.expose(), 5).is_none());
    }

    #[test]
    fn nobody_takes_all_tickets() {
        let mut tickets = Tickets::default();
        let ann = ann();
        for _ in 0..TICKETS_PER_TOKEN_MAX {
            tickets.give(ann.clone(), 0).unwrap();
        }
        assert_eq!(tickets.give(ann.clone(), 0).unwrap_err().code, ErrorCode::TooManyAttempts);
        assert!(tickets.give(self::ann(), 0).is_ok());
        assert!(tickets.give(ann, TICKET_MS).is_ok());
    }
}
