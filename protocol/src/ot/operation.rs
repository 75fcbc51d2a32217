//! [`Operation`]: the crate `operational-transform` behind checked lengths and limits.

use operational_transform::{Operation as Part, OperationSeq};

use crate::limits::{LENGTH_MAX, OPERATION_COMPONENTS_MAX};

/// A change of a whole text: a sequence of retain, insert and delete. Lengths count Unicode scalar values.
///
/// A value is canonical: neighbours of one kind are one component, no component is empty, and an insertion stands
/// before a deletion at
/// the same position, as in ot.js. An operation from outside is within the limits. One that was composed, transformed
/// or inverted may
/// exceed them: check it with [`within_limits`](Self::within_limits) before it is logged, and cut it with
/// [`split`](Self::split)
/// before it is sent. Lengths cannot overflow either way: only text that is in memory adds to them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Operation(OperationSeq);

/// One component of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// Keeps this many scalars.
    Retain(u64),
    /// Inserts this text.
    Insert(&'a str),
    /// Deletes this many scalars.
    Delete(u64),
}

/// Why a sequence of components is not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// A length of zero, or an empty insertion.
    #[error("component {0} is empty")]
    Empty(usize),
    /// The lengths sum to more than [`LENGTH_MAX`].
    #[error("lengths sum to more than {LENGTH_MAX}")]
    TooLong,
    /// There are more than [`OPERATION_COMPONENTS_MAX`] components.
    #[error("more than {OPERATION_COMPONENTS_MAX} components")]
    TooManyComponents,
    /// The compact bytes or the JSON form are malformed.
    #[error("{0}")]
    Malformed(&'static str),
}

/// Two operations, or an operation and a text, whose lengths differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation is for a text of {expected} characters, and this one has {found}")]
pub struct Mismatch {
    /// The length that the operation is for, in scalars.
    pub expected: u64,
    /// The length that was found, in scalars.
    pub found: u64,
}

impl Operation {
    /// Begins an operation at the start of the text.
    pub fn builder() -> Builder {
        Builder { sequence: OperationSeq::default(), error: None }
    }

    /// The components, in order.
    pub fn components(&self) -> impl Iterator<Item = Component<'_>> + Clone {
        self.0.ops().iter().map(|part| match part {
            Part::Retain(n) => Component::Retain(*n),
            Part::Insert(text) => Component::Insert(text),
            Part::Delete(n) => Component::Delete(*n),
        })
    }

    /// How many components it has.
    pub fn component_count(&self) -> usize {
        self.0.ops().len()
    }

    /// The length of the text before, in scalars.
    pub fn base_len(&self) -> u64 {
        self.0.base_len() as u64
    }

    /// The length of the text after, in scalars.
    pub fn target_len(&self) -> u64 {
        self.0.target_len() as u64
    }

    /// How many UTF-8 bytes it inserts.
    pub fn inserted_bytes(&self) -> usize {
        self.0.ops().iter().map(|part| if let Part::Insert(text) = part { text.len() } else { 0 }).sum()
    }

    /// Whether it changes no text.
    pub fn is_noop(&self) -> bool {
        self.0.is_noop()
    }

    /// Whether this operation may be sent and logged. The error says which limit it exceeds.
    pub fn within_limits(&self) -> Result<(), OperationError> {
        if self.base_len() > LENGTH_MAX || self.target_len() > LENGTH_MAX {
            return Err(OperationError::TooLong);
        }
        if self.component_count() > OPERATION_COMPONENTS_MAX {
            return Err(OperationError::TooManyComponents);
        }
        Ok(())
    }

    /// Transforms two operations on the same text so that they can follow each other:
    ///
    /// ```text
    ///            text
    ///      self /    \ other
    ///          /      \          self, then other′  ==  other, then self′
    ///          \      /          returns (self′, other′)
    ///    other′ \    / self′
    ///            text
    /// ```
    /// **At the same position, what `self` inserts stands to the left.** Call it on the client's operation, with the
    /// one already in the log as
    /// `other`, on the server and in the client's state machine alike: then text typed forward at one position by
    /// several people is never
    /// interleaved (the rule of ot.js and ShareDB).
    pub fn transform(&self, other: &Self) -> Result<(Self, Self), Mismatch> {
        self.0
            .transform(&other.0)
            .map(|(mine, others)| (Self(mine), Self(others)))
            .map_err(|_| Mismatch { expected: self.base_len(), found: other.base_len() })
    }
}

/// Collects components that are known to be sound, and keeps them canonical. For the kernel's own use: lengths must be
/// those of texts in
/// memory, or parts of those of an existing operation.
#[derive(Debug, Default)]
pub(super) struct Assembly(OperationSeq);

impl Assembly {
    /// Adds a component, unless it is empty.
    pub(super) fn push(&mut self, component: Component<'_>) {
        match component {
            Component::Retain(n) => self.0.retain(n),
            Component::Insert(text) => self.0.insert(text),
            Component::Delete(n) => self.0.delete(n),
        }
    }

    /// How many components there are so far.
    pub(super) fn component_count(&self) -> usize {
        self.0.ops().len()
    }

    /// The finished operation.
    pub(super) fn finish(self) -> Operation {
        Operation(self.0)
    }
}

/// Collects the components of an operation from outside. The first error is kept and returned by `build`.
#[derive(Debug)]
pub struct Builder {
    sequence: OperationSeq,
    error: Option<OperationError>,
}

impl Builder {
    /// Keeps `n` scalars; zero adds nothing.
    pub fn retain(mut self, n: u64) -> Self {
        self.push(Component::Retain(n));
        self
    }

    /// Inserts `text`; an empty one adds nothing.
    pub fn insert(mut self, text: &str) -> Self {
        self.push(Component::Insert(text));
        self
    }

    /// Deletes `n` scalars; zero adds nothing.
    pub fn delete(mut self, n: u64) -> Self {
        self.push(Component::Delete(n));
        self
    }

    /// Adds a component; an empty one is an error.
    pub fn push(&mut self, component: Component<'_>) {
        if self.error.is_none() {
            self.error = self.try_push(component).err();
        }
    }

    fn try_push(&mut self, component: Component<'_>) -> Result<(), OperationError> {
        let (base, target) = match component {
            Component::Retain(n) => (n, n),
            Component::Insert(text) => (0, text.chars().count() as u64),
            Component::Delete(n) => (n, 0),
        };
        // Checked before the crate adds them up: its own sums wrap around in release builds.
        let fits = |sum: usize, n: u64| n <= LENGTH_MAX && sum as u64 + n <= LENGTH_MAX;
        if !fits(self.sequence.base_len(), base) || !fits(self.sequence.target_len(), target) {
            return Err(OperationError::TooLong);
        }
        match component {
            Component::Retain(n) => self.sequence.retain(n),
            Component::Insert(text) => self.sequence.insert(text),
            Component::Delete(n) => self.sequence.delete(n),
        }
        if self.sequence.ops().len() > OPERATION_COMPONENTS_MAX {
            return Err(OperationError::TooManyComponents);
        }
        Ok(())
    }

    /// Whether there was an error already, so that adding more is of no use.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// The operation, or the first error.
    pub fn build(self) -> Result<Operation, OperationError> {
        match self.error {
            None => Ok(Operation(self.sequence)),
            Some(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An operation on a text of `base` characters, from numbers: kind and length of each step.
    fn operation(base: u64, steps: &[(u8, u64)]) -> Operation {
        let mut assembly = Assembly::default();
        let mut rest = base;
        for (kind, length) in steps {
            let n = (*length).min(rest);
            match kind {
                0 => assembly.push(Component::Insert(&"aß𝄞".repeat(*length as usize))),
                1 => assembly.push(Component::Delete(n)),
                _ => assembly.push(Component::Retain(n)),
            }
            rest -= if *kind == 0 { 0 } else { n };
        }
        assembly.push(Component::Retain(rest));
        assembly.finish()
    }

    proptest! {
        #[test]
        fn composing_gives_what_the_crate_gives(
            base in 0_u64..30,
            first in prop::collection::vec((0_u8..3, 0_u64..8), 0..12),
            second in prop::collection::vec((0_u8..3, 0_u64..8), 0..12),
        ) {
            let first = operation(base, &first);
            let second = operation(first.target_len(), &second);
            let expected = first.0.compose(&second.0).unwrap();
            prop_assert_eq!(first.compose(&second).unwrap().0, expected);
        }
    }
}
