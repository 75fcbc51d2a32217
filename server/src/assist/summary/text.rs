//! A summary as a text for people.

use std::fmt::{self, Display, Formatter};

use super::{
    facts::{Changes, LineRange, Person, Quote, Summary},
    times,
};

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        self.who(f)?;
        self.discussed(f)?;
        self.open(f)
    }
}

impl Summary {
    fn headline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let span = &self.span;
        if span.up_to == span.after {
            return writeln!(f, "Nothing was changed after revision {}.", span.after);
        }
        let people = self.people.len() as u64 + self.others.map_or(0, |others| others.participants);
        writeln!(
            f,
            "Revisions {} to {}, {} UTC: {} by {}.",
            span.after + 1,
            span.up_to,
            times::from_to(span.first_ms, span.last_ms),
            count(self.changes.edits, "edit"),
            count(people, "participant")
        )?;
        if span.cut_off {
            writeln!(f, "More happened after that; the span is too long for one summary.")?;
        }
        let text = &self.text;
        writeln!(
            f,
            "The text went from {} and {} to {} and {}.",
            count(text.lines_before, "line"),
            count(text.scalars_before, "character"),
            count(text.lines_after, "line"),
            count(text.scalars_after, "character")
        )
    }

    fn who(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.people.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nWho changed what:")?;
        for person in &self.people {
            let Person { changes, sittings, lines, .. } = person;
            write!(f, "- {}: {}", Name(&person.name, person.participant), Amount(*changes))?;
            if !lines.is_empty() {
                write!(f, ", in {}", Lines(lines))?;
            }
            let times: Vec<_> =
                sittings.iter().map(|sitting| times::from_to(sitting.first_ms, sitting.last_ms)).collect();
            writeln!(f, " ({})", times.join("; "))?;
        }
        match &self.others {
            Some(others) => writeln!(f, "- {}: {}", count(others.participants, "other"), Amount(others.changes)),
            None => Ok(()),
        }
    }

    fn discussed(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let chat = &self.chat;
        if chat.messages == 0 {
            return Ok(());
        }
        write!(f, "\nDiscussed in {} by {}", count(chat.messages, "message"), count(chat.participants, "participant"))?;
        if !chat.topics.is_empty() {
            write!(f, ", often about {}", chat.topics.join(", "))?;
        }
        let left_out = chat.messages - chat.last.len() as u64;
        writeln!(f, "{}", if left_out > 0 { "; the last of them:" } else { ":" })?;
        for Quote { name, participant, time_ms, text, .. } in &chat.last {
            writeln!(f, "- {} {}: {text}", times::minute(*time_ms), Name(name, *participant))?;
        }
        Ok(())
    }

    fn open(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let open = &self.open;
        if open.comments == 0 {
            return Ok(());
        }
        let left_out = open.comments - open.first.len() as u64;
        let first = if left_out > 0 { "; the first in the text" } else { "" };
        writeln!(f, "\nOpen: {}{first}:", count(open.comments, "comment"))?;
        for Quote { name, participant, text, lines, replies, .. } in &open.first {
            write!(f, "- ")?;
            if let Some(lines) = lines {
                write!(f, "{}, ", Lines(&[*lines]))?;
            }
            write!(f, "{}: {text}", Name(name, *participant))?;
            match replies {
                0 => writeln!(f)?,
                1 => writeln!(f, " (1 reply)")?,
                _ => writeln!(f, " ({replies} replies)")?,
            }
        }
        Ok(())
    }
}

/// `1 edit`, `2 edits`.
fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

struct Name<'a>(&'a Option<String>, motet_protocol::ids::ParticipantId);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) if !name.is_empty() => f.write_str(name),
            _ => write!(f, "participant {}", self.1),
        }
    }
}

struct Amount(Changes);

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Changes { edits, inserted, deleted } = self.0;
        write!(f, "wrote {}, removed {deleted}, in {}", count(inserted, "character"), count(edits, "edit"))
    }
}

struct Lines<'a>(&'a [LineRange]);

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let one = matches!(self.0, [LineRange { first, last }] if first == last);
        f.write_str(if one { "line " } else { "lines " })?;
        for (index, LineRange { first, last }) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            match first == last {
                true => write!(f, "{first}")?,
                false => write!(f, "{first} to {last}")?,
            }
        }
        Ok(())
    }
}
