//! [`Summarizer`]: takes a span of a log, entry by entry, and gives its [`Summary`].

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    ops::Range,
};

use motet_protocol::{
    ids::{ParticipantId, Revision, UnixMs},
    message::Entry,
    ot::{Component, Operation},
};
use ropey::Rope;

use super::{
    facts::{
        Around, Changes, Chat, Comment, LineRange, OpenComments, Others, Person, Quote, Sitting, Span, Summary,
        TextChange,
    },
    stretches::{Stretches, join_closest},
};
use crate::assist::{
    limits::{
        QUOTE_CHARS_MAX, SITTING_GAP_MS, SUMMARY_COMMENTS_MAX, SUMMARY_COMPONENTS_MAX, SUMMARY_LINE_RANGES_MAX,
        SUMMARY_MESSAGE_CHARS_READ_MAX, SUMMARY_MESSAGES_MAX, SUMMARY_MESSAGES_READ_MAX, SUMMARY_PEOPLE_MAX,
        SUMMARY_SITTINGS_MAX, SUMMARY_STRETCHES_MAX, SUMMARY_TOPICS_MAX,
    },
    quote::one_line,
    words::{each_word, folded},
};

/// Follows a span of a log.
#[derive(Debug)]
pub struct Summarizer {
    span: Span,
    before: Rope,
    text: Rope,
    changes: Changes,
    people: Vec<Active>,
    others: HashSet<ParticipantId>,
    others_changes: Changes,
    others_places: Stretches,
    components: usize,
}

/// A participant who wrote.
#[derive(Debug)]
struct Active {
    participant: ParticipantId,
    changes: Changes,
    sittings: Vec<Sitting>,
    places: Stretches,
}

/// The span is longer than what one summary follows; the entry was not taken, nor can any after it be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// An entry that does not follow from those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entry of revision {found} cannot follow revision {head}: {why}")]
pub struct SpanError {
    /// The last revision that was taken.
    pub head: Revision,
    /// The entry's.
    pub found: Revision,
    /// What does not fit.
    pub why: String,
}

impl Summarizer {
    /// Begins after a revision at which the text was `before`.
    pub fn new(after: Revision, before: Rope) -> Self {
        Self {
            span: Span { after, up_to: after, first_ms: 0, last_ms: 0, cut_off: false },
            text: before.clone(),
            before,
            changes: Changes::default(),
            people: Vec::new(),
            others: HashSet::new(),
            others_changes: Changes::default(),
            others_places: Stretches::default(),
            components: 0,
        }
    }

    /// Takes the next entry. It answers `Some(Full)`, and has not taken it, once the span is longer than what one summary follows; what
    /// was taken can be [finished](Self::finish). On an error nothing was taken.
    pub fn take(&mut self, entry: &Entry) -> Result<Option<Full>, SpanError> {
        let wrong = |why: String| SpanError { head: self.span.up_to, found: entry.revision, why };
        if self.span.cut_off {
            return Ok(Some(Full));
        }
        if entry.revision != self.span.up_to + 1 {
            return Err(wrong("revisions have no gaps".to_owned()));
        }
        if let Some(operation) = entry.command.operation() {
            if self.components + operation.component_count() > SUMMARY_COMPONENTS_MAX {
                self.span.cut_off = true;
                return Ok(Some(Full));
            }
            operation.apply_to_rope(&mut self.text).map_err(|mismatch| wrong(mismatch.to_string()))?;
            self.edit(entry, operation);
        }
        if self.span.up_to == self.span.after {
            self.span.first_ms = entry.time_ms;
        }
        self.span.up_to = entry.revision;
        self.span.last_ms = entry.time_ms;
        Ok(None)
    }

    fn edit(&mut self, entry: &Entry, operation: &Operation) {
        self.components += operation.component_count();
        let change = Changes::of(operation);
        self.changes.add(change);
        let known = self.people.iter().position(|person| person.participant == entry.participant);
        let writer = known.or_else(|| {
            (self.people.len() < SUMMARY_PEOPLE_MAX).then(|| {
                self.people.push(Active::new(entry.participant));
                self.people.len() - 1
            })
        });
        for (index, person) in self.people.iter_mut().enumerate() {
            let mine = writer == Some(index);
            person.places.follow(operation, mine, SUMMARY_STRETCHES_MAX);
            if mine {
                person.changes.add(change);
                person.sit(entry.time_ms);
            }
        }
        if writer.is_none() {
            self.others.insert(entry.participant);
            self.others_changes.add(change);
        }
        self.others_places.follow(operation, writer.is_none(), SUMMARY_STRETCHES_MAX);
    }

    /// The text at the end of what was taken.
    pub fn text(&self) -> &Rope {
        &self.text
    }

    /// The summary of what was taken, and of what was around it.
    pub fn finish(mut self, around: &Around) -> Summary {
        self.people.sort_by_key(|person| Reverse(person.changes.inserted + person.changes.deleted));
        let places = self.people.iter().flat_map(|person| person.places.places());
        let lines = line_ranges(&self.text, places.chain(self.others_places.places()));
        let others = Others { participants: self.others.len() as u64, changes: self.others_changes };
        let people = self.people.iter().map(|person| Person {
            participant: person.participant,
            name: name_of(around, person.participant),
            changes: person.changes,
            sittings: person.sittings.clone(),
            lines: line_ranges(&self.text, person.places.places()),
        });
        Summary {
            text: TextChange {
                scalars_before: self.before.len_chars() as u64,
                scalars_after: self.text.len_chars() as u64,
                lines_before: self.before.len_lines() as u64,
                lines_after: self.text.len_lines() as u64,
            },
            changes: self.changes,
            lines,
            people: people.collect(),
            others: (others.participants > 0).then_some(others),
            chat: chat(around),
            open: open(around, &self.text),
            span: self.span,
        }
    }
}

impl Changes {
    fn of(operation: &Operation) -> Self {
        let mut changes = Self { edits: 1, ..Self::default() };
        for component in operation.components() {
            match component {
                Component::Retain(_) => {}
                Component::Insert(text) => changes.inserted += text.chars().count() as u64,
                Component::Delete(n) => changes.deleted += n,
            }
        }
        changes
    }

    fn add(&mut self, other: Self) {
        self.edits += other.edits;
        self.inserted += other.inserted;
        self.deleted += other.deleted;
    }
}

impl Active {
    fn new(participant: ParticipantId) -> Self {
        Self { participant, changes: Changes::default(), sittings: Vec::new(), places: Stretches::default() }
    }

    fn sit(&mut self, now_ms: UnixMs) {
        let full = self.sittings.len() >= SUMMARY_SITTINGS_MAX;
        match self.sittings.last_mut() {
            Some(last) if full || now_ms.saturating_sub(last.last_ms) < SITTING_GAP_MS => {
                last.last_ms = now_ms;
                last.edits += 1;
            }
            _ => self.sittings.push(Sitting { first_ms: now_ms, last_ms: now_ms, edits: 1 }),
        }
    }
}

/// The lines that places are in, from 1. An empty place is in the line where something is missing.
fn line_ranges<'a>(text: &Rope, places: impl IntoIterator<Item = &'a Range<usize>>) -> Vec<LineRange> {
    let lines = |place: &Range<usize>| {
        let last = (place.end.max(place.start + 1) - 1).min(text.len_chars());
        text.char_to_line(place.start)..text.char_to_line(last) + 1
    };
    let mut ranges: Vec<Range<usize>> = places.into_iter().map(lines).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    join_closest(&mut ranges, SUMMARY_LINE_RANGES_MAX);
    ranges.into_iter().map(|range| LineRange { first: range.start as u64 + 1, last: range.end as u64 }).collect()
}

fn name_of(around: &Around, participant: ParticipantId) -> Option<String> {
    around.names.get(&participant).map(|name| one_line(name, QUOTE_CHARS_MAX))
}

fn chat(around: &Around) -> Chat {
    let messages = &around.messages;
    let read = &messages[messages.len().saturating_sub(SUMMARY_MESSAGES_READ_MAX)..];
    let participants: HashSet<_> = read.iter().map(|message| message.participant).collect();
    let last = &messages[messages.len().saturating_sub(SUMMARY_MESSAGES_MAX)..];
    let quote = |message: &super::Message| Quote {
        participant: message.participant,
        name: name_of(around, message.participant),
        time_ms: message.time_ms,
        text: one_line(&message.text, QUOTE_CHARS_MAX),
        lines: None,
        replies: 0,
    };
    Chat {
        messages: messages.len() as u64,
        participants: participants.len() as u64,
        topics: topics(read.iter().map(|message| &*message.text)),
        last: last.iter().map(quote).collect(),
    }
}

/// Words that are in every conversation and say nothing about it.
const COMMON: &str = "about actually after again also because been before being both could does doing done dont down each else even ever \
    every from going good great have having here into isnt just keep know like look looks made make maybe more most much need needs \
    okay only other over please really right same should some still such sure take than thank thanks that thats their them then there \
    these they thing things think this those time very want well were what when where which while will with without would yeah your";

/// The words that most messages say, and at least two do.
fn topics<'a>(messages: impl Iterator<Item = &'a str>) -> Vec<String> {
    const TOPIC_CHARS_MIN: usize = 4;
    let common: HashSet<&str> = COMMON.split_whitespace().collect();
    let mut counts: HashMap<String, u64> = HashMap::new();
    for message in messages {
        let mut said = HashSet::new();
        each_word(message.chars().take(SUMMARY_MESSAGE_CHARS_READ_MAX), |_, word| {
            let word = folded(word);
            if word.chars().count() >= TOPIC_CHARS_MIN && !common.contains(&*word) {
                said.insert(word);
            }
        });
        for word in said {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().filter(|(_, count)| *count >= 2).collect();
    counts.sort_unstable_by(|(word, count), (other, others)| others.cmp(count).then_with(|| word.cmp(other)));
    counts.into_iter().take(SUMMARY_TOPICS_MAX).map(|(word, _)| word).collect()
}

fn open(around: &Around, text: &Rope) -> OpenComments {
    let mut comments: Vec<&Comment> = around.comments.iter().collect();
    comments.sort_by_key(|comment| (comment.on.start, comment.time_ms));
    let place = |comment: &Comment| {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(text.len_chars());
        let start = index(comment.on.start.0);
        start..index(comment.on.end.0).max(start)
    };
    let quote = |comment: &&Comment| Quote {
        participant: comment.participant,
        name: name_of(around, comment.participant),
        time_ms: comment.time_ms,
        text: one_line(&comment.text, QUOTE_CHARS_MAX),
        lines: line_ranges(text, [&place(comment)]).pop(),
        replies: comment.replies,
    };
    let first = comments.iter().take(SUMMARY_COMMENTS_MAX).map(quote).collect();
    OpenComments { comments: comments.len() as u64, first }
}

#[cfg(test)]
mod tests;
