//! Questions that take looking up: answered beside the connection's conversation, in any order.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    access::Role,
    codec,
    error::{About, ErrorCode},
    hash::TextHash,
    ids::{RequestId, Revision, RoomId},
    limits::PAGE_MAX,
    message::{At, ClientMessage, Entry, ServerMessage},
};
use ropey::Rope;

use super::{blocking, history, refusal_of, rooms::Rooms};
use crate::{
    outbox::Connection,
    room::{Refusal, RoomState, readers::piece_of},
    rooms::open::{
        RoomHandle,
        chat_pages::{self, Wanted},
    },
    session::Caller,
};

/// Bytes of entries in one answer to `ReadLog`: it stays well below a frame.
const LOG_PAGE_BYTES: usize = 128 * 1024;

/// Bytes of comments in one piece of the answer to `ReadComments`; a comment with its replies has no more than
/// [`COMMENT_BYTES_MAX`](motet_protocol::limits::COMMENT_BYTES_MAX), so that one alone fits as well.
const COMMENTS_PAGE_BYTES: usize = 128 * 1024;

/// Answers one question on its connection.
pub async fn answer(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    request: RequestId,
    question: ClientMessage,
    connection: &Arc<Connection>,
) {
    if let Err(refusal) = look_up(rooms, caller, question, connection).await {
        connection.send_with_room(&ServerMessage::Error(refusal.about(About::Request(request)))).await;
    }
}

async fn look_up(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    question: ClientMessage,
    connection: &Arc<Connection>,
) -> Result<(), Refusal> {
    let message = match question {
        ClientMessage::CreateRoom { request, room, settings } => {
            ServerMessage::Created { request, room: Box::new(rooms.create(caller, room, *settings).await?) }
        }
        ClientMessage::DeleteRoom { request, room } => {
            rooms.delete(caller, &room).await?;
            ServerMessage::Deleted { request, room }
        }
        ClientMessage::ListRooms { request, filter, after, limit } => {
            let (rooms, next) = rooms.list(caller, *filter, after, page_size(limit)?).await?;
            ServerMessage::Rooms { request, rooms, next }
        }
        ClientMessage::ShowRoom { request, room } => {
            ServerMessage::Room { request, room: Box::new(rooms.show(caller, &room).await?) }
        }
        ClientMessage::ReadText { request, room, at } => {
            let cell = see(rooms, caller, &room).await?;
            return text(rooms, request, &cell, at, connection).await;
        }
        ClientMessage::ReadLog { request, room, from, limit } => {
            let cell = see(rooms, caller, &room).await?;
            log(rooms, request, &cell, from, limit).await?
        }
        ClientMessage::HashText { request, room, at } => {
            let cell = see(rooms, caller, &room).await?;
            hash(rooms, request, &cell, at).await?
        }
        ClientMessage::ReadSettings { request, room, at } => {
            let cell = see(rooms, caller, &room).await?;
            let state = state_at(rooms, &cell, at).await?;
            let (settings, roles) = (state.decided().settings.clone(), state.decided().people.roles().collect());
            let (revision, owner) = (state.revision(), cell.record.owner.clone());
            ServerMessage::Settings { request, revision, settings: Box::new(settings), owner, roles }
        }
        ClientMessage::ReadVersions { request, room } => {
            let cell = see(rooms, caller, &room).await?;
            let versions = cell.with_state(|state| state.decided().versions.list().to_vec());
            ServerMessage::Versions { request, versions }
        }
        ClientMessage::ReadChat { request, room, before, thread, at, limit } => {
            let cell = see(rooms, caller, &room).await?;
            chat_page(rooms, request, cell, at, Wanted { before, thread, at: None, limit: page_size(limit)? }).await?
        }
        ClientMessage::ReadComments { request, room, at } => {
            let cell = see(rooms, caller, &room).await?;
            return comments(rooms, request, &cell, at, connection).await;
        }
        ClientMessage::MarkRead { request, room, message } => {
            let Some(account) = caller.account().cloned() else {
                let words = "what is read is noted for accounts; sign in for that";
                return Err(Refusal::new(ErrorCode::Unauthorized, words));
            };
            let (store, cell) = (Arc::clone(&rooms.store), see(rooms, caller, &room).await?);
            let unread = blocking(move || chat_pages::mark_read(store.as_ref(), &cell, &account, message)).await??;
            // Lists of rooms tell how much is unread.
            rooms.watches.touch(&room);
            ServerMessage::Marked { request, unread }
        }
        ClientMessage::WatchRooms { request, filter } => {
            rooms.watches.add(connection, request, caller, (*filter).clone())?;
            match rooms.list(caller, *filter, None, PAGE_MAX as usize).await {
                Ok((found, next)) => {
                    rooms.watches.told(connection, request, found.iter().map(|room| room.room.clone()));
                    ServerMessage::Rooms { request, rooms: found, next }
                }
                Err(refusal) => {
                    rooms.watches.remove(connection, request);
                    return Err(refusal);
                }
            }
        }
        ClientMessage::Complete { request, room, base, position, limit } => {
            let cell = see(rooms, caller, &room).await?;
            let (revision, completions) = rooms.assistant.complete(&rooms.store, &cell, base, position, limit).await?;
            ServerMessage::Completions { request, revision, completions }
        }
        ClientMessage::Summarize { request, room, from, to } => {
            let cell = see(rooms, caller, &room).await?;
            let (text, facts) = rooms.assistant.summarize(&rooms.store, &cell, from, to).await?;
            ServerMessage::Summary { request, text, facts }
        }
        ClientMessage::UnwatchRooms { request } => {
            rooms.watches.remove(connection, request);
            return Ok(());
        }
        // The session answers all others itself.
        _ => return Err(Refusal::new(ErrorCode::Internal, "this question has nobody to answer it")),
    };
    connection.send_with_room(&message).await;
    Ok(())
}

async fn see(rooms: &Rooms, caller: &Caller, room: &RoomId) -> Result<Arc<RoomHandle>, Refusal> {
    rooms.enter(caller, room, Role::Viewer).await.map(|(cell, _)| cell)
}

fn page_size(limit: u32) -> Result<usize, Refusal> {
    match limit {
        1..=PAGE_MAX => Ok(limit as usize),
        _ => Err(Refusal::new(ErrorCode::BadArgument, format!("a page's limit is 1 to {PAGE_MAX}, not {limit}"))),
    }
}

/// The state of a room at a place in its history.
pub async fn state_at(rooms: &Rooms, cell: &Arc<RoomHandle>, at: At) -> Result<RoomState, Refusal> {
    if at == At::Head {
        return Ok(cell.state());
    }
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.head());
    blocking(move || {
        let revision = history::revision_at(store.as_ref(), log, at, head)?;
        history::state_at(store.as_ref(), log, Some(revision)).map_err(|error| refusal_of(&error))
    })
    .await?
    .map(|recovered| recovered.state)
}

/// The text at a place in history, and the revision that it is of.
pub async fn text_at(rooms: &Rooms, cell: &Arc<RoomHandle>, at: At) -> Result<(Rope, Revision), Refusal> {
    if at == At::Head {
        return Ok(cell.text());
    }
    let state = state_at(rooms, cell, at).await?;
    Ok((state.text().rope(), state.revision()))
}

async fn text(
    rooms: &Rooms,
    request: RequestId,
    cell: &Arc<RoomHandle>,
    at: At,
    connection: &Arc<Connection>,
) -> Result<(), Refusal> {
    let (rope, revision) = text_at(rooms, cell, at).await?;
    let mut sent = 0;
    loop {
        if !connection.room().await {
            return Ok(());
        }
        let (piece, end) = piece_of(&rope, sent);
        let last = end == rope.len_bytes();
        let sent_it = connection.send_with_room(&ServerMessage::Text { request, revision, text: piece, last }).await;
        if last || !sent_it {
            return Ok(());
        }
        sent = end;
        // The piece leaves when this thread parks or is told to; another task may be next.
        tokio::task::yield_now().await;
    }
}

async fn chat_page(
    rooms: &Rooms,
    request: RequestId,
    cell: Arc<RoomHandle>,
    at: At,
    wanted: Wanted,
) -> Result<ServerMessage, Refusal> {
    let store = Arc::clone(&rooms.store);
    let page = move || {
        let at = match at {
            At::Head => None,
            at => Some(history::revision_at(store.as_ref(), cell.log_id(), at, cell.head())?),
        };
        chat_pages::page(store.as_ref(), &cell, Wanted { at, ..wanted })
    };
    let (messages, more) = blocking(page).await??;
    Ok(ServerMessage::Chat { request, messages, more })
}

async fn comments(
    rooms: &Rooms,
    request: RequestId,
    cell: &Arc<RoomHandle>,
    at: At,
    connection: &Arc<Connection>,
) -> Result<(), Refusal> {
    let state = state_at(rooms, cell, at).await?;
    let revision = state.revision();
    let mut all = state.comments().list().into_iter().peekable();
    loop {
        let (mut comments, mut bytes) = (Vec::new(), 0);
        while let Some(comment) = all.next_if(|next| {
            bytes += codec::encode(next).len();
            bytes <= COMMENTS_PAGE_BYTES || comments.is_empty()
        }) {
            comments.push(comment);
        }
        let last = all.peek().is_none();
        let sent_it = connection.send_with_room(&ServerMessage::Comments { request, revision, comments, last }).await;
        if last || !sent_it {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}

async fn hash(rooms: &Rooms, request: RequestId, cell: &Arc<RoomHandle>, at: At) -> Result<ServerMessage, Refusal> {
    let (rope, revision) = text_at(rooms, cell, at).await?;
    let TextHash { crc32, bytes } = blocking(move || TextHash::of_rope(&rope)).await?;
    Ok(ServerMessage::Hash { request, revision, crc32, bytes })
}

async fn log(
    rooms: &Rooms,
    request: RequestId,
    cell: &Arc<RoomHandle>,
    from: Revision,
    limit: u32,
) -> Result<ServerMessage, Refusal> {
    let (entries, head) = log_page(rooms, cell, from, page_size(limit)?).await?;
    Ok(ServerMessage::Log { request, entries, head })
}

/// A page of a room's log from a revision on, and the newest committed one.
pub async fn log_page(
    rooms: &Rooms,
    cell: &Arc<RoomHandle>,
    from: Revision,
    limit: usize,
) -> Result<(Vec<Entry>, Revision), Refusal> {
    let Some(after) = from.checked_sub(1) else {
        return Err(Refusal::new(ErrorCode::BadArgument, "revisions count from 1"));
    };
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.head());
    let read = blocking(move || {
        // The log may hold entries that are not committed yet; nobody is to see those.
        let wanted = usize::try_from(head.saturating_sub(after)).unwrap_or(usize::MAX).min(limit);
        if wanted == 0 { Ok(Vec::new()) } else { history::read_after(store.as_ref(), log, after, wanted) }
    })
    .await?
    .map_err(|error| refusal_of(&error))?;
    let mut bytes = 0;
    let fits = |(_, encoded): &(Entry, Bytes)| {
        let first = bytes == 0;
        bytes += encoded.len();
        first || bytes <= LOG_PAGE_BYTES
    };
    Ok((read.into_iter().take_while(fits).map(|(entry, _)| entry).collect(), head))
}
