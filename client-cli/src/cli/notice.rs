//! What a command says on standard error, besides its output. If standard error is closed, the command goes on.

use std::{
    fmt::Display,
    io::{self, Write},
};

use super::{
    Failure,
    foreign::{Escaped, write_json},
};
use motet_client::room::{Event, Events};

/// Says something that is no failure.
pub(crate) fn say(json: bool, message: impl Display) {
    let mut to = io::stderr().lock();
    let _ = match json {
        true => write_json(&mut to, &serde_json::json!({ "notice": message.to_string() })),
        false => writeln!(to, "motet: {}", Escaped(message)),
    };
}

/// Prints a number on a line of its own, for scripts that read the output and the number apart.
pub(crate) fn number(number: u64) {
    let _ = writeln!(io::stderr().lock(), "{number}");
}

/// Says how the command failed, and what to do about it.
pub(crate) fn say_failure(json: bool, failure: &Failure) {
    let mut to = io::stderr().lock();
    if json {
        let error = serde_json::json!({ "code": failure.word(), "message": failure.to_string() });
        let _ = write_json(&mut to, &serde_json::json!({ "error": error }));
        return;
    }
    let _ = writeln!(to, "motet: {}", Escaped(failure));
    if let Some(advice) = failure.advice() {
        let _ = writeln!(to, "       {advice}");
    }
}

/// Says that the server has put something off for a while.
pub(crate) fn say_put_off(json: bool, why: impl Display) {
    say(json, format_args!("the server cannot take this now ({why}); it is tried again"));
}

/// Takes the events of a room that its command has no other use for: it says, once, when the server puts something off.
pub(crate) fn only_put_off(mut events: Events, json: bool) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Event::PutOff { error } = event {
                return say_put_off(json, error);
            }
        }
    });
}
