//! Rebasing an operation over a list of others.

use std::borrow::Cow;

use super::{Component, Mismatch, Operation, operation::Assembly};

/// An operation that is transformed over others, which are in the log already, one by one. The result is that of
/// [`Operation::transform`] with this operation as `self`; the others' side is not computed.
///
/// Nearly every edit is one insertion or one deletion, and so is what it is transformed over. Then only its position changes, and
/// no operation is built until it is asked for. All other cases go to `transform`.
#[derive(Debug)]
pub struct Rebase<'a> {
    /// The operation, except for its position if `moved` is set.
    content: Cow<'a, Operation>,
    step: Option<Step>,
    moved: bool,
}

/// An operation that inserts or deletes at one position. Lengths are in scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    at: u64,
    inserted: u64,
    deleted: u64,
    base: u64,
}

impl<'a> Rebase<'a> {
    /// Begins with an operation that is transformed over nothing yet.
    pub fn new(operation: &'a Operation) -> Self {
        Self { content: Cow::Borrowed(operation), step: Step::of(operation), moved: false }
    }

    /// Transforms the operation over the next one of the log.
    ///
    /// # Errors
    ///
    /// The two are operations on texts of different lengths.
    pub fn over(&mut self, other: &Operation) -> Result<(), Mismatch> {
        if let Some((step, other)) = self.step.zip(Step::of(other))
            && let Some(next) = step.over(other)
        {
            self.moved |= next != step;
            self.step = Some(next);
            return Ok(());
        }
        let (after, _) = self.operation().transform(other)?;
        self.step = Step::of(&after);
        (self.content, self.moved) = (Cow::Owned(after), false);
        Ok(())
    }

    /// The operation as it is now; none if nothing has changed it.
    pub fn into_changed(self) -> Option<Operation> {
        match (self.moved, self.content) {
            (false, Cow::Borrowed(_)) => None,
            (false, Cow::Owned(operation)) => Some(operation),
            (true, content) => Some(Self { content, ..self }.operation().into_owned()),
        }
    }

    /// The operation as it is now.
    pub fn operation(&self) -> Cow<'_, Operation> {
        match self.step {
            Some(Step { at, base, deleted, .. }) if self.moved => {
                let mut assembly = Assembly::default();
                assembly.push(Component::Retain(at));
                for component in self.content.components() {
                    if !matches!(component, Component::Retain(_)) {
                        assembly.push(component);
                    }
                }
                assembly.push(Component::Retain(base - at - deleted));
                Cow::Owned(assembly.finish())
            }
            _ => Cow::Borrowed(&self.content),
        }
    }
}

impl Step {
    fn of(operation: &Operation) -> Option<Self> {
        let mut components = operation.components();
        let mut component = components.next()?;
        let mut at = 0;
        if let Component::Retain(n) = component {
            (at, component) = (n, components.next()?);
        }
        if !matches!((components.next(), components.next()), (None | Some(Component::Retain(_)), None)) {
            return None;
        }
        let base = operation.base_len();
        match component {
            Component::Retain(_) => None,
            Component::Insert(_) => Some(Self { at, inserted: operation.target_len() - base, deleted: 0, base }),
            Component::Delete(deleted) => Some(Self { at, inserted: 0, deleted, base }),
        }
    }

    /// The step after another one; none if more than its position changes, or if the two are on texts of different lengths.
    fn over(self, other: Self) -> Option<Self> {
        if self.base != other.base {
            return None;
        }
        let (end, other_end) = (self.at + self.deleted, other.at + other.deleted);
        let at = if self.deleted == 0 && self.at <= other.at || self.deleted > 0 && end <= other.at {
            // At the same position, what this one inserts stands to the left.
            self.at
        } else if other_end <= self.at {
            self.at + other.inserted - other.deleted
        } else if self.deleted == 0 {
            // The text around it is gone.
            other.at
        } else {
            return None;
        };
        Some(Self { at, base: self.base + other.inserted - other.deleted, ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 12;

    /// An operation of one step, at times of more, on a text of `base` characters.
    fn operation(base: u64, steps: &[(bool, u64, u64)]) -> Operation {
        let (mut assembly, mut rest) = (Assembly::default(), base);
        for (inserts, gap, length) in steps {
            let gap = (*gap).min(rest);
            rest -= gap;
            assembly.push(Component::Retain(gap));
            if *inserts {
                assembly.push(Component::Insert(&"ß𝄞".repeat(*length as usize)));
            } else {
                assembly.push(Component::Delete((*length).min(rest)));
                rest -= (*length).min(rest);
            }
        }
        assembly.push(Component::Retain(rest));
        assembly.finish()
    }

    fn steps() -> impl Strategy<Value = Vec<(bool, u64, u64)>> {
        let step = || (any::<bool>(), 0_u64..BASE, 1_u64..4);
        prop_oneof![6 => prop::collection::vec(step(), 1), 1 => prop::collection::vec(step(), 0..4)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn rebasing_over_many_gives_what_transforming_over_each_gives(
            mine in steps(),
            others in prop::collection::vec(steps(), 0..6),
        ) {
            let mine = operation(BASE, &mine);
            let (mut rebased, mut expected, mut length) = (Rebase::new(&mine), mine.clone(), BASE);
            for other in &others {
                let other = operation(length, other);
                length = other.target_len();
                expected = expected.transform(&other).unwrap().0;
                rebased.over(&other).unwrap();
                let moved = rebased.operation().into_owned();
                prop_assert_eq!(&moved, &expected);
            }
            prop_assert_eq!(rebased.into_changed().unwrap_or_else(|| mine.clone()), expected);
        }
    }

    #[test]
    fn an_operation_of_another_text_is_refused() {
        let mine = operation(5, &[(true, 1, 1)]);
        let mut rebased = Rebase::new(&mine);
        rebased.over(&operation(5, &[(true, 0, 2)])).unwrap();
        assert_eq!(rebased.over(&operation(5, &[(true, 0, 2)])), Err(Mismatch { expected: 9, found: 5 }));
        assert_eq!(rebased.operation().base_len(), 9);
    }

    #[test]
    fn typing_is_rebased_without_building_anything() {
        let (mine, other) = (operation(5, &[(true, 3, 1)]), operation(5, &[(true, 1, 1)]));
        let mut rebased = Rebase::new(&mine);
        rebased.over(&other).unwrap();
        assert!(rebased.moved && matches!(rebased.content, Cow::Borrowed(_)));
    }
}
