//! M6: what connections and rooms take of the server's memory while nobody does anything.

use std::{rc::Rc, time::Duration};

use tokio::time::sleep;

use crate::{
    Failure,
    connection::Connection,
    entrant::{Entrant, Spoken},
    figures::Standing,
    process::Server,
    typing::seed,
};

const CONNECTIONS: usize = 2_000;
const ROOMS: usize = 1_000;

/// Connections that have so many rooms open each.
const READERS: usize = 8;

/// Connections that are idle in one room: where people only look.
const CONNECTIONS_PER_ROOM: usize = 20;

/// Connections before those that are counted, so that what a server makes once is not counted.
const FIRST: usize = 20;

/// Rooms before those that are counted: many, since a store's buffers fill by what is written in rooms, up to a limit.
const FIRST_ROOMS: usize = 1_000;

/// How long nothing happens before memory is looked at: rooms that are open and quiet are what is measured.
const QUIET: Duration = Duration::from_secs(4);

const ROOM_CHARS: u32 = 1_024;

pub(crate) async fn run(entrant: &Entrant) -> Result<Standing, Failure> {
    let traffic = Rc::default();
    let mut kept = Vec::new();

    let server = Server::start(entrant.program)?;
    let mut before_kb = 0.0;
    for number in 0..FIRST + CONNECTIONS {
        if number == FIRST {
            before_kb = server.memory_kb()?;
        }
        let room = format!("idle-{}", number / CONNECTIONS_PER_ROOM);
        kept.push(entrant.connect(&server, &room, 0, &traffic).await?);
    }
    let kb_per_connection = (server.memory_kb()? - before_kb) / CONNECTIONS as f64;
    kept.clear();

    let server = Server::start(entrant.program)?;
    for number in 0..FIRST_ROOMS + ROOMS {
        if number == FIRST_ROOMS {
            before_kb = quiet_kb(&server).await?;
        }
        kept.push(seed(entrant, &server, &format!("room-{number}"), ROOM_CHARS, &traffic).await?);
    }
    let kb_per_room = (quiet_kb(&server).await? - before_kb) / ROOMS as f64;
    kept.clear();

    let kb_per_room_alone = match entrant.spoken {
        // These have a connection for each room, or are not asked for more here.
        Spoken::Yjs | Spoken::Hocuspocus => None,
        _ => Some(alone(entrant).await?),
    };
    Ok(Standing { kb_per_connection, kb_per_room, kb_per_room_alone })
}

/// So many rooms on each of a few connections; those that are not counted on another.
async fn alone(entrant: &Entrant) -> Result<f64, Failure> {
    let traffic = Rc::default();
    let server = Server::start(entrant.program)?;
    let mut others = entrant.connect(&server, "first-reader", 0, &traffic).await?;
    open_rooms(entrant, &server, "first", FIRST_ROOMS, &mut others).await?;
    let before_kb = quiet_kb(&server).await?;
    let mut readers = Vec::new();
    for number in 0..READERS {
        let mut reader = entrant.connect(&server, &format!("reader-{number}"), 0, &traffic).await?;
        open_rooms(entrant, &server, &format!("room-{number}"), ROOMS, &mut reader).await?;
        readers.push(reader);
    }
    Ok((quiet_kb(&server).await? - before_kb) / (READERS * ROOMS) as f64)
}

/// Fills so many rooms and opens them on a connection.
async fn open_rooms(
    entrant: &Entrant,
    server: &Server,
    name: &str,
    count: usize,
    reader: &mut Connection,
) -> Result<(), Failure> {
    for number in 0..count {
        let room = format!("{name}-{number}");
        drop(seed(entrant, server, &room, ROOM_CHARS, &Rc::default()).await?);
        reader.open_also(&room).await?;
    }
    Ok(())
}

/// Memory when nothing has happened for a while.
async fn quiet_kb(server: &Server) -> Result<f64, Failure> {
    sleep(QUIET).await;
    server.memory_kb()
}
