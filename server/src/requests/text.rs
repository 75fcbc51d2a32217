//! The text of a room, and its hash.

use motet_protocol::{
    hash::TextHash,
    ids::RoomId,
    message::{Answer, At},
};

use super::{Asked, text_at};
use crate::{blocking::offload, refusal::Refusal, room::readers::piece_of};

/// Sends the text in pieces, as fast as the connection takes them.
pub(super) async fn read(asked: &Asked, room: &RoomId, at: At) -> Result<(), Refusal> {
    let cell = asked.room(room).await?;
    let (rope, revision) = text_at(&asked.context.rooms, &cell, at).await?;
    let mut sent = 0;
    loop {
        // No piece is made before there is room for it.
        if !asked.connection.room().await {
            return Ok(());
        }
        let (text, end) = piece_of(&rope, sent);
        let last = end == rope.len_bytes();
        let is_there = asked.send(Answer::Text { revision, text, last }).await;
        if last || !is_there {
            return Ok(());
        }
        sent = end;
        // The piece leaves when this thread parks; other tasks take their turn before the next one.
        tokio::task::yield_now().await;
    }
}

pub(super) async fn hash(asked: &Asked, room: &RoomId, at: At) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    let (rope, revision) = text_at(&asked.context.rooms, &cell, at).await?;
    let TextHash { crc32, bytes } = offload(move || TextHash::of_rope(&rope)).await?;
    Ok(Answer::Hash { revision, crc32, bytes })
}
