//! Completion at a position of a room's text.

use std::sync::Arc;

use motet_protocol::{
    error::ErrorCode,
    ids::{Revision, RoomId},
    limits::COMPLETIONS_MAX,
    message::{Answer, Completion, CompletionKind, Entry},
    ot::{Scalar, position::Bias},
};

use super::Asked;
use crate::{
    assist::{
        complete::{self, complete as known_completions},
        languages::Language,
        limits::INDEX_BEHIND_ENTRIES_MAX,
        provider::CompletionRequest,
    },
    blocking::blocking,
    clock::now_ms,
    hub::history,
    refusal::Refusal,
    room::RoomState,
    store::{LogId, Store},
};

/// How many revisions the base of a question may be behind the head.
const BEHIND_MAX: u64 = 512;

/// Bytes of entries that are read to bring a position or an index to the head.
const BEHIND_BYTES_MAX: usize = 1024 * 1024;

pub(super) async fn complete(
    asked: &Asked,
    room: &RoomId,
    base: Revision,
    position: Scalar,
    limit: u32,
) -> Result<Answer, Refusal> {
    if !(1..=COMPLETIONS_MAX).contains(&limit) {
        let message = format!("a limit is 1 to {COMPLETIONS_MAX}, not {limit}");
        return Err(Refusal::new(ErrorCode::BadArgument, message));
    }
    let cell = asked.room(room).await?;
    let assistant = &asked.context.assistant;
    let (store, state, log) = (Arc::clone(&asked.context.rooms.store), cell.state(), cell.log_id());
    let (words, limit) = (assistant.words_of(log), limit as usize);
    let (revision, request) = blocking(move || {
        let revision = state.revision();
        let position = moved(store.as_ref(), log, base, revision, position)?;
        let mut words = words.lock();
        let known = words.revision().filter(|known| revision.saturating_sub(*known) <= INDEX_BEHIND_ENTRIES_MAX as u64);
        let entries = match known {
            Some(known) if known < revision => between(store.as_ref(), log, known, revision)?,
            _ => Vec::new(),
        };
        let text = state.text().rope();
        let index = words.bring_up(&text, revision, &entries, now_ms());
        let language = language_of(&state);
        let known = known_completions(&text, position, language, index, limit);
        Ok::<_, Refusal>((revision, CompletionRequest { text, position, language, limit, known }))
    })
    .await?;
    let completions = assistant.assist.complete(request).await.value;
    Ok(Answer::Completions { revision, completions: completions.into_iter().map(on_the_wire).collect() })
}

fn between(store: &dyn Store, log: LogId, after: Revision, up_to: Revision) -> Result<Vec<Entry>, Refusal> {
    let read = history::read_between(store, log, after, up_to, BEHIND_BYTES_MAX)?;
    Ok(read.into_iter().map(|(entry, _)| entry).collect())
}

/// The position in the text of `head` that a position in the text of `base` has become.
fn moved(store: &dyn Store, log: LogId, base: Revision, head: Revision, at: Scalar) -> Result<Scalar, Refusal> {
    if base > head {
        let message = format!("revision {base} is not there yet; the room is at {head}");
        return Err(Refusal::new(ErrorCode::RevisionUnknown, message));
    }
    if head - base > BEHIND_MAX {
        let message =
            format!("revision {base} is {} behind, {BEHIND_MAX} are allowed; ask with a newer one", head - base);
        return Err(Refusal::new(ErrorCode::BaseTooOld, message));
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

fn on_the_wire(completion: complete::Completion) -> Completion {
    let complete::Completion { text, kind, replace_from, insert, detail } = completion;
    let kind = match kind {
        complete::CompletionKind::Word => CompletionKind::Word,
        complete::CompletionKind::Keyword => CompletionKind::Keyword,
        complete::CompletionKind::Snippet => CompletionKind::Snippet,
        complete::CompletionKind::Suggestion => CompletionKind::Proposal,
    };
    Completion { label: text, kind, from: replace_from, insert, detail }
}
