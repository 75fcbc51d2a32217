//! Cutting a large operation into smaller ones that follow each other.

use super::{Component, Operation};

impl Operation {
    /// The first part of this operation that inserts at most `bytes_max` UTF-8 bytes, and the rest, counting on the text
    /// after the first, if there is one. Composing the two gives this operation. `bytes_max` is at least 4, so that
    /// every part takes a character.
    pub fn split(self, bytes_max: usize) -> (Self, Option<Self>) {
        if self.inserted_bytes() <= bytes_max {
            return (self, None);
        }
        let mut room = bytes_max;
        let mut first = Operation::builder();
        let mut rest = Operation::builder();
        for component in self.components() {
            match component {
                Component::Retain(n) => {
                    first.push(component);
                    rest.push(Component::Retain(n));
                }
                Component::Delete(n) if room > 0 => first.push(Component::Delete(n)),
                Component::Delete(n) => {
                    first.push(Component::Retain(n));
                    rest.push(Component::Delete(n));
                }
                Component::Insert(text) => {
                    let (now, later) = text.split_at(text.floor_char_boundary(room));
                    first.push(Component::Insert(now));
                    rest.push(Component::Retain(now.chars().count() as u64));
                    rest.push(Component::Insert(later));
                    room = if later.is_empty() { room - now.len() } else { 0 };
                }
            }
        }
        let built = "parts have the components and lengths of the whole, which was within the limits";
        (first.build().expect(built), Some(rest.build().expect(built)))
    }
}
