//! Motet's own messages, binary or as JSON, with a full replica of the text; and what the bare relay makes of them.

use std::collections::VecDeque;

use motet_protocol::{
    client::Client,
    codec::{self, entry_prefix},
    error::ErrorCode,
    ids::{RoomId, SessionId},
    json,
    limits::PROTOCOL_VERSION,
    message::{Answer, ClientMessage, Command, Hello, Question, ServerMessage},
    ot::{Component, Operation},
};
use ropey::Rope;
use uuid::Uuid;

use super::{Dialect, Heard, Patch};
use crate::{Failure, wire::Payload};

const CHANNEL: u32 = 1;

pub(crate) struct Motet {
    /// The rooms that are opened, in the order of their channels.
    rooms: Vec<RoomId>,
    is_json: bool,
    is_relay: bool,
    client: Client,
    text: Rope,
    /// Pieces of the snapshot that have come.
    snapshot: String,
    snapshot_revision: u64,
}

impl Motet {
    pub(crate) fn new(room: &str, is_json: bool, is_relay: bool) -> Result<Self, Failure> {
        Ok(Self {
            rooms: vec![RoomId::new(room)?],
            is_json,
            is_relay,
            client: Client::new(0, 0),
            text: Rope::new(),
            snapshot: String::new(),
            snapshot_revision: 0,
        })
    }

    fn say(&self, message: &ClientMessage, to_say: &mut Vec<Payload>) {
        to_say.push(match self.is_json {
            true => Payload::Text(json::encode(message)),
            false => Payload::Binary(codec::encode(message)),
        });
    }

    /// Asks for the room to be made, after which it can be joined.
    fn make(&self, to_say: &mut Vec<Payload>) {
        let request = self.rooms.len() as u32;
        self.say(
            &ClientMessage::Ask {
                request,
                question: Question::CreateRoom { room: self.rooms.last().cloned(), settings: Box::default() },
            },
            to_say,
        );
    }

    fn join(&self, to_say: &mut Vec<Payload>) {
        let (channel, room) = (self.rooms.len() as u32, self.rooms[self.rooms.len() - 1].clone());
        self.say(&ClientMessage::Join { channel, room, after: None, log: None, entries_only: false }, to_say);
    }

    fn submit(&mut self, operation: Operation, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        operation.apply_to_rope(&mut self.text)?;
        let outgoing = self.client.edit(operation)?.ok_or("an edit is still outstanding")?;
        let command = outgoing.command;
        let submit = ClientMessage::Submit { channel: CHANNEL, seq: outgoing.seq, base: outgoing.base, command };
        self.say(&submit, to_say);
        Ok(())
    }

    /// A relay passes on what was submitted, as it was, and knows no text that a client could keep to.
    fn relayed(&mut self, message: &[u8]) -> Result<Option<Heard>, Failure> {
        /// The places of these among the variants of `ServerMessage`.
        const ENTRY: u8 = 6;
        const ACK: u8 = 7;
        match message[0] {
            ACK => {
                self.client.acknowledged(self.client.seq(), self.client.revision() + 1)?;
                Ok(Some(Heard::Acked))
            }
            ENTRY => match codec::decode(&message[entry_prefix(CHANNEL).as_ref().len()..])? {
                ClientMessage::Submit { command: Command::Edit(operation), .. } => Ok(letter(&operation)),
                other => Err(format!("{other:?} was passed on").into()),
            },
            _ => Ok(None),
        }
    }
}

impl Dialect for Motet {
    fn open(&mut self, to_say: &mut Vec<Payload>) {
        let session = SessionId(Uuid::new_v4());
        let hello = Hello { protocol: PROTOCOL_VERSION, token: None, session, name: String::new() };
        self.say(&ClientMessage::Hello(hello), to_say);
        self.join(to_say);
    }

    fn open_also(&mut self, room: &str, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        self.rooms.push(RoomId::new(room)?);
        self.join(to_say);
        Ok(())
    }

    fn type_one(&mut self, letter: char, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        let len = self.text.len_chars() as u64;
        let (before, behind) = (len / 2, len - len / 2);
        let operation = Operation::builder().retain(before).insert(letter.encode_utf8(&mut [0; 4])).retain(behind);
        self.submit(operation.build()?, to_say)
    }

    fn edit(&mut self, patches: &[Patch], to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        self.submit(composed(patches, self.text.len_chars() as u64)?, to_say)
    }

    fn hear(&mut self, message: &[u8], heard: &mut VecDeque<Heard>, to_say: &mut Vec<Payload>) -> Result<(), Failure> {
        if self.is_relay
            && let Some(what) = self.relayed(message)?
        {
            heard.push_back(what);
            return Ok(());
        }
        let message = match self.is_json {
            true => json::decode_server(std::str::from_utf8(message)?)?,
            false => codec::decode(message)?,
        };
        match message {
            ServerMessage::Ack { channel: CHANNEL, seq, revision } => {
                self.client.acknowledged(seq, revision)?;
                heard.push_back(Heard::Acked);
            }
            ServerMessage::Entry { channel: CHANNEL, entry } => {
                let Command::Edit(operation) = &entry.command else { return Ok(()) };
                self.client.remote(entry.revision, operation)?.apply_to_rope(&mut self.text)?;
                heard.extend(letter(operation));
            }
            ServerMessage::Answer { answer: Answer::Created { .. }, .. } => self.join(to_say),
            ServerMessage::Error(error) if error.code == ErrorCode::RoomNotFound => self.make(to_say),
            // Somebody else was faster.
            ServerMessage::Error(error) if error.code == ErrorCode::RoomExists => self.join(to_say),
            ServerMessage::Joined { snapshot: None, .. } => heard.push_back(Heard::Opened),
            ServerMessage::Joined { snapshot: Some(info), .. } => self.snapshot_revision = info.revision,
            ServerMessage::Snapshot { channel, text, last } => {
                self.snapshot.push_str(&text);
                if last {
                    if channel == CHANNEL {
                        self.text = Rope::from_str(&self.snapshot);
                        self.client = Client::new(self.snapshot_revision, 0);
                    }
                    self.snapshot.clear();
                    heard.push_back(Heard::Opened);
                }
            }
            ServerMessage::Ping { nonce } => self.say(&ClientMessage::Pong { nonce }, to_say),
            ServerMessage::Error(error) => return Err(error.message.into()),
            ServerMessage::Bye { error } => return Err(error.message.into()),
            _ => {}
        }
        Ok(())
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        Ok((!self.is_relay).then(|| self.text.to_string()))
    }
}

/// What was typed, if something was.
fn letter(operation: &Operation) -> Option<Heard> {
    operation.components().find_map(|component| match component {
        Component::Insert(text) => text.chars().next().map(Heard::Typed),
        _ => None,
    })
}

/// Patches as one operation on a text of this many characters.
pub(super) fn composed(patches: &[Patch], len: u64) -> Result<Operation, Failure> {
    let mut whole = Operation::builder().retain(len).build()?;
    for (at, deleted, inserted) in patches {
        let len = whole.target_len();
        let rest = len.checked_sub(at + deleted).ok_or("a patch is beyond the end of the text")?;
        whole =
            whole.compose(&Operation::builder().retain(*at).insert(inserted).delete(*deleted).retain(rest).build()?)?;
    }
    Ok(whole)
}
