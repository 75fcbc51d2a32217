//! Opening a room for a connection.

use std::sync::Arc;

use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{Channel, LogIdentity, Revision, RoomId},
};

use super::rooms::Rooms;
use crate::{
    clock::now_ms,
    outbox::Connection,
    refusal::Refusal,
    room::{Join, Principal},
    rooms::open::{Joined, RoomHandle},
    session::Caller,
};

/// What a client asks for when it joins a room.
#[derive(Debug)]
pub struct Joining<'a> {
    /// Who joins.
    pub caller: &'a Caller,
    /// The room's number on the connection.
    pub channel: Channel,
    /// The room to open.
    pub room: &'a RoomId,
    /// The last revision that the client holds.
    pub after: Option<Revision>,
    /// The log in which `after` counts, as far as the client says.
    pub log: Option<LogIdentity>,
    /// Whether the client needs every entry after `after`.
    pub entries_only: bool,
}

impl Rooms {
    /// Opens a room for a connection and begins to send it what the client lacks.
    pub async fn join(&self, connection: &Arc<Connection>, joining: Joining<'_>) -> Result<Joined, Refusal> {
        let changes = self.grants.changes();
        let (cell, principal) = self.enter(joining.caller, joining.room, Role::Viewer).await?;
        let joined = begin(cell, principal, connection, &joining)?;
        // A project that changed meanwhile reached the readers who were there, and not this one.
        if self.grants.changes() != changes
            && let Err(refusal) = self.regrant(&joined.cell).await
        {
            joined.cell.leave(joined.reader);
            return Err(refusal);
        }
        Ok(joined)
    }
}

fn begin(
    cell: Arc<RoomHandle>,
    principal: Arc<Principal>,
    connection: &Arc<Connection>,
    joining: &Joining<'_>,
) -> Result<Joined, Refusal> {
    let Joining { channel, room, after, log: resumed, entries_only, .. } = *joining;
    let log = cell.log_id().identity();
    if after.is_some() && resumed.is_some_and(|resumed| resumed != log) {
        let message = format!("room {room} was deleted and made anew; join without a revision");
        return Err(Refusal::new(ErrorCode::RoomReplaced, message));
    }
    let (key, wire) = (Arc::clone(connection), connection.deliver(|outbox| outbox.wire));
    let join = Join { key, principal, channel, wire, log, after, entries_only, now: now_ms() };
    let reader = cell.join(join)?;
    Ok(Joined { cell, reader })
}
