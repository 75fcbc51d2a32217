//! The JSON form of an operation, as ot.js writes it: a positive number retains, a string inserts, a negative number
//! deletes: `[5, "text", -2]`.

use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error, SeqAccess, Visitor},
    ser::{SerializeSeq, Serializer},
};

use super::{Component, Operation, OperationError};
use crate::{json::BAD_OPERATION, limits::LENGTH_MAX};

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for component in self.components() {
            match component {
                Component::Retain(n) => sequence.serialize_element(&n)?,
                Component::Insert(text) => sequence.serialize_element(text)?,
                Component::Delete(n) => sequence.serialize_element(&-(n as i64))?,
            }
        }
        sequence.end()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Length(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Operation;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an operation: a list of numbers and strings, as [5, \"text\", -2]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Operation, A::Error> {
                let wrong = |error: OperationError| A::Error::custom(format_args!("{BAD_OPERATION}{error}"));
                let mut operation = Operation::builder();
                let mut index = 0;
                while let Some(item) = items.next_element()? {
                    operation = match item {
                        Item::Length(0) => return Err(wrong(OperationError::Empty(index))),
                        Item::Text(text) if text.is_empty() => return Err(wrong(OperationError::Empty(index))),
                        Item::Length(n) if n.unsigned_abs() > LENGTH_MAX => return Err(wrong(OperationError::TooLong)),
                        Item::Length(n) if n > 0 => operation.retain(n.unsigned_abs()),
                        Item::Length(n) => operation.delete(n.unsigned_abs()),
                        Item::Text(text) => operation.insert(&text),
                    };
                    if operation.failed() {
                        break;
                    }
                    index += 1;
                }
                operation.build().map_err(wrong)
            }
        }

        deserializer.deserialize_seq(Items)
    }
}
