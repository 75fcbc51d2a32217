//! Positions in a text, with a type for each unit, and how operations move them.

use std::ops::Range;

use bincode::{Decode, Encode};
use ropey::Rope;
use serde::{Deserialize, Serialize};

use super::{Component, Operation};

/// A position between two Unicode scalar values: the number of scalars before it. Operations count in this unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scalar(pub u64);

/// A position as JavaScript, LSP and most editors count it: UTF-16 code units before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utf16(pub u64);

/// A position as Rust and files count it: UTF-8 bytes before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Byte(pub u64);

impl Scalar {
    /// The same position in UTF-16 code units; none if it is beyond the end of the text.
    pub fn to_utf16(self, text: &Rope) -> Option<Utf16> {
        text.try_char_to_utf16_cu(self.index()?).ok().map(|units| Utf16(units as u64))
    }

    /// The same position in bytes; none if it is beyond the end of the text.
    pub fn to_byte(self, text: &Rope) -> Option<Byte> {
        text.try_char_to_byte(self.index()?).ok().map(|bytes| Byte(bytes as u64))
    }

    fn index(self) -> Option<usize> {
        self.0.try_into().ok()
    }
}

impl Utf16 {
    /// The same position in scalars; none if it is beyond the end of the text or between two surrogates.
    pub fn to_scalar(self, text: &Rope) -> Option<Scalar> {
        let scalar = Scalar(text.try_utf16_cu_to_char(self.0.try_into().ok()?).ok()? as u64);
        (scalar.to_utf16(text) == Some(self)).then_some(scalar)
    }
}

impl Byte {
    /// The same position in scalars; none if it is beyond the end of the text or within a character.
    pub fn to_scalar(self, text: &Rope) -> Option<Scalar> {
        let scalar = Scalar(text.try_byte_to_char(self.0.try_into().ok()?).ok()? as u64);
        (scalar.to_byte(text) == Some(self)).then_some(scalar)
    }
}

/// On which side of an insertion at its very position a position stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// Before the inserted text.
    Before,
    /// After the inserted text.
    After,
}

/// How an operation moves positions: its changes without their text. Made once, it maps each of many positions in the
/// logarithm of the
/// number of changes, however long the inserted text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    changes: Vec<Change>,
    target_len: u64,
}

/// A range that is replaced: empty before for a plain insertion, empty after for a plain deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    old: Range<u64>,
    new: Range<u64>,
}

impl Shift {
    /// The position after the operation. The rules are those of CodeMirror's `mapPos`, so that a browser and the server
    /// draw the same
    /// cursor: the start of a replaced range stays before the replacement, its end after it; within the range, and at a
    /// plain insertion,
    /// the bias decides. A position beyond the end moves to the end.
    pub fn map_position(&self, position: Scalar, bias: Bias) -> Scalar {
        // Between two changes something is retained, so at most one of them touches the position.
        let index = self.changes.partition_point(|change| change.old.end < position.0);
        let moved = match (self.changes.get(index), index.checked_sub(1).map(|before| &self.changes[before])) {
            (Some(Change { old, new }), _) if position.0 >= old.start => {
                let stays = if old.is_empty() {
                    bias == Bias::Before
                } else {
                    position.0 == old.start || (position.0 < old.end && bias == Bias::Before)
                };
                if stays { new.start } else { new.end }
            }
            (_, Some(Change { old, new })) => (position.0 - old.end).saturating_add(new.end),
            (_, None) => position.0,
        };
        Scalar(moved.min(self.target_len))
    }

    /// The range after the operation. Text that is inserted at its edges stays outside. A range whose text is all
    /// deleted becomes empty; an
    /// empty one stays empty, before what is inserted at its position.
    pub fn map_range(&self, range: Range<Scalar>) -> Range<Scalar> {
        let end = self.map_position(range.end, Bias::Before);
        let start = self.map_position(range.start, Bias::After);
        start.min(end)..end
    }
}

impl Operation {
    /// How it moves positions.
    pub fn shift(&self) -> Shift {
        let mut changes = Vec::new();
        let (mut old, mut new) = (0, 0);
        let mut components = self.components().peekable();
        while let Some(component) = components.next() {
            let (inserted, deleted) = match component {
                Component::Retain(n) => {
                    old += n;
                    new += n;
                    continue;
                }
                Component::Delete(n) => (0, n),
                Component::Insert(text) => {
                    // An insertion and the deletion behind it are one replacement.
                    let deleted = components.next_if(|next| matches!(next, Component::Delete(_)));
                    let deleted = if let Some(Component::Delete(n)) = deleted { n } else { 0 };
                    (text.chars().count() as u64, deleted)
                }
            };
            changes.push(Change { old: old..old + deleted, new: new..new + inserted });
            old += deleted;
            new += inserted;
        }
        Shift { changes, target_len: new }
    }

    /// Moves one position: see [`Shift::map_position`].
    pub fn map_position(&self, position: Scalar, bias: Bias) -> Scalar {
        self.shift().map_position(position, bias)
    }

    /// Moves one range: see [`Shift::map_range`].
    pub fn map_range(&self, range: Range<Scalar>) -> Range<Scalar> {
        self.shift().map_range(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(operation: &Operation, position: u64) -> (u64, u64) {
        let map = |bias| operation.map_position(Scalar(position), bias).0;
        (map(Bias::Before), map(Bias::After))
    }

    #[test]
    fn a_cursor_stays_with_its_text() {
        let operation = Operation::builder().retain(2).insert("abc").retain(2).delete(2).retain(1).build().unwrap();
        let moved: Vec<_> = (0..=8).map(|position| mapped(&operation, position)).collect();
        assert_eq!(moved, [(0, 0), (1, 1), (2, 5), (6, 6), (7, 7), (7, 7), (7, 7), (8, 8), (8, 8)]);
    }

    #[test]
    fn a_selected_word_that_is_replaced_stays_selected() {
        let operation = Operation::builder().retain(1).insert("xyz").delete(2).retain(1).build().unwrap();
        assert_eq!(mapped(&operation, 1), (1, 1));
        assert_eq!(mapped(&operation, 2), (1, 4));
        assert_eq!(mapped(&operation, 3), (4, 4));
        assert_eq!(operation.map_range(Scalar(1)..Scalar(3)), Scalar(1)..Scalar(4));
    }

    #[test]
    fn a_range_takes_in_what_is_typed_inside_it_and_not_at_its_edges() {
        let typed_at = |n| Operation::builder().retain(n).insert("!").retain(6 - n).build().unwrap();
        assert_eq!(typed_at(2).map_range(Scalar(2)..Scalar(4)), Scalar(3)..Scalar(5));
        assert_eq!(typed_at(3).map_range(Scalar(2)..Scalar(4)), Scalar(2)..Scalar(5));
        assert_eq!(typed_at(4).map_range(Scalar(2)..Scalar(4)), Scalar(2)..Scalar(4));
        assert_eq!(typed_at(2).map_range(Scalar(2)..Scalar(2)), Scalar(2)..Scalar(2));
    }

    #[test]
    fn a_place_is_the_same_in_scalars_units_and_bytes() {
        let text = Rope::from_str("aß𝄞z");
        for (scalar, utf16, byte) in [(0, 0, 0), (1, 1, 1), (2, 2, 3), (3, 4, 7), (4, 5, 8)] {
            assert_eq!(Scalar(scalar).to_utf16(&text), Some(Utf16(utf16)));
            assert_eq!(Scalar(scalar).to_byte(&text), Some(Byte(byte)));
            assert_eq!(Utf16(utf16).to_scalar(&text), Some(Scalar(scalar)));
            assert_eq!(Byte(byte).to_scalar(&text), Some(Scalar(scalar)));
        }
        assert_eq!(Utf16(3).to_scalar(&text), None, "between two surrogates");
        assert_eq!(Byte(2).to_scalar(&text), None, "within a character");
        for beyond in [9, u64::MAX] {
            assert_eq!(Utf16(beyond).to_scalar(&text), None);
            assert_eq!(Byte(beyond).to_scalar(&text), None);
            assert_eq!(Scalar(beyond).to_utf16(&text), None);
            assert_eq!(Scalar(beyond).to_byte(&text), None);
        }
    }
}
