//! `/api/rooms/{id}/chat` and `/api/rooms/{id}/comments`: what was said in a room, and about its text.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use motet_protocol::{
    access::Role,
    chat::{ChatCommand, ChatMessage},
    comment::Comment,
    ids::{Revision, RoomId},
    message::{At, Command},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, at,
    body::Body,
    params::{Path, Query},
    problem::Answer,
    rooms::page_size,
    text::{Appended, When},
    who::Who,
};
use crate::{blocking::blocking, rooms::open::chat_pages};

/// Which messages are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Messages said before this revision.
    #[param(nullable = false)]
    before: Option<Revision>,
    /// Only the thread of this message, which itself is not in it; otherwise, only what is in no thread.
    #[param(nullable = false)]
    thread: Option<Revision>,
    /// As the chat was at a revision (`17`), a time (`2026-07-01T12:00:00Z`), or a version (`version:draft`).
    #[param(nullable = false)]
    at: Option<String>,
    /// At most so many; fewer come where they are large.
    #[param(minimum = 1, maximum = 1000, nullable = false)]
    limit: Option<u32>,
}

/// A page of the chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chat {
    /// The messages as they stand, the newest first.
    messages: Vec<ChatMessage>,
    /// Whether there are older ones: the next page is that before the last of these.
    more: bool,
}

/// Something to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// The message.
    #[schema(min_length = 1, max_length = 8192)]
    text: String,
    /// The message that this one answers.
    thread: Option<Revision>,
}

/// The comments on a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Comments {
    /// The revision that they are of.
    revision: Revision,
    /// The comments, by their place.
    comments: Vec<Comment>,
}

/// The chat of a room
#[utoipa::path(
    get, path = "/rooms/{id}/chat", tag = "talk", params(("id" = RoomId, Path, description = "The room"), Wanted),
    responses((status = 200, description = "A page of it, the newest first", body = Chat)),
)]
pub async fn chat(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(Wanted { before, thread, at, limit }): Query<Wanted>,
    who: Who,
) -> Answer<Json<Chat>> {
    let limit = page_size(limit)?;
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let at = match at.map(|at| at::parse(&at, &entered.cell)).transpose()? {
        None | Some(At::Head) => None,
        Some(at) => Some(entered.revision_at(at).await?),
    };
    let (store, cell) = (Arc::clone(&api.context.rooms.store), Arc::clone(&entered.cell));
    let wanted = chat_pages::Wanted { before, thread, at, limit };
    let (messages, more) = blocking(move || chat_pages::page(store.as_ref(), &cell, wanted)).await?;
    Ok(Json(Chat { messages, more }))
}

/// Say something in the chat of a room
#[utoipa::path(
    post, path = "/rooms/{id}/chat", tag = "talk", params(("id" = RoomId, Path, description = "The room")),
    request_body = NewMessage,
    responses((status = 201, description = "It is said; its revision is the message's id", body = Appended)),
)]
pub async fn say(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    who: Who,
    Body(NewMessage { text, thread }): Body<NewMessage>,
) -> Answer<(StatusCode, Json<Appended>)> {
    let say = ChatCommand::Say { text, thread, quote: None, mentions: Vec::new() };
    let entered = api.enter(who, &room, Role::Editor).await?;
    let revision = entered.append(Command::Chat(Box::new(say))).await?;
    Ok((StatusCode::CREATED, Json(Appended { revision })))
}

/// The comments on the text of a room
#[utoipa::path(
    get, path = "/rooms/{id}/comments", tag = "talk", params(("id" = RoomId, Path, description = "The room"), When),
    responses((status = 200, description = "All of them, by their place", body = Comments)),
)]
pub async fn comments(
    State(api): State<Api>,
    Path(room): Path<RoomId>,
    Query(When { at }): Query<When>,
    who: Who,
) -> Answer<Json<Comments>> {
    let entered = api.enter(who, &room, Role::Viewer).await?;
    let at = at.map_or(Ok(At::Head), |at| at::parse(&at, &entered.cell))?;
    let state = entered.state_at(at).await?;
    // All of a room's comments together are bounded.
    Ok(Json(Comments { revision: state.revision(), comments: state.comments().list() }))
}
