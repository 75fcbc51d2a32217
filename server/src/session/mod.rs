//! A connection's conversation, without IO: handshake, channels, heartbeats, the rate of messages. It is given what came in
//! and the time, and says what to do.

mod ahead;
mod caller;
mod conversation;
mod pace;
mod turn;

pub use ahead::Ahead;
pub use caller::Caller;
pub use conversation::{Act, Session, Settings};
pub use pace::Pace;
pub use turn::Turn;
