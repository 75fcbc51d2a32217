//! How far presence runs ahead of a client. Between a server and a client that has stopped reading, the network takes in
//! minutes of presence; the client would have to see all of that as a film before it saw anything new. So presence is sent
//! only so far: now and then a `Ping` goes behind it, and its `Pong` says that the client got there. Who answers slowly is
//! told less often, and always the newest.

/// What is sent ahead of the client's answer, in bytes: about a second of a busy room.
const AHEAD_BYTES_MAX: usize = 16 * 1024;

/// What was sent ahead of one client.
#[derive(Debug, Default)]
pub struct PresenceCredit {
    bytes: usize,
    /// The ping under way: its nonce, and what had been sent in front of it.
    asked: Option<(u64, usize)>,
    nonce: u64,
    /// Whether something was held back.
    held: bool,
}

impl PresenceCredit {
    /// Whether presence may be sent. A no is remembered.
    pub fn may_send(&mut self) -> bool {
        let may = self.bytes < AHEAD_BYTES_MAX;
        self.held |= !may;
        may
    }

    /// Counts what was sent. Returns the nonce of a ping to send behind it, if one is due.
    pub fn sent(&mut self, bytes: usize) -> Option<u64> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.asked.is_some() || self.bytes < AHEAD_BYTES_MAX / 2 {
            return None;
        }
        self.nonce += 1;
        self.asked = Some((self.nonce, self.bytes));
        Some(self.nonce)
    }

    /// Takes the client's answer to a ping, of whatever kind. Returns the nonce of the next one, if one is due.
    pub fn answered(&mut self, nonce: u64) -> Option<u64> {
        let (_, bytes) = self.asked.take_if(|(asked, _)| *asked == nonce)?;
        self.bytes -= bytes;
        self.sent(0)
    }

    /// Whether something was held back that may be sent now.
    pub fn take_held(&mut self) -> bool {
        self.bytes < AHEAD_BYTES_MAX && std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_does_not_answer_is_sent_a_second_of_presence_and_no_more() {
        let mut ahead = PresenceCredit::default();
        let mut pings = Vec::new();
        let mut sent = 0;
        while ahead.may_send() {
            pings.extend(ahead.sent(1_000));
            sent += 1_000;
        }
        assert!(sent < AHEAD_BYTES_MAX + 1_000);
        assert_eq!(pings, [1]);
        assert!(!ahead.take_held());
        assert_eq!(ahead.answered(77), None);
        assert!(!ahead.take_held(), "that was another ping");
        assert_eq!(ahead.answered(1), None);
        assert!(ahead.take_held() && !ahead.take_held());
        assert!(ahead.may_send());
        // What was sent behind the ping is still under way.
        assert_eq!(ahead.sent(1_000), Some(2));
        assert_eq!(ahead.answered(1), None);
        assert_eq!(ahead.answered(2), None);
        assert_eq!(ahead.bytes, 0);
    }

    #[test]
    fn a_client_that_answers_is_never_held_back() {
        let mut ahead = PresenceCredit::default();
        for _ in 0..1_000 {
            assert!(ahead.may_send());
            if let Some(nonce) = ahead.sent(500) {
                ahead.answered(nonce);
            }
        }
        assert!(!ahead.take_held());
    }
}
