//! The operation that makes one text of another and changes little: equal text stays, so that cursors, comments and
//! concurrent edits in it
//! survive.
//!
//! Lines are compared first, then words within the lines that differ, then characters within those words, by the crate
//! `imara-diff`. Its heuristics keep Myers' algorithm near n·√n steps, and its histogram algorithm near n where few lines
//! repeat. All comparisons of one diff share a budget of steps; what exceeds it is replaced as a whole, which is coarse
//! and still correct.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};
use ropey::Rope;

use super::{Operation, OperationError};
use crate::limits::EDIT_COMPONENTS_MAX;

/// Steps that one diff may take, at 10 to 30 ns each: about a second.
const STEPS_MAX: usize = 40_000_000;

/// Parts in one comparison, of both texts together: beyond it the memory and the histogram's own worst case count.
const PARTS_MAX: usize = 1 << 20;

/// The histogram algorithm leaves what repeats more often than this to Myers'.
const RARE_MAX: u32 = 63;

/// A change is at most three components (retain, insert, delete), and a last retain follows them all.
const CHANGES_MAX: usize = (EDIT_COMPONENTS_MAX - 1) / 3;

impl Operation {
    /// The operation from one text to another. It has at most [`EDIT_COMPONENTS_MAX`] components; where the texts differ
    /// in more places, near ones are joined. It may insert more than one edit may: see [`split`](Self::split). Fails only
    /// for texts beyond [`LENGTH_MAX`](crate::limits::LENGTH_MAX).
    pub fn diff(before: &str, after: &str) -> Result<Self, OperationError> {
        let prefix = before.floor_char_boundary(common_prefix(before.as_bytes(), after.as_bytes()));
        let (before_rest, after_rest) = (&before[prefix..], &after[prefix..]);
        let same = common_suffix(before_rest.as_bytes(), after_rest.as_bytes());
        let end = before_rest.ceil_char_boundary(before_rest.len() - same);
        let suffix = before_rest.len() - end;
        let kept = |text: &str| text.chars().count() as u64;
        between(
            kept(&before[..prefix]),
            &before_rest[..end],
            &after_rest[..after_rest.len() - suffix],
            kept(&before_rest[end..]),
        )
    }

    /// As [`diff`](Self::diff), from a rope; copies only the stretch that differs.
    pub fn diff_rope(before: &Rope, after: &str) -> Result<Self, OperationError> {
        let mut prefix = 0;
        for chunk in before.chunks() {
            let same = common_prefix(chunk.as_bytes(), &after.as_bytes()[prefix..]);
            prefix += same;
            if same < chunk.len() {
                break;
            }
        }
        let prefix = after.floor_char_boundary(prefix);
        let after_rest = &after[prefix..];
        let (mut suffix, suffix_max) = (0, after_rest.len().min(before.len_bytes() - prefix));
        let mut chunks = before.chunks_at_byte(before.len_bytes()).0;
        // The iterator stands at the last chunk's start, or behind it: it is walked to the end, then backwards.
        while chunks.next().is_some() {}
        while let Some(chunk) = chunks.prev() {
            let same = common_suffix(chunk.as_bytes(), &after_rest.as_bytes()[..after_rest.len() - suffix]);
            suffix += same;
            if same < chunk.len() || suffix >= suffix_max {
                break;
            }
        }
        let end = after_rest.ceil_char_boundary(after_rest.len() - suffix.min(suffix_max));
        let suffix = after_rest.len() - end;
        let first = before.byte_to_char(prefix);
        let last = before.byte_to_char(before.len_bytes() - suffix);
        let middle = String::from(before.slice(first..last));
        between(first as u64, &middle, &after_rest[..end], (before.len_chars() - last) as u64)
    }
}

/// The operation that keeps `prefix` scalars, makes `after` of `before`, and keeps `suffix` scalars.
fn between(prefix: u64, before: &str, after: &str, suffix: u64) -> Result<Operation, OperationError> {
    let mut search = Search { before, after, steps: STEPS_MAX, changes: Vec::new() };
    search.refine(Change { before: 0..before.len(), after: 0..after.len() }, Grain::Line);
    let mut operation = Operation::builder().retain(prefix);
    let mut done = 0;
    for change in joined(search.changes, CHANGES_MAX) {
        operation = operation
            .retain(before[done..change.before.start].chars().count() as u64)
            .insert(&after[change.after])
            .delete(before[change.before.clone()].chars().count() as u64);
        done = change.before.end;
    }
    operation.retain(before[done..].chars().count() as u64).retain(suffix).build()
}

/// Byte ranges of the two texts that stand for each other; what lies between changes is equal.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    before: Range<usize>,
    after: Range<usize>,
}

/// What one comparison takes as its unit.
#[derive(Clone, Copy, PartialEq)]
enum Grain {
    Line,
    Word,
    Character,
}

impl Grain {
    fn finer(self) -> Option<Self> {
        match self {
            Self::Line => Some(Self::Word),
            Self::Word => Some(Self::Character),
            Self::Character => None,
        }
    }

    /// The histogram algorithm wants rare parts; most lines are rare, words and characters are not.
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Line => Algorithm::Histogram,
            Self::Word | Self::Character => Algorithm::Myers,
        }
    }

    /// About how many steps a comparison takes at worst.
    fn steps(self, input: &InternedInput<&str>) -> usize {
        let parts = || input.before.iter().chain(&input.after);
        let all = parts().count();
        let for_myers = match self {
            Self::Word | Self::Character => all,
            Self::Line => {
                let mut times = vec![0_u32; input.interner.num_tokens() as usize];
                parts().for_each(|part| times[part.0 as usize] += 1);
                times.iter().filter(|times| **times > RARE_MAX).map(|times| *times as usize).sum()
            }
        };
        all + for_myers * for_myers.isqrt()
    }

    fn cut(self, text: &str) -> Vec<&str> {
        match self {
            Self::Line => text.split_inclusive('\n').collect(),
            Self::Word => words(text).collect(),
            Self::Character => text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect(),
        }
    }
}

/// Runs of letters and digits, runs of spaces, and every other character on its own.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let kind = |c: char| {
        if c.is_alphanumeric() {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut chars = rest.char_indices();
        let (_, first) = chars.next()?;
        let of_run = kind(first);
        let end = chars.find(|(_, c)| of_run == 0 || kind(*c) != of_run).map_or(rest.len(), |(at, _)| at);
        let word = &rest[..end];
        rest = &rest[end..];
        Some(word)
    })
}

struct Search<'a> {
    before: &'a str,
    after: &'a str,
    steps: usize,
    changes: Vec<Change>,
}

impl Search<'_> {
    /// Finds what differs within a change, in units of `grain` and finer, as far as the budget goes.
    fn refine(&mut self, whole: Change, grain: Grain) {
        let (before, after) = (&self.before[whole.before.clone()], &self.after[whole.after.clone()]);
        let (before_parts, after_parts) = (grain.cut(before), grain.cut(after));
        if before.is_empty() || after.is_empty() || before_parts.len() + after_parts.len() > PARTS_MAX {
            return self.give_up(whole);
        }
        let mut input = InternedInput::default();
        input.update_before(before_parts.iter().copied());
        input.update_after(after_parts.iter().copied());
        let Some(steps) = self.steps.checked_sub(grain.steps(&input)) else { return self.give_up(whole) };
        self.steps = steps;
        let (before_ends, after_ends) =
            (ends(&before_parts, whole.before.start), ends(&after_parts, whole.after.start));
        for hunk in Diff::compute(grain.algorithm(), &input).hunks() {
            let bytes = |ends: &[usize], parts: Range<u32>| ends[parts.start as usize]..ends[parts.end as usize];
            let part = Change { before: bytes(&before_ends, hunk.before), after: bytes(&after_ends, hunk.after) };
            match grain.finer() {
                Some(finer) => self.refine(part, finer),
                None => self.changes.push(part),
            }
        }
    }

    /// Leaves a change as it is: one text in place of the other.
    fn give_up(&mut self, whole: Change) {
        if whole.before.len() + whole.after.len() > 0 {
            self.changes.push(whole);
        }
    }
}

/// Where each part begins, and where the last one ends.
fn ends(parts: &[&str], start: usize) -> Vec<usize> {
    let sums = parts.iter().scan(start, |end, part| {
        *end += part.len();
        Some(*end)
    });
    std::iter::once(start).chain(sums).collect()
}

/// The changes with those joined that have the least equal text between them, until there are at most `changes_max`.
fn joined(changes: Vec<Change>, changes_max: usize) -> Vec<Change> {
    let Some(excess) = changes.len().checked_sub(changes_max).filter(|excess| *excess > 0) else { return changes };
    let mut gaps: Vec<(usize, usize)> =
        changes.windows(2).enumerate().map(|(at, pair)| (pair[1].before.start - pair[0].before.end, at + 1)).collect();
    gaps.select_nth_unstable(excess - 1);
    let mut joins = vec![false; changes.len()];
    for (_, at) in &gaps[..excess] {
        joins[*at] = true;
    }
    let mut result: Vec<Change> = Vec::with_capacity(changes_max);
    for (change, joins) in changes.into_iter().zip(joins) {
        match result.last_mut() {
            Some(last) if joins => {
                *last =
                    Change { before: last.before.start..change.before.end, after: last.after.start..change.after.end }
            }
            _ => result.push(change),
        }
    }
    result
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: &str, after: &str) -> Operation {
        let operation = Operation::diff(before, after).unwrap();
        assert_eq!(Operation::diff_rope(&Rope::from_str(before), after).unwrap(), operation);
        let mut rope = Rope::from_str(before);
        operation.apply_to_rope(&mut rope).unwrap();
        assert_eq!(rope, after);
        operation
    }

    fn shown(operation: &Operation) -> String {
        serde_json::to_string(operation).unwrap()
    }

    #[test]
    fn only_what_differs_is_changed() {
        assert_eq!(shown(&diff("", "")), "[]");
        assert_eq!(shown(&diff("same", "same")), "[4]");
        assert_eq!(shown(&diff("", "all")), r#"["all"]"#);
        assert_eq!(shown(&diff("all", "")), "[-3]");
        assert_eq!(shown(&diff("one two three", "one 2 three!")), r#"[4,"2",-3,6,"!"]"#);
        let with_a_line = diff("fn a() {}\nfn b() {}\n", "fn a() {}\nfn x() {}\nfn b() {}\n");
        assert_eq!((with_a_line.inserted_bytes(), with_a_line.base_len(), with_a_line.target_len()), (10, 20, 30));
        // The two characters share their first three bytes, and the next two their last byte.
        assert_eq!(shown(&diff("a😀b", "a😁b")), r#"[1,"😁",-1,1]"#);
        assert_eq!(shown(&diff("aßb", "ağb")), r#"[1,"ğ",-1,1]"#);
    }

    #[test]
    fn far_apart_edits_in_a_long_text_stay_apart() {
        let before: String = (0..20_000).map(|line| format!("line {line} of the text\n")).collect();
        let after = before.replace("line 10 of", "line ten of").replace("line 19990 of", "of");
        let operation = diff(&before, &after);
        assert!(operation.inserted_bytes() <= 3, "{}", shown(&operation));
        assert!(operation.components().count() <= 9, "{}", shown(&operation));
    }

    #[test]
    fn more_differences_than_an_edit_may_have_are_joined() {
        let before = "a\n".repeat(30_000);
        let after = "a\nb\n".repeat(30_000);
        assert!(diff(&before, &after).components().count() <= EDIT_COMPONENTS_MAX);
    }

    #[test]
    fn texts_too_different_to_compare_in_time_are_replaced() {
        // A fixed recurrence: two long texts without a common line, word or rhythm.
        let text = |mut seed: u32| -> String {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + (seed >> 24) as u8 % 26)
            };
            (0..400_000).map(|_| next()).collect()
        };
        diff(&text(1), &text(2));
    }
}
