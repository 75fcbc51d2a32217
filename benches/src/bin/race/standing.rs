//! M6: what connections and rooms take of the server's memory while nobody does anything.

use std::rc::Rc;

use crate::{
    Failure,
    entrant::{Entrant, Spoken},
    figures::Standing,
    process::Server,
    typing::seed,
};

const CONNECTIONS: usize = 2_000;
const ROOMS: usize = 1_000;

/// Connections that are idle in one room: where people only look.
const CONNECTIONS_PER_ROOM: usize = 20;

/// Connections before those that are counted, so that what a server makes once is not counted.
const FIRST: usize = 20;

const ROOM_CHARS: u32 = 1_024;

pub(crate) async fn run(entrant: &Entrant) -> Result<Standing, Failure> {
    let traffic = Rc::default();
    let mut kept = Vec::new();

    let server = Server::start(entrant)?;
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

    let server = Server::start(entrant)?;
    for number in 0..FIRST + ROOMS {
        if number == FIRST {
            before_kb = server.memory_kb()?;
        }
        kept.push(seed(entrant, &server, &format!("room-{number}"), ROOM_CHARS, &traffic).await?);
    }
    let kb_per_room = (server.memory_kb()? - before_kb) / ROOMS as f64;
    kept.clear();

    let kb_per_room_alone = match entrant.spoken {
        // These have a connection for each room, or are not asked for more here.
        Spoken::Yjs | Spoken::Hocuspocus => None,
        _ => Some(alone(entrant).await?),
    };
    Ok(Standing { kb_per_connection, kb_per_room, kb_per_room_alone })
}

/// All rooms on one connection.
async fn alone(entrant: &Entrant) -> Result<f64, Failure> {
    let traffic = Rc::default();
    let server = Server::start(entrant)?;
    let mut reader = entrant.connect(&server, "reader", 0, &traffic).await?;
    let mut before_kb = 0.0;
    for number in 0..FIRST + ROOMS {
        if number == FIRST {
            before_kb = server.memory_kb()?;
        }
        let room = format!("room-{number}");
        drop(seed(entrant, &server, &room, ROOM_CHARS, &traffic).await?);
        reader.open_also(&room).await?;
    }
    Ok((server.memory_kb()? - before_kb) / ROOMS as f64)
}
