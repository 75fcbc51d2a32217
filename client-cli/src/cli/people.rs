//! How people are shown, and how a command waits for what it did.

use motet_client::room::Event;
use motet_protocol::{
    ids::{ParticipantId, Revision},
    room::Author,
};

use super::{Failure, foreign::one_line, notice};

/// The name of a participant: the author's name, else the account, else the first 8 digits of the participant.
pub(crate) fn name_of(participant: ParticipantId, author: &Author) -> String {
    match (&author.account, author.name.as_str()) {
        (None, "") => participant.to_string()[..8].to_owned(),
        (Some(account), "") => account.to_string(),
        (_, name) => one_line(name),
    }
}

/// What an event says of the one thing that was done: the revision that it became, or that it was not taken. None of others'
/// entries. That it has to wait is said to people.
pub(crate) fn outcome(event: Option<Event>, json: bool) -> Option<Result<Revision, Failure>> {
    match event {
        Some(Event::Acknowledged { revision, .. }) => Some(Ok(revision)),
        Some(Event::Refused { error, .. } | Event::Closed { error }) => Some(Err(error.into())),
        None => Some(Err(Failure::Failed("the client ended before it was known to be done".to_owned()))),
        Some(Event::PutOff { error }) => {
            notice::say_put_off(json, error);
            None
        }
        Some(_) => None,
    }
}
