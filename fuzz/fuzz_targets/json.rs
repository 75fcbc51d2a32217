//! What anybody may send as a WebSocket's text message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use motet_protocol::{
    codec, json,
    message::{ClientMessage, ServerMessage},
    ot::Operation,
};

fuzz_target!(|text: &str| {
    let _ = json::about_of(text);
    if let Ok(message) = json::decode::<ClientMessage>(text) {
        assert_eq!(json::decode::<ClientMessage>(&json::encode(&message)).unwrap(), message);
        assert_eq!(codec::decode::<ClientMessage>(&codec::encode(&message)).unwrap(), message);
    }
    if let Ok(message) = json::decode::<ServerMessage>(text) {
        assert_eq!(json::decode::<ServerMessage>(&json::encode(&message)).unwrap(), message);
    }
    if let Ok(operation) = json::decode::<Operation>(text) {
        operation.within_limits().unwrap();
        motet_fuzz::assert_canonical(&operation);
    }
});
