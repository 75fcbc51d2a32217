//! Answers of unbounded size: given piece by piece, as fast as the client takes them.

use std::{convert::Infallible, ops::Range};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use motet_protocol::limits::TEXT_CHUNK_BYTES;
use ropey::Rope;
use serde::Serialize;

/// A part of a text, in bytes. The text is shared, not copied.
pub fn bytes_of(text: Rope, part: Range<usize>) -> Body {
    let pieces = (part.start..part.end).step_by(TEXT_CHUNK_BYTES).map(move |start| {
        let end = part.end.min(start + TEXT_CHUNK_BYTES);
        Ok::<_, Infallible>(piece(&text, start..end))
    });
    Body::from_stream(stream::iter(pieces))
}

/// Bytes of a text; they may begin and end within a character.
fn piece(text: &Rope, bytes: Range<usize>) -> Bytes {
    let mut piece = BytesMut::with_capacity(bytes.len());
    let (chunks, mut at, ..) = text.chunks_at_byte(bytes.start);
    for chunk in chunks {
        if at >= bytes.end {
            break;
        }
        let start = bytes.start.saturating_sub(at).min(chunk.len());
        let end = (bytes.end - at).min(chunk.len());
        piece.extend_from_slice(&chunk.as_bytes()[start..end]);
        at += chunk.len();
    }
    piece.freeze()
}

/// A JSON object with one long list in it: `head` up to the list's `[`, the items, and the rest from `]` on.
pub fn object_with_list<T: Serialize + Send + 'static>(
    head: String,
    mut items: impl Iterator<Item = T> + Send + 'static,
) -> Body {
    let (mut piece, mut first, mut ended) = (head.into_bytes(), true, false);
    let pieces = std::iter::from_fn(move || {
        while piece.len() < TEXT_CHUNK_BYTES && !ended {
            match items.next() {
                Some(item) => {
                    if !std::mem::take(&mut first) {
                        piece.push(b',');
                    }
                    serde_json::to_writer(&mut piece, &item).expect("items have only strings as keys");
                }
                None => {
                    piece.extend_from_slice(b"]}");
                    ended = true;
                }
            }
        }
        let piece = std::mem::take(&mut piece);
        (!piece.is_empty()).then(|| Ok::<_, Infallible>(Bytes::from(piece)))
    });
    Body::from_stream(stream::iter(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_text_in_pieces_is_the_text_wherever_it_is_cut() {
        let whole = "a😀ßc\n".repeat(40_000);
        let text = Rope::from_str(&whole);
        for part in [0..whole.len(), 2..TEXT_CHUNK_BYTES + 3, 5..5, whole.len() - 1..whole.len(), 100_000..300_001] {
            let body = axum::body::to_bytes(bytes_of(text.clone(), part.clone()), usize::MAX).await.unwrap();
            assert_eq!(body, whole.as_bytes()[part.clone()], "{part:?}");
        }
    }

    #[tokio::test]
    async fn a_long_list_is_whole_json() {
        for count in [0, 1, 2, 100_000_u64] {
            let body = object_with_list("{\"revision\":7,\"items\":[".to_owned(), 0..count);
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(value["items"].as_array().unwrap().len() as u64, count);
        }
    }
}
