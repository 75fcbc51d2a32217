//! From a question to the function that answers it.

use std::sync::Arc;

use motet_protocol::{
    access::Role,
    error::{About, ErrorCode},
    ids::{RequestId, RoomId},
    limits::PAGE_MAX,
    message::{Answer, Question, ServerMessage},
};

use super::{chat, comments, complete, log, rooms, settings, summarize, text, turn, watch};
use crate::{context::Context, outbox::Connection, refusal::Refusal, rooms::open::RoomHandle, session::Caller};

/// Where a question comes from, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The server.
    pub(crate) context: Context,
    /// Whose rights the answer depends on.
    pub(crate) caller: Arc<Caller>,
    /// The question's number.
    pub(crate) request: RequestId,
    /// The connection that is sent the answer.
    pub(crate) connection: Arc<Connection>,
}

impl Asked {
    /// Opens a room that the caller may see.
    pub(super) async fn room(&self, room: &RoomId) -> Result<Arc<RoomHandle>, Refusal> {
        self.context.rooms.enter(&self.caller, room, Role::Viewer).await.map(|(cell, _)| cell)
    }

    /// Sends an answer, or a part of one, once the connection has room for it. Returns whether the connection is still there.
    pub(super) async fn send(&self, answer: Answer) -> bool {
        self.connection.send_with_room(&ServerMessage::Answer { request: self.request, answer }).await
    }
}

/// Answers a question, with an error if it is refused.
pub(crate) async fn answer(asked: &Asked, question: Question) {
    if let Err(refusal) = look_up(asked, question).await {
        asked.context.metrics.refuse(refusal.code);
        let error = refusal.about(About::Request(asked.request));
        asked.connection.send_with_room(&ServerMessage::Error(error)).await;
    }
}

async fn look_up(asked: &Asked, question: Question) -> Result<(), Refusal> {
    let answer = match question {
        Question::CreateRoom { room, settings } => rooms::create(asked, room, *settings).await?,
        Question::DeleteRoom { room } => rooms::delete(asked, room).await?,
        Question::ListRooms { filter, after, limit } => rooms::list(asked, *filter, after, limit).await?,
        Question::ShowRoom { room } => rooms::show(asked, &room).await?,
        Question::ReadText { room, at } => return text::read(asked, &room, at).await,
        Question::ReadLog { room, from, limit } => log::read(asked, &room, from, limit).await?,
        Question::HashText { room, at } => text::hash(asked, &room, at).await?,
        Question::ReadSettings { room, at } => settings::read(asked, &room, at).await?,
        Question::ReadVersions { room } => settings::versions(asked, &room).await?,
        Question::ReadChat { room, before, thread, at, limit } => {
            chat::read(asked, &room, at, chat::Part { before, thread, limit }).await?
        }
        Question::ReadComments { room, at } => return comments::read(asked, &room, at).await,
        Question::MarkRead { room, message } => chat::mark_read(asked, &room, message).await?,
        Question::WatchRooms { filter } => watch::begin(asked, *filter).await?,
        Question::UnwatchRooms {} => {
            watch::end(asked);
            return Ok(());
        }
        Question::TurnCredentials {} => turn::credentials(asked)?,
        Question::Complete { room, base, position, limit } => {
            complete::complete(asked, &room, base, position, limit).await?
        }
        Question::Summarize { room, from, to } => summarize::summarize(asked, &room, from, to).await?,
    };
    asked.send(answer).await;
    Ok(())
}

/// The size of a page, if it is one that a client may ask for.
pub(super) fn page_size(limit: u32) -> Result<usize, Refusal> {
    match limit {
        1..=PAGE_MAX => Ok(limit as usize),
        _ => Err(Refusal::new(ErrorCode::BadArgument, format!("a page's limit is 1 to {PAGE_MAX}, not {limit}"))),
    }
}
