//! [`Operation`]: what the crate `operational-transform` does, behind checked lengths and limits.

use operational_transform::{Operation as Part, OperationSeq};

use crate::limits::{LENGTH_MAX, OPERATION_COMPONENTS_MAX};

/// A change of a whole text: a sequence of retain, insert and delete. Lengths count Unicode scalar values.
///
/// A value that exists is canonical (neighbours of a kind are one component, an insertion stands before a deletion at the
/// same place, as in ot.js) and within the limits, so that none of the arithmetic below can overflow.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Operation(OperationSeq);

/// One step of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// Passes over this many scalars.
    Retain(u64),
    /// Puts this text in.
    Insert(&'a str),
    /// Takes this many scalars out.
    Delete(u64),
}

/// Why a sequence of steps is not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// A length of zero, or an empty insertion.
    #[error("component {0} is empty")]
    Empty(usize),
    /// Lengths that sum to more than [`LENGTH_MAX`].
    #[error("lengths sum to more than {LENGTH_MAX}")]
    TooLong,
    /// More than [`OPERATION_COMPONENTS_MAX`] components.
    #[error("more than {OPERATION_COMPONENTS_MAX} components")]
    TooManyComponents,
    /// The compact bytes or the JSON form are malformed.
    #[error("{0}")]
    Malformed(&'static str),
}

/// Two operations, or an operation and a text, whose lengths do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation counts on {expected} characters and meets {found}")]
pub struct Mismatch {
    /// The length that the operation counts on.
    pub expected: u64,
    /// The length that it met.
    pub found: u64,
}

impl Operation {
    /// Starts an operation at the beginning of the text.
    pub fn builder() -> Builder {
        Builder { sequence: OperationSeq::default(), base: 0, target: 0, parts: 0, error: None }
    }

    /// The steps, in order.
    pub fn components(&self) -> impl Iterator<Item = Component<'_>> + Clone {
        self.0.ops().iter().map(|part| match part {
            Part::Retain(n) => Component::Retain(*n),
            Part::Insert(text) => Component::Insert(text),
            Part::Delete(n) => Component::Delete(*n),
        })
    }

    /// How many scalars the text has before.
    pub fn base_len(&self) -> u64 {
        self.0.base_len() as u64
    }

    /// How many scalars the text has after.
    pub fn target_len(&self) -> u64 {
        self.0.target_len() as u64
    }

    /// How many UTF-8 bytes it inserts.
    pub fn inserted_bytes(&self) -> usize {
        self.0.ops().iter().map(|part| if let Part::Insert(text) = part { text.len() } else { 0 }).sum()
    }

    /// Whether it leaves every text as it is.
    pub fn is_noop(&self) -> bool {
        self.0.is_noop()
    }

    /// This operation, then `next`, as one. Do not transform against the result what came between the two: transform does
    /// not commute with compose.
    pub fn compose(&self, next: &Self) -> Result<Self, Mismatch> {
        self.0.compose(&next.0).map(Self).map_err(|_| Mismatch { expected: next.base_len(), found: self.target_len() })
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
    /// **At the same place, what `self` inserts comes to stand to the left.** Call it on the client's operation, with the
    /// one already in the log as `other`, on the server and in the client's state machine alike: then text typed forward
    /// at one place by several people is never interleaved (the rule of ot.js and ShareDB).
    pub fn transform(&self, other: &Self) -> Result<(Self, Self), Mismatch> {
        self.0
            .transform(&other.0)
            .map(|(mine, others)| (Self(mine), Self(others)))
            .map_err(|_| Mismatch { expected: self.base_len(), found: other.base_len() })
    }
}

/// Collects the steps of an operation; errors are told at the end.
#[derive(Debug)]
pub struct Builder {
    sequence: OperationSeq,
    base: u64,
    target: u64,
    parts: usize,
    error: Option<OperationError>,
}

impl Builder {
    /// Passes over `n` scalars; zero is nothing.
    pub fn retain(mut self, n: u64) -> Self {
        self.push(Component::Retain(n));
        self
    }

    /// Puts `text` in; an empty one is nothing.
    pub fn insert(mut self, text: &str) -> Self {
        self.push(Component::Insert(text));
        self
    }

    /// Takes `n` scalars out; zero is nothing.
    pub fn delete(mut self, n: u64) -> Self {
        self.push(Component::Delete(n));
        self
    }

    /// Adds one step.
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
        let sum = |a: u64, b: u64| a.checked_add(b).filter(|sum| *sum <= LENGTH_MAX).ok_or(OperationError::TooLong);
        self.base = sum(self.base, base)?;
        self.target = sum(self.target, target)?;
        match component {
            Component::Retain(n) => self.sequence.retain(n),
            Component::Insert(text) => self.sequence.insert(text),
            Component::Delete(n) => self.sequence.delete(n),
        }
        self.parts += 1;
        if self.sequence.ops().len() > OPERATION_COMPONENTS_MAX || self.parts > 4 * OPERATION_COMPONENTS_MAX {
            return Err(OperationError::TooManyComponents);
        }
        Ok(())
    }

    /// Whether something was wrong already, so that going on is of no use.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// The operation, or the first thing that was wrong.
    pub fn build(self) -> Result<Operation, OperationError> {
        match self.error {
            None => Ok(Operation(self.sequence)),
            Some(error) => Err(error),
        }
    }
}
