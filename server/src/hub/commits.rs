//! What the log answers, brought to the rooms: one message per batch, whichever rooms it was for.

use std::sync::{Arc, atomic::Ordering};

use tokio::sync::mpsc;

use super::{cell::RoomCell, due, history};
use crate::{
    blocking::blocking,
    clock::now_ms,
    log::Outcomes,
    metrics::Metrics,
    refusal::Refusal,
    room::RoomState,
    store::{AppendOutcome, Head, Store, StoreError, StoredSnapshot},
    transport::outbox::{flush_dirty, flush_if_many},
};
use motet_protocol::error::ErrorCode;

/// Batches that are brought to their rooms before anything is written to sockets.
const BATCHES_MAX: usize = 16;

/// Bytes of others' entries that are read and folded at once.
const CATCH_UP_BYTES: usize = 4 * 1024 * 1024;

/// Runs until the log has ended.
pub async fn bring(
    mut outcomes: mpsc::UnboundedReceiver<Outcomes<Arc<RoomCell>>>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
) {
    let mut batches = Vec::with_capacity(BATCHES_MAX);
    while outcomes.recv_many(&mut batches, BATCHES_MAX).await > 0 {
        for batch in batches.drain(..) {
            metrics.commits.inc();
            for (cell, outcome) in batch {
                match outcome {
                    AppendOutcome::Appended(head) => {
                        if !metrics.store_takes.swap(true, Ordering::Relaxed) {
                            tracing::info!("the store takes edits again");
                        }
                        if let Some(state) = cell.appended(head) {
                            snapshot_soon(Arc::clone(&store), &cell, state);
                        }
                    }
                    AppendOutcome::Conflict(head) => {
                        tokio::spawn(catch_up(Arc::clone(&store), cell, head));
                    }
                    AppendOutcome::Unknown(error @ StoreError::Damaged { .. }) => cell.damaged(error),
                    AppendOutcome::Unknown(error) => {
                        metrics.store_errors.inc();
                        if metrics.store_takes.swap(false, Ordering::Relaxed) {
                            tracing::error!(%error, "the store takes no edits; trying again until it does");
                        }
                        cell.stall(error.into());
                    }
                }
                flush_if_many();
            }
        }
        flush_dirty();
        if due::is_any() {
            // Who was acknowledged goes on at once: what has come of them by now is appended along with what waited.
            tokio::task::yield_now().await;
            due::append_all();
        }
    }
}

/// Reads what others have put into a room's log, and orders what is pending anew behind it.
async fn catch_up(store: Arc<dyn Store>, cell: Arc<RoomCell>, head: Head) {
    let (log, after) = (cell.log_id(), cell.measure().0);
    if head.revision < after {
        // With `--durability none` or `os` a store may have lost what it had taken. What was pending was for a text that is no more.
        let words = format!("the log ends at revision {}, before {after}, which was committed", head.revision);
        tracing::error!(room = %cell.id, "{words}; the room is closed, and opened again as the log has it");
        return cell.give_up(&Refusal::new(ErrorCode::RoomDamaged, words));
    }
    let read = blocking(move || history::read_between(store.as_ref(), log, after, head.revision, CATCH_UP_BYTES)).await;
    match read {
        Ok(entries) => {
            // Where these are not all of them, the next append meets the rest.
            let reached = entries.last().map_or(after, |(entry, _)| entry.revision);
            let position = if reached == head.revision { head.position } else { 0 };
            cell.conflict(entries, Head { revision: reached, position });
        }
        Err(refusal) => cell.give_up(&refusal),
    }
}

/// Stores a snapshot without holding anything up. Should it fail, the next one is taken later; nothing depends on it.
fn snapshot_soon(store: Arc<dyn Store>, cell: &Arc<RoomCell>, state: RoomState) {
    let cell = Arc::clone(cell);
    tokio::task::spawn_blocking(move || store_snapshot(store.as_ref(), &cell, &state));
}

/// Stores a snapshot, unless the room is being removed. Waits for the disk. Says whether it is stored.
pub fn store_snapshot(store: &dyn Store, cell: &RoomCell, state: &RoomState) -> bool {
    cell.beside(|| put_snapshot(store, cell, state)).unwrap_or(false)
}

fn put_snapshot(store: &dyn Store, cell: &RoomCell, state: &RoomState) -> bool {
    let started = now_ms();
    let snapshot = StoredSnapshot { revision: state.revision(), state: state.encode() };
    match store.put_snapshot(cell.log_id(), &snapshot) {
        Ok(()) => {
            let (revision, bytes, took_ms) =
                (snapshot.revision, snapshot.state.len(), now_ms().saturating_sub(started));
            tracing::debug!(room = %cell.id, revision, bytes, took_ms, "snapshot");
            true
        }
        Err(error) => {
            tracing::warn!(room = %cell.id, %error, "a snapshot could not be stored; opening the room takes longer");
            false
        }
    }
}

/// Why a server that ends refuses.
pub fn shutting_down() -> Refusal {
    Refusal::for_now(ErrorCode::ShuttingDown, "the server is shutting down; connect again in a moment", 1_000)
}
