//! Completion and summaries: a room's text and log, brought to who answers.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use motet_protocol::{
    chat::ChatCommand,
    error::ErrorCode,
    ids::Revision,
    limits::COMPLETIONS_MAX,
    message::{At, Command, Completion, CompletionKind, Entry},
    ot::{Scalar, position::Bias},
};
use parking_lot::Mutex;

use super::{blocking, history, now_ms, refusal_of};
use crate::{
    assist::{
        complete::{self, complete},
        languages::Language,
        limits::INDEX_BEHIND_ENTRIES_MAX,
        provider::{Assist, CompletionRequest},
        summary::{Around, Comment, Message, Summarizer, Summary},
        words::RoomWords,
    },
    room::{Refusal, RoomState},
    rooms::open::RoomHandle,
    store::{LogId, Store},
};

/// How far behind a place that is asked about may be.
const BEHIND_MAX: u64 = 512;

/// Bytes of entries that are read to bring a place or an index up.
const BEHIND_BYTES_MAX: usize = 1024 * 1024;

/// Messages of a span that a summary is told of: the last ones.
const MESSAGES_MAX: usize = 1_000;

/// Rooms whose words are kept at once; beyond it, an index is made for one question.
const INDEXES_MAX: usize = 64;

/// Answers questions about rooms.
#[derive(Clone, Debug)]
pub struct Assistant {
    assist: Arc<Assist>,
    /// The words of rooms in which somebody asks; made when asked for, dropped when unused.
    words: Arc<Mutex<HashMap<LogId, Arc<Mutex<RoomWords>>>>>,
}

impl Assistant {
    /// One that asks this one.
    pub fn new(assist: Assist) -> Self {
        Self { assist: Arc::new(assist), words: Arc::default() }
    }

    fn words_of(&self, log: LogId) -> Arc<Mutex<RoomWords>> {
        let mut words = self.words.lock();
        if let Some(found) = words.get(&log) {
            return Arc::clone(found);
        }
        let now = now_ms();
        words.retain(|_, words| words.try_lock().is_none_or(|mut words| !words.forget_unused(now)));
        let made = Arc::<Mutex<RoomWords>>::default();
        if words.len() < INDEXES_MAX {
            words.insert(log, Arc::clone(&made));
        }
        made
    }

    /// What may come at a place, the best first, and the revision that the answer's places count on.
    pub async fn complete(
        &self,
        store: &Arc<dyn Store>,
        cell: &Arc<RoomHandle>,
        base: Revision,
        position: Scalar,
        limit: u32,
    ) -> Result<(Revision, Vec<Completion>), Refusal> {
        if !(1..=COMPLETIONS_MAX).contains(&limit) {
            let words = format!("a limit is 1 to {COMPLETIONS_MAX}, not {limit}");
            return Err(Refusal::new(ErrorCode::BadArgument, words));
        }
        let (store, state, log) = (Arc::clone(store), cell.state(), cell.log_id());
        let (words, limit) = (self.words_of(log), limit as usize);
        let (revision, request) = blocking(move || {
            let revision = state.revision();
            let position = moved(store.as_ref(), log, base, revision, position)?;
            let mut words = words.lock();
            let known =
                words.revision().filter(|known| revision.saturating_sub(*known) <= INDEX_BEHIND_ENTRIES_MAX as u64);
            let entries = match known {
                Some(known) if known < revision => between(store.as_ref(), log, known, revision)?,
                _ => Vec::new(),
            };
            let text = state.text().rope();
            let index = words.bring_up(&text, revision, &entries, now_ms());
            let language = language_of(&state);
            let known = complete(&text, position, language, index, limit);
            Ok::<_, Refusal>((revision, CompletionRequest { text, position, language, limit, known }))
        })
        .await??;
        let answer = self.assist.complete(request).await;
        Ok((revision, answer.value.into_iter().map(told).collect()))
    }

    /// What happened after one place of the history and up to another: for people, and as JSON.
    pub async fn summarize(
        &self,
        store: &Arc<dyn Store>,
        cell: &Arc<RoomHandle>,
        from: At,
        to: At,
    ) -> Result<(String, String), Refusal> {
        let (store, log, head) = (Arc::clone(store), cell.log_id(), cell.head());
        let summary = blocking(move || {
            let from = history::revision_at(store.as_ref(), log, from, head)?;
            let to = history::revision_at(store.as_ref(), log, to, head)?;
            if from > to {
                let words = format!("revision {from} is not before revision {to}");
                return Err(Refusal::new(ErrorCode::BadArgument, words));
            }
            follow(store.as_ref(), log, from, to)
        })
        .await??;
        let text = self.assist.summarize(&summary).await.value;
        let facts = serde_json::to_string(&summary)
            .map_err(|error| Refusal::new(ErrorCode::Internal, format!("the summary cannot be told: {error}")))?;
        Ok((text, facts))
    }
}

fn between(store: &dyn Store, log: LogId, after: Revision, up_to: Revision) -> Result<Vec<Entry>, Refusal> {
    let read = history::read_between(store, log, after, up_to, BEHIND_BYTES_MAX).map_err(|error| refusal_of(&error))?;
    Ok(read.into_iter().map(|(entry, _)| entry).collect())
}

/// Where a place of a revision stands now.
fn moved(store: &dyn Store, log: LogId, base: Revision, head: Revision, at: Scalar) -> Result<Scalar, Refusal> {
    if base > head {
        let words = format!("revision {base} is not there yet; the room is at {head}");
        return Err(Refusal::new(ErrorCode::RevisionUnknown, words));
    }
    if head - base > BEHIND_MAX {
        let words =
            format!("revision {base} is {} behind, {BEHIND_MAX} are allowed; ask with a newer one", head - base);
        return Err(Refusal::new(ErrorCode::BaseTooOld, words));
    }
    let entries = between(store, log, base, head)?;
    let operations = entries.iter().filter_map(|entry| entry.command.operation());
    Ok(operations.fold(at, |at, operation| operation.map_position(at, Bias::After)))
}

fn language_of(state: &RoomState) -> Language {
    let settings = &state.decided().settings;
    let named = Language::parse(&settings.language).ok();
    named.or_else(|| Language::of_path(&settings.path)).unwrap_or(Language::PlainText)
}

fn told(completion: complete::Completion) -> Completion {
    let complete::Completion { text, kind, replace_from, insert, detail } = completion;
    let kind = match kind {
        complete::CompletionKind::Word => CompletionKind::Word,
        complete::CompletionKind::Keyword => CompletionKind::Keyword,
        complete::CompletionKind::Snippet => CompletionKind::Snippet,
        complete::CompletionKind::Suggestion => CompletionKind::Proposal,
    };
    Completion { label: text, kind, from: replace_from, insert, detail }
}

/// Follows a room from one revision to another.
fn follow(store: &dyn Store, log: LogId, from: Revision, to: Revision) -> Result<Summary, Refusal> {
    let damaged = |error| refusal_of(&error);
    let mut state = history::state_at(store, log, Some(from)).map_err(damaged)?.state;
    let mut summarizer = Summarizer::new(from, state.text().rope());
    let (mut around, mut messages) = (Around::default(), VecDeque::new());
    'span: while state.revision() < to {
        let wanted = usize::try_from(to - state.revision()).unwrap_or(usize::MAX);
        let page = history::read_after(store, log, state.revision(), wanted).map_err(damaged)?;
        if page.is_empty() {
            return Err(Refusal::new(ErrorCode::RoomDamaged, "the log ends before its head"));
        }
        for (entry, _) in page {
            let wrong = |error: String| Refusal::new(ErrorCode::RoomDamaged, error);
            if summarizer.take(&entry).map_err(|error| wrong(error.to_string()))?.is_some() {
                break 'span;
            }
            state.fold(&entry).map_err(|error| wrong(error.to_string()))?;
            if let Command::Chat(command) = entry.command
                && let ChatCommand::Say { text, .. } = *command
            {
                if messages.len() >= MESSAGES_MAX {
                    messages.pop_front();
                }
                messages.push_back(Message { participant: entry.participant, time_ms: entry.time_ms, text });
            }
        }
    }
    around.messages = messages.into();
    let authors = state.decided().people.authors();
    around.names = authors.map(|(participant, author)| (participant, author.name.clone())).collect();
    let open = state.comments().list().into_iter().filter(|comment| comment.resolved.is_none());
    around.comments = open
        .filter_map(|comment| {
            let first = comment.items.first()?;
            Some(Comment {
                participant: first.participant,
                time_ms: first.time_ms,
                on: comment.start..comment.end,
                text: first.text.clone(),
                replies: u32::try_from(comment.items.len() - 1).unwrap_or(u32::MAX),
            })
        })
        .collect();
    Ok(summarizer.finish(&around))
}
