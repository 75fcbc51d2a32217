//! Summaries of small spans.

use motet_protocol::{message::Command, ot::position::Scalar};

use super::*;
use crate::assist::summary::Message;

const ZOE: ParticipantId = ParticipantId(1);
const BEN: ParticipantId = ParticipantId(2);
const HOUR_MS: u64 = 3_600_000;

/// A log in the making.
struct Log {
    text: Rope,
    entries: Vec<Entry>,
}

impl Log {
    fn of(text: &str) -> Self {
        Self { text: Rope::from(text), entries: Vec::new() }
    }

    /// Somebody replaces `deleted` characters at `at`.
    fn edit(&mut self, participant: ParticipantId, time_ms: UnixMs, at: usize, deleted: usize, inserted: &str) {
        let rest = self.text.len_chars() - at - deleted;
        let operation = Operation::builder().retain(at as u64).insert(inserted).delete(deleted as u64);
        let operation = operation.retain(rest as u64).build().unwrap();
        operation.apply_to_rope(&mut self.text).unwrap();
        let revision = self.entries.len() as u64 + 11;
        self.entries.push(Entry { revision, participant, seq: 1, time_ms, command: Command::Edit(operation) });
    }
}

fn summary(before: &str, entries: &[Entry], around: &Around) -> Summary {
    let mut summarizer = Summarizer::new(10, Rope::from(before));
    for entry in entries {
        assert_eq!(summarizer.take(entry), Ok(None));
    }
    summarizer.finish(around)
}

/// Zoë and Ben edit a poem, chat about it, and leave a comment.
fn an_afternoon() -> Summary {
    let before = "one\ntwo\nthree\nfour\n";
    let mut log = Log::of(before);
    log.edit(ZOE, HOUR_MS, 4, 3, "zwei");
    log.edit(ZOE, HOUR_MS + 60_000, 19, 0, "");
    log.edit(BEN, HOUR_MS + 120_000, 0, 0, "zero\n");
    log.edit(ZOE, 3 * HOUR_MS, 25, 0, "five\nsix\n");
    log.edit(BEN, 3 * HOUR_MS + 1, 20, 5, "");
    let message = |participant, text: &str| Message { participant, time_ms: 2 * HOUR_MS, text: text.to_owned() };
    let around = Around {
        names: [(ZOE, "Zoë".to_owned())].into(),
        messages: vec![message(ZOE, "Is the\nrhyme right?"), message(BEN, "That rhyme is from Homer")],
        comments: vec![Comment {
            participant: ZOE,
            time_ms: HOUR_MS,
            on: Scalar(5)..Scalar(11),
            text: "these two?".to_owned(),
            replies: 2,
        }],
    };
    summary(before, &log.entries, &around)
}

#[test]
fn it_tells_who_wrote_and_removed_how_much_and_where() {
    let summary = an_afternoon();
    assert_eq!(summary.changes, Changes { edits: 5, inserted: 18, deleted: 8 });
    let [zoe, ben] = &summary.people[..] else { panic!("{:?}", summary.people) };
    assert_eq!((zoe.participant, zoe.name.as_deref()), (ZOE, Some("Zoë")));
    assert_eq!(zoe.changes, Changes { edits: 3, inserted: 13, deleted: 3 });
    // zero, one, zwei, three, (four removed), five, six.
    assert_eq!(zoe.lines, [LineRange { first: 3, last: 3 }, LineRange { first: 5, last: 6 }]);
    assert_eq!((ben.participant, ben.name.as_deref()), (BEN, None));
    assert_eq!(ben.lines, [LineRange { first: 1, last: 1 }, LineRange { first: 5, last: 5 }]);
    let all = [LineRange { first: 1, last: 1 }, LineRange { first: 3, last: 3 }, LineRange { first: 5, last: 6 }];
    assert_eq!(summary.lines, all);
}

#[test]
fn a_long_pause_begins_a_new_sitting() {
    let summary = an_afternoon();
    let first = Sitting { first_ms: HOUR_MS, last_ms: HOUR_MS + 60_000, edits: 2 };
    assert_eq!(summary.people[0].sittings, [first, Sitting { first_ms: 3 * HOUR_MS, last_ms: 3 * HOUR_MS, edits: 1 }]);
}

#[test]
fn people_can_read_it() {
    let expected = "\
Revisions 11 to 15, 1970-01-01 01:00 to 03:00 UTC: 5 edits by 2 participants.
The text went from 5 lines and 19 characters to 7 lines and 29 characters.

Who changed what:
- Zoë: wrote 13 characters, removed 3, in 3 edits, in lines 3, 5 to 6 (1970-01-01 01:00 to 01:01; 1970-01-01 03:00)
- participant 0000000000000002: wrote 5 characters, removed 5, in 2 edits, in lines 1, 5 (1970-01-01 01:02; 1970-01-01 03:00)

Discussed in 2 messages by 2 participants, often about rhyme:
- 1970-01-01 02:00 Zoë: Is the rhyme right?
- 1970-01-01 02:00 participant 0000000000000002: That rhyme is from Homer

Open: 1 comment:
- lines 2 to 3, Zoë: these two? (2 replies)
";
    assert_eq!(an_afternoon().to_string(), expected);
}

#[test]
fn programs_read_it_as_json() {
    let summary = an_afternoon();
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["people"][0]["name"], "Zoë");
    assert_eq!(json["people"][0]["inserted"], 13);
    assert_eq!(json["open"]["first"][0]["lines"]["last"], 3);
    assert_eq!(serde_json::from_value::<Summary>(json).unwrap(), summary);
}

#[test]
fn a_span_in_which_nothing_happened_says_so() {
    let empty = summary("text", &[], &Around::default());
    assert_eq!(empty.to_string(), "Nothing was changed after revision 10.\n");
}

#[test]
fn an_entry_that_does_not_follow_is_refused_and_the_summary_goes_on() {
    let mut log = Log::of("");
    log.edit(ZOE, 1, 0, 0, "a");
    log.edit(ZOE, 2, 1, 0, "b");
    let mut summarizer = Summarizer::new(10, Rope::new());
    assert!(summarizer.take(&log.entries[1]).is_err());
    assert_eq!(summarizer.take(&log.entries[0]), Ok(None));
    let mut of_another_text = log.entries[0].clone();
    of_another_text.revision = 12;
    assert!(summarizer.take(&of_another_text).is_err());
    assert_eq!(summarizer.take(&log.entries[1]), Ok(None));
    assert_eq!(summarizer.finish(&Around::default()).changes.edits, 2);
}

#[test]
fn a_crowd_that_edits_everywhere_for_long_gives_a_short_summary() {
    let before = "line\n".repeat(1_000);
    let mut log = Log::of(&before);
    for number in 0..2_000_u64 {
        let participant = ParticipantId(number % 100);
        let at = (number as usize * 7_919) % log.text.len_chars();
        log.edit(participant, number * HOUR_MS, at, 0, "x");
    }
    let hostile = Message { participant: ZOE, time_ms: 0, text: "\u{1b}[2J wild ".repeat(10_000) };
    let comment = Comment {
        participant: ZOE,
        time_ms: 0,
        on: Scalar(u64::MAX)..Scalar(0),
        text: "?".repeat(10_000),
        replies: u32::MAX,
    };
    let around = Around {
        names: (0..100).map(|number| (ParticipantId(number), "\n\u{7}N".repeat(1_000))).collect(),
        messages: vec![hostile; 1_000],
        comments: vec![comment; 1_000],
    };
    let summary = summary(&before, &log.entries, &around);
    assert_eq!(summary.people.len(), SUMMARY_PEOPLE_MAX);
    assert_eq!(summary.others.unwrap().participants, 100 - SUMMARY_PEOPLE_MAX as u64);
    let named: u64 = summary.people.iter().map(|person| person.changes.edits).sum();
    assert_eq!(named + summary.others.unwrap().changes.edits, 2_000);
    for person in &summary.people {
        assert!(person.sittings.len() <= SUMMARY_SITTINGS_MAX && person.lines.len() <= SUMMARY_LINE_RANGES_MAX);
        assert_eq!(person.sittings.iter().map(|sitting| sitting.edits).sum::<u64>(), person.changes.edits);
    }
    let text = summary.to_string();
    assert!(text.len() < 128 * 1024, "{} bytes", text.len());
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    assert!(serde_json::to_string(&summary).unwrap().len() < 256 * 1024);
}

#[test]
fn a_span_that_is_too_long_is_summarized_as_far_as_it_goes() {
    let mut summarizer = Summarizer::new(0, Rope::new());
    // One component each, so that as many edits are taken as components may be.
    let nothing = Command::Edit(Operation::default());
    let insert = Command::Edit(Operation::builder().insert("a").build().unwrap());
    let delete = Command::Edit(Operation::builder().delete(1).build().unwrap());
    let mut revision = 0;
    let full = loop {
        revision += 1;
        let command = if revision % 2 == 1 { insert.clone() } else { delete.clone() };
        let entry = Entry { revision, participant: ZOE, seq: revision, time_ms: revision, command };
        if let Some(full) = summarizer.take(&entry).unwrap() {
            break (full, entry);
        }
    };
    assert_eq!(full.0, Full);
    assert_eq!(revision - 1, SUMMARY_COMPONENTS_MAX as u64);
    let next = Entry { command: nothing, ..full.1 };
    assert_eq!(summarizer.take(&next), Ok(Some(Full)));
    let summary = summarizer.finish(&Around::default());
    assert!(summary.span.cut_off && summary.to_string().contains("too long"));
    assert_eq!(summary.changes.edits, SUMMARY_COMPONENTS_MAX as u64);
}
