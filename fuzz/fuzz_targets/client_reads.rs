//! What a hostile server may send to a client.
#![no_main]

use libfuzzer_sys::fuzz_target;
use motet_protocol::{codec, json, message::ServerMessage};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = codec::decode::<ServerMessage>(bytes) {
        assert_eq!(codec::decode::<ServerMessage>(&codec::encode(&message)).unwrap(), message);
        assert_eq!(json::decode::<ServerMessage>(&json::encode(&message)).unwrap(), message);
    }
});
