//! The answers to clients' questions: one file a question, or a small family of them. Each is looked up in a task of its own, beside
//! the connection's conversation; so answers come in any order.
//!
//! To add a question, add a variant to [`Question`](motet_protocol::message::Question) and one to
//! [`Answer`](motet_protocol::message::Answer); the match in `answer.rs` then asks for the function.

mod answer;
mod assistant;
mod at;
mod chat;
mod comments;
mod complete;
mod log;
mod rooms;
mod settings;
mod summarize;
mod text;
mod turn;
mod watch;

pub(crate) use self::{
    answer::{Asked, answer},
    assistant::Assistant,
    at::{state_at, text_at},
    log::log_page,
};
