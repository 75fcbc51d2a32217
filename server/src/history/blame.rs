//! Who wrote each part of a text: the log is replayed, and of each character is kept which entry put it there.
//!
//! The text is a list of ranges, each by one entry, in chunks of bounded size, so that an edit costs about the square
//! root of their number and not all of them.

use motet_protocol::{
    ids::{ParticipantId, Revision, UnixMs},
    message::{Command, Entry},
    ot::{Component, Operation},
};

/// Ranges in a chunk, at most; a chunk that grows beyond is cut in two.
const CHUNK_RANGES_MAX: usize = 256;

/// A part of the text that one entry put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its length in scalars; never 0.
    pub len: u64,
    /// Who wrote it.
    pub by: Written,
}

/// Who wrote something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The entry.
    pub revision: Revision,
    /// Whose it is.
    pub participant: ParticipantId,
    /// When.
    pub time_ms: UnixMs,
}

/// A text of which only that is known who wrote what.
#[derive(Clone, Debug, Default)]
pub struct Blame {
    chunks: Vec<Chunk>,
    ranges: usize,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    len: u64,
    ranges: Vec<Range>,
}

/// Where a scalar is: in front of it are so many whole chunks, so many ranges of the next, and a part of one more.
#[derive(Clone, Copy)]
struct Place {
    chunk: usize,
    range: usize,
    within: u64,
}

impl Blame {
    /// Takes the next entry. Entries other than edits change nothing.
    pub fn fold(&mut self, entry: &Entry) {
        if let Command::Edit(operation) = &entry.command {
            let Entry { revision, participant, time_ms, .. } = *entry;
            self.apply(operation, Written { revision, participant, time_ms });
        }
    }

    fn apply(&mut self, operation: &Operation, by: Written) {
        let mut at = 0;
        for component in operation.components() {
            match component {
                Component::Retain(n) => at += n,
                Component::Insert(text) => {
                    let len = text.chars().count() as u64;
                    self.insert(at, Range { len, by });
                    at += len;
                }
                Component::Delete(n) => self.delete(at, n),
            }
        }
    }

    /// How many ranges there are: what it takes of memory.
    pub fn range_count(&self) -> usize {
        self.ranges
    }

    /// The ranges, in the order of the text.
    pub fn into_ranges(self) -> impl Iterator<Item = Range> {
        self.chunks.into_iter().flat_map(|chunk| chunk.ranges)
    }

    fn find(&self, at: u64) -> Place {
        let (mut chunk, mut left) = (0, at);
        while chunk + 1 < self.chunks.len() && left > self.chunks[chunk].len {
            left -= self.chunks[chunk].len;
            chunk += 1;
        }
        let mut range = 0;
        if let Some(of) = self.chunks.get(chunk) {
            while range < of.ranges.len() && left >= of.ranges[range].len {
                left -= of.ranges[range].len;
                range += 1;
            }
        }
        Place { chunk, range, within: left }
    }

    fn insert(&mut self, at: u64, new: Range) {
        let Place { chunk, range, within } = self.find(at);
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let of = &mut self.chunks[chunk];
        of.len += new.len;
        if within > 0 {
            let rest = Range { len: of.ranges[range].len - within, ..of.ranges[range] };
            of.ranges[range].len = within;
            of.ranges.splice(range + 1..range + 1, [new, rest]);
            self.ranges += 2;
        } else if range > 0 && of.ranges[range - 1].by == new.by {
            of.ranges[range - 1].len += new.len;
        } else {
            of.ranges.insert(range, new);
            self.ranges += 1;
        }
        if of.ranges.len() > CHUNK_RANGES_MAX {
            let ranges = of.ranges.split_off(CHUNK_RANGES_MAX / 2);
            let len = ranges.iter().map(|range| range.len).sum();
            of.len -= len;
            self.chunks.insert(chunk + 1, Chunk { len, ranges });
        }
    }

    fn delete(&mut self, at: u64, n: u64) {
        let mut left = n;
        while left > 0 {
            let Place { chunk, range, within } = self.find(at);
            let Some(of) = self.chunks.get_mut(chunk) else { return };
            if range >= of.ranges.len() {
                // The place is the end of this chunk; what is deleted begins with the next.
                let Some(next) = self.chunks.get_mut(chunk + 1) else { return };
                self.ranges -= delete_from(next, 0, &mut left);
                self.drop_empty(chunk + 1);
                continue;
            }
            if within > 0 {
                let rest = Range { len: of.ranges[range].len - within, ..of.ranges[range] };
                of.ranges[range].len = within;
                of.ranges.insert(range + 1, rest);
                self.ranges += 1;
            }
            self.ranges -= delete_from(of, range + usize::from(within > 0), &mut left);
            self.drop_empty(chunk);
        }
    }

    fn drop_empty(&mut self, chunk: usize) {
        if self.chunks[chunk].ranges.is_empty() {
            self.chunks.remove(chunk);
        }
    }
}

/// Deletes up to `left` scalars of a chunk from a range on; returns how many ranges went.
fn delete_from(of: &mut Chunk, from: usize, left: &mut u64) -> usize {
    let mut to = from;
    while let Some(range) = of.ranges.get_mut(to) {
        let taken = range.len.min(*left);
        (range.len, of.len, *left) = (range.len - taken, of.len - taken, *left - taken);
        if range.len > 0 {
            break;
        }
        to += 1;
    }
    of.ranges.drain(from..to);
    to - from
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(revision: Revision, operation: Operation) -> Entry {
        let command = Command::Edit(operation);
        Entry { revision, participant: ParticipantId(revision % 3), seq: revision, time_ms: revision * 10, command }
    }

    /// The same, one character at a time.
    #[derive(Default)]
    struct Model(Vec<Revision>);

    impl Model {
        fn fold(&mut self, entry: &Entry) {
            let mut at = 0;
            let Command::Edit(operation) = &entry.command else { return };
            for component in operation.components() {
                match component {
                    Component::Retain(n) => at += n as usize,
                    Component::Insert(text) => {
                        let count = text.chars().count();
                        self.0.splice(at..at, std::iter::repeat_n(entry.revision, count));
                        at += count;
                    }
                    Component::Delete(n) => drop(self.0.drain(at..at + n as usize)),
                }
            }
        }
    }

    /// An edit of a text of `len` scalars from numbers.
    fn operation(len: u64, steps: &[(u8, u64)]) -> Operation {
        let (mut builder, mut left) = (Operation::builder(), len);
        for (kind, n) in steps {
            let n = if *kind == 0 { 1 + n % 5 } else { (n % 97).min(left) };
            match kind {
                0 => builder = builder.insert(&"é".repeat(n as usize)),
                1 => builder = builder.delete(n),
                _ => builder = builder.retain(n),
            }
            left -= if *kind == 0 { 0 } else { n };
        }
        builder.retain(left).build().unwrap()
    }

    proptest! {
        #[test]
        fn everybody_has_what_they_wrote_and_it_sums_to_the_text(
            edits in prop::collection::vec(prop::collection::vec((0_u8..4, 0_u64..1_000), 1..30), 1..120),
        ) {
            let (mut blame, mut model) = (Blame::default(), Model::default());
            for (revision, steps) in (1..).zip(&edits) {
                // More is inserted than deleted, so that there are many chunks.
                let steps: Vec<_> = steps.iter().map(|(kind, n)| if *kind == 3 { (0, *n) } else { (*kind, *n) }).collect();
                let entry = entry(revision, operation(model.0.len() as u64, &steps));
                blame.fold(&entry);
                model.fold(&entry);
                prop_assert_eq!(blame.ranges, blame.chunks.iter().map(|chunk| chunk.ranges.len()).sum::<usize>());
            }
            prop_assert!(blame.chunks.iter().all(|chunk| chunk.ranges.len() <= CHUNK_RANGES_MAX));
            let found = blame.into_ranges().inspect(|range| assert!(range.len > 0));
            let each: Vec<Revision> =
                found.flat_map(|range| std::iter::repeat_n(range.by.revision, range.len as usize)).collect();
            prop_assert_eq!(each, model.0);
        }
    }

    #[test]
    fn a_word_typed_into_another_ones_sentence_is_its_writers() {
        let mut blame = Blame::default();
        blame.fold(&entry(1, Operation::builder().insert("one three").build().unwrap()));
        blame.fold(&entry(2, Operation::builder().retain(4).insert("two ").retain(5).build().unwrap()));
        blame.fold(&entry(3, Operation::builder().delete(2).retain(11).build().unwrap()));
        let ranges: Vec<_> = blame.into_ranges().map(|range| (range.len, range.by.revision)).collect();
        assert_eq!(ranges, [(2, 1), (4, 2), (5, 1)]);
    }
}
