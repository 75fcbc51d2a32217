//! The Yjs sync protocol (y-protocols, `PROTOCOL.md`), bare as y-websocket speaks it, or with a document's name before each message and an
//! acknowledgement after each update, as Hocuspocus does. Typing is written by hand, so that the client costs next to nothing;
//! larger edits and whole texts go through `yrs`.

use std::collections::VecDeque;

use bytes::Buf;
use yrs::{ClientID, Doc, GetString, OffsetKind, Options, Text, Transact, Update, updates::decoder::Decode};

use super::{Dialect, Heard, Patch};
use crate::{Failure, wire::Payload};

/// The name of the shared text in a document.
const TEXT: &str = "text";

/// The client that puts the first text into a room.
const SEEDER: u32 = 1;

// Messages, and those of `SYNC` and `AUTH`.
const SYNC: u8 = 0;
const AUTH: u8 = 2;
const SYNC_REPLY: u8 = 4;
const SYNC_STATUS: u8 = 8;
const STEP_1: u8 = 0;
const STEP_2: u8 = 1;
const UPDATE: u8 = 2;

/// The kind of a struct that is text.
const STRING: u8 = 4;

pub(crate) struct Yjs {
    /// The document's name in front of each message, for Hocuspocus.
    name: Option<String>,
    /// This client's number: random, as those of Yjs.
    client: u32,
    clock: u32,
    /// How many characters the seeder put in.
    seeded: u32,
    /// What larger edits are made on.
    doc: Option<Doc>,
    /// The text's state, as it came.
    state: Vec<u8>,
    is_open: bool,
}

impl Yjs {
    pub(crate) fn new(name: Option<&str>, seeded: u32) -> Self {
        let client = (uuid::Uuid::new_v4().as_u128() as u32).max(SEEDER + 1);
        let name = name.map(str::to_owned);
        Self { name, client, clock: 0, seeded, doc: None, state: Vec::new(), is_open: false }
    }

    fn say(&self, kind: u8, body: impl FnOnce(&mut Vec<u8>), to_say: &mut Vec<Payload>) {
        let mut message = Vec::with_capacity(64);
        if let Some(name) = &self.name {
            put_bytes(&mut message, name.as_bytes());
        }
        message.push(kind);
        body(&mut message);
        to_say.push(Payload::Binary(message.into()));
    }

    fn say_update(&self, update: &[u8], to_say: &mut Vec<Payload>) {
        let body = |message: &mut Vec<u8>| {
            message.push(UPDATE);
            put_bytes(message, update);
        };
        self.say(SYNC, body, to_say);
    }

    /// Letters that others typed, and whether this client's own came back.
    fn updated(&self, mut update: &[u8], heard: &mut VecDeque<Heard>) -> Result<(), Failure> {
        let mut is_own = false;
        for _ in 0..varint(&mut update)? {
            let structs = varint(&mut update)?;
            let client = varint(&mut update)?;
            let _clock = varint(&mut update)?;
            is_own |= client == self.client;
            for _ in 0..structs {
                let typed = typed(&mut update)?;
                if client != self.client {
                    heard.extend(typed.chars().map(Heard::Typed));
                }
            }
        }
        // y-websocket has no other acknowledgement than that.
        if is_own && self.name.is_none() {
            heard.push_back(Heard::Acked);
        }
        Ok(())
    }
}

impl Dialect for Yjs {
    fn open(&mut self, to_say: &mut Vec<Payload>) {
        if self.name.is_some() {
            // A token, which nobody looks at.
            self.say(AUTH, |message| message.extend([0, 1, b'x']), to_say);
        }
        // Asks for all that an empty state vector lacks.
        self.say(SYNC, |message| message.extend([STEP_1, 1, 0]), to_say);
    }

    fn type_one(&mut self, letter: char, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        if self.seeded < 2 {
            return Err("letters are typed between two that are there".into());
        }
        // Update format 1: one client with one struct, a string that names its neighbours at the left and the right.
        let right = self.seeded / 2;
        let left = if self.clock == 0 { (SEEDER, right - 1) } else { (self.client, self.clock - 1) };
        let mut update = Vec::with_capacity(40);
        for number in [1, 1, self.client, self.clock] {
            put_varint(&mut update, number);
        }
        update.push(0x80 | 0x40 | STRING);
        for number in [left.0, left.1, SEEDER, right] {
            put_varint(&mut update, number);
        }
        put_bytes(&mut update, letter.encode_utf8(&mut [0; 4]).as_bytes());
        put_varint(&mut update, 0);
        self.clock += letter.len_utf16() as u32;
        self.say_update(&update, to_say);
        Ok(())
    }

    fn edit(&mut self, patches: &[Patch], to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        let doc = self.doc.get_or_insert_with(|| new_doc(SEEDER));
        let text = doc.get_or_insert_text(TEXT);
        let mut transaction = doc.transact_mut();
        for (at, deleted, inserted) in patches {
            // Positions count UTF-16 units here; the texts of the race have none beyond the basic plane.
            if *deleted > 0 {
                text.remove_range(&mut transaction, u32::try_from(*at)?, u32::try_from(*deleted)?);
            }
            if !inserted.is_empty() {
                text.insert(&mut transaction, u32::try_from(*at)?, inserted);
            }
        }
        let update = transaction.encode_update_v1();
        drop(transaction);
        self.say_update(&update, to_say);
        Ok(())
    }

    fn hear(
        &mut self,
        mut message: &[u8],
        heard: &mut VecDeque<Heard>,
        _to_say: &mut Vec<Payload>,
    ) -> Result<(), Failure> {
        if self.name.is_some() {
            bytes(&mut message)?;
        }
        match varint(&mut message)? as u8 {
            SYNC | SYNC_REPLY => match varint(&mut message)? as u8 {
                // The server asks what it lacks: nothing, since all that this client has it has said.
                STEP_1 => {}
                STEP_2 => {
                    self.state = bytes(&mut message)?.to_vec();
                    if !std::mem::replace(&mut self.is_open, true) {
                        heard.push_back(Heard::Opened);
                    }
                }
                UPDATE if self.doc.is_none() => self.updated(bytes(&mut message)?, heard)?,
                // Only its own come back to who makes larger edits: nobody else is in the room.
                UPDATE if self.name.is_none() => heard.push_back(Heard::Acked),
                _ => {}
            },
            SYNC_STATUS if varint(&mut message)? == 1 => heard.push_back(Heard::Acked),
            SYNC_STATUS => return Err("an update was refused".into()),
            _ => {}
        }
        Ok(())
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        let doc = new_doc(self.client);
        let text = doc.get_or_insert_text(TEXT);
        doc.transact_mut().apply_update(Update::decode_v1(&self.state)?)?;
        let text = text.get_string(&doc.transact());
        Ok(Some(text))
    }
}

fn new_doc(client: u32) -> Doc {
    let mut options = Options::with_client_id(ClientID::new(u64::from(client)));
    options.offset_kind = OffsetKind::Utf16;
    Doc::with_options(options)
}

/// Reads one struct of update format 1; returns its text, if it is one.
fn typed<'a>(update: &mut &'a [u8]) -> Result<&'a str, Failure> {
    let info = update.try_get_u8()?;
    match info & 31 {
        // What was deleted and forgotten, and what is left out.
        0 | 10 => {
            varint(update)?;
            Ok("")
        }
        STRING => {
            let neighbours = u32::from(info & 0x80 != 0) + u32::from(info & 0x40 != 0);
            for _ in 0..2 * neighbours {
                varint(update)?;
            }
            if neighbours == 0 {
                // Its parent: the shared text, by name.
                varint(update)?;
                bytes(update)?;
            }
            Ok(std::str::from_utf8(bytes(update)?)?)
        }
        other => Err(format!("a struct of kind {other} in an update").into()),
    }
}

fn put_varint(buffer: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        buffer.push(number as u8 | 0x80);
        number >>= 7;
    }
    buffer.push(number as u8);
}

fn put_bytes(buffer: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(buffer, bytes.len() as u32);
    buffer.extend_from_slice(bytes);
}

fn varint(bytes: &mut &[u8]) -> Result<u32, Failure> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let byte = bytes.try_get_u8()?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long".into())
}

fn bytes<'a>(buffer: &mut &'a [u8]) -> Result<&'a [u8], Failure> {
    let length = varint(buffer)? as usize;
    let (bytes, rest) = buffer.split_at_checked(length).ok_or("a message is cut off")?;
    *buffer = rest;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The update in what a client says.
    fn update_of(payload: Payload, has_name: bool) -> Vec<u8> {
        let Payload::Binary(message) = payload else { panic!("Yjs is binary") };
        let mut rest = &message[..];
        if has_name {
            bytes(&mut rest).unwrap();
        }
        assert_eq!((varint(&mut rest).unwrap() as u8, varint(&mut rest).unwrap() as u8), (SYNC, UPDATE));
        bytes(&mut rest).unwrap().to_vec()
    }

    #[test]
    fn letters_written_by_hand_come_out_where_they_were_typed() {
        for name in [None, Some("room")] {
            let mut said = Vec::new();
            Yjs::new(name, 0).edit(&[(0, 0, "<>".to_owned())], &mut said).unwrap();
            let mut writer = Yjs::new(name, 2);
            for letter in "abc".chars() {
                writer.type_one(letter, &mut said).unwrap();
            }
            let doc = new_doc(77);
            let text = doc.get_or_insert_text(TEXT);
            for payload in said {
                let update = Update::decode_v1(&update_of(payload, name.is_some())).unwrap();
                doc.transact_mut().apply_update(update).unwrap();
            }
            assert_eq!(text.get_string(&doc.transact()), "<abc>");
        }
    }

    #[test]
    fn a_reader_hears_each_letter_once_and_the_writer_its_own_as_an_acknowledgement() {
        let (mut writer, mut reader) = (Yjs::new(None, 2), Yjs::new(None, 2));
        let (mut said, mut heard) = (Vec::new(), VecDeque::new());
        writer.type_one('x', &mut said).unwrap();
        let Some(Payload::Binary(message)) = said.pop() else { panic!("it says one message") };
        reader.hear(&message, &mut heard, &mut said).unwrap();
        assert_eq!(heard, [Heard::Typed('x')]);
        heard.clear();
        writer.hear(&message, &mut heard, &mut said).unwrap();
        assert_eq!(heard, [Heard::Acked]);
        assert!(said.is_empty());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let mut writer = Yjs::new(None, 2);
        let mut said = Vec::new();
        writer.type_one('x', &mut said).unwrap();
        let Some(Payload::Binary(message)) = said.pop() else { panic!("it says one message") };
        for length in 0..message.len() {
            let heard = Yjs::new(None, 2).hear(&message[..length], &mut VecDeque::new(), &mut said);
            assert!(heard.is_err(), "{length} of {} bytes", message.len());
        }
    }
}
