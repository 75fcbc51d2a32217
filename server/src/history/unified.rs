//! Unified diffs, as `diff -u` writes them and `patch` reads them.

use std::{fmt::Write, ops::Range};

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

/// Equal lines that are shown around changes.
const CONTEXT: u32 = 3;

/// The hunks that make one text of another; empty for equal ones. Lines end with `\n`; a last one without it is marked.
pub fn diff(before: &str, after: &str) -> String {
    let mut input = InternedInput::default();
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut found = Diff::compute(Algorithm::Histogram, &input);
    found.postprocess_lines(&input);
    let mut text = String::new();
    for group in grouped(found.hunks()) {
        write_hunk(&mut text, &group, &before, &after);
    }
    text
}

/// Changes with so few equal lines between them that their contexts meet, together.
fn grouped(changes: impl Iterator<Item = Hunk>) -> Vec<Vec<Hunk>> {
    let mut groups: Vec<Vec<Hunk>> = Vec::new();
    for change in changes {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| change.before.start - last.before.end <= 2 * CONTEXT) => {
                group.push(change);
            }
            _ => groups.push(vec![change]),
        }
    }
    groups
}

fn write_hunk(text: &mut String, changes: &[Hunk], before: &[&str], after: &[&str]) {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
    let lead = first.before.start.min(CONTEXT);
    let trail = (before.len() as u32 - last.before.end).min(CONTEXT);
    let old = first.before.start - lead..last.before.end + trail;
    let new = first.after.start - lead..last.after.end + trail;
    // Writing into a string does not fail.
    let _ = writeln!(text, "@@ -{} +{} @@", span(&old), span(&new));
    let mut at = old.start;
    for change in changes {
        write_lines(text, ' ', before, at..change.before.start);
        write_lines(text, '-', before, change.before.clone());
        write_lines(text, '+', after, change.after.clone());
        at = change.before.end;
    }
    write_lines(text, ' ', before, at..old.end);
}

/// Lines as a hunk's head names them: from 1, and for no lines the one before them.
fn span(lines: &Range<u32>) -> String {
    let count = lines.end - lines.start;
    let start = if count == 0 { lines.start } else { lines.start + 1 };
    format!("{start},{count}")
}

fn write_lines(text: &mut String, sign: char, lines: &[&str], range: Range<u32>) {
    for line in &lines[range.start as usize..range.end as usize] {
        text.push(sign);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `patch` does, for well-formed diffs.
    fn patch(before: &str, diff: &str) -> String {
        let old: Vec<&str> = before.split_inclusive('\n').collect();
        let (mut result, mut at) = (String::new(), 0);
        let lines: Vec<&str> = diff.split_inclusive('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let cut = lines.get(index + 1).is_some_and(|next| next.starts_with('\\'));
            let body = if cut { line[1..].strip_suffix('\n').unwrap() } else { &line[1..] };
            match line.as_bytes()[0] {
                b'@' => {
                    let (start, count) = line[4..].split_once(' ').unwrap().0.split_once(',').unwrap();
                    let (start, count): (usize, usize) = (start.parse().unwrap(), count.parse().unwrap());
                    let start = if count == 0 { start } else { start - 1 };
                    result.extend(old[at..start].iter().copied());
                    at = start;
                }
                b' ' => {
                    assert_eq!(body, old[at]);
                    result.push_str(body);
                    at += 1;
                }
                b'-' => {
                    assert_eq!(body, old[at]);
                    at += 1;
                }
                b'+' => result.push_str(body),
                b'\\' => {}
                other => panic!("{other}"),
            }
        }
        result.extend(old[at..].iter().copied());
        result
    }

    #[test]
    fn a_diff_looks_as_people_know_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        assert_eq!(
            diff(before, "a\nb\nc\nd\nE\nf\ng\nh\nlast"),
            "@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n+last\n\\ No newline at end of file\n"
        );
        assert_eq!(diff(before, before), "");
        assert_eq!(diff("", "x\n"), "@@ -0,0 +1,1 @@\n+x\n");
    }

    proptest! {
        #[test]
        fn a_diff_makes_the_one_text_of_the_other(
            before in prop::collection::vec("[ab]{0,2}\n", 0..40),
            after in prop::collection::vec("[ab]{0,2}\n", 0..40),
            cut in any::<(bool, bool)>(),
        ) {
            let whole = |lines: &[String], cut: bool| {
                let text = lines.concat();
                if cut { text.trim_end_matches('\n').to_owned() } else { text }
            };
            let (before, after) = (whole(&before, cut.0), whole(&after, cut.1));
            prop_assert_eq!(patch(&before, &diff(&before, &after)), after);
        }
    }
}
