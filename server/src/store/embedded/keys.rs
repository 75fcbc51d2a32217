//! Where things stand in an engine's one ordered map. Numbers in keys are big-endian, so that the order of bytes is the
//! order of logs, revisions and pieces.
//!
//! ```text
//! what                      key (bytes)                                       value
//! ───────────────────────   ───────────────────────────────────────────────   ─────────────────
//! format of the data        'f'                                               record
//! last mark (`tip`)         't'                                               record
//! log's end (`tails`)       'u' │ log 8                                       record
//! commit (`journal`)        'j' │ slot 4                                      record
//!   its further pieces      'i' │ slot 4 │ piece 4                            bytes
//! purged log (`journal`)    'x' │ log 8                                       record
//! chunk of entries          'e' │ log 8 │ its last revision 8                 record
//!   its further pieces      'c' │ log 8 │ its last revision 8 │ piece 4       bytes
//! snapshot                  's' │ log 8 │ revision 8                          record
//!   its further pieces      'p' │ log 8 │ revision 8 │ piece 4                bytes
//! key-value pair            'k' │ key                                         record
//!   its further pieces      'q' │ key │ generation 4 │ piece 4                bytes
//! ```
//!
//! Pieces have a region of their own, so that a chunk's neighbours in the region `e` are the chunks before and after
//! it: a log's end is the last key of its region, and a page of the log is one scan. Ends stand far from entries, next to
//! the mark, so that an engine that loses one of them rarely loses the other with it.

use motet_protocol::ids::Revision;

use super::super::LogId;

/// The key of the record that says which format the data are of.
pub(crate) const FORMAT: &[u8] = b"f";

/// The key of the record that holds the last mark.
pub(crate) const TIP: &[u8] = b"t";

/// The key of the record that says how far a log reached.
pub(crate) fn tail(log: LogId) -> Vec<u8> {
    [b"u".as_slice(), &log.0.to_be_bytes()].concat()
}

/// The keys of the journal's records.
pub(crate) const JOURNAL: (&[u8], &[u8]) = (b"j", b"k");

/// The key of a slot of the journal.
pub(crate) fn slot(slot: u64) -> Vec<u8> {
    [b"j".as_slice(), &slot_bytes(slot)].concat()
}

/// What the keys of the pieces of a slot's record begin with.
pub(crate) fn slot_pieces(slot: u64) -> Vec<u8> {
    [b"i".as_slice(), &slot_bytes(slot)].concat()
}

fn slot_bytes(slot: u64) -> [u8; 4] {
    u32::try_from(slot).expect("the journal has few slots").to_be_bytes()
}

/// The keys of the records of purged logs.
pub(crate) const PURGED: (&[u8], &[u8]) = (b"x", b"y");

/// The key of the record that says that a log was purged.
pub(crate) fn purged(log: LogId) -> Vec<u8> {
    [b"x".as_slice(), &log.0.to_be_bytes()].concat()
}

/// A region in which each log has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    Chunk,
    ChunkPiece,
    Snapshot,
    SnapshotPiece,
}

impl Region {
    fn tag(self) -> u8 {
        match self {
            Self::Chunk => b'e',
            Self::ChunkPiece => b'c',
            Self::Snapshot => b's',
            Self::SnapshotPiece => b'p',
        }
    }

    /// The key of a revision, or what the keys of its pieces begin with.
    pub(crate) fn key(self, log: LogId, revision: Revision) -> Vec<u8> {
        let mut key = Vec::with_capacity(17);
        key.push(self.tag());
        key.extend_from_slice(&log.0.to_be_bytes());
        key.extend_from_slice(&revision.to_be_bytes());
        key
    }

    /// What comes after every key of a log's revisions up to `last`, pieces included: the end, exclusive, of a scan.
    pub(crate) fn end(self, log: LogId, last: Revision) -> Vec<u8> {
        let mut end = self.key(log, last);
        end.extend_from_slice(&[0xff; 5]);
        end
    }
}

/// The revision in a key of a region, or `None` if it is no such key.
pub(crate) fn revision_of(key: &[u8]) -> Option<Revision> {
    let (_, revision) = key.split_last_chunk::<8>()?;
    (key.len() == 17).then(|| Revision::from_be_bytes(*revision))
}

/// The key of a key-value pair, or what such keys begin with.
pub(crate) fn pair(key: &str) -> Vec<u8> {
    [b"k", key.as_bytes()].concat()
}

/// The first key after every pair whose key begins with `prefix`.
pub(crate) fn pairs_end(prefix: &str) -> Vec<u8> {
    // No byte of UTF-8 is 0xff.
    [b"k", prefix.as_bytes(), &[0xff]].concat()
}

/// What the keys of a pair's pieces begin with.
pub(crate) fn pair_pieces(key: &str, generation: u32) -> Vec<u8> {
    [b"q", key.as_bytes(), &generation.to_be_bytes()].concat()
}

/// Where the pieces of all pairs stand whose keys begin with `prefix`.
pub(crate) fn pieces_of_pairs(prefix: &str) -> (Vec<u8>, Vec<u8>) {
    let from = [b"q", prefix.as_bytes()].concat();
    (from.clone(), [from, vec![0xff]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_log_stand_in_the_order_of_its_revisions_and_apart_from_other_logs() {
        let log = LogId(0xff);
        let mut keys = vec![
            Region::Chunk.key(LogId(0xfe), u64::MAX),
            Region::Chunk.key(log, 1),
            Region::Chunk.key(log, 255),
            Region::Chunk.key(log, 256),
            Region::Chunk.end(log, 256),
            Region::Chunk.key(log, u64::MAX),
            Region::Chunk.end(log, u64::MAX),
            Region::Chunk.key(LogId(0x100), 0),
        ];
        let in_order = keys.clone();
        keys.sort();
        assert_eq!(keys, in_order);
        assert_eq!(revision_of(&in_order[3]), Some(256));
        assert_eq!(revision_of(&in_order[4]), None);
    }
}
