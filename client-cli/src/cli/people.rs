//! How people are shown, and how a command waits for what it did.

use std::borrow::Cow;

use motet_client::room::Event;
use motet_protocol::{
    ids::{ParticipantId, Revision},
    room::Author,
};

use super::{Failure, notice};

/// Somebody's name, or the account, or the beginning of the participant.
pub(crate) fn name_of(participant: ParticipantId, author: &Author) -> String {
    match (&author.account, author.name.as_str()) {
        (None, "") => participant.to_string()[..8].to_owned(),
        (Some(account), "") => account.to_string(),
        (_, name) => printable(name),
    }
}

/// What others wrote, as it can be shown in a line on a terminal: without what would move the cursor or change colours.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter }).collect()
}

/// A line of what others wrote, with its end or without: on a terminal as it can be [shown](printable), for a program byte
/// for byte.
pub(crate) fn shown(line: &str, on_terminal: bool) -> Cow<'_, str> {
    if !on_terminal {
        return line.into();
    }
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    (printable(text.strip_suffix('\r').unwrap_or(text)) + end).into()
}

/// What an event says of the one thing that was done: the revision that it became, or that it was not taken. None of others'
/// entries. That it has to wait is said to people.
pub(crate) fn outcome(event: Option<Event>, json: bool) -> Option<Result<Revision, Failure>> {
    match event {
        Some(Event::Acknowledged { revision, .. }) => Some(Ok(revision)),
        Some(Event::Refused { error, .. } | Event::Closed { error }) => Some(Err(error.into())),
        None => Some(Err(Failure::Failed("the client ended before it was known to be done".to_owned()))),
        Some(Event::PutOff { error }) => {
            notice::say_put_off(json, error);
            None
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_moves_no_cursor_on_a_terminal_and_is_as_it_was_for_a_program() {
        for (line, on_terminal) in [
            ("a\tb\n", "a\tb\n"),
            ("windows\r\n", "windows\n"),
            ("\u{1b}[2Jgone\u{9b}1m\r over\n", "\u{fffd}[2Jgone\u{fffd}1m\u{fffd} over\n"),
            ("no end", "no end"),
        ] {
            assert_eq!((shown(line, true), shown(line, false)), (on_terminal.into(), line.into()));
        }
    }
}
