//! Who runs: each server with what it is told and how it is spoken to.

use std::rc::Rc;

use crate::{
    Failure,
    connection::Connection,
    dialect::{Dialect, motet::Motet, sharedb::ShareDb, yjs::Yjs},
    process::{Program, Server},
    wire::{Traffic, Wire},
};

/// What is spoken, over what.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Spoken {
    MotetTcp,
    MotetWebSocket,
    MotetJson,
    ShareDb,
    Yjs,
    Hocuspocus,
}

/// One row of the tables.
#[derive(Clone, Copy)]
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    /// What an acknowledged edit survives.
    pub(crate) durability: &'static str,
    pub(crate) program: Program,
    pub(crate) spoken: Spoken,
}

const SYNC: &str = "power cut";
const OS: &str = "crash";
const MEMORY: &str = "nothing";

const fn motet(name: &'static str, store: &'static str, durability: &'static str, spoken: Spoken) -> Entrant {
    let survives = if matches!(durability.as_bytes(), b"sync") { SYNC } else { OS };
    Entrant { name, durability: survives, program: Program::Motet { store, durability }, spoken }
}

const fn node(name: &'static str, file: &'static str, package: &'static str, spoken: Spoken) -> Entrant {
    Entrant { name, durability: MEMORY, program: Program::Node { file, package }, spoken }
}

const fn relay(name: &'static str, spoken: Spoken) -> Entrant {
    Entrant { name, durability: MEMORY, program: Program::Relay, spoken }
}

/// Everybody, in the order of the tables and of a round.
pub(crate) const ENTRANTS: [Entrant; 14] = [
    relay("bare relay, TCP", Spoken::MotetTcp),
    relay("bare relay, WebSocket", Spoken::MotetWebSocket),
    motet("Motet fjall sync, TCP", "fjall", "sync", Spoken::MotetTcp),
    motet("Motet fjall sync, WebSocket", "fjall", "sync", Spoken::MotetWebSocket),
    motet("Motet fjall sync, JSON", "fjall", "sync", Spoken::MotetJson),
    motet("Motet sled sync, TCP", "sled", "sync", Spoken::MotetTcp),
    motet("Motet sled sync, WebSocket", "sled", "sync", Spoken::MotetWebSocket),
    motet("Motet sled sync, JSON", "sled", "sync", Spoken::MotetJson),
    motet("Motet fjall os, TCP", "fjall", "os", Spoken::MotetTcp),
    motet("Motet fjall os, WebSocket", "fjall", "os", Spoken::MotetWebSocket),
    motet("Motet fjall os, JSON", "fjall", "os", Spoken::MotetJson),
    node("ShareDB", "sharedb.js", "sharedb", Spoken::ShareDb),
    node("y-websocket", "y-websocket.js", "y-websocket", Spoken::Yjs),
    node("Hocuspocus", "hocuspocus.mjs", "@hocuspocus/server", Spoken::Hocuspocus),
];

/// Who is asked what an edit costs after a million others. Syncs would cost the same each time, and make it take longer.
pub(crate) const GROWN: [Entrant; 2] = [
    motet("Motet fjall os, TCP", "fjall", "os", Spoken::MotetTcp),
    motet("Motet sled os, TCP", "sled", "os", Spoken::MotetTcp),
];

/// Who is joined after a long history: one server, however the newcomer speaks; syncs would only make it take longer.
pub(crate) const JOINED: [Entrant; 3] = [
    motet("Motet fjall os, TCP", "fjall", "os", Spoken::MotetTcp),
    motet("Motet fjall os, WebSocket", "fjall", "os", Spoken::MotetWebSocket),
    motet("Motet fjall os, JSON", "fjall", "os", Spoken::MotetJson),
];

impl Entrant {
    pub(crate) fn is_relay(&self) -> bool {
        self.program == Program::Relay
    }

    pub(crate) fn is_motet(&self) -> bool {
        matches!(self.program, Program::Motet { .. })
    }

    pub(crate) fn is_peer(&self) -> bool {
        matches!(self.program, Program::Node { .. })
    }

    /// Whether what it acknowledged survives its own crash only.
    pub(crate) fn is_os(&self) -> bool {
        matches!(self.program, Program::Motet { durability: "os", .. })
    }

    /// The relay that it is compared with: on TCP if it is spoken to so, otherwise on WebSocket.
    pub(crate) fn limit(&self) -> &'static str {
        ENTRANTS[usize::from(self.spoken != Spoken::MotetTcp)].name
    }

    /// Connects, opens a room (making it if there is none) and waits until its text is there. `seeded` is how many
    /// characters the room's first client has put in it.
    pub(crate) async fn connect(
        &self,
        server: &Server,
        room: &str,
        seeded: u32,
        traffic: &Rc<Traffic>,
    ) -> Result<Connection, Failure> {
        let traffic = Rc::clone(traffic);
        let wire = match self.spoken {
            Spoken::MotetTcp => Wire::tcp(server.tcp.ok_or("it does not listen on TCP")?, traffic).await?,
            Spoken::MotetWebSocket | Spoken::MotetJson => Wire::websocket(server.http, "ws", traffic).await?,
            Spoken::ShareDb | Spoken::Hocuspocus => Wire::websocket(server.http, "", traffic).await?,
            Spoken::Yjs => Wire::websocket(server.http, room, traffic).await?,
        };
        let dialect: Box<dyn Dialect> = match self.spoken {
            Spoken::MotetTcp | Spoken::MotetWebSocket => Box::new(Motet::new(room, false, self.is_relay())?),
            Spoken::MotetJson => Box::new(Motet::new(room, true, false)?),
            Spoken::ShareDb => Box::new(ShareDb::new(room)),
            Spoken::Yjs => Box::new(Yjs::new(None, seeded)),
            Spoken::Hocuspocus => Box::new(Yjs::new(Some(room), seeded)),
        };
        Connection::open(wire, dialect).await
    }
}
