//! A room's order: where submits get their revisions, go to the log, and come back durable.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{ParticipantId, Revision, Seq, UnixMs},
    message::{Command, Entry},
    ot::{Component, Mismatch},
};

use super::Room;
use crate::{
    refusal::Refusal,
    room::{
        access::{self, Principal},
        decided::Decided,
        pending::{Ordered, Pending},
        propose::{self, Placed, Submit},
        readers::ReaderId,
        state::FoldError,
        window::Logged,
    },
    wire::Encoded,
};

/// Who asks for something to be appended.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A reader of the room.
    Reader(ReaderId),
    /// Somebody who does not have the room open.
    Caller(Arc<Principal>),
}

impl From<ReaderId> for Asker {
    fn from(reader: ReaderId) -> Self {
        Self::Reader(reader)
    }
}

/// What became of a submit that was not refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// It waits for the log; its acknowledgement comes in its place.
    Ordered(Revision),
    /// It was appended before, with this revision. If the reader's cursor is past it, the acknowledgement is due again.
    Repeat(Revision),
    /// Its base is older than the window: submit it again with the entries after its base.
    NeedsHistory(Submit),
    /// It is about a message of the chat that is not at hand: submit it again after [`Room::learn`], or refuse it if there
    /// is no such message.
    NeedsMessage(Submit, Revision),
}

/// A submit that was ordered and then refused, since others' entries came first.
#[derive(Debug)]
pub struct Displaced {
    /// Who asked for it.
    pub asker: Asker,
    /// Whose it was.
    pub participant: ParticipantId,
    /// Its seq.
    pub seq: Seq,
    /// Why it is refused now.
    pub refusal: Refusal,
}

impl<K> Room<K> {
    /// The revision that the next ordered entry gets, less one.
    fn ordered_revision(&self) -> Revision {
        self.state.revision() + self.pending.len() as u64
    }

    pub(super) fn ordered_len(&self) -> u64 {
        let mut pending = self.pending.entries().rev();
        pending
            .find_map(|entry| Some(entry.command.operation()?.target_len()))
            .unwrap_or(self.state.text().len_chars() as u64)
    }

    /// What will be decided once all that is ordered is committed.
    fn ordered_decided(&self) -> Cow<'_, Decided> {
        if !self.pending.decides() {
            return Cow::Borrowed(self.state.decided());
        }
        let mut decided = self.state.decided().clone();
        self.pending.entries().for_each(|entry| decided.fold(entry));
        Cow::Owned(decided)
    }

    /// What an asker may do, given what will be decided before its entry.
    fn role_of_asker(&self, asker: &Asker, principal: &Principal, decided: &Decided) -> Option<Role> {
        if let (Asker::Reader(reader), false, false) = (asker, self.pending.decides(), self.roles_touched)
            && let Some(reader) = self.readers.get(*reader)
        {
            return Some(reader.role);
        }
        self.role_by(principal, decided)
    }

    fn principal(&self, asker: &Asker) -> Option<Arc<Principal>> {
        match asker {
            Asker::Reader(reader) => self.readers.get(*reader).map(|reader| Arc::clone(&reader.principal)),
            Asker::Caller(principal) => Some(Arc::clone(principal)),
        }
    }

    /// Puts a submit in order, or says why not. `older` are the entries after the submit's base that are no longer in the
    /// window, when they were asked for; empty otherwise.
    pub fn submit(
        &mut self,
        asker: impl Into<Asker>,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let asker = asker.into();
        let Some(principal) = self.principal(&asker) else {
            // What a replaced connection still had to say must not come between what the session says now.
            let words = "this session is at work on another connection or channel";
            return Err(Refusal::new(ErrorCode::SessionReplaced, words));
        };
        self.propose(asker, &principal, submit, older, now)
    }

    fn propose(
        &mut self,
        asker: Asker,
        principal: &Principal,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let (head, base) = (self.ordered_revision(), submit.base);
        if base > self.state.revision() {
            return Err(Refusal::new(
                ErrorCode::RevisionUnknown,
                format!("the base {base} is not a revision yet; the room is at {}", self.state.revision()),
            ));
        }
        if head - base > self.limits.base_age_revisions_max {
            return Err(Refusal::new(
                ErrorCode::BaseTooOld,
                format!(
                    "the base {base} is {} revisions old, {} are allowed; join after it, transform, and send it again",
                    head - base,
                    self.limits.base_age_revisions_max
                ),
            ));
        }
        if let Command::Edit(operation) = &submit.command {
            propose::check_size(operation, &self.limits)?;
        }

        // The log may be ahead of what is committed here: what is in flight comes from `pending`, and only once.
        let older = &older[..older.partition_point(|entry| entry.revision <= self.state.revision())];
        let in_window_from = self.window.first().unwrap_or(self.state.revision() + 1);
        let older = match base + 1 {
            wanted if wanted >= in_window_from => &[],
            wanted => match older.iter().position(|entry| entry.revision == wanted) {
                Some(start) if older.last().is_some_and(|last| last.revision + 1 >= in_window_from) => &older[start..],
                _ => return Ok(Submitted::NeedsHistory(submit)),
            },
        };
        let after = base.max(older.last().map_or(base, |last| last.revision));
        let after_base = older.iter().chain(self.window.after(after)).chain(self.pending.entries());

        let moved = match propose::place(&submit, after_base)? {
            Placed::Repeat(revision) => {
                self.hand_over(revision, asker);
                return Ok(Submitted::Repeat(revision));
            }
            Placed::New(moved) => moved,
        };
        propose::check_seq(&submit, self.last_seq(submit.participant))?;
        if let Some(refusal) = &self.stalled {
            return Err(refusal.clone());
        }
        let decided = self.ordered_decided();
        let role = access::require(self.role_of_asker(&asker, principal, &decided), access::needed(&submit.command))?;
        if let Some(message) = self.talk.unknown(&submit.command) {
            return Ok(Submitted::NeedsMessage(submit, message));
        }
        let Submit { participant, seq, base, command } = submit;
        let (command, submitted) = match moved {
            Some(moved) => (moved, Some(command)),
            None => (command, None),
        };
        let command = decided.checked(command, head)?;
        let command = self.checked_talk(command, principal, role, &decided.people)?;
        if matches!(command, Command::SetRole(_) | Command::Settings(_)) {
            decided.check_hosted(&command, &self.ground)?;
        }
        let introduction = decided.people.introduction(participant, &principal.author);
        self.check_fits(&command, base)?;
        if let Some(introduction) = introduction {
            self.order(asker.clone(), (participant, 0), base, Command::Introduce(introduction), None, now);
        }
        Ok(Submitted::Ordered(self.order(asker, (participant, seq), base, command, submitted, now)))
    }

    /// Who sent a pending submit again, on another connection perhaps, is the one to hear if it comes to nothing.
    fn hand_over(&mut self, revision: Revision, asker: Asker) {
        let index = revision.checked_sub(self.state.revision() + 1).and_then(|index| usize::try_from(index).ok());
        if let Some(pending) = index.and_then(|index| self.pending.get_mut(index)) {
            pending.asker = asker;
        }
    }

    /// Whether there is room for one more, and an operation, moved to the end of the order, fits the text there and
    /// leaves it within its limit.
    fn check_fits(&self, command: &Command, base: Revision) -> Result<(), Refusal> {
        if self.pending.is_full() {
            return Err(propose::overloaded());
        }
        let Command::Edit(operation) = command else { return Ok(()) };
        let found = self.ordered_len();
        if operation.base_len() != found {
            let expected = operation.base_len();
            return Err(propose::mismatch(Mismatch { expected, found }, base));
        }
        if let Err(error) = operation.within_limits() {
            let words = format!("others' edits have cut it into too many pieces ({error}); send it in smaller parts");
            return Err(Refusal::new(ErrorCode::EditTooLarge, words));
        }
        let deleted = operation.components().map(|component| match component {
            // A character that goes has a byte at least.
            Component::Delete(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Component::Retain(_) | Component::Insert(_) => 0,
        });
        let bytes = (self.state.text().len_bytes() + operation.inserted_bytes()).saturating_sub(deleted.sum());
        let most = self.limits.text_bytes_max;
        if operation.inserted_bytes() == 0 || bytes + self.pending.bytes() <= most {
            Ok(())
        } else if bytes > most {
            let words = format!("the text would have {bytes} bytes; {most} are allowed in a room");
            Err(Refusal::new(ErrorCode::TextTooLarge, words))
        } else {
            // What is pending is counted as if it only inserted, so that the sum is never too low; whether there is
            // really no room shows when it is committed.
            Err(propose::overloaded())
        }
    }

    fn last_seq(&self, participant: ParticipantId) -> Option<Seq> {
        let pending = self.pending.entries().rev();
        pending
            .filter(|entry| entry.participant == participant && entry.seq != 0)
            .map(|entry| entry.seq)
            .next()
            .or_else(|| self.state.last_submit(participant).map(|last| last.seq))
    }

    fn order(
        &mut self,
        asker: Asker,
        (participant, seq): (ParticipantId, Seq),
        base: Revision,
        command: Command,
        submitted: Option<Command>,
        now: UnixMs,
    ) -> Revision {
        let revision = self.ordered_revision() + 1;
        let before = self.pending.entries().next_back().map_or(self.state.time_ms(), |last| last.time_ms);
        // Clocks are set back now and then; a room's time is not.
        let time_ms = now.max(before);
        self.pending.push(Entry { revision, participant, seq, time_ms, command }, asker, base, submitted);
        revision
    }

    /// Puts an entry in order as it is. It must follow from what is ordered: its revision is the next one, its operation
    /// fits the text.
    pub fn adopt(&mut self, asker: Asker, entry: Entry) {
        debug_assert_eq!(entry.revision, self.ordered_revision() + 1, "what is adopted was checked to follow");
        let base = entry.revision - 1;
        self.pending.push(entry, asker, base, None);
    }

    /// Whether there is something to append now.
    pub fn has_append(&self) -> bool {
        self.pending.has_append()
    }

    /// What to append next, if nothing is in flight and something waits: encoded entries that follow the committed
    /// revision. The answer goes to [`appended`](Self::appended) or [`conflict`](Self::conflict).
    pub fn take_append(&mut self) -> Option<Vec<Bytes>> {
        self.pending.take_append()
    }

    /// The log has what was in flight: it is committed now. Feed the readers next.
    pub fn appended(&mut self) -> Result<(), FoldError> {
        self.stalled = None;
        while let Some(logged) = self.pending.take_appended() {
            self.commit(logged)?;
        }
        Ok(())
    }

    /// Somebody else's entries came first, or some of ours are there that we had no answer for: they are folded, and what
    /// was pending is ordered anew behind them. Returns those that cannot be.
    pub fn conflict(&mut self, entries: Vec<(Entry, Bytes)>, now: UnixMs) -> Result<Vec<Displaced>, FoldError> {
        self.stalled = None;
        let pending = self.pending.take_all();
        for (entry, bytes) in entries {
            if entry.revision > self.state.revision() {
                self.commit(Logged { entry, encoded: Encoded::new(bytes) })?;
            }
        }
        let mut displaced = Vec::new();
        for Ordered { logged, asker, base, submitted } in pending {
            let Entry { participant, seq, command, .. } = logged.entry;
            if seq == 0 {
                // An introduction is made anew with the submit behind it, if it is still wanted.
                continue;
            }
            let command = submitted.unwrap_or(command);
            let submit = Submit { participant, seq, base, command };
            let in_log = self.state.last_submit(participant).is_some_and(|last| last.seq >= seq);
            let principal = self.principal(&asker).unwrap_or_else(|| Arc::new(Principal::nobody(participant)));
            let refusal = match self.propose(asker.clone(), &principal, submit, &[], now) {
                Ok(Submitted::Ordered(_) | Submitted::Repeat(_)) => continue,
                // It is before the window, and is acknowledged there.
                Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) if in_log => continue,
                Err(refusal) if in_log && refusal.code == ErrorCode::BaseTooOld => continue,
                Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) => propose::overloaded(),
                Err(refusal) => refusal,
            };
            displaced.push(Displaced { asker, participant, seq, refusal });
        }
        Ok(displaced)
    }

    /// The log does not answer: what is in flight is being sent again, and nothing new is taken until it is there.
    pub fn stall(&mut self, why: Refusal) {
        self.stalled = Some(why);
    }

    /// Gives up what waits for the log, which will never take it.
    pub fn abandon_pending(&mut self) {
        self.pending = Pending::default();
    }

    /// Whether something is ordered and not yet durable.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}
