//! A connection's conversation, without IO: handshake, channels, heartbeats, the rate of messages. It is given what came in
//! and the time, and says what to do.

mod caller;
mod conversation;
mod presence_credit;
mod rate_limiter;
mod turn;

pub use caller::Caller;
pub use conversation::{Act, Session, Settings};
pub use presence_credit::PresenceCredit;
pub use rate_limiter::RateLimiter;
pub use turn::Turn;
