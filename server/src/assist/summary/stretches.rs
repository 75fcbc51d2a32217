//! [`Stretches`]: the places of a text that somebody changed, followed through everything that is changed afterwards.

use std::ops::Range;

use motet_protocol::ot::{Component, Operation};

/// Places in a text, in scalars: in order, apart from each other. An empty one is a place where something was removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    places: Vec<Range<usize>>,
    /// What the places were before an operation; kept so that following one allocates nothing.
    before: Vec<Range<usize>>,
}

impl Stretches {
    /// The places.
    pub(super) fn places(&self) -> &[Range<usize>] {
        &self.places
    }

    /// Follows an operation. What it inserts, and where it deletes, is added if it is `mine`; what somebody else inserts inside a
    /// place splits it. At most `places_max` remain.
    pub(super) fn follow(&mut self, operation: &Operation, mine: bool, places_max: usize) {
        std::mem::swap(&mut self.places, &mut self.before);
        self.places.clear();
        let mut rest = self.before.as_slice();
        // Where the operation is in the text before it, and in the text after it.
        let (mut old, mut new) = (0, 0);
        for component in operation.components() {
            match component {
                Component::Retain(n) => {
                    let end = old + n as usize;
                    while let Some((place, others)) = rest.split_first() {
                        let kept = place.start.max(old)..place.end.min(end);
                        if kept.start < kept.end || (place.is_empty() && place.start <= end) {
                            add(&mut self.places, kept.start - old + new..kept.end - old + new);
                        }
                        if place.end > end {
                            break;
                        }
                        rest = others;
                    }
                    old = end;
                    new += n as usize;
                }
                Component::Insert(text) => {
                    let end = new + text.chars().count();
                    if mine {
                        add(&mut self.places, new..end);
                    }
                    new = end;
                }
                Component::Delete(n) => {
                    old += n as usize;
                    if mine {
                        add(&mut self.places, new..new);
                    }
                    while let Some((place, others)) = rest.split_first().filter(|(place, _)| place.end <= old) {
                        if place.is_empty() {
                            add(&mut self.places, new..new);
                        }
                        rest = others;
                    }
                }
            }
        }
        // Only an empty place of an empty text can have met no component.
        if !rest.is_empty() {
            add(&mut self.places, new..new);
        }
        join_closest(&mut self.places, places_max);
    }
}

/// Adds a place behind the others; one that touches the last goes on with it.
fn add(places: &mut Vec<Range<usize>>, place: Range<usize>) {
    match places.last_mut() {
        Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
        _ => places.push(place),
    }
}

/// Joins the closest neighbours until there are at most this many.
pub(super) fn join_closest(places: &mut Vec<Range<usize>>, places_max: usize) {
    let surplus = places.len().saturating_sub(places_max.max(1));
    if surplus == 0 {
        return;
    }
    let mut gaps: Vec<(usize, usize)> =
        places.windows(2).enumerate().map(|(index, pair)| (pair[1].start - pair[0].end, index + 1)).collect();
    gaps.select_nth_unstable(surplus - 1);
    let mut joined: Vec<usize> = gaps[..surplus].iter().map(|(_, index)| *index).collect();
    joined.sort_unstable();
    let mut joined = joined.into_iter().peekable();
    let mut kept: Vec<Range<usize>> = Vec::with_capacity(places_max);
    for (index, place) in places.drain(..).enumerate() {
        match (joined.next_if_eq(&index), kept.last_mut()) {
            (Some(_), Some(last)) => last.end = place.end,
            _ => kept.push(place),
        }
    }
    *places = kept;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What happens to a text in the tests: by whom, how much is passed over, deleted, inserted.
    type Edit = (bool, usize, usize, usize);

    fn operation(length: usize, edit: Edit) -> Operation {
        let (_, at, deleted, inserted) = edit;
        let at = at.min(length);
        let deleted = deleted.min(length - at);
        let builder = Operation::builder().retain(at as u64).insert(&"x".repeat(inserted)).delete(deleted as u64);
        builder.retain((length - at - deleted) as u64).build().unwrap()
    }

    proptest! {
        #[test]
        fn what_was_written_is_where_it_stands_in_the_end(
            length in 0_usize..20,
            edits in prop::collection::vec((any::<bool>(), 0_usize..30, 0_usize..6, 0_usize..6), 0..20),
        ) {
            // The text as a list of who wrote each character: too simple to be wrong.
            let mut writers = vec![false; length];
            let mut stretches = Stretches::default();
            for edit in edits {
                let operation = operation(writers.len(), edit);
                stretches.follow(&operation, edit.0, usize::MAX);
                let at = edit.1.min(writers.len());
                let deleted = edit.2.min(writers.len() - at);
                writers.splice(at..at + deleted, vec![edit.0; edit.3]);
            }
            let mut mine = vec![false; writers.len()];
            for place in stretches.places() {
                prop_assert!(place.end <= writers.len());
                mine[place.clone()].fill(true);
            }
            prop_assert_eq!(mine, writers);
            prop_assert!(stretches.places().windows(2).all(|pair| pair[0].end < pair[1].start));
        }

        #[test]
        fn beyond_the_limit_places_are_joined_and_none_is_lost(
            length in 0_usize..200,
            edits in prop::collection::vec((any::<bool>(), 0_usize..200, 0_usize..6, 0_usize..6), 0..40),
            places_max in 1_usize..5,
        ) {
            let mut now = length;
            let (mut all, mut few) = (Stretches::default(), Stretches::default());
            for edit in edits {
                let operation = operation(now, edit);
                all.follow(&operation, edit.0, usize::MAX);
                few.follow(&operation, edit.0, places_max);
                now = operation.target_len() as usize;
                prop_assert!(few.places().len() <= places_max);
            }
            for place in all.places().iter().filter(|place| !place.is_empty()) {
                let inside = |outer: &Range<usize>| outer.start <= place.start && place.end <= outer.end;
                prop_assert!(few.places().iter().any(inside), "{:?} is not in {:?}", place, few.places());
            }
        }
    }

    #[test]
    fn where_something_was_removed_is_a_place_of_its_own() {
        let mut stretches = Stretches::default();
        stretches.follow(&operation(20, (true, 5, 3, 0)), true, 8);
        assert_eq!(stretches.places(), std::slice::from_ref(&(5..5)));
        stretches.follow(&operation(17, (false, 0, 0, 4)), false, 8);
        assert_eq!(stretches.places(), std::slice::from_ref(&(9..9)));
        stretches.follow(&operation(21, (false, 8, 3, 0)), false, 8);
        assert_eq!(stretches.places(), std::slice::from_ref(&(8..8)));
        stretches.follow(&operation(18, (false, 0, 18, 0)), false, 8);
        stretches.follow(&operation(0, (false, 0, 0, 4)), false, 8);
        assert_eq!(stretches.places(), std::slice::from_ref(&(4..4)));
    }

    #[test]
    fn the_closest_are_joined_first() {
        let mut places = vec![0..1, 10..11, 12..13, 100..101, 103..104];
        join_closest(&mut places, 3);
        assert_eq!(places, [0..1, 10..13, 100..104]);
        join_closest(&mut places, 1);
        assert_eq!(places, std::slice::from_ref(&(0..104)));
    }
}
