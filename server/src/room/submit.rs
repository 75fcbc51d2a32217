//! From what a client submits to an entry with a revision that waits for the log.

use std::{borrow::Cow, sync::Arc};

use motet_protocol::{
    access::Role,
    error::ErrorCode,
    ids::{ParticipantId, Revision, Seq, UnixMs},
    message::{Command, Entry},
    ot::{Component, Mismatch},
};

use super::{
    access::{self, Principal},
    decided::Decided,
    open::{Awaited, OpenRoom, Waiting},
    readers::ReaderId,
    rebase::{self, Placed},
};
use crate::refusal::{RETRY_AFTER_MS, Refusal};

/// What a session asks to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// Whose it is.
    pub participant: ParticipantId,
    /// The session's counter.
    pub seq: Seq,
    /// The revision that the command counts on.
    pub base: Revision,
    /// The command.
    pub command: Command,
}

/// Who asks for something to be appended.
#[derive(Clone, Debug)]
pub enum Submitter {
    /// A reader of the room.
    Reader(ReaderId),
    /// Somebody who does not have the room open.
    Caller(Arc<Principal>),
}

impl From<ReaderId> for Submitter {
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
    /// It is about a message of the chat that is not at hand: submit it again after [`OpenRoom::learn`], or refuse it if there
    /// is no such message.
    NeedsMessage(Submit, Revision),
}

impl<K: Clone, A> OpenRoom<K, A> {
    /// Puts a submit in order, or says why not. `older` are the entries after the submit's base that are no longer in the
    /// window, when they were asked for; empty otherwise. A repeat of a reader's is acknowledged again if the reader's cursor is
    /// past it.
    pub fn handle_submit(
        &mut self,
        submitter: impl Into<Submitter>,
        submit: Submit,
        older: &[Entry],
        now: UnixMs,
    ) -> Result<Submitted, Refusal> {
        let (submitter, seq) = (submitter.into(), submit.seq);
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        let reader = match &submitter {
            Submitter::Reader(reader) => Some(*reader),
            Submitter::Caller(_) => None,
        };
        let Some(principal) = self.principal(&submitter) else {
            // What a replaced connection still had to say must not come between what the session says now.
            let words = "this session is at work on another connection or channel";
            return Err(Refusal::new(ErrorCode::SessionReplaced, words));
        };
        let submitted = self.propose(submitter, &principal, submit, older, now)?;
        match (&submitted, reader) {
            (Submitted::Ordered(_), reader) => {
                self.note_append();
                if reader.is_some_and(|reader| self.heard(reader, now)) {
                    self.note_presence();
                }
            }
            (Submitted::Repeat(revision), Some(reader)) => self.acknowledge_again(reader, seq, *revision),
            (Submitted::Repeat(_) | Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..), _) => {}
        }
        Ok(submitted)
    }

    /// Has a caller answered with the revision of a submit of its that was put in order, once that is durable.
    pub fn wait_for(&mut self, participant: ParticipantId, seq: Seq, answer: A) {
        self.waiting.push(Waiting { wants: Awaited::Submit(participant, seq), answer });
    }

    /// Has a caller answered, with the committed revision, once nothing is on its way to the log; with the reason where the
    /// room is closed by then.
    pub fn wait_until_drained(&mut self, answer: A) {
        self.waiting.push(Waiting { wants: Awaited::Drained, answer });
        self.answer_drained();
    }

    /// Forgets callers that do not wait any more.
    pub fn forget_waiting(&mut self, gone: impl Fn(&A) -> bool) {
        self.waiting.retain(|waiting| !gone(&waiting.answer));
    }

    pub(super) fn propose(
        &mut self,
        submitter: Submitter,
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
            rebase::check_size(operation, &self.limits)?;
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

        let moved = match rebase::place(&submit, after_base)? {
            Placed::Repeat(revision) => {
                self.hand_over(revision, submitter);
                return Ok(Submitted::Repeat(revision));
            }
            Placed::New(moved) => moved,
        };
        rebase::check_seq(&submit, self.last_seq(submit.participant))?;
        if let Some(refusal) = &self.stalled {
            return Err(refusal.clone());
        }
        let decided = self.ordered_decided();
        let role =
            access::require(self.role_of_submitter(&submitter, principal, &decided), access::needed(&submit.command))?;
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
            decided.check_hosted(&command, &self.defaults)?;
        }
        let introduction = decided.people.introduction(participant, &principal.author);
        self.check_fits(&command, base)?;
        if let Some(introduction) = introduction {
            self.order(submitter.clone(), (participant, 0), base, Command::Introduce(introduction), None, now);
        }
        Ok(Submitted::Ordered(self.order(submitter, (participant, seq), base, command, submitted, now)))
    }

    /// Who sent a pending submit again, on another connection perhaps, is the one to hear if it comes to nothing.
    fn hand_over(&mut self, revision: Revision, submitter: Submitter) {
        let index = revision.checked_sub(self.state.revision() + 1).and_then(|index| usize::try_from(index).ok());
        if let Some(pending) = index.and_then(|index| self.pending.get_mut(index)) {
            pending.submitter = submitter;
        }
    }

    /// Whether there is room for one more, and an operation, moved to the end of the order, fits the text there and
    /// leaves it within its limit.
    fn check_fits(&self, command: &Command, base: Revision) -> Result<(), Refusal> {
        if self.pending.is_full() {
            return Err(overloaded());
        }
        let Command::Edit(operation) = command else { return Ok(()) };
        let found = self.ordered_len();
        if operation.base_len() != found {
            let expected = operation.base_len();
            return Err(rebase::mismatch(Mismatch { expected, found }, base));
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
            Err(overloaded())
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

    /// The revision that the next ordered entry gets, less one.
    pub(super) fn ordered_revision(&self) -> Revision {
        self.state.revision() + self.pending.len() as u64
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

    /// What a submitter may do, given what will be decided before its entry.
    fn role_of_submitter(&self, submitter: &Submitter, principal: &Principal, decided: &Decided) -> Option<Role> {
        if let (Submitter::Reader(reader), false, false) = (submitter, self.pending.decides(), self.roles_touched)
            && let Some(reader) = self.readers.get(*reader)
        {
            return Some(reader.role);
        }
        self.role_by(principal, decided)
    }

    pub(super) fn principal(&self, submitter: &Submitter) -> Option<Arc<Principal>> {
        match submitter {
            Submitter::Reader(reader) => self.readers.get(*reader).map(|reader| Arc::clone(&reader.principal)),
            Submitter::Caller(principal) => Some(Arc::clone(principal)),
        }
    }

    pub(super) fn order(
        &mut self,
        submitter: Submitter,
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
        self.pending.push(Entry { revision, participant, seq, time_ms, command }, submitter, base, submitted);
        revision
    }
}

impl<K, A> OpenRoom<K, A> {
    /// The length of the text behind all that is ordered, in scalars.
    pub(super) fn ordered_len(&self) -> u64 {
        let mut pending = self.pending.entries().rev();
        pending
            .find_map(|entry| Some(entry.command.operation()?.target_len()))
            .unwrap_or(self.state.text().len_chars() as u64)
    }
}

/// More is waiting for the log than may.
pub fn overloaded() -> Refusal {
    Refusal::for_now(
        ErrorCode::Overloaded,
        "too many edits of this room wait to be made durable; send it again later",
        RETRY_AFTER_MS,
    )
}
