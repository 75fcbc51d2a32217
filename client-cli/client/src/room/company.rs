//! The people of a room as one client knows them, and what it tells of itself. No IO.

use motet_protocol::{
    ids::{Channel, ParticipantId, Revision},
    message::{ClientMessage, Entry},
    ot::Operation,
    people::{News, People},
    presence::{Presence, SignalKind},
};

/// Things to pass on that wait for the connection, at most.
pub(crate) const SIGNALS_WAITING_MAX: usize = 64;

/// A signal to another participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) to: ParticipantId,
    pub(crate) kind: SignalKind,
    pub(crate) payload: String,
}

/// Who else is there.
#[derive(Debug, Default)]
pub(crate) struct Company {
    /// The client itself, as the others see it.
    me: ParticipantId,
    /// Whether the program watches presence.
    wanted: bool,
    /// Whether that was said on this channel.
    asked: bool,
    people: People,
    /// What the client tells, with places in its text as it is now.
    presence: Option<Presence>,
    /// Whether that is to be told (again).
    due: bool,
    signals: Vec<Signal>,
}

impl Company {
    pub(crate) fn of(me: ParticipantId) -> Self {
        Self { me, ..Self::default() }
    }

    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    pub(crate) fn watch(&mut self, on: bool) {
        self.wanted = on;
    }

    pub(crate) fn tell(&mut self, presence: Presence) {
        self.presence = Some(presence);
        self.due = true;
    }

    /// Takes something to pass on; not if too much waits.
    pub(crate) fn signal(&mut self, signal: Signal) -> bool {
        let room = self.signals.len() < SIGNALS_WAITING_MAX;
        if room {
            self.signals.push(signal);
        }
        room
    }

    /// The channel is new: nothing that was said counts there.
    pub(crate) fn begin(&mut self) {
        self.asked = false;
        self.people = People::default();
        self.due = self.presence.is_some();
    }

    pub(crate) fn hear(&mut self, news: News) {
        self.people.hear(news);
    }

    /// Another participant's entry was applied to the replica.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        self.people.fold(entry);
    }

    /// An edit of the client's own is in the log, as this on the revision before.
    pub(crate) fn acknowledged(&mut self, operation: &Operation) {
        self.people.move_over(self.me, operation);
    }

    /// The replica's text was changed, by the client itself or by others.
    pub(crate) fn text_changed(&mut self, operation: &Operation, own: bool) {
        if let Some(presence) = self.presence.as_mut().filter(|presence| !presence.is_placeless()) {
            presence.move_over(&operation.shift(), own);
        }
    }

    /// The replica holds another text now, of this many scalars.
    pub(crate) fn text_replaced(&mut self, length: u64) {
        if let Some(presence) = &mut self.presence {
            presence.clamp(length);
        }
    }

    /// What to say on a channel that has caught up. `synchronized` is the revision of the replica where it has no edits that
    /// the server does not know of: only then are its places the server's.
    pub(crate) fn poll(&mut self, channel: Channel, synchronized: Option<Revision>) -> Vec<ClientMessage> {
        let mut out = Vec::new();
        if self.asked != self.wanted {
            self.asked = self.wanted;
            out.push(ClientMessage::WatchPresence { channel, on: self.wanted });
        }
        if let (Some(base), Some(presence), true) = (synchronized, &self.presence, self.due) {
            self.due = false;
            out.push(ClientMessage::SetPresence { channel, base, presence: Box::new(presence.clone()) });
        }
        let signals = self.signals.drain(..);
        out.extend(signals.map(|Signal { to, kind, payload }| ClientMessage::Signal { channel, to, kind, payload }));
        out
    }
}

#[cfg(test)]
mod tests {
    use motet_protocol::{ot::Scalar, presence::Selection};

    use super::*;

    #[test]
    fn a_caret_is_told_when_the_server_knows_the_text_that_it_is_in_and_again_on_a_new_channel() {
        let mut company = Company::of(ParticipantId(1));
        company.tell(Presence { selections: vec![Selection::caret(Scalar(0))], ..Presence::default() });
        let typed = Operation::builder().insert("abc").build().unwrap();
        company.text_changed(&typed, true);
        assert_eq!(company.poll(1, None), []);
        let selections = vec![Selection::caret(Scalar(3))];
        let presence = Box::new(Presence { selections, ..Presence::default() });
        assert_eq!(
            company.poll(1, Some(7)),
            [ClientMessage::SetPresence { channel: 1, base: 7, presence: presence.clone() }]
        );
        assert_eq!(company.poll(1, Some(8)), []);
        company.watch(true);
        assert_eq!(company.poll(1, Some(8)), [ClientMessage::WatchPresence { channel: 1, on: true }]);
        company.begin();
        assert_eq!(company.poll(2, Some(9)).len(), 2);
    }
}
