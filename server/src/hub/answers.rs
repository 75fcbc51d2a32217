//! Questions that take looking up: answered beside the connection's conversation, in any order.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    error::{About, ErrorCode},
    hash::TextHash,
    ids::{RequestId, Revision, RoomId},
    limits::PAGE_MAX,
    message::{At, Entry, ServerMessage},
};
use ropey::Rope;

use super::{blocking, history, refusal_of, rooms::Rooms};
use crate::{
    room::{Refusal, readers::piece_of},
    session::Answer,
    transport::outbox::Connection,
};

/// Bytes of entries in one answer to `ReadLog`: it stays well below a frame.
const LOG_PAGE_BYTES: usize = 128 * 1024;

/// Answers one question on its connection.
pub async fn answer(rooms: Rooms, question: Answer, connection: Arc<Connection>) {
    let request = question.request();
    if let Err(refusal) = look_up(&rooms, question, &connection).await
        && connection.room().await
    {
        connection.send(&ServerMessage::Error(refusal.about(About::Request(request))));
    }
}

async fn look_up(rooms: &Rooms, question: Answer, connection: &Arc<Connection>) -> Result<(), Refusal> {
    let message = match question {
        Answer::Create(request, room) => ServerMessage::Created { request, room: rooms.create(room).await? },
        Answer::Delete(request, room) => {
            rooms.delete(&room).await?;
            ServerMessage::Deleted { request, room }
        }
        Answer::List(request, after, limit) => list(rooms, request, after, limit).await?,
        Answer::Show(request, room) => ServerMessage::Room { request, room: rooms.show(&room).await? },
        Answer::Text(request, room, at) => return text(rooms, request, &room, at, connection).await,
        Answer::Log(request, room, from, limit) => log(rooms, request, &room, from, limit).await?,
        Answer::Hash(request, room, at) => hash(rooms, request, &room, at).await?,
    };
    if connection.room().await {
        connection.send(&message);
    }
    Ok(())
}

fn page_size(limit: u32) -> Result<usize, Refusal> {
    match limit {
        1..=PAGE_MAX => Ok(limit as usize),
        _ => Err(Refusal::new(ErrorCode::BadArgument, format!("a page's limit is 1 to {PAGE_MAX}, not {limit}"))),
    }
}

async fn list(rooms: &Rooms, request: RequestId, after: Option<RoomId>, limit: u32) -> Result<ServerMessage, Refusal> {
    let limit = page_size(limit)?;
    let mut found = rooms.list(after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.room.clone());
    Ok(ServerMessage::Rooms { request, rooms: found, next })
}

/// The text at a place in history, and the revision that it is of.
pub async fn text_at(rooms: &Rooms, room: &RoomId, at: At) -> Result<(Rope, Revision), Refusal> {
    let cell = rooms.open(room).await?;
    if at == At::Head {
        return Ok(cell.text());
    }
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.measure().0);
    blocking(move || {
        let revision = history::revision_at(store.as_ref(), log, at, head)?;
        let recovered = history::state_at(store.as_ref(), log, Some(revision)).map_err(|error| refusal_of(&error))?;
        Ok((recovered.state.text().clone(), revision))
    })
    .await?
}

async fn text(
    rooms: &Rooms,
    request: RequestId,
    room: &RoomId,
    at: At,
    connection: &Arc<Connection>,
) -> Result<(), Refusal> {
    let (rope, revision) = text_at(rooms, room, at).await?;
    let mut sent = 0;
    loop {
        if !connection.room().await {
            return Ok(());
        }
        let (piece, end) = piece_of(&rope, sent);
        let last = end == rope.len_bytes();
        connection.send(&ServerMessage::Text { request, revision, text: piece, last });
        if last {
            return Ok(());
        }
        sent = end;
        // The piece leaves when this thread parks or is told to; another task may be next.
        tokio::task::yield_now().await;
    }
}

async fn hash(rooms: &Rooms, request: RequestId, room: &RoomId, at: At) -> Result<ServerMessage, Refusal> {
    let (rope, revision) = text_at(rooms, room, at).await?;
    let TextHash { crc32, bytes } = blocking(move || TextHash::of_rope(&rope)).await?;
    Ok(ServerMessage::Hash { request, revision, crc32, bytes })
}

async fn log(
    rooms: &Rooms,
    request: RequestId,
    room: &RoomId,
    from: Revision,
    limit: u32,
) -> Result<ServerMessage, Refusal> {
    let limit = page_size(limit)?;
    let Some(after) = from.checked_sub(1) else {
        return Err(Refusal::new(ErrorCode::BadArgument, "revisions count from 1"));
    };
    let cell = rooms.open(room).await?;
    let (store, log, head) = (Arc::clone(&rooms.store), cell.log_id(), cell.measure().0);
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
    let entries = read.into_iter().take_while(fits).map(|(entry, _)| entry).collect();
    Ok(ServerMessage::Log { request, entries, head })
}
