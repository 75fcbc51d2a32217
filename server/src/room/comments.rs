//! The comments of a room, a part of its state: each is anchored to a range of the text, which every edit moves along.

use std::{collections::BTreeMap, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use motet_protocol::{
    access::{Member, Role},
    chat::Deleted,
    codec,
    comment::{Comment, CommentCommand, CommentItem},
    error::ErrorCode,
    ids::Revision,
    limits::{
        COMMENT_BYTES_MAX, COMMENT_ON_BYTES_MAX, COMMENTS_BYTES_MAX, COMMENTS_MAX, MESSAGE_BYTES_MAX, REPLIES_MAX,
    },
    ot::{Operation, Scalar},
};
use ropey::Rope;

use super::actor::{Actor, EntryMeta};
use crate::refusal::Refusal;

/// What a comment or a reply is counted as beside its texts, in bytes: more than its encoded form has.
const ITEM_BYTES: usize = 96;

/// The comments of a room at a revision. Cloning them costs next to nothing; a room without any pays nothing for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comments {
    /// Where each stands, by id; apart from what was said, which an edit leaves alone.
    anchors: Arc<Vec<Anchor>>,
    talks: Arc<BTreeMap<Revision, Arc<Talk>>>,
    /// The sum over all of [`Talk::bytes`].
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Anchor {
    comment: Revision,
    start: Scalar,
    end: Scalar,
}

#[derive(Clone, Debug, PartialEq)]
struct Talk {
    on: String,
    items: Vec<CommentItem>,
    resolved: Option<Deleted>,
}

impl Talk {
    fn bytes(&self) -> usize {
        ITEM_BYTES + self.on.len() + self.items.iter().map(item_bytes).sum::<usize>()
    }

    /// Replies that are there, and those that were taken away.
    fn replies(&self) -> usize {
        self.items.len().saturating_sub(1)
    }

    fn item_mut(&mut self, item: Revision) -> Option<&mut CommentItem> {
        self.items.iter_mut().find(|found| found.item == item)
    }
}

fn item_bytes(item: &CommentItem) -> usize {
    let account = item.author.account.as_ref().map_or(0, |account| account.as_str().len());
    ITEM_BYTES + item.text.len() + item.author.name.len() + account + mentions_bytes(&item.mentions)
}

fn mentions_bytes(mentions: &[Member]) -> usize {
    let bytes = |member: &Member| match member {
        Member::Account(account) => 4 + account.as_str().len(),
        Member::Participant(_) => 12,
    };
    mentions.iter().map(bytes).sum()
}

/// What a command would add to the comments, in bytes, at most.
fn added_bytes(command: &CommentCommand, actor: &Actor<'_>) -> usize {
    let who = motet_protocol::limits::NAME_BYTES_MAX + actor.account.map_or(0, |account| account.as_str().len());
    match command {
        CommentCommand::Open { text, mentions, .. } => {
            2 * ITEM_BYTES + COMMENT_ON_BYTES_MAX + text.len() + who + mentions_bytes(mentions)
        }
        CommentCommand::Reply { text, mentions, .. } => ITEM_BYTES + text.len() + who + mentions_bytes(mentions),
        CommentCommand::Rewrite { text, .. } => text.len(),
        CommentCommand::Delete { .. } | CommentCommand::Resolve { .. } | CommentCommand::Reopen { .. } => 0,
    }
}

/// The comment that a command is about, if it is about one that is there.
fn comment_of(command: &CommentCommand) -> Option<Revision> {
    match command {
        CommentCommand::Open { .. } => None,
        CommentCommand::Reply { comment, .. }
        | CommentCommand::Rewrite { comment, .. }
        | CommentCommand::Delete { comment, .. }
        | CommentCommand::Resolve { comment }
        | CommentCommand::Reopen { comment } => Some(*comment),
    }
}

/// Whether a text may be a message, a comment or a reply.
pub fn check_message(text: &str) -> Result<(), Refusal> {
    match text.len() {
        1..=MESSAGE_BYTES_MAX => Ok(()),
        0 => Err(Refusal::new(ErrorCode::BadArgument, "a message without words says nothing")),
        bytes => Err(Refusal::new(
            ErrorCode::BadArgument,
            format!("the message has {bytes} bytes; {MESSAGE_BYTES_MAX} are allowed"),
        )),
    }
}

impl Comments {
    /// Whether a command may be appended, for somebody who may comment at all, to a text of `text_len` scalars. `pending` are the commands that are ordered and
    /// not folded yet: what they will add counts as if it were there.
    pub fn check<'a>(
        &self,
        command: &CommentCommand,
        actor: &Actor<'_>,
        text_len: u64,
        pending: impl Iterator<Item = &'a CommentCommand> + Clone,
    ) -> Result<(), Refusal> {
        match command {
            CommentCommand::Open { start, end, text, .. } => {
                check_message(text)?;
                if start > end || end.0 > text_len {
                    let words = format!("{}..{} is no range of a text of {text_len} characters", start.0, end.0);
                    return Err(Refusal::new(ErrorCode::BadArgument, words));
                }
                let opened = pending.clone().filter(|command| comment_of(command).is_none()).count();
                if self.anchors.len() + opened >= COMMENTS_MAX {
                    return Err(limit(format!(
                        "a room has {COMMENTS_MAX} comments at most; delete some that are resolved"
                    )));
                }
            }
            CommentCommand::Reply { comment, text, .. } => {
                check_message(text)?;
                let talk = self.talk(*comment)?;
                let replied = pending.clone().filter(|command| is_reply_to(command, *comment)).count();
                if talk.replies() + replied >= REPLIES_MAX {
                    return Err(limit(format!("a comment has {REPLIES_MAX} replies at most; open another")));
                }
            }
            CommentCommand::Rewrite { comment, item, text } => {
                check_message(text)?;
                let item = self.item(*comment, *item)?;
                if !actor.is(item.participant, item.author.account.as_ref()) {
                    return Err(Refusal::new(ErrorCode::Forbidden, "only who said it may say it in other words"));
                }
            }
            CommentCommand::Delete { comment, item } => {
                let item = self.item(*comment, *item)?;
                if actor.role < Role::Host && !actor.is(item.participant, item.author.account.as_ref()) {
                    return Err(Refusal::new(ErrorCode::Forbidden, "only who said it, or a host, may take it away"));
                }
            }
            CommentCommand::Resolve { comment } | CommentCommand::Reopen { comment } => {
                self.talk(*comment)?;
            }
        }
        self.check_bytes(command, actor, pending)
    }

    fn check_bytes<'a>(
        &self,
        command: &CommentCommand,
        actor: &Actor<'_>,
        pending: impl Iterator<Item = &'a CommentCommand> + Clone,
    ) -> Result<(), Refusal> {
        let added = added_bytes(command, actor);
        if added == 0 {
            return Ok(());
        }
        let waiting: usize = pending.clone().map(|command| added_bytes(command, actor)).sum();
        if self.bytes + waiting + added > COMMENTS_BYTES_MAX {
            return Err(limit(format!("a room's comments have {COMMENTS_BYTES_MAX} bytes at most; delete some")));
        }
        if let Some(comment) = comment_of(command) {
            let same = pending.filter(|command| comment_of(command) == Some(comment));
            let waiting: usize = same.map(|command| added_bytes(command, actor)).sum();
            if self.talk(comment)?.bytes() + waiting + added > COMMENT_BYTES_MAX {
                return Err(limit(format!(
                    "a comment and its replies have {COMMENT_BYTES_MAX} bytes at most; open another"
                )));
            }
        }
        Ok(())
    }

    /// Takes the next entry that is about comments. `text` is the room's text at that revision. What is about a comment that
    /// is gone by now changes nothing: whether one may do it was decided when it was ordered.
    pub fn fold(&mut self, meta: EntryMeta<'_>, command: &CommentCommand, text: &Rope) {
        let done = Deleted { by: meta.participant, time_ms: meta.time_ms };
        match command {
            CommentCommand::Open { start, end, text: words, mentions } => {
                let end = Scalar(end.0.min(text.len_chars() as u64));
                let start = (*start).min(end);
                let talk = Talk {
                    on: beginning_of(text, start, end),
                    items: vec![item(meta, words, mentions)],
                    resolved: None,
                };
                self.bytes += talk.bytes();
                Arc::make_mut(&mut self.anchors).push(Anchor { comment: meta.revision, start, end });
                Arc::make_mut(&mut self.talks).insert(meta.revision, Arc::new(talk));
            }
            CommentCommand::Reply { comment, text, mentions } => {
                self.change(*comment, |talk| talk.items.push(item(meta, text, mentions)));
            }
            CommentCommand::Rewrite { comment, item, text } => self.change(*comment, |talk| {
                if let Some(found) = talk.item_mut(*item).filter(|item| item.deleted.is_none()) {
                    found.text.clone_from(text);
                    found.rewritten_ms = Some(meta.time_ms);
                }
            }),
            CommentCommand::Delete { comment, item } if comment == item => {
                if let Some(talk) = Arc::make_mut(&mut self.talks).remove(comment) {
                    self.bytes -= talk.bytes();
                    Arc::make_mut(&mut self.anchors).retain(|anchor| anchor.comment != *comment);
                }
            }
            CommentCommand::Delete { comment, item } => self.change(*comment, |talk| {
                if let Some(found) = talk.item_mut(*item).filter(|item| item.deleted.is_none()) {
                    (found.text, found.mentions) = (String::new(), Vec::new());
                    found.deleted = Some(done);
                }
            }),
            CommentCommand::Resolve { comment } => self.change(*comment, |talk| {
                talk.resolved.get_or_insert(done);
            }),
            CommentCommand::Reopen { comment } => self.change(*comment, |talk| talk.resolved = None),
        }
    }

    fn change(&mut self, comment: Revision, change: impl FnOnce(&mut Talk)) {
        if !self.talks.contains_key(&comment) {
            return;
        }
        if let Some(talk) = Arc::make_mut(&mut self.talks).get_mut(&comment) {
            let talk = Arc::make_mut(talk);
            self.bytes -= talk.bytes();
            change(talk);
            self.bytes += talk.bytes();
        }
    }

    /// Moves the comments along with an edit.
    pub fn map(&mut self, operation: &Operation) {
        if self.anchors.is_empty() {
            return;
        }
        let places = operation.shift();
        for anchor in Arc::make_mut(&mut self.anchors) {
            let range = places.map_range(anchor.start..anchor.end);
            (anchor.start, anchor.end) = (range.start, range.end);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// All of them by their place in the text; at the same place the older one first.
    pub fn list(&self) -> Vec<Comment> {
        let mut all: Vec<Comment> = self.by_id().collect();
        all.sort_by_key(|comment| (comment.start, comment.end, comment.comment));
        all
    }

    fn by_id(&self) -> impl Iterator<Item = Comment> {
        self.anchors.iter().zip(self.talks.values()).map(|(Anchor { comment, start, end }, talk)| {
            let Talk { on, items, resolved } = talk.as_ref().clone();
            Comment { comment: *comment, start: *start, end: *end, on, items, resolved }
        })
    }

    /// As snapshots hold them: one frame each.
    pub fn encode(&self) -> Bytes {
        let mut buffer = BytesMut::with_capacity(self.bytes);
        for comment in self.by_id() {
            codec::frame_into(&comment, &mut buffer);
        }
        buffer.freeze()
    }

    /// Reads what [`encode`](Self::encode) wrote. Takes any bytes; the text says what is wrong with them.
    pub fn decode(mut frames: &[u8]) -> Result<Self, String> {
        let (mut anchors, mut talks, mut bytes) = (Vec::new(), BTreeMap::new(), 0);
        while !frames.is_empty() {
            let length = frames.try_get_u32().map_err(|error| error.to_string())? as usize;
            let frame = frames.get(..length).ok_or("a comment is cut off")?;
            let Comment { comment, start, end, on, items, resolved } =
                codec::decode(frame).map_err(|error| error.to_string())?;
            frames.advance(length);
            let talk = Talk { on, items, resolved };
            bytes += talk.bytes();
            anchors.push(Anchor { comment, start, end });
            if talks.insert(comment, Arc::new(talk)).is_some() || !anchors.is_sorted_by_key(|anchor| anchor.comment) {
                return Err("the comments are out of order".to_owned());
            }
        }
        Ok(Self { anchors: Arc::new(anchors), talks: Arc::new(talks), bytes })
    }

    fn talk(&self, comment: Revision) -> Result<&Talk, Refusal> {
        let found = self.talks.get(&comment).map(AsRef::as_ref);
        found.ok_or_else(|| Refusal::new(ErrorCode::NotFound, format!("there is no comment {comment}")))
    }

    fn item(&self, comment: Revision, item: Revision) -> Result<&CommentItem, Refusal> {
        let mut items = self.talk(comment)?.items.iter();
        let found = items.find(|found| found.item == item && found.deleted.is_none());
        found.ok_or_else(|| {
            Refusal::new(ErrorCode::NotFound, format!("there is no reply {item} to the comment {comment}"))
        })
    }
}

fn is_reply_to(command: &CommentCommand, to: Revision) -> bool {
    matches!(command, CommentCommand::Reply { comment, .. } if *comment == to)
}

fn limit(words: String) -> Refusal {
    Refusal::new(ErrorCode::LimitReached, words)
}

fn item(meta: EntryMeta<'_>, text: &str, mentions: &[Member]) -> CommentItem {
    CommentItem {
        item: meta.revision,
        participant: meta.participant,
        author: meta.author.clone(),
        time_ms: meta.time_ms,
        text: text.to_owned(),
        mentions: mentions.to_vec(),
        rewritten_ms: None,
        deleted: None,
    }
}

/// As much of a range's text as is kept with a comment on it.
fn beginning_of(text: &Rope, start: Scalar, end: Scalar) -> String {
    let mut on = String::new();
    let (start, end) = (start.0 as usize, end.0 as usize);
    for letter in text.slice(start..end).chars() {
        if on.len() + letter.len_utf8() > COMMENT_ON_BYTES_MAX {
            break;
        }
        on.push(letter);
    }
    on
}

#[cfg(test)]
mod tests;
