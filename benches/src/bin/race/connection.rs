//! A client of whichever server: a wire, and the dialect that is spoken on it.

use std::collections::VecDeque;

use crate::{
    Failure,
    dialect::{Dialect, Heard, Patch},
    wire::{Payload, Wire},
};

/// One client in one room.
pub(crate) struct Connection {
    wire: Wire,
    dialect: Box<dyn Dialect>,
    heard: VecDeque<Heard>,
    to_say: Vec<Payload>,
}

impl Connection {
    /// Opens the room and waits until its text is there.
    pub(crate) async fn open(wire: Wire, dialect: Box<dyn Dialect>) -> Result<Self, Failure> {
        let mut connection = Self { wire, dialect, heard: VecDeque::new(), to_say: Vec::new() };
        connection.dialect.open(&mut connection.to_say);
        connection.opened().await?;
        Ok(connection)
    }

    /// Opens one more room on the same connection, where the protocol can.
    pub(crate) async fn open_also(&mut self, room: &str) -> Result<(), Failure> {
        self.dialect.open_also(room, &mut self.to_say)?;
        self.opened().await
    }

    async fn opened(&mut self) -> Result<(), Failure> {
        while self.next().await? != Heard::Opened {}
        Ok(())
    }

    /// Types a character at this client's place in the text. Others hear who typed by the letter.
    pub(crate) async fn type_one(&mut self, letter: char) -> Result<(), Failure> {
        self.dialect.type_one(letter, &mut self.to_say)?;
        self.flush().await
    }

    /// Edits, and waits for the acknowledgement.
    pub(crate) async fn edit(&mut self, patches: &[Patch]) -> Result<(), Failure> {
        self.dialect.edit(patches, &mut self.to_say)?;
        while self.next().await? != Heard::Acked {}
        Ok(())
    }

    /// The next thing that happens. Nothing heard is lost when this is dropped before it is ready.
    pub(crate) async fn next(&mut self) -> Result<Heard, Failure> {
        loop {
            self.flush().await?;
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let message = self.wire.next().await?;
            self.dialect.hear(&message, &mut self.heard, &mut self.to_say)?;
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        for payload in self.to_say.drain(..) {
            self.wire.say(payload).await?;
        }
        Ok(())
    }

    /// The text, as far as this client knows it.
    pub(crate) fn text(&self) -> Result<Option<String>, Failure> {
        self.dialect.text()
    }
}
