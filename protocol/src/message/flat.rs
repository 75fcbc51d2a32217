//! The JSON form of questions and answers. In the types, a question stands inside [`ClientMessage::Ask`] beside its number; in
//! JSON it is as flat as every other message: `{"type": "read_text", "room": "notes", "at": "head", "request": 5}`.
//!
//! The messages derive the JSON form of all variants but those two (`remote = "Self"` makes the derived functions inherent); the
//! implementations here add them. Which names are questions is asked of the derived code of [`Question`], so that no list of them
//! is kept by hand.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        DeserializeOwned, Error, MapAccess, Visitor,
        value::{MapAccessDeserializer, MapDeserializer},
    },
};
use serde_json::Value;

use super::{Answer, ClientMessage, Question, ServerMessage};
use crate::ids::RequestId;

/// A message whose JSON is either that of its own variants or that of a numbered body.
pub(crate) trait Message: Sized {
    /// What stands beside the number: questions or answers.
    type Body: DeserializeOwned;

    /// Puts a body and its number together.
    fn numbered(request: RequestId, body: Self::Body) -> Self;

    /// Decodes one of the message's own variants, with the derived code.
    fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Message for ClientMessage {
    type Body = Question;

    fn numbered(request: RequestId, question: Question) -> Self {
        Self::Ask { request, question }
    }

    fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Message for ServerMessage {
    type Body = Answer;

    fn numbered(request: RequestId, answer: Answer) -> Self {
        Self::Answer { request, answer }
    }

    fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for ClientMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).and_then(read)
    }
}

impl<'de> Deserialize<'de> for ServerMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).and_then(read)
    }
}

impl Serialize for ClientMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ask { request, question } => Flat { body: question, request: *request }.serialize(serializer),
            own => Self::serialize(own, serializer),
        }
    }
}

impl Serialize for ServerMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Answer { request, answer } => Flat { body: answer, request: *request }.serialize(serializer),
            own => Self::serialize(own, serializer),
        }
    }
}

/// A body and its number. The body comes first, since it begins with the `type`.
#[derive(Serialize)]
struct Flat<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    request: RequestId,
}

/// Whether a `type` is one of the bodies of this message.
pub(crate) fn is_numbered<M: Message>(kind: &str) -> bool {
    is_variant_of::<M::Body>(kind)
}

/// Reads a message from the fields of its object.
fn read<M: Message, E: Error>(fields: Vec<(String, Value)>) -> Result<M, E> {
    let kind = fields.iter().find(|(name, _)| name == "type").and_then(|(_, value)| value.as_str());
    let message = match kind {
        Some(kind) if is_numbered::<M>(kind) => read_numbered(fields),
        _ => M::own(MapDeserializer::new(fields.into_iter())),
    };
    // The words of the inner error; its place in the text is lost with the text.
    message.map_err(E::custom)
}

fn read_numbered<M: Message>(mut fields: Vec<(String, Value)>) -> Result<M, serde_json::Error> {
    let at = fields.iter().position(|(name, _)| name == "request").ok_or_else(|| Error::missing_field("request"))?;
    let request = RequestId::deserialize(fields.remove(at).1)?;
    if fields.iter().any(|(name, _)| name == "request") {
        return Err(Error::duplicate_field("request"));
    }
    M::Body::deserialize(MapDeserializer::new(fields.into_iter())).map(|body| M::numbered(request, body))
}

/// The fields of an object, in their order; one that stands twice is kept twice, and refused later.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a `type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(8).min(16));
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

/// Whether a tagged enum has a variant of this name. An object of nothing but the `type` is given to its derived code, which
/// either finds the variant unknown or goes on to its fields.
fn is_variant_of<T: DeserializeOwned>(name: &str) -> bool {
    let object = MapDeserializer::<_, Attempt>::new([("type", name)].into_iter());
    !matches!(T::deserialize(MapAccessDeserializer::new(object)), Err(Attempt::UnknownVariant))
}

/// How deserializing an object of nothing but a `type` fails.
#[derive(Debug)]
enum Attempt {
    /// There is no such variant.
    UnknownVariant,
    /// There is one, and its fields are missing.
    Other,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Attempt {}

impl Error for Attempt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownVariant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_question_or_not() {
        for name in ["create_room", "unwatch_rooms", "turn_credentials", "summarize"] {
            assert!(is_numbered::<ClientMessage>(name), "{name}");
        }
        for name in ["", "ask", "submit", "authenticate", "levitate", "text"] {
            assert!(!is_numbered::<ClientMessage>(name), "{name}");
        }
    }
}
