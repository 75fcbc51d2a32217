//! Edits that are based on an older revision than the newest.

use motet_client::{client::Client, room::Room};
use motet_protocol::{ids::Revision, limits::PAGE_MAX, message::Command, ot::Operation};

use super::Failure;

/// Transforms an operation on the text of revision `base` over the entries that came since, as the server would, and
/// applies it to `room`, which the caller has joined.
///
/// # Errors
///
/// `Failed` if the operation does not fit the text of that revision, or the room is not at that revision yet.
pub(crate) async fn apply_based(
    client: &Client,
    room: &Room,
    base: Revision,
    operation: Operation,
) -> Result<(), Failure> {
    let (mut moved, mut at) = (operation, base);
    loop {
        let now = room.synchronized().await?;
        if base > now {
            return Err(Failure::Failed(format!("revision {base} does not exist yet; the room is at {now}")));
        }
        while at < now {
            let limit = (now - at).min(PAGE_MAX.into()) as u32;
            let (entries, _) = client.read_log(room.id().clone(), at + 1, limit).await?;
            if entries.is_empty() {
                return Err(Failure::Failed(format!("the server does not give revision {}", at + 1)));
            }
            for entry in entries.into_iter().take(limit as usize) {
                if let Command::Edit(other) = &entry.command {
                    (moved, _) = moved.transform(other).map_err(|error| {
                        Failure::Failed(format!("it does not fit the text of revision {base}: {error}"))
                    })?;
                }
                at = entry.revision;
            }
        }
        // If another entry has come since, it is read in the next round.
        if room.update_at(now, |_| Some(moved.clone()))? {
            return Ok(());
        }
    }
}
