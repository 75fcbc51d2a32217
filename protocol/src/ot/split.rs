//! Cutting a large operation into smaller ones that follow each other.

use super::{Component, Operation, operation::Assembly};
use crate::limits::EDIT_COMPONENTS_MAX;

/// A part takes at least one character, however many bytes that has.
const BYTES_MIN: usize = char::MAX.len_utf8();

/// A part takes at least one change: a retain, the change, a retain.
const COMPONENTS_MIN: usize = 3;

impl Operation {
    /// The first part of this operation, which inserts at most `bytes_max` UTF-8 bytes (at least 4) in at most
    /// [`EDIT_COMPONENTS_MAX`] components, and the rest, based on the text after the first part, if there is a rest.
    /// Composing
    /// the two gives this operation.
    pub fn split(self, bytes_max: usize) -> (Self, Option<Self>) {
        self.split_within(bytes_max, EDIT_COMPONENTS_MAX)
    }

    /// As [`split`](Self::split), with the number of components (at least 3) given.
    ///
    /// What is deleted goes into the first part as far as its components allow, so that replacing a long text by another
    /// does not make it longer than the longer one on the way.
    pub fn split_within(self, bytes_max: usize, components_max: usize) -> (Self, Option<Self>) {
        let (bytes_max, components_max) = (bytes_max.max(BYTES_MIN), components_max.max(COMPONENTS_MIN));
        if self.inserted_bytes() <= bytes_max && self.component_count() <= components_max {
            return (self, None);
        }
        let mut bytes_left = bytes_max;
        let (mut first, mut rest) = (Assembly::default(), Assembly::default());
        for component in self.components() {
            // A change needs a component, and the retain behind it one more.
            let open = first.component_count() + 2 <= components_max;
            match component {
                Component::Retain(_) => {
                    first.push(component);
                    rest.push(component);
                }
                Component::Delete(_) if open => first.push(component),
                Component::Delete(n) => {
                    first.push(Component::Retain(n));
                    rest.push(component);
                }
                Component::Insert(text) => {
                    let end = if open { text.floor_char_boundary(bytes_left) } else { 0 };
                    let (now, later) = text.split_at(end);
                    first.push(Component::Insert(now));
                    rest.push(Component::Retain(now.chars().count() as u64));
                    rest.push(Component::Insert(later));
                    // What comes behind a cut is left to the next part, even if it would just fit.
                    bytes_left = if later.is_empty() { bytes_left - now.len() } else { 0 };
                }
            }
        }
        (first.finish(), Some(rest.finish()))
    }
}
