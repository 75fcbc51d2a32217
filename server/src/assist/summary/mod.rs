//! What happened in a span of a room's log: who wrote and removed how much and where, what was discussed, what is open.
//!
//! A [`Summarizer`] takes the entries of the span, one by one, so that nobody has to hold them all; what else is told comes
//! as [`Around`]. The [`Summary`] is a structure for programs and, by its `Display`, a text for people.

mod facts;
mod stretches;
mod summarizer;
mod text;
mod times;

pub use facts::{
    Around, Changes, Chat, Comment, LineRange, Message, OpenComments, Others, Person, Quote, Sitting, Span, Summary,
    TextChange,
};
pub use summarizer::{Full, SpanError, Summarizer};
