//! The JSON form of an operation, as ot.js writes it: a positive number retains, a string inserts, a negative number
//! deletes: `[5, "text", -2]`.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor},
    ser::{SerializeSeq, Serializer},
};

use super::{Builder, Component, Operation, OperationError};
use crate::json::BAD_OPERATION;

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

/// Puts a component into an operation as it is read, so that its text is not kept twice.
struct Item<'a> {
    operation: &'a mut Builder,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Item<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length or a text")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.push(if n > 0 { Component::Retain(n.unsigned_abs()) } else { Component::Delete(n.unsigned_abs()) })
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.push(Component::Retain(n))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.push(Component::Insert(text))
    }
}

impl Item<'_> {
    fn push<E: Error>(self, component: Component<'_>) -> Result<(), E> {
        if let Component::Retain(0) | Component::Delete(0) | Component::Insert("") = component {
            return Err(wrong(OperationError::Empty(self.index)));
        }
        self.operation.push(component);
        Ok(())
    }
}

fn wrong<E: Error>(error: OperationError) -> E {
    E::custom(format_args!("{BAD_OPERATION}{error}"))
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Operation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an operation: a list of numbers and strings, as [5, \"text\", -2]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Operation, A::Error> {
                let mut operation = Operation::builder();
                let mut index = 0;
                while items.next_element_seed(Item { operation: &mut operation, index })?.is_some() {
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
