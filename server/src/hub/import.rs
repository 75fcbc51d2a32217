//! Making a room of the log of another, which may be of another server.
//!
//! ```text
//! begin:  purge/<log> is set: what is appended is removed at the next start if the import is cut off
//! take:   entries are checked, and appended to a log that no room has
//! finish: room/<name> is set, purge/<log> is taken away
//! ```

use std::{sync::Arc, time::Duration};

use motet_protocol::{
    access::Role,
    chat::ChatCommand,
    error::ErrorCode,
    ids::RoomId,
    limits::{EMOJI_BYTES_MAX, MENTIONS_MAX, NAME_BYTES_MAX},
    message::{Command, Entry},
    room::{Author, RoomInfo},
};

use super::rooms::Rooms;
use crate::{
    blocking::blocking,
    clock::now_ms,
    refusal::Refusal,
    room::{
        Principal, RoomState, actor::Actor, comments::check_message, limits::RoomLimits, rebase, submit::overloaded,
    },
    rooms::open::RoomHandle,
    session::Caller,
};

/// How long an import waits for the log to take its entries.
const APPEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A room that is being made.
#[derive(Debug)]
pub struct Import {
    rooms: Rooms,
    caller: Caller,
    cell: Arc<RoomHandle>,
    principal: Arc<Principal>,
    /// What the entries so far make.
    state: RoomState,
    /// Whether it is a room.
    made: bool,
}

impl Rooms {
    /// Begins to make a room of a log.
    pub async fn begin_import(&self, caller: Caller, id: RoomId) -> Result<Import, Refusal> {
        self.may_create(&caller)?;
        let (registry, name, owner) = (self.registry().clone(), id.clone(), caller.account().cloned());
        let record = blocking(move || registry.begin_import(&name, owner, now_ms())).await?;
        let cell = self.unlisted(id, record);
        let principal = Arc::new(caller.in_room(&cell.id, None, None));
        Ok(Import { rooms: self.clone(), caller, cell, principal, state: RoomState::default(), made: false })
    }
}

impl Import {
    /// Takes the next entries, and waits until they are durable.
    ///
    /// # Errors
    ///
    /// What is wrong with them; then nothing is left to do but to [`abandon`](Self::abandon) it.
    pub async fn take(&mut self, entries: Vec<Entry>) -> Result<(), Refusal> {
        let (state, limits, admin) = (self.state.clone(), *self.rooms.limits(), self.caller.identity.admin);
        let (state, entries) = blocking(move || check_all(state, entries, &limits, admin)).await?;
        self.state = state;
        self.cell.adopt(&self.principal, entries);
        let drained = tokio::time::timeout(APPEND_TIMEOUT, self.cell.drained()).await;
        drained.unwrap_or_else(|_| Err(overloaded())).map(drop)
    }

    /// How many entries there are so far.
    pub fn revision(&self) -> u64 {
        self.state.revision()
    }

    /// Lets the room be one.
    pub async fn finish(&mut self) -> Result<RoomInfo, Refusal> {
        if self.cell.role_of(&self.principal) != Some(Role::Host) {
            let words = "the log says that others may do everything in this room, and you may not; sign in first";
            return Err(Refusal::new(ErrorCode::Forbidden, words));
        }
        let (registry, name, record) = (self.rooms.registry().clone(), self.cell.id.clone(), self.cell.record.clone());
        blocking(move || registry.finish_import(&name, &record)).await?;
        self.made = true;
        self.rooms.show(&self.caller, &self.cell.id).await
    }

    /// Removes what was appended, unless it is a room by now.
    pub async fn abandon(&self) {
        if self.made {
            return;
        }
        let id = &self.cell.id;
        self.cell.close(&Refusal::new(ErrorCode::RoomDeleted, "the import was given up"));
        // The store may have failed just when it became a room.
        let held = self.rooms.places.hold(id).await;
        if held.cell().is_some_and(|open| open.record == self.cell.record) {
            return;
        }
        let (registry, name, record) = (self.rooms.registry().clone(), id.clone(), self.cell.record.clone());
        let given_up = blocking(move || registry.give_up_import(&name, &record));
        if let Err(refusal) = given_up.await {
            // The next start finds either a room or what is to be removed.
            return tracing::warn!(room = %id, %refusal, "what an import left is removed at the next start");
        }
        drop(held);
        self.rooms.clear(id, self.cell.log_id(), Some(Arc::clone(&self.cell))).await;
    }
}

fn check_all(
    mut state: RoomState,
    entries: Vec<Entry>,
    limits: &RoomLimits,
    admin: bool,
) -> Result<(RoomState, Vec<Entry>), Refusal> {
    let mut checked = Vec::with_capacity(entries.len());
    for entry in entries {
        let revision = entry.revision;
        let entry = check(&state, entry, limits, admin).map_err(|refusal| {
            let message = format!("entry {revision}: {}", refusal.message);
            Refusal { message, ..refusal }
        })?;
        state.fold(&entry).map_err(|error| Refusal::new(ErrorCode::BadArgument, error.to_string()))?;
        if state.text().len_bytes() > limits.text_bytes_max {
            let words = format!("at revision {revision} the text is longer than {} bytes", limits.text_bytes_max);
            return Err(Refusal::new(ErrorCode::TextTooLarge, words));
        }
        checked.push(entry);
    }
    Ok((state, checked))
}

/// Whether something that was said keeps to the limits. What it is about shows when the chat is read: of a message that is
/// not there nothing is told.
fn check_chat(command: &ChatCommand) -> Result<(), Refusal> {
    match command {
        ChatCommand::Say { text, mentions, .. } | ChatCommand::Rewrite { text, mentions, .. } => {
            if mentions.len() > MENTIONS_MAX {
                let words = format!("a message mentions at most {MENTIONS_MAX}");
                return Err(Refusal::new(ErrorCode::BadArgument, words));
            }
            check_message(text)
        }
        ChatCommand::React { emoji, .. } if emoji.is_empty() || emoji.len() > EMOJI_BYTES_MAX => {
            let words = format!("an emoji has 1 to {EMOJI_BYTES_MAX} bytes");
            Err(Refusal::new(ErrorCode::BadArgument, words))
        }
        ChatCommand::React { .. } | ChatCommand::Delete { .. } => Ok(()),
    }
}

/// An entry as it is taken, if it could have come to stand there.
fn check(state: &RoomState, entry: Entry, limits: &RoomLimits, admin: bool) -> Result<Entry, Refusal> {
    let command = match entry.command {
        Command::Edit(operation) => {
            rebase::check_size(&operation, limits)?;
            operation.within_limits().map_err(|error| Refusal::new(ErrorCode::BadOperation, error.to_string()))?;
            Command::Edit(operation)
        }
        Command::Introduce(Author { name, account }) => {
            if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
                let words = format!("a name has at most {NAME_BYTES_MAX} bytes and no control characters");
                return Err(Refusal::new(ErrorCode::BadArgument, words));
            }
            // Whoever brings a log could have written it: only an admin vouches for accounts in it.
            Command::Introduce(Author { name, account: account.filter(|_| admin) })
        }
        Command::Chat(command) => {
            check_chat(&command)?;
            Command::Chat(command)
        }
        Command::Comment(command) => {
            // Whose it was was decided where it was said.
            let author = state.decided().people.author(entry.participant).cloned().unwrap_or_default();
            let actor = Actor { participant: entry.participant, account: author.account.as_ref(), role: Role::Host };
            let length = state.text().len_chars() as u64;
            state.comments().check(&command, &actor, length, std::iter::empty())?;
            Command::Comment(command)
        }
        command => state.decided().checked(command, state.revision())?,
    };
    // What comes from a clock that is ahead must not hold the room's own back.
    let time_ms = entry.time_ms.clamp(state.time_ms(), now_ms().max(state.time_ms()));
    Ok(Entry { command, time_ms, ..entry })
}
