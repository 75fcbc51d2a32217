//! A summary of what happened in a span of a room's log.

use std::{collections::VecDeque, sync::Arc};

use motet_protocol::{
    chat::ChatCommand,
    error::ErrorCode,
    ids::{Revision, RoomId},
    message::{Answer, At, Command, Entry},
};

use super::Asked;
use crate::{
    assist::summary::{Around, Comment, Message, Summarizer, Summary},
    blocking::blocking,
    hub::history,
    refusal::Refusal,
    room::RoomState,
    store::{LogId, Store},
};

/// Chat messages of the span that a summary is made of: the last ones.
const MESSAGES_MAX: usize = 1_000;

pub(super) async fn summarize(asked: &Asked, room: &RoomId, from: At, to: At) -> Result<Answer, Refusal> {
    let cell = asked.room(room).await?;
    let (store, log, head) = (Arc::clone(&asked.context.rooms.store), cell.log_id(), cell.head());
    let summary = blocking(move || {
        let from = history::revision_at(store.as_ref(), log, from, head)?;
        let to = history::revision_at(store.as_ref(), log, to, head)?;
        if from > to {
            let message = format!("revision {from} is not before revision {to}");
            return Err(Refusal::new(ErrorCode::BadArgument, message));
        }
        follow(store.as_ref(), log, from, to)
    })
    .await?;
    let text = asked.context.assistant.assist.summarize(&summary).await.value;
    let facts = serde_json::to_string(&summary)
        .map_err(|error| Refusal::new(ErrorCode::Internal, format!("the summary cannot be encoded: {error}")))?;
    Ok(Answer::Summary { text, facts })
}

/// Follows a room from one revision to another.
fn follow(store: &dyn Store, log: LogId, from: Revision, to: Revision) -> Result<Summary, Refusal> {
    let mut state = history::state_at(store, log, Some(from))?.state;
    let mut summarizer = Summarizer::new(from, state.text().rope());
    let mut messages = VecDeque::new();
    'span: while state.revision() < to {
        let wanted = usize::try_from(to - state.revision()).unwrap_or(usize::MAX);
        let page = history::read_after(store, log, state.revision(), wanted)?;
        if page.is_empty() {
            return Err(Refusal::new(ErrorCode::RoomDamaged, "the log ends before its head"));
        }
        for (entry, _) in page {
            let wrong = |error: String| Refusal::new(ErrorCode::RoomDamaged, error);
            if summarizer.take(&entry).map_err(|error| wrong(error.to_string()))?.is_some() {
                break 'span;
            }
            state.fold(&entry).map_err(|error| wrong(error.to_string()))?;
            if let Some(message) = said(entry) {
                if messages.len() >= MESSAGES_MAX {
                    messages.pop_front();
                }
                messages.push_back(message);
            }
        }
    }
    Ok(summarizer.finish(&around(&state, messages)))
}

/// The chat message that an entry is, if it is one.
fn said(entry: Entry) -> Option<Message> {
    let Command::Chat(command) = entry.command else { return None };
    let ChatCommand::Say { text, .. } = *command else { return None };
    Some(Message { participant: entry.participant, time_ms: entry.time_ms, text })
}

/// What a summary says besides the edits: the messages, the names of those who took part, and the comments that are open.
fn around(state: &RoomState, messages: VecDeque<Message>) -> Around {
    let mut around = Around { messages: messages.into(), ..Around::default() };
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
    around
}
