//! Whether a room's text stays as short as it must, found out before anything of an edit is sent.

use motet_protocol::{
    client::{Client, Outgoing},
    error::ErrorCode,
    limits::Limits,
    message::Command,
    ot::{Component, Operation},
};
use ropey::Rope;

use crate::error::{Error, ErrorKind};

/// Whether the text may become what an edit that fits it makes of it. A long edit goes in pieces: where one of them is
/// refused, those before it stay without the rest.
///
/// # Errors
///
/// `text_too_large`, as the server would say it.
pub(super) fn check(text: &Rope, operation: &Operation, limits: &Limits) -> Result<(), Error> {
    let most = limits.text_bytes_max;
    if operation.inserted_bytes() == 0 || (text.len_bytes() + operation.inserted_bytes()) as u64 <= most {
        return Ok(());
    }
    let bytes = bytes_after(text, operation);
    if bytes as u64 > most {
        return Err(too_large(format!("the text would have {bytes} bytes; {most} are allowed in a room")));
    }
    // What is deleted goes first, as far as the components of one piece allow; only beyond that a text grows before it
    // shrinks.
    if operation.component_count() <= limits.operation_components_max as usize / 2 {
        return Ok(());
    }
    let bytes = longest_on_the_way(text.clone(), operation.clone(), limits)?;
    if bytes as u64 > most {
        let message =
            format!("sent in pieces, the text would have {bytes} bytes on the way; {most} are allowed in a room");
        return Err(too_large(message + "; delete something of it before"));
    }
    Ok(())
}

fn too_large(message: String) -> Error {
    Error::new(ErrorKind::Refused(ErrorCode::TextTooLarge), message)
}

/// The most bytes that a text has after any of the pieces in which an edit is sent.
fn longest_on_the_way(mut text: Rope, operation: Operation, limits: &Limits) -> Result<usize, Error> {
    let mut client = Client::new(0, 0);
    client.set_limits(limits);
    let mut longest = 0;
    let mut next = client.edit(operation)?;
    while let Some(Outgoing { seq, base, command: Command::Edit(piece) }) = next {
        piece.apply_to_rope(&mut text)?;
        longest = longest.max(text.len_bytes());
        next = client.acknowledged(seq, base + 1).map_err(Error::bad_server)?;
    }
    Ok(longest)
}

/// How many bytes a text has after an operation that fits it.
fn bytes_after(text: &Rope, operation: &Operation) -> usize {
    let (mut at, mut bytes) = (0, text.len_bytes());
    for component in operation.components() {
        match component {
            Component::Retain(n) => at += n as usize,
            Component::Insert(inserted) => bytes += inserted.len(),
            Component::Delete(n) => {
                let end = at + n as usize;
                bytes -= text.char_to_byte(end) - text.char_to_byte(at);
                at = end;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str, operation: &Operation, text_bytes_max: u64) -> Option<ErrorKind> {
        let limits = Limits { text_bytes_max, edit_bytes_max: 4, operation_components_max: 12, ..Limits::default() };
        check(&text.into(), operation, &limits).err().map(|error| error.kind())
    }

    const TOO_LARGE: Option<ErrorKind> = Some(ErrorKind::Refused(ErrorCode::TextTooLarge));

    #[test]
    fn the_new_length_counts_in_bytes() {
        let operation = Operation::builder().delete(1).insert("abcd").retain(3).build().unwrap();
        assert_eq!(kind("ääää", &operation, 10), None);
        assert_eq!(kind("ääää", &operation, 9), TOO_LARGE);
    }

    #[test]
    fn a_text_that_is_too_long_already_can_be_made_shorter_and_not_longer() {
        let shorter = Operation::builder().delete(2).retain(8).build().unwrap();
        let other = Operation::builder().delete(2).insert("x").retain(8).build().unwrap();
        assert_eq!((kind("0123456789", &shorter, 5), kind("0123456789", &other, 5)), (None, TOO_LARGE));
    }

    /// What comes at the end of an edit of many changes makes no room for what comes at its beginning.
    #[test]
    fn a_text_may_not_be_too_long_on_the_way_either() {
        let each = |first: bool| {
            (0..20).fold(Operation::builder(), |operation, change| match (change < 10) == first {
                true => operation.retain(1).insert("ab"),
                false => operation.retain(1).delete(2),
            })
        };
        let text = "x".repeat(40);
        let grows_first = each(true).build().unwrap();
        assert_eq!((grows_first.base_len(), grows_first.target_len()), (40, 40));
        assert_eq!(kind(&text, &grows_first, 45), TOO_LARGE);
        assert_eq!(kind(&text, &grows_first, 60), None);
        let shrinks_first = each(false).build().unwrap();
        assert_eq!(kind(&text, &shrinks_first, 45), None);
    }
}
