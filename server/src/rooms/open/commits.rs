//! What the log answers, brought to the rooms: one message per batch, whichever rooms it was for.

use std::sync::{Arc, atomic::Ordering};

use tokio::sync::mpsc;

use super::{
    RoomHandle,
    append_batch::{self, flush_if_many},
    follow::catch_up,
};
use crate::{
    log::Outcomes,
    metrics::Metrics,
    outbox::flush_dirty,
    refusal::Refusal,
    store::{AppendOutcome, Store, StoreError},
};
use motet_protocol::error::ErrorCode;

/// Batches that are brought to their rooms before anything is written to sockets.
const BATCHES_MAX: usize = 16;

/// Runs until the log has ended.
pub async fn bring(
    mut outcomes: mpsc::UnboundedReceiver<Outcomes<Arc<RoomHandle>>>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
) {
    let mut batches = Vec::with_capacity(BATCHES_MAX);
    while outcomes.recv_many(&mut batches, BATCHES_MAX).await > 0 {
        for batch in batches.drain(..) {
            metrics.commits.inc();
            for (room, outcome) in batch {
                match outcome {
                    AppendOutcome::Appended(head) => {
                        if !metrics.store_takes.swap(true, Ordering::Relaxed) {
                            tracing::info!("the store takes edits again");
                        }
                        room.appended(head);
                    }
                    AppendOutcome::Conflict(head) => {
                        tokio::spawn(catch_up(Arc::clone(&store), room, head));
                    }
                    AppendOutcome::Unknown(error @ StoreError::Damaged { .. }) => room.damaged(&error),
                    AppendOutcome::Unknown(error) => {
                        metrics.store_errors.inc();
                        if metrics.store_takes.swap(false, Ordering::Relaxed) {
                            tracing::error!(%error, "the store takes no edits; trying again until it does");
                        }
                        room.unavailable(error.into());
                    }
                }
                flush_if_many();
            }
        }
        flush_dirty();
        if append_batch::is_any() {
            // Who was acknowledged goes on at once: what has come of them by now is appended along with what waited.
            tokio::task::yield_now().await;
            append_batch::append_all();
        }
    }
}

/// Why a server that ends refuses.
pub fn shutting_down() -> Refusal {
    Refusal::for_now(ErrorCode::ShuttingDown, "the server is shutting down; connect again in a moment", 1_000)
}
