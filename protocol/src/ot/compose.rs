//! Composing two operations that follow each other.
//!
//! The same walk as in ot.js and in `operational-transform`, over borrowed text: the crate copies what is left of an
//! insertion each time the second operation cuts it, which is quadratic for a long paste that is edited in many places.

use super::{Component, Mismatch, Operation, operation::Assembly};

impl Operation {
    /// This operation and then `next`, as one operation. Never transform an operation that is concurrent to both over
    /// the result:
    /// transform does not commute with compose.
    pub fn compose(&self, next: &Self) -> Result<Self, Mismatch> {
        let mismatch = Mismatch { expected: next.base_len(), found: self.target_len() };
        if mismatch.expected != mismatch.found {
            return Err(mismatch);
        }
        let mut composed = Assembly::default();
        let (mut firsts, mut seconds) = (self.components(), next.components());
        let (mut first, mut second) = (firsts.next(), seconds.next());
        loop {
            match (first, second) {
                (None, None) => return Ok(composed.finish()),
                (Some(Component::Delete(n)), _) => {
                    composed.push(Component::Delete(n));
                    first = firsts.next();
                }
                (_, Some(Component::Insert(text))) => {
                    composed.push(Component::Insert(text));
                    second = seconds.next();
                }
                // Both are about the text between the two operations: they meet on as much of it as the shorter covers.
                (Some(made), Some(Component::Retain(wanted))) => {
                    let (piece, met, later) = cut(made, wanted);
                    composed.push(piece);
                    first = later.or_else(|| firsts.next());
                    second = (wanted > met).then_some(Component::Retain(wanted - met)).or_else(|| seconds.next());
                }
                (Some(made), Some(Component::Delete(wanted))) => {
                    let (piece, met, later) = cut(made, wanted);
                    if let Component::Retain(n) = piece {
                        composed.push(Component::Delete(n));
                    }
                    first = later.or_else(|| firsts.next());
                    second = (wanted > met).then_some(Component::Delete(wanted - met)).or_else(|| seconds.next());
                }
                (None, Some(_)) | (Some(_), None) => return Err(mismatch),
            }
        }
    }
}

/// The first `wanted` scalars of what a component leaves in the text, or all if there are fewer; how many these are; and
/// what is left of the component.
fn cut(component: Component<'_>, wanted: u64) -> (Component<'_>, u64, Option<Component<'_>>) {
    match component {
        Component::Insert(text) => {
            let (now, later, met) = split_scalars(text, wanted);
            (Component::Insert(now), met, (!later.is_empty()).then_some(Component::Insert(later)))
        }
        Component::Retain(n) | Component::Delete(n) => {
            let met = n.min(wanted);
            (Component::Retain(met), met, (n > met).then_some(Component::Retain(n - met)))
        }
    }
}

/// The first `n` scalars of a text, or all if there are fewer; the rest; and how many the first part has.
fn split_scalars(text: &str, n: u64) -> (&str, &str, u64) {
    let mut count = 0;
    for (at, _) in text.char_indices() {
        if count == n {
            return (&text[..at], &text[at..], n);
        }
        count += 1;
    }
    (text, "", count)
}
