//! What a connection does besides editing, where it is asked to: it says something, and shows where its caret is. Both at
//! fixed times, whatever the server does.

use std::time::{Duration, Instant};

use motet_protocol::{
    chat::ChatCommand,
    message::Command,
    ot::Scalar,
    presence::{Presence, Selection},
};
use rand::{RngExt, rngs::StdRng};

/// What is said: a line as people write it.
const SAID: &str = "I think that the second paragraph says it better; shall we keep that one?";

/// How often a writer does something, if ever, and when it is due next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    every: Option<Duration>,
    pub(super) at: Option<Instant>,
}

impl Turn {
    pub(super) fn every(every: Option<Duration>) -> Self {
        Self { every, at: None }
    }

    /// From here on; not all begin at once.
    pub(super) fn begin(&mut self, now: Instant, random: &mut StdRng) {
        self.at = self.every.map(|every| now + every.mul_f64(random.random()));
    }

    pub(super) fn stop(&mut self) {
        self.at = None;
    }

    /// When it was due, if that is now or was before; it is due again one turn after that.
    pub(super) fn take(&mut self, now: Instant) -> Option<Instant> {
        let due = self.at.filter(|at| *at <= now)?;
        self.at = self.every.map(|every| due + every);
        Some(due)
    }
}

/// Something to say in the chat.
pub(super) fn words() -> Command {
    Command::Chat(Box::new(ChatCommand::Say { text: SAID.to_owned(), thread: None, quote: None, mentions: Vec::new() }))
}

/// A caret somewhere in a text of so many characters.
pub(super) fn caret(length: u64, random: &mut StdRng) -> Box<Presence> {
    let at = Scalar(random.random_range(0..=length));
    Box::new(Presence { selections: vec![Selection::caret(at)], ..Presence::default() })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_turn_that_was_missed_is_taken_late_and_not_left_out() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut turn = Turn::every(Some(second));
        turn.begin(start, &mut StdRng::seed_from_u64(1));
        let first = turn.at.unwrap();
        assert!((start..start + second).contains(&first));
        assert_eq!(turn.take(first - Duration::from_millis(1)), None);
        let late = first + 2 * second;
        assert_eq!([turn.take(late), turn.take(late), turn.take(late)], [0, 1, 2].map(|n| Some(first + n * second)));
        assert_eq!(turn.take(late), None);
        assert_eq!(Turn::every(None).at, None);
    }
}
