//! Places in a room's history, as requests name them.

use motet_protocol::{error::ErrorCode, ids::Revision, message::At, time};

use crate::{refusal::Refusal, rooms::open::RoomHandle};

/// What stands before the name of a version.
const VERSION: &str = "version:";

/// What a place means in a room: `17`, `head`, `2026-07-01T12:00:00Z` (RFC 3339), `version:draft`.
///
/// # Errors
///
/// `bad_argument` for a text that is none of these, `not_found` for a version that the room does not have.
pub fn parse(text: &str, cell: &RoomHandle) -> Result<At, Refusal> {
    if let Some(name) = text.strip_prefix(VERSION) {
        let found = cell.with_state(|state| state.decided().versions.get(name).map(|version| version.revision));
        let missing = || Refusal::new(ErrorCode::NotFound, format!("there is no version named {name:?}"));
        return found.map(At::Revision).ok_or_else(missing);
    }
    if text == "head" {
        return Ok(At::Head);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a revision has is a revision that is not there.
        return Ok(At::Revision(text.parse().unwrap_or(Revision::MAX)));
    }
    time::parse_rfc3339(text).map(At::Time).ok_or_else(|| {
        let words =
            "a place in history is a revision (17), head, a time (2026-07-01T12:00:00Z) or a version (version:draft)";
        Refusal::new(ErrorCode::BadArgument, words)
    })
}
