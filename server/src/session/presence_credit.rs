//! How many bytes of presence the server sends before the client shows that it has read them.
//!
//! Between a server and a client that has stopped reading, the network buffers minutes of presence; the client would have to
//! read all of that before it saw anything new. So presence is sent only up to a credit: now and then a `Ping` follows it, and
//! the `Pong` shows that the client has read so far. A client that answers slowly gets presence less often, and always the newest.

/// The credit of a client: about a second of a busy room.
const CREDIT_BYTES: usize = 16 * 1024;

/// The credit of one client, and how much of it is used.
#[derive(Debug, Default)]
pub struct PresenceCredit {
    /// Bytes that were sent and that no pong has confirmed.
    bytes: usize,
    /// The ping under way: its nonce, and the bytes that its pong will confirm.
    asked: Option<(u64, usize)>,
    nonce: u64,
    /// Whether something was held back for lack of credit.
    held: bool,
}

impl PresenceCredit {
    /// Whether presence may be sent. If not, [`take_held`](Self::take_held) tells once when it may.
    pub fn may_send(&mut self) -> bool {
        let may = self.bytes < CREDIT_BYTES;
        self.held |= !may;
        may
    }

    /// Counts bytes that were sent. Returns the nonce of a ping to send behind them, if one is due.
    pub fn sent(&mut self, bytes: usize) -> Option<u64> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.asked.is_some() || self.bytes < CREDIT_BYTES / 2 {
            return None;
        }
        self.nonce += 1;
        self.asked = Some((self.nonce, self.bytes));
        Some(self.nonce)
    }

    /// Takes the client's pong, whichever ping it answers. Returns the nonce of the next ping, if one is due.
    pub fn answered(&mut self, nonce: u64) -> Option<u64> {
        let (_, bytes) = self.asked.take_if(|(asked, _)| *asked == nonce)?;
        self.bytes -= bytes;
        self.sent(0)
    }

    /// Whether something was held back that may be sent now. True once.
    pub fn take_held(&mut self) -> bool {
        self.bytes < CREDIT_BYTES && std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_does_not_answer_is_sent_the_credit_and_no_more() {
        let mut credit = PresenceCredit::default();
        let mut pings = Vec::new();
        let mut sent = 0;
        while credit.may_send() {
            pings.extend(credit.sent(1_000));
            sent += 1_000;
        }
        assert!(sent < CREDIT_BYTES + 1_000);
        assert_eq!(pings, [1]);
        assert!(!credit.take_held());
        assert_eq!(credit.answered(77), None);
        assert!(!credit.take_held(), "that was another ping");
        assert_eq!(credit.answered(1), None);
        assert!(credit.take_held() && !credit.take_held());
        assert!(credit.may_send());
        // What was sent behind the ping is still under way.
        assert_eq!(credit.sent(1_000), Some(2));
        assert_eq!(credit.answered(1), None);
        assert_eq!(credit.answered(2), None);
        assert_eq!(credit.bytes, 0);
    }

    #[test]
    fn a_client_that_answers_is_never_held_back() {
        let mut credit = PresenceCredit::default();
        for _ in 0..1_000 {
            assert!(credit.may_send());
            if let Some(nonce) = credit.sent(500) {
                credit.answered(nonce);
            }
        }
        assert!(!credit.take_held());
    }
}
