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
    // The fast ways take what the plain one takes, and refuse the rest in the same words.
    let (client, server) = (json::decode::<ClientMessage>(text), json::decode::<ServerMessage>(text));
    assert_eq!(format!("{:?}", json::decode_client(text)), format!("{client:?}"));
    assert_eq!(format!("{:?}", json::decode_server(text)), format!("{server:?}"));
    if let Ok(message) = client {
        assert_eq!(json::decode::<ClientMessage>(&json::encode(&message)).unwrap(), message);
        assert_eq!(codec::decode::<ClientMessage>(&codec::encode(&message)).unwrap(), message);
    }
    if let Ok(message) = server {
        assert_eq!(json::decode::<ServerMessage>(&json::encode(&message)).unwrap(), message);
    }
    if let Ok(operation) = json::decode::<Operation>(text) {
        operation.within_limits().unwrap();
        motet_fuzz::assert_canonical(&operation);
    }
});
