//! Frames in a stream, however the stream is cut and whatever it claims.

use bytes::{BufMut, Bytes, BytesMut};
use motet_protocol::{
    codec::{self, ClientCodec, Frame, FrameDecoder, FramingError, MessageCodec, StreamError},
    limits::{FRAME_BYTES_MAX, FRAME_SKIP_BYTES_MAX},
    message::{ClientMessage, ServerMessage},
};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

fn frame(stream: &mut BytesMut, bytes: &[u8]) {
    stream.put_u32(bytes.len() as u32);
    stream.put_slice(bytes);
}

/// Feeds a stream in pieces of these sizes, repeated.
fn read(stream: &[u8], bytes_max: usize, sizes: &[usize]) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new(bytes_max);
    let (mut buffer, mut frames, mut at) = (BytesMut::new(), Vec::new(), 0);
    for size in sizes.iter().cycle() {
        let end = stream.len().min(at + size);
        buffer.put_slice(&stream[at..end]);
        while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
            frames.push(frame);
        }
        assert!(buffer.len() < codec::LENGTH_BYTES + bytes_max, "nothing but a part of one frame is kept");
        at = end;
        if at == stream.len() {
            break;
        }
    }
    assert!(buffer.is_empty());
    frames
}

proptest! {
    #[test]
    fn frames_are_the_same_however_the_stream_is_cut(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        sizes in prop::collection::vec(1_usize..50, 1..10),
    ) {
        const BYTES_MAX: usize = 20;
        let mut stream = BytesMut::new();
        bodies.iter().for_each(|body| frame(&mut stream, body));
        let expected: Vec<Frame> = bodies
            .iter()
            .map(|body| match body.len() {
                length if length > BYTES_MAX => Frame::Skipped(length),
                _ => Frame::Message(Bytes::copy_from_slice(body)),
            })
            .collect();
        prop_assert_eq!(&read(&stream, BYTES_MAX, &sizes), &expected);
        prop_assert_eq!(&read(&stream, BYTES_MAX, &[1]), &expected);
    }
}

#[test]
fn a_frame_over_the_limit_is_passed_over_without_being_kept_and_the_next_is_read() {
    let mut stream = BytesMut::new();
    frame(&mut stream, &vec![7; FRAME_BYTES_MAX + 1]);
    frame(&mut stream, &vec![8; FRAME_BYTES_MAX]);
    let expected = [Frame::Skipped(FRAME_BYTES_MAX + 1), Frame::Message(Bytes::from(vec![8; FRAME_BYTES_MAX]))];
    assert_eq!(read(&stream, FRAME_BYTES_MAX, &[1_000]), expected);
}

#[test]
fn a_stream_of_another_protocol_is_lost_framing() {
    let mut decoder = FrameDecoder::new(FRAME_BYTES_MAX);
    let lost = |result| matches!(result, Err(FramingError::Lost(_)));
    assert!(lost(decoder.decode(&mut BytesMut::from(&b"GET / HTTP/1.1\r\n"[..]))));
    assert!(lost(decoder.decode(&mut BytesMut::from(&(FRAME_SKIP_BYTES_MAX as u32 + 1).to_be_bytes()[..]))));
    let mut largest = BytesMut::from(&(FRAME_SKIP_BYTES_MAX as u32).to_be_bytes()[..]);
    assert!(matches!(FrameDecoder::new(FRAME_BYTES_MAX).decode(&mut largest), Ok(None)));
}

#[test]
fn a_message_that_cannot_be_read_is_an_error_and_the_next_is_read() {
    let mut stream = BytesMut::new();
    frame(&mut stream, &[]);
    frame(&mut stream, &[0xff; 9]);
    codec::frame_into(&ServerMessage::Ping { nonce: 4 }, &mut stream);
    let mut codec = ClientCodec::default();
    assert!(matches!(codec.decode(&mut stream), Err(StreamError::Message(_))));
    assert!(matches!(codec.decode(&mut stream), Err(StreamError::Message(_))));
    assert_eq!(codec.decode(&mut stream).unwrap(), Some(ServerMessage::Ping { nonce: 4 }));
    assert_eq!(codec.decode(&mut stream).unwrap(), None);
}

#[test]
fn a_message_over_the_limit_is_not_sent() {
    let mut codec = MessageCodec::<ClientMessage, ServerMessage>::default();
    let mut buffer = BytesMut::from(&b"before"[..]);
    let text = "x".repeat(FRAME_BYTES_MAX);
    let refused = codec.encode(ServerMessage::Snapshot { channel: 1, text, last: true }, &mut buffer);
    assert!(matches!(refused, Err(StreamError::TooLarge(_))));
    assert_eq!(&buffer[..], b"before");
    codec.encode(ServerMessage::Left { channel: 1 }, &mut buffer).unwrap();
    assert_eq!(&buffer[6..], [0, 0, 0, 2, 8, 1]);
}
