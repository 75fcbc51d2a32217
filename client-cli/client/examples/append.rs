//! Appends a line to a room and waits until the server has made it durable:
//! `cargo run -p motet-client --example append -- tcp://127.0.0.1:6684 ROOM 'a line'`.

use motet_client::{
    client::{Client, Options},
    connection::Greeting,
};
use motet_protocol::{ids::SessionId, ot::Operation};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(room), Some(line)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: append SERVER ROOM LINE".into());
    };
    let greeting = Greeting { session: SessionId(Uuid::new_v4()), name: "append".to_owned(), token: None };
    let client = Client::connect(Options::new(server.parse()?, greeting)).await?;
    let (room, _events) = client.join(room.parse()?).await?;
    room.synchronized().await?;
    room.update(|text| {
        let end = text.len_chars() as u64;
        Operation::builder().retain(end).insert(&format!("{line}\n")).build().ok()
    })?;
    println!("revision {}", room.synchronized().await?);
    Ok(())
}
