//! From what waits for the log to what is committed: appends, the log's three answers, and the one way after a commit.

use std::sync::Arc;

use bytes::Bytes;
use motet_protocol::{
    error::{About, ErrorCode},
    ids::{Revision, UnixMs},
    message::{Command, Entry, ServerMessage},
};

use super::{
    access::Principal,
    open::{Awaited, OpenRoom},
    pending::{Ordered, Pending},
    state::FoldError,
    submit::{Submit, Submitted, Submitter, overloaded},
    window::Logged,
};
use crate::{refusal::Refusal, wire::Encoded};

/// What goes to the log next.
#[derive(Clone, Debug)]
pub struct NextAppend {
    /// The revision that the log must end at for this.
    pub after: Revision,
    /// Where the store put that revision.
    pub log_position: u64,
    /// The entries behind it, encoded.
    pub entries: Vec<Bytes>,
}

/// How far a room was before a commit.
struct Before {
    revision: Revision,
    chat_changed: Revision,
}

impl<K: Clone, A> OpenRoom<K, A> {
    /// Puts an entry in order as it is. It must follow from what is ordered: its revision is the next one, its operation fits
    /// the text.
    pub fn adopt(&mut self, principal: &Arc<Principal>, entry: Entry) {
        debug_assert_eq!(entry.revision, self.ordered_revision() + 1, "what is adopted was checked to follow");
        let base = entry.revision - 1;
        self.pending.push(entry, Submitter::Caller(Arc::clone(principal)), base, None);
        self.note_append();
    }

    /// What to append next, if nothing is in flight and something waits; it is in flight then. The log's answer goes to
    /// [`handle_appended`](Self::handle_appended), [`handle_conflict`](Self::handle_conflict) or
    /// [`handle_unavailable`](Self::handle_unavailable).
    pub fn take_append(&mut self) -> Option<NextAppend> {
        self.append_due = false;
        let entries = self.pending.take_append()?;
        Some(NextAppend { after: self.state.revision(), log_position: self.log_position, entries })
    }

    /// The log has what was in flight, up to a position of the store's: it is committed now.
    pub fn handle_appended(&mut self, log_position: u64, now: UnixMs) {
        let before = self.before_commit();
        (self.stalled, self.log_position) = (None, log_position);
        while let Some(logged) = self.pending.take_appended() {
            if let Err(error) = self.commit(logged) {
                return self.fail(error);
            }
        }
        self.after_commit(before, now);
    }

    /// Other entries came first, up to a position of the store's: those of another server, or some of ours that we had no
    /// answer for. They are committed, and what was pending is ordered anew behind them. Entries that the room has are passed
    /// over. To be called only when nothing is in flight.
    pub fn handle_conflict(&mut self, entries: Vec<(Entry, Bytes)>, log_position: u64, now: UnixMs) {
        let before = self.before_commit();
        (self.stalled, self.log_position) = (None, log_position);
        let pending = self.pending.take_all();
        for (entry, bytes) in entries {
            if entry.revision > self.state.revision()
                && let Err(error) = self.commit(Logged { entry, encoded: Encoded::new(bytes) })
            {
                return self.fail(error);
            }
        }
        for ordered in pending {
            self.order_anew(ordered, now);
        }
        self.after_commit(before, now);
    }

    /// The log does not answer: what is in flight is being sent again, and nothing new is taken until it is there.
    pub fn handle_unavailable(&mut self, why: Refusal) {
        self.stalled = Some(why);
    }

    /// Closes the room along with what waits for the log, of which nothing is in flight and nothing will be acknowledged.
    pub fn give_up(&mut self, why: &Refusal) {
        self.pending = Pending::default();
        self.close(why);
    }

    /// The room does not follow from its log: it is closed.
    fn fail(&mut self, error: FoldError) {
        self.give_up(&Refusal::new(ErrorCode::RoomDamaged, error.to_string()));
        self.effects.failed = Some(error);
    }

    fn before_commit(&self) -> Before {
        Before { revision: self.state.revision(), chat_changed: self.state.chat().changed() }
    }

    /// Folds one entry, and shows it to nobody yet.
    fn commit(&mut self, logged: Logged) -> Result<(), FoldError> {
        self.state.fold(&logged.entry)?;
        self.talk.note(&logged.entry, &self.state);
        self.roles_touched |= matches!(logged.entry.command, Command::SetRole(_) | Command::Settings(_));
        self.activity_changed |= logged.entry.command.operation().is_none();
        self.activity.fold(&logged.entry, self.state.decided().people.author(logged.entry.participant));
        self.window.push(logged);
        if self.roster.is_far_behind(self.state.revision()) {
            self.rebase_positions();
        }
        while let Some(oldest) = self.window.surplus() {
            if self.roster.needs(oldest) {
                self.rebase_positions();
            }
            self.window.drop_oldest();
        }
        Ok(())
    }

    /// All that a commit brings, whichever server appended the entries. Every commit ends here.
    fn after_commit(&mut self, before: Before, now: UnixMs) {
        let committed = self.state.revision() - before.revision;
        if committed > 0 {
            self.active_ms = now;
            self.effects.committed += committed;
            self.feed_due = true;
            self.effects.listed = true;
            self.effects.chat |= self.state.chat().changed() > before.chat_changed;
            self.note_project();
            if let Some(state) = self.due_snapshot() {
                self.effects.snapshot = Some(state);
            }
        }
        self.answer_submits();
        self.answer_drained();
        self.note_append();
    }

    /// Orders a submit anew that others' entries came before, or tells whoever asked for it why that cannot be.
    fn order_anew(&mut self, ordered: Ordered, now: UnixMs) {
        let Ordered { logged, submitter, base, submitted } = ordered;
        let Entry { participant, seq, command, .. } = logged.entry;
        if seq == 0 {
            // An introduction is made anew with the submit behind it, if it is still wanted.
            return;
        }
        let submit = Submit { participant, seq, base, command: submitted.unwrap_or(command) };
        let in_log = self.state.last_submit(participant).is_some_and(|last| last.seq >= seq);
        let principal = self.principal(&submitter).unwrap_or_else(|| Arc::new(Principal::nobody(participant)));
        let refusal = match self.propose(submitter.clone(), &principal, submit, &[], now) {
            Ok(Submitted::Ordered(_) | Submitted::Repeat(_)) => return,
            // It is before the window, and is acknowledged there.
            Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) if in_log => return,
            Err(refusal) if in_log && refusal.code == ErrorCode::BaseTooOld => return,
            Ok(Submitted::NeedsHistory(_) | Submitted::NeedsMessage(..)) => overloaded(),
            Err(refusal) => refusal,
        };
        self.effects.refused.push(refusal.code);
        match submitter {
            Submitter::Reader(reader) => {
                if let Some(reader) = self.readers.get(reader) {
                    let about = About::Submit { channel: reader.cursor.channel, seq };
                    self.effects.messages.push((reader.key.clone(), ServerMessage::Error(refusal.about(about))));
                }
            }
            Submitter::Caller(_) => {
                let awaited = Awaited::Submit(participant, seq);
                let theirs = self.waiting.extract_if(.., |waiting| waiting.wants == awaited);
                self.effects.answers.extend(theirs.map(|waiting| (waiting.answer, Err(refusal.clone()))));
            }
        }
    }
}

impl<K, A> OpenRoom<K, A> {
    /// Has the caller give the log what waits, unless it knows that already.
    pub(super) fn note_append(&mut self) {
        if !self.append_due && self.pending.has_append() {
            self.append_due = true;
            self.effects.append = true;
        }
    }

    /// Has the caller look up what the room's project gives, if what was committed moved the room into another one.
    fn note_project(&mut self) {
        let project = &self.state.decided().settings.project;
        if *project != self.project {
            self.project.clone_from(project);
            self.effects.project = true;
        }
    }

    /// Answers those whose submits are durable.
    fn answer_submits(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let state = &self.state;
        let durable = |wants: Awaited| match wants {
            Awaited::Submit(participant, seq) => state.last_submit(participant).filter(|last| last.seq >= seq),
            Awaited::Drained => None,
        };
        let done = self.waiting.extract_if(.., |waiting| durable(waiting.wants).is_some());
        let answers = done.filter_map(|waiting| Some((durable(waiting.wants)?.revision, waiting.answer)));
        self.effects.answers.extend(answers.map(|(revision, answer)| (answer, Ok(revision))));
    }

    /// Answers those who wait until nothing is on its way to the log.
    pub(super) fn answer_drained(&mut self) {
        if self.waiting.is_empty() || self.has_pending() {
            return;
        }
        let answer = self.closed.clone().map_or(Ok(self.state.revision()), Err);
        let done = self.waiting.extract_if(.., |waiting| waiting.wants == Awaited::Drained);
        self.effects.answers.extend(done.map(|waiting| (waiting.answer, answer.clone())));
    }
}
