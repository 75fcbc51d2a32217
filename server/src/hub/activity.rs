//! The newest events of a room, kept beside its log: a hint for people. What came in the last minute before a crash may be
//! missing, but for what is in the log.

use motet_protocol::{codec, ids::Revision};

use super::{hint, history};
use crate::{
    history::{activity::Activity, cast::Cast},
    store::{LogId, Store, StoreError},
};

/// Entries that are read to bring events up to date; if more came, those before them are passed over.
const CATCH_UP_MAX: u64 = 4_096;

/// Where they are kept.
pub(super) fn key(log: LogId) -> String {
    format!("activity/{log}")
}

/// The events of a room whose log ends at `head`. Waits for the disk.
pub fn read(store: &dyn Store, log: LogId, head: Revision) -> Result<Activity, StoreError> {
    let kept = hint(store, &key(log));
    let mut activity: Activity = kept.and_then(|kept| codec::decode(&kept).ok()).unwrap_or_default();
    let mut at = activity.revision.max(head.saturating_sub(CATCH_UP_MAX));
    let mut cast = Cast::default();
    while at < head {
        let page = history::read_after(store, log, at, usize::MAX)?;
        let Some((last, _)) = page.last() else { break };
        at = last.revision;
        for (entry, _) in &page {
            cast.fold(entry);
            activity.fold(entry, Some(&cast.author(entry.participant)));
        }
    }
    Ok(activity)
}

/// Keeps the events of a room. A failure is passed over. Waits for the disk.
pub fn keep(store: &dyn Store, log: LogId, activity: &Activity) {
    let kept = hint(store, &key(log));
    let new = codec::encode(activity);
    if kept.as_ref() != Some(&new)
        && let Err(error) = store.compare_and_swap(&key(log), kept.as_deref(), Some(&new))
    {
        tracing::debug!(%log, %error, "a room's events could not be kept");
    }
}
