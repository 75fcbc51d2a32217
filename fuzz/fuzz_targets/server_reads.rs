//! What anybody may put on a server's TCP port.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use motet_protocol::{
    codec::{self, Frame, FrameDecoder},
    message::ClientMessage,
};
use tokio_util::codec::Decoder;

fn frames(stream: &[u8], size: usize) -> Vec<Frame> {
    let (mut decoder, mut buffer, mut frames) = (FrameDecoder::new(200), BytesMut::new(), Vec::new());
    for piece in stream.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return frames,
            }
        }
    }
    frames
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, stream) = input;
    let whole = frames(stream, usize::MAX);
    assert_eq!(frames(stream, usize::from(size) + 1), whole);
    let bodies =
        whole.iter().filter_map(|frame| if let Frame::Message(bytes) = frame { Some(&bytes[..]) } else { None });
    for bytes in bodies.chain([stream]) {
        let _ = codec::about_of(bytes);
        let _ = codec::revision_of_entry(bytes);
        if let Ok(message) = codec::decode::<ClientMessage>(bytes) {
            assert_eq!(codec::decode::<ClientMessage>(&codec::encode(&message)).unwrap(), message);
        }
    }
});
