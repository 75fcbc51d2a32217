//! Who is in by what, so that those who are in hear of a revocation.

use std::{
    collections::HashMap,
    sync::{Arc, Weak, atomic::AtomicBool},
};

use parking_lot::Mutex;

use super::{identity::Mark, token::TokenId};

/// How many marks there are before those are looked for that nobody holds any more.
const SWEEP_MIN: usize = 1_024;

/// The marks of sessions and links by which somebody is in. It holds as many as there are live identities, and at most
/// as many again that nobody holds any more.
///
/// Whoever lets somebody in takes the mark first and looks into the store then; whoever revokes writes to the store first
/// and sets the mark then. So no revocation falls between.
#[derive(Debug, Default)]
pub(super) struct Watch {
    marks: Mutex<Marks>,
}

#[derive(Debug, Default)]
struct Marks {
    of: HashMap<TokenId, Weak<AtomicBool>>,
    sweep_at: usize,
}

impl Watch {
    /// The mark of a session or link.
    pub(super) fn mark(&self, id: TokenId) -> Mark {
        let mut marks = self.marks.lock();
        if let Some(mark) = marks.of.get(&id).and_then(Weak::upgrade) {
            return Mark(mark);
        }
        if marks.of.len() >= marks.sweep_at.max(SWEEP_MIN) {
            marks.of.retain(|_, mark| mark.strong_count() > 0);
            marks.sweep_at = 2 * marks.of.len();
        }
        let mark = Mark::default();
        marks.of.insert(id, Arc::downgrade(&mark.0));
        mark
    }

    /// Tells everyone who is in by these that they are not any more.
    pub(super) fn revoke(&self, ids: impl IntoIterator<Item = TokenId>) {
        let mut marks = self.marks.lock();
        for id in ids {
            if let Some(mark) = marks.of.remove(&id).and_then(|mark| mark.upgrade()) {
                Mark(mark).set();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::identity::Identity;

    #[test]
    fn everyone_who_is_in_by_a_session_hears_that_it_is_revoked() {
        let watch = Watch::default();
        let (one, other) = (TokenId::random(), TokenId::random());
        let by = |id| Identity { marks: vec![watch.mark(id)], ..Identity::guest("Ann").unwrap() };
        let (first, second, third) = (by(one), by(one), by(other));
        watch.revoke([one]);
        assert!(!first.still_valid(0) && !second.still_valid(0) && third.still_valid(0));
    }

    #[test]
    fn those_who_left_take_no_memory() {
        let watch = Watch::default();
        let kept = watch.mark(TokenId::random());
        for _ in 0..100_000 {
            let _ = watch.mark(TokenId::random());
        }
        assert!(watch.marks.lock().of.len() <= SWEEP_MIN);
        drop(kept);
    }
}
