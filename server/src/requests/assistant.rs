//! What completion and summaries need beside a room: the provider, and an index of each room's words.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{
    assist::{provider::Assist, words::RoomWords},
    clock::now_ms,
    store::LogId,
};

/// Word indexes that are kept at once. For another room, an index is made for one question.
const INDEXES_MAX: usize = 64;

/// Completes and summarizes.
#[derive(Clone, Debug)]
pub(crate) struct Assistant {
    /// Asks the configured provider, or answers itself.
    pub(super) assist: Arc<Assist>,
    /// The word index of each room that was asked about lately; made at the first question, dropped when unused.
    words: Arc<Mutex<HashMap<LogId, Arc<Mutex<RoomWords>>>>>,
}

impl Assistant {
    /// An assistant that asks this provider.
    pub(crate) fn new(assist: Assist) -> Self {
        Self { assist: Arc::new(assist), words: Arc::default() }
    }

    /// The word index of a room.
    pub(super) fn words_of(&self, log: LogId) -> Arc<Mutex<RoomWords>> {
        let mut words = self.words.lock();
        if let Some(found) = words.get(&log) {
            return Arc::clone(found);
        }
        let now = now_ms();
        words.retain(|_, words| words.try_lock().is_none_or(|mut words| !words.forget_unused(now)));
        let made = Arc::<Mutex<RoomWords>>::default();
        if words.len() < INDEXES_MAX {
            words.insert(log, Arc::clone(&made));
        }
        made
    }
}
