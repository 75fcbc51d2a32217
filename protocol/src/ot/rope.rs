//! Operations on a rope: the cost depends on the change, not on the length of the text.

use ropey::Rope;

use super::{Component, Mismatch, Operation, operation::Assembly};

impl Operation {
    /// Applies the operation to a rope in place. On an error the rope is as it was.
    pub fn apply_to_rope(&self, rope: &mut Rope) -> Result<(), Mismatch> {
        let found = rope.len_chars() as u64;
        if found != self.base_len() {
            return Err(Mismatch { expected: self.base_len(), found });
        }
        let mut position = 0;
        for component in self.components() {
            match component {
                Component::Retain(n) => position += n as usize,
                Component::Insert(text) => {
                    rope.insert(position, text);
                    position += text.chars().count();
                }
                Component::Delete(n) => rope.remove(position..position + n as usize),
            }
        }
        Ok(())
    }

    /// The operation that undoes this one, given the text before it.
    pub fn invert_on_rope(&self, before: &Rope) -> Result<Self, Mismatch> {
        let found = before.len_chars() as u64;
        if found != self.base_len() {
            return Err(Mismatch { expected: self.base_len(), found });
        }
        let mut position = 0;
        let mut inverse = Assembly::default();
        for component in self.components() {
            match component {
                Component::Retain(n) => {
                    inverse.push(Component::Retain(n));
                    position += n as usize;
                }
                Component::Insert(text) => inverse.push(Component::Delete(text.chars().count() as u64)),
                Component::Delete(n) => {
                    for chunk in before.slice(position..position + n as usize).chunks() {
                        inverse.push(Component::Insert(chunk));
                    }
                    position += n as usize;
                }
            }
        }
        Ok(inverse.finish())
    }
}
