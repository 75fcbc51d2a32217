//! [`RoomWords`]: a room's index of words, kept only while somebody asks for completions.

use motet_protocol::{
    ids::{Revision, UnixMs},
    message::Entry,
};
use ropey::Rope;

use super::WordIndex;
use crate::assist::limits::{INDEX_BEHIND_ENTRIES_MAX, INDEX_UNUSED_MS};

/// A room's index of words. It is made when somebody asks for the first time, brought up by the entries since then when somebody asks
/// again, and dropped when nobody has asked for a while. So an edit costs nothing more than before, in any room.
///
/// Keep one beside a room, not inside its lock: bringing it up takes time (some 15 ms to make one of 1 MB of text, a few
/// microseconds for each entry after that). While it is kept it holds the text it was made of, which shares all but the changed
/// parts with the room's.
#[derive(Debug, Default)]
pub struct RoomWords {
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    index: WordIndex,
    text: Rope,
    revision: Revision,
    asked_ms: UnixMs,
}

impl RoomWords {
    /// The revision of the index; none if there is no index. Entries after it are what [`bring_up`](Self::bring_up) wants.
    pub fn revision(&self) -> Option<Revision> {
        self.kept.as_ref().map(|kept| kept.revision)
    }

    /// The index of a room whose text is `text` at `revision`.
    ///
    /// `entries` are those after [`revision`](Self::revision), up to `revision`, as many of them as are at hand: if one is missing,
    /// or they are more than [`INDEX_BEHIND_ENTRIES_MAX`], or do not fit, the text is read anew. An index that is further already
    /// stays as it is. `now_ms` is when somebody asked.
    pub fn bring_up<'a>(
        &mut self,
        text: &Rope,
        revision: Revision,
        entries: impl IntoIterator<Item = &'a Entry>,
        now_ms: UnixMs,
    ) -> &WordIndex {
        let kept = self.kept.take().and_then(|kept| kept.followed(revision, entries));
        let kept =
            kept.unwrap_or_else(|| Kept { index: WordIndex::of(text), text: text.clone(), revision, asked_ms: now_ms });
        let kept = self.kept.insert(kept);
        kept.asked_ms = kept.asked_ms.max(now_ms);
        &kept.index
    }

    /// Drops the index if nobody has asked for [`INDEX_UNUSED_MS`]. Returns whether there is none now.
    pub fn forget_unused(&mut self, now_ms: UnixMs) -> bool {
        self.kept.take_if(|kept| now_ms.saturating_sub(kept.asked_ms) >= INDEX_UNUSED_MS);
        self.kept.is_none()
    }
}

impl Kept {
    /// The index after these entries; none if they do not lead up to `revision`.
    fn followed<'a>(mut self, revision: Revision, entries: impl IntoIterator<Item = &'a Entry>) -> Option<Self> {
        for entry in entries.into_iter().take(INDEX_BEHIND_ENTRIES_MAX) {
            if self.revision >= revision {
                break;
            }
            if entry.revision != self.revision + 1 {
                return None;
            }
            if let Some(operation) = entry.command.operation() {
                self.index.update(&self.text, operation).ok()?;
                operation.apply_to_rope(&mut self.text).ok()?;
            }
            self.revision = entry.revision;
        }
        (self.revision >= revision).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::{ids::ParticipantId, message::Command, ot::Operation};

    use super::*;

    /// A room in which somebody types `word1 word2 …`, one word an entry.
    fn typed(count: u64) -> (Rope, Vec<Entry>) {
        let mut text = Rope::new();
        let entries = (1..=count).map(|revision| {
            let word = format!("word{revision} ");
            let operation = Operation::builder().retain(text.len_chars() as u64).insert(&word).build().unwrap();
            operation.apply_to_rope(&mut text).unwrap();
            let command = Command::Edit(operation);
            Entry { revision, participant: ParticipantId(1), seq: revision, time_ms: revision, command }
        });
        let entries = entries.collect();
        (text, entries)
    }

    #[test]
    fn an_index_is_brought_up_by_the_entries_since_it_was_asked() {
        let (early, mut entries) = typed(3);
        let mut words = RoomWords::default();
        assert_eq!(words.revision(), None);
        assert_eq!(*words.bring_up(&early, 3, &entries, 0), WordIndex::of(&early));
        let (text, all) = typed(9);
        entries = all;
        // Were the text read again, the index would be empty: what it knows comes from the entries.
        assert_eq!(*words.bring_up(&Rope::new(), 9, &entries[3..], 0), WordIndex::of(&text));
        assert_eq!(words.revision(), Some(9));
    }

    #[test]
    fn an_index_with_a_gap_behind_it_is_made_anew() {
        let (text, entries) = typed(9);
        for at_hand in [&entries[5..], &entries[3..8], &[]] {
            let mut words = RoomWords::default();
            words.bring_up(&typed(3).0, 3, &[], 0);
            assert_eq!(*words.bring_up(&text, 9, at_hand, 0), WordIndex::of(&text));
            assert_eq!(words.revision(), Some(9));
        }
    }

    #[test]
    fn a_missing_entry_that_leaves_the_length_as_it_was_is_noticed() {
        let replace = |revision, at: u64, old: &str, new: &str| {
            let operation = Operation::builder().retain(at).insert(new).delete(old.len() as u64).retain(4 - at);
            let command = Command::Edit(operation.build().unwrap());
            Entry { revision, participant: ParticipantId(1), seq: revision, time_ms: revision, command }
        };
        let entries = [replace(2, 0, "aaaa", "bbbb"), replace(3, 4, "cccc", "dddd")];
        let mut words = RoomWords::default();
        words.bring_up(&Rope::from("aaaacccc"), 1, &[], 0);
        let text = Rope::from("bbbbdddd");
        assert_eq!(*words.bring_up(&text, 3, &entries[1..], 0), WordIndex::of(&text));
    }

    #[test]
    fn an_index_that_nobody_asks_is_dropped() {
        let (text, entries) = typed(3);
        let mut words = RoomWords::default();
        words.bring_up(&text, 3, &entries, 1_000);
        assert!(!words.forget_unused(1_000 + INDEX_UNUSED_MS - 1));
        words.bring_up(&text, 3, &entries, 2_000);
        assert!(!words.forget_unused(1_000 + INDEX_UNUSED_MS));
        assert!(words.forget_unused(2_000 + INDEX_UNUSED_MS));
        assert_eq!(words.revision(), None);
    }
}
