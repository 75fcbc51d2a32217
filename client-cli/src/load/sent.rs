//! What the writers of a room have sent, and when it was due.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use motet_protocol::{
    ids::{ParticipantId, Revision, Seq},
    message::Command,
};

/// How many of a writer's last submits are remembered, until others have seen them.
const SENT_MAX: usize = 64;

/// When something was due, and whether that was in the measured time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) at: Instant,
    pub(super) measured: bool,
}

impl Due {
    /// How long it took until now, in microseconds, where that is measured.
    pub(super) fn took_us(self, now: Instant) -> Option<u64> {
        self.measured.then(|| now.saturating_duration_since(self.at).as_micros() as u64)
    }
}

/// What one submit holds: in an open loop edits gather while another is outstanding, and the next one holds several.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    seq: Seq,
    pub(super) edits: Vec<Due>,
    /// The message that it says, if it says one.
    pub(super) chat: Option<Due>,
}

/// What the connections of one room know of each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Each writer's last submits, by seq modulo their number.
    sent: HashMap<ParticipantId, Vec<Sent>>,
    /// Writers that wait for an acknowledgement.
    pub(super) waiting: usize,
    /// Where everyone has to be in the end.
    pub(super) head: Revision,
}

impl Shared {
    /// One more writes here.
    pub(super) fn add(&mut self, writer: ParticipantId) {
        self.sent.insert(writer, vec![Sent::default(); SENT_MAX]);
    }

    /// What a writer's submit holds; where a new one goes, for [`Waiting::leaves`] to fill in.
    pub(super) fn slot(&mut self, writer: ParticipantId, seq: Seq) -> Option<&mut Sent> {
        Some(&mut self.sent.get_mut(&writer)?[seq as usize % SENT_MAX])
    }

    /// What a writer's submit holds, if that is known still.
    pub(super) fn find(&self, writer: ParticipantId, seq: Seq) -> Option<&Sent> {
        Some(&self.sent.get(&writer)?[seq as usize % SENT_MAX]).filter(|sent| sent.seq == seq)
    }
}

/// What a writer did that no submit holds yet, in the order in which it was done. Edits are composed with their neighbours
/// only (see [`Client`](motet_protocol::client::Client)), so that a message between them keeps them apart.
#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<Done>);

#[derive(Debug)]
enum Done {
    Edits(Vec<Due>),
    Chat(Due),
}

impl Waiting {
    pub(super) fn edited(&mut self, due: Due) {
        match self.0.back_mut() {
            Some(Done::Edits(edits)) => edits.push(due),
            _ => self.0.push_back(Done::Edits(vec![due])),
        }
    }

    pub(super) fn said(&mut self, due: Due) {
        self.0.push_back(Done::Chat(due));
    }

    /// A submit with this command leaves: it holds what was done up to then.
    pub(super) fn leaves(&mut self, seq: Seq, command: &Command, slot: &mut Sent) {
        let is_edit = command.operation().is_some();
        (slot.seq, slot.chat) = (seq, None);
        slot.edits.clear();
        // Edits that undo each other are never sent; they are done when the next one is. Of an edit that is sent in
        // several pieces, the first takes all.
        while self.0.front().is_some_and(|done| !is_edit || matches!(done, Done::Edits(_)))
            && let Some(done) = self.0.pop_front()
        {
            match done {
                Done::Edits(edits) => slot.edits.extend(edits),
                Done::Chat(due) => {
                    slot.chat = Some(due);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::{chat::ChatCommand, ot::Operation};

    use super::*;

    fn due() -> Due {
        Due { at: Instant::now(), measured: true }
    }

    fn edit() -> Command {
        Command::Edit(Operation::builder().insert("x").build().unwrap())
    }

    fn say() -> Command {
        let said = ChatCommand::Say { text: "x".to_owned(), thread: None, quote: None, mentions: Vec::new() };
        Command::Chat(Box::new(said))
    }

    #[test]
    fn a_message_between_edits_keeps_them_apart() {
        let (mut waiting, mut slot) = (Waiting::default(), Sent::default());
        waiting.edited(due());
        waiting.edited(due());
        waiting.said(due());
        waiting.edited(due());
        let mut leaves = |seq, command: &Command| {
            waiting.leaves(seq, command, &mut slot);
            (slot.seq, slot.edits.len(), slot.chat.is_some())
        };
        assert_eq!(leaves(1, &edit()), (1, 2, false));
        assert_eq!(leaves(2, &edit()), (2, 0, false), "the second piece of a large edit");
        assert_eq!(leaves(3, &say()), (3, 0, true));
        assert_eq!(leaves(4, &edit()), (4, 1, false));
    }

    #[test]
    fn edits_that_came_to_nothing_are_done_with_what_comes_next() {
        let (mut waiting, mut slot) = (Waiting::default(), Sent::default());
        waiting.edited(due());
        waiting.said(due());
        waiting.leaves(1, &say(), &mut slot);
        assert_eq!((slot.edits.len(), slot.chat.is_some()), (1, true));
    }
}
