//! Questions that are under way, by number.

use std::collections::HashMap;

use motet_protocol::{
    comment::Comment,
    error::ErrorMessage,
    ids::RequestId,
    limits::{COMMENTS_MAX, REQUESTS_MAX},
    message::{Answer, ClientMessage, Question},
};
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind};

/// A question without its number, and where the answer goes.
pub(crate) struct Request {
    pub(crate) question: Question,
    /// Whether asking twice does what asking once does: then it is asked again after a lost connection.
    pub(crate) repeatable: bool,
    pub(crate) answer: oneshot::Sender<Result<Answer, Error>>,
}

impl Request {
    fn message(&self, request: RequestId) -> ClientMessage {
        ClientMessage::Ask { request, question: self.question.clone() }
    }
}

struct Pending {
    request: Request,
    /// The pieces of a text that have come.
    text: String,
    /// The comments that have come.
    comments: Vec<Comment>,
}

/// The questions under way.
#[derive(Default)]
pub(crate) struct Requests {
    next: RequestId,
    pending: HashMap<RequestId, Pending>,
}

impl Requests {
    /// Whether one more may be asked.
    pub(crate) fn has_room(&self) -> bool {
        self.pending.len() < REQUESTS_MAX
    }

    /// Takes a question; returns it with its number.
    pub(crate) fn start(&mut self, request: Request) -> ClientMessage {
        self.next = self.next.wrapping_add(1);
        let message = request.message(self.next);
        self.pending.insert(self.next, Pending { request, text: String::new(), comments: Vec::new() });
        message
    }

    /// Takes an answer, or a piece of one. Texts and lists of comments come out whole.
    pub(crate) fn answer(&mut self, number: RequestId, answer: Answer, text_bytes_max: u64) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
        let answer = match answer {
            Answer::Text { revision, text, last } => {
                if (pending.text.len() + text.len()) as u64 > text_bytes_max {
                    Err(Error::bad_server("a text is longer than it allows"))
                } else {
                    pending.text.push_str(&text);
                    if !last {
                        return;
                    }
                    Ok(Answer::Text { revision, text: std::mem::take(&mut pending.text), last })
                }
            }
            Answer::Comments { revision, comments, last } => {
                pending.comments.extend(comments);
                if pending.comments.len() > COMMENTS_MAX {
                    Err(Error::bad_server("a room has more comments than it may"))
                } else {
                    if !last {
                        return;
                    }
                    Ok(Answer::Comments { revision, comments: std::mem::take(&mut pending.comments), last })
                }
            }
            other => Ok(other),
        };
        self.finish(number, answer);
    }

    /// Takes an error.
    pub(crate) fn refuse(&mut self, number: RequestId, error: &ErrorMessage) {
        self.finish(number, Err(Error::refused(error)));
    }

    fn finish(&mut self, number: RequestId, answer: Result<Answer, Error>) {
        if let Some(pending) = self.pending.remove(&number) {
            // The caller may have stopped waiting.
            let _ = pending.request.answer.send(answer);
        }
    }

    /// The connection is gone: what may not be asked twice fails.
    pub(crate) fn lost(&mut self) {
        let once: Vec<RequestId> =
            self.pending.iter().filter(|(_, pending)| !pending.request.repeatable).map(|(number, _)| *number).collect();
        for number in once {
            let message = "the connection was lost before the answer came; look whether it was done";
            self.finish(number, Err(Error::new(ErrorKind::OutcomeUnknown, message)));
        }
    }

    /// What to ask again on a new connection.
    pub(crate) fn again(&mut self) -> Vec<ClientMessage> {
        let again = self.pending.iter_mut().map(|(number, pending)| {
            pending.text.clear();
            pending.comments.clear();
            pending.request.message(*number)
        });
        again.collect()
    }

    /// No answers come any more.
    pub(crate) fn fail(&mut self, error: &Error) {
        for (_, pending) in self.pending.drain() {
            let _ = pending.request.answer.send(Err(error.clone()));
        }
    }
}
