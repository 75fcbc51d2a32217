//! Random texts and operations, and a model of them that is too simple to be wrong.

#![allow(dead_code, unreachable_pub, missing_docs)]

use motet_protocol::ot::{Component, Operation};
use proptest::prelude::*;

/// Characters of one to four bytes, some of which share bytes with each other.
pub const ALPHABET: [char; 10] = ['a', 'b', ' ', '\n', 'ß', 'ğ', '中', '丮', '😀', '😁'];

#[derive(Clone, Debug)]
pub enum Step {
    Retain(u64),
    Insert(String),
    Delete(u64),
}

pub fn text(length_max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&ALPHABET[..]), 0..=length_max).prop_map(String::from_iter)
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u64..8).prop_map(Step::Retain),
        text(5).prop_map(Step::Insert),
        (0_u64..5).prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 0..16)
}

/// The operation that takes these steps on a text of this many characters, as far as the text goes.
pub fn operation(base: u64, steps: &[Step]) -> Operation {
    let mut operation = Operation::builder();
    let mut rest = base;
    for step in steps {
        let component = match step {
            Step::Retain(n) => Component::Retain((*n).min(rest)),
            Step::Insert(text) => Component::Insert(text),
            Step::Delete(n) => Component::Delete((*n).min(rest)),
        };
        if let Component::Retain(n) | Component::Delete(n) = component {
            rest -= n;
        }
        operation.push(component);
    }
    operation.retain(rest).build().unwrap()
}

pub fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Applies an operation to a text, character by character.
pub fn applied(operation: &Operation, text: &str) -> String {
    let mut before = text.chars();
    let mut after = String::new();
    for component in operation.components() {
        match component {
            Component::Retain(n) => after.extend((0..n).map(|_| before.next().unwrap())),
            Component::Insert(text) => after.push_str(text),
            Component::Delete(n) => assert!((0..n).all(|_| before.next().is_some())),
        }
    }
    assert_eq!(before.next(), None, "an operation covers the whole text");
    after
}

/// What every operation that exists promises.
pub fn assert_canonical(operation: &Operation) {
    let components: Vec<_> = operation.components().collect();
    assert_eq!(components.len(), operation.component_count());
    for component in &components {
        assert!(!matches!(component, Component::Retain(0) | Component::Delete(0) | Component::Insert("")));
    }
    for pair in components.windows(2) {
        assert_ne!(
            std::mem::discriminant(&pair[0]),
            std::mem::discriminant(&pair[1]),
            "neighbours are merged: {pair:?}"
        );
        assert!(!matches!(pair, [Component::Delete(_), Component::Insert(_)]), "insertions come first: {pair:?}");
    }
    let sum = |of: fn(&Component<'_>) -> u64| components.iter().map(of).sum::<u64>();
    let base = sum(|component| match component {
        Component::Retain(n) | Component::Delete(n) => *n,
        Component::Insert(_) => 0,
    });
    let target = sum(|component| match component {
        Component::Retain(n) => *n,
        Component::Insert(text) => length(text),
        Component::Delete(_) => 0,
    });
    assert_eq!((operation.base_len(), operation.target_len()), (base, target));
}
