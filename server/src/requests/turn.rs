//! Credentials of the TURN server for calls.

use motet_protocol::{error::ErrorCode, message::Answer};

use super::Asked;
use crate::{clock::now_ms, refusal::Refusal};

pub(super) fn credentials(asked: &Asked) -> Result<Answer, Refusal> {
    let turn = asked.context.settings.turn.as_ref().ok_or_else(|| {
        let message = "this server has no TURN server for calls (--turn-url, --turn-secret-file)";
        Refusal::new(ErrorCode::NotConfigured, message)
    })?;
    Ok(turn.credentials(asked.caller.participant, now_ms()))
}
