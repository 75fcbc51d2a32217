//! The comments of a room.

use motet_protocol::{
    codec,
    ids::RoomId,
    message::{Answer, At},
};

use super::{Asked, state_at};
use crate::refusal::Refusal;

/// Bytes of comments in one piece of the answer. A comment with its replies has no more than
/// [`COMMENT_BYTES_MAX`](motet_protocol::limits::COMMENT_BYTES_MAX), so that one alone fits as well.
const PIECE_BYTES: usize = 128 * 1024;

/// Sends all comments in pieces, as fast as the connection takes them.
pub(super) async fn read(asked: &Asked, room: &RoomId, at: At) -> Result<(), Refusal> {
    let cell = asked.room(room).await?;
    let state = state_at(&asked.context.rooms, &cell, at).await?;
    let revision = state.revision();
    let mut all = state.comments().list().into_iter().peekable();
    loop {
        let (mut comments, mut bytes) = (Vec::new(), 0);
        while let Some(comment) = all.next_if(|next| {
            bytes += codec::encode(next).len();
            bytes <= PIECE_BYTES || comments.is_empty()
        }) {
            comments.push(comment);
        }
        let last = all.peek().is_none();
        let is_there = asked.send(Answer::Comments { revision, comments, last }).await;
        if last || !is_there {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}
