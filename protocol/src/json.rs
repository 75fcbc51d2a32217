//! The JSON encoding of the same messages: `{"type": "submit", …}`, names in snake_case, operations as ot.js writes them
//! (`[5, "text", -2]`). On WebSocket one text message is one JSON message.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    codec::CodecError,
    error::About,
    ids::{Channel, RequestId, Seq},
};

/// Decodes one message from one JSON text.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, CodecError> {
    serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        match words.strip_prefix(BAD_OPERATION) {
            Some(operation) => CodecError::BadOperation(operation.to_owned()),
            None => CodecError::Malformed(words),
        }
    })
}

/// Encodes one message.
pub fn encode<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).expect("messages hold only strings as keys and no failing types")
}

/// Marks an operation's own errors among those of serde.
pub const BAD_OPERATION: &str = "operation: ";

/// What a message that failed to decode was about, as far as it is JSON and its fields tell.
pub fn about_of(text: &str) -> About {
    #[derive(serde::Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Known {
        #[serde(alias = "watch_presence", alias = "set_presence", alias = "signal")]
        Join {
            channel: Channel,
        },
        Submit {
            channel: Channel,
            seq: Seq,
        },
        #[serde(
            alias = "create_room",
            alias = "delete_room",
            alias = "list_rooms",
            alias = "show_room",
            alias = "read_text",
            alias = "read_log",
            alias = "hash_text",
            alias = "authenticate",
            alias = "read_settings",
            alias = "read_versions",
            alias = "read_chat",
            alias = "read_comments",
            alias = "mark_read",
            alias = "watch_rooms",
            alias = "unwatch_rooms",
            alias = "turn_credentials",
            alias = "complete",
            alias = "summarize"
        )]
        Question {
            request: RequestId,
        },
    }
    match serde_json::from_str(text) {
        Ok(Known::Join { channel }) => About::Channel(channel),
        Ok(Known::Submit { channel, seq }) => About::Submit { channel, seq },
        Ok(Known::Question { request }) => About::Request(request),
        Err(_) => About::Connection,
    }
}
