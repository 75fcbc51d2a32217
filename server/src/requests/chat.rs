//! Pages of a room's chat, and how far an account has read it.

use std::sync::Arc;

use motet_protocol::{
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::{Answer, At},
};

use super::answer::{Asked, page_size};
use crate::{
    blocking::blocking,
    hub::history,
    refusal::Refusal,
    rooms::open::chat_pages::{self, Wanted},
};

/// Which page of a chat is asked for, as in [`Question::ReadChat`](motet_protocol::message::Question::ReadChat).
pub(super) struct Part {
    pub(super) before: Option<Revision>,
    pub(super) thread: Option<Revision>,
    pub(super) limit: u32,
}

pub(super) async fn read(asked: &Asked, room: &RoomId, at: At, part: Part) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    let (store, limit) = (Arc::clone(&asked.context.rooms.store), page_size(part.limit)?);
    let page = move || {
        let at = match at {
            At::Head => None,
            at => Some(history::revision_at(store.as_ref(), cell.log_id(), at, cell.head())?),
        };
        chat_pages::page(store.as_ref(), &cell, Wanted { before: part.before, thread: part.thread, at, limit })
    };
    let (messages, more) = blocking(page).await?;
    Ok(Answer::Chat { messages, more })
}

pub(super) async fn mark_read(asked: &Asked, room: &RoomId, message: Revision) -> Result<Answer, Refusal> {
    let Some(account) = asked.caller.account().cloned() else {
        let message = "only accounts have a read mark; sign in for it";
        return Err(Refusal::new(ErrorCode::Unauthorized, message));
    };
    let cell = asked.room(room).await?;
    let rooms = &asked.context.rooms;
    let store = Arc::clone(&rooms.store);
    let unread = blocking(move || chat_pages::mark_read(store.as_ref(), &cell, &account, message)).await?;
    // Lists of rooms show how many messages are unread.
    rooms.watches.touch(room);
    Ok(Answer::Marked { unread })
}
