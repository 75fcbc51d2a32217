//! ShareDB's messages: JSON, with operations of `ot-text-unicode`.

use std::{borrow::Cow, collections::VecDeque};

use motet_protocol::ot::Component;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Dialect, Heard, Patch, motet::composed};
use crate::{Failure, wire::Payload};

const TYPE: &str = "http://sharejs.org/types/text-unicode";
const COLLECTION: &str = "texts";

pub(crate) struct ShareDb {
    room: String,
    /// Who the server says this client is.
    source: Option<String>,
    seq: u64,
    version: u64,
    /// The text when it was subscribed to, and how long it is since.
    text: String,
    len: u64,
    /// What the outstanding operation adds to the text's length.
    adds: i64,
    is_creating: bool,
}

/// What of a message is looked at.
#[derive(Deserialize)]
struct Message<'a> {
    a: &'a str,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    src: Option<Cow<'a, str>>,
    v: Option<u64>,
    op: Option<Vec<Part>>,
    data: Option<Value>,
    error: Option<Value>,
}

/// A component of an operation of `ot-text-unicode`. What is behind the last one is retained.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Retain(#[allow(dead_code, reason = "it tells the variants apart")] u64),
    Insert(String),
    Delete { d: Value },
}

impl ShareDb {
    pub(crate) fn new(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            source: None,
            seq: 0,
            version: 0,
            text: String::new(),
            len: 0,
            adds: 0,
            is_creating: false,
        }
    }

    fn subscribe(&self, to_say: &mut Vec<Payload>) {
        to_say.push(Payload::Text(json!({"a": "s", "c": COLLECTION, "d": self.room}).to_string()));
    }

    fn submit(&mut self, op: &Value, adds: i64, to_say: &mut Vec<Payload>) {
        self.seq += 1;
        self.adds = adds;
        let (room, version, seq) = (&self.room, self.version, self.seq);
        let message = json!({"a": "op", "c": COLLECTION, "d": room, "v": version, "seq": seq, "x": {}, "op": op});
        to_say.push(Payload::Text(message.to_string()));
    }

    fn grow(&mut self, by: i64) -> Result<(), Failure> {
        self.len = self.len.checked_add_signed(by).ok_or("more is deleted than there is")?;
        Ok(())
    }

    /// The answer to a subscription: the version, and the text if there is one.
    fn subscribed(&mut self, data: &Value, heard: &mut VecDeque<Heard>, to_say: &mut Vec<Payload>) {
        self.version = data["v"].as_u64().unwrap_or(0);
        if let Some(text) = data["data"].as_str() {
            self.text = text.to_owned();
            self.len = text.chars().count() as u64;
            heard.push_back(Heard::Opened);
            return;
        }
        self.seq += 1;
        self.is_creating = true;
        let create = json!({"type": TYPE, "data": ""});
        let (room, version, seq) = (&self.room, self.version, self.seq);
        let message =
            json!({"a": "op", "c": COLLECTION, "d": room, "v": version, "seq": seq, "x": {}, "create": create});
        to_say.push(Payload::Text(message.to_string()));
    }
}

impl Dialect for ShareDb {
    fn open(&mut self, to_say: &mut Vec<Payload>) {
        let hello = json!({"a": "hs", "id": null, "protocol": 1, "protocolMinor": 2});
        to_say.push(Payload::Text(hello.to_string()));
    }

    fn open_also(&mut self, room: &str, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        room.clone_into(&mut self.room);
        self.subscribe(to_say);
        Ok(())
    }

    fn type_one(&mut self, letter: char, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        self.submit(&json!([self.len / 2, letter.to_string()]), 1, to_say);
        Ok(())
    }

    fn edit(&mut self, patches: &[Patch], to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        let operation = composed(patches, self.len)?;
        let part = |component| match component {
            Component::Retain(count) => json!(count),
            Component::Insert(text) => json!(text),
            Component::Delete(count) => json!({ "d": count }),
        };
        let mut parts: Vec<Value> = operation.components().map(part).collect();
        // This type does not know a retain at the end.
        parts.pop_if(|last| last.is_number());
        self.submit(&parts.into(), operation.target_len() as i64 - self.len as i64, to_say);
        Ok(())
    }

    fn hear(&mut self, message: &[u8], heard: &mut VecDeque<Heard>, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        let message: Message<'_> = serde_json::from_slice(message)?;
        if let Some(error) = message.error {
            return Err(error.to_string().into());
        }
        match (message.a, message.op) {
            ("hs", _) => {
                self.source = message.id.map(Cow::into_owned);
                self.subscribe(to_say);
            }
            ("s", _) => self.subscribed(&message.data.unwrap_or_default(), heard, to_say),
            // What a submit was transformed over comes before its acknowledgement, and once more to all who subscribe.
            ("op", Some(_)) if message.v.is_some_and(|version| version < self.version) => {}
            ("op", Some(op)) => {
                self.version = message.v.ok_or("an operation without a version")? + 1;
                for part in op {
                    match part {
                        Part::Retain(_) => {}
                        Part::Insert(text) => {
                            self.grow(text.chars().count() as i64)?;
                            heard.extend(text.chars().map(Heard::Typed));
                        }
                        Part::Delete { d } => {
                            let count = d.as_i64().or_else(|| Some(d.as_str()?.chars().count() as i64));
                            self.grow(-count.ok_or("a deletion without a length")?)?;
                        }
                    }
                }
            }
            ("op", None) if message.src.as_deref() == self.source.as_deref() => {
                self.version = message.v.ok_or("an acknowledgement without a version")? + 1;
                let adds = std::mem::take(&mut self.adds);
                self.grow(adds)?;
                heard.push_back(if std::mem::take(&mut self.is_creating) { Heard::Opened } else { Heard::Acked });
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        Ok(Some(self.text.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_comes_twice_counts_once() {
        let mut client = ShareDb::new("room");
        let (mut heard, mut said) = (VecDeque::new(), Vec::new());
        for message in [
            r#"{"a":"hs","id":"me"}"#,
            r#"{"a":"s","c":"texts","d":"room","data":{"v":1,"data":"aä𝄞"}}"#,
            r#"{"a":"op","src":"other","v":1,"op":[1,"x"]}"#,
            r#"{"a":"op","src":"other","v":1,"op":[1,"x"]}"#,
            r#"{"a":"op","src":"other","v":2,"op":[2,{"d":2}]}"#,
        ] {
            client.hear(message.as_bytes(), &mut heard, &mut said).unwrap();
        }
        assert_eq!(heard, [Heard::Opened, Heard::Typed('x')]);
        assert_eq!((client.len, client.version), (2, 3));
    }

    #[test]
    fn patches_become_one_operation_without_a_retain_at_the_end() {
        let mut client = ShareDb::new("room");
        client.len = 5;
        let mut said = Vec::new();
        client.edit(&[(1, 2, "x".to_owned()), (2, 0, "y".to_owned())], &mut said).unwrap();
        let Some(Payload::Text(message)) = said.pop() else { panic!("ShareDB is JSON") };
        let message: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(message["op"], json!([1, "xy", {"d": 2}]));
    }
}
