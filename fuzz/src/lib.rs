//! Operations out of a fuzzer's bytes.

use arbitrary::Arbitrary;
use motet_protocol::ot::{Component, Operation};

/// One step of an operation, with lengths that are cut to the text.
#[derive(Arbitrary, Clone, Debug)]
pub enum Step {
    Retain(u16),
    Insert(String),
    Delete(u16),
}

/// The operation that takes these steps on a text of this many characters, as far as the text goes.
pub fn operation(base: u64, steps: &[Step]) -> Operation {
    let mut operation = Operation::builder();
    let mut rest = base;
    for step in steps {
        let component = match step {
            Step::Retain(n) => Component::Retain(u64::from(*n).min(rest)),
            Step::Insert(text) => Component::Insert(text),
            Step::Delete(n) => Component::Delete(u64::from(*n).min(rest)),
        };
        if let Component::Retain(n) | Component::Delete(n) = component {
            rest -= n;
        }
        operation.push(component);
    }
    operation.retain(rest).build().expect("a fuzzer's input is far below the limits")
}

/// Asserts what every operation that exists promises.
pub fn assert_canonical(operation: &Operation) {
    let components: Vec<_> = operation.components().collect();
    for component in &components {
        assert!(!matches!(component, Component::Retain(0) | Component::Delete(0) | Component::Insert("")));
    }
    for pair in components.windows(2) {
        assert_ne!(std::mem::discriminant(&pair[0]), std::mem::discriminant(&pair[1]));
        assert!(!matches!(pair, [Component::Delete(_), Component::Insert(_)]));
    }
}
