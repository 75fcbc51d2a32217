//! Entity tags of texts (RFC 9110, section 8.8.3): the revision, and the log that it is of, since a room that is deleted
//! and made again counts from 1 again.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use motet_protocol::{error::ErrorCode, ids::Revision};

use crate::{refusal::Refusal, store::LogId};

/// The tag of a text: `"17-0193c2a4d1e50f7b"`.
pub fn tag(revision: Revision, log: LogId) -> String {
    format!("\"{revision}-{log}\"")
}

/// The tag as a header's value.
pub fn value(revision: Revision, log: LogId) -> HeaderValue {
    HeaderValue::try_from(tag(revision, log)).expect("digits, a hyphen and quotes are visible ASCII")
}

/// Whether a header that lists tags (`If-None-Match`) names this one, or `*`. Weak tags count as strong ones (RFC 9110,
/// section 13.1.2).
pub fn lists(headers: &HeaderMap, name: HeaderName, tag: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
}

/// The revision that `If-Match` names: one tag, with or without the log; none for no such header and for `*`, which every
/// text matches.
///
/// # Errors
///
/// `bad_argument` for what is no tag of a text or more than one, `precondition_failed` for a tag of another log.
pub fn base(headers: &HeaderMap, log: LogId) -> Result<Option<Revision>, Refusal> {
    let mut values = headers.get_all(header::IF_MATCH).into_iter();
    let (Some(value), second) = (values.next(), values.next()) else { return Ok(None) };
    let bad = || {
        let words = "If-Match names the one text that the change was made from, by its ETag: \"17-0193c2a4d1e50f7b\"";
        Refusal::new(ErrorCode::BadArgument, words)
    };
    let text = value.to_str().ok().filter(|_| second.is_none()).ok_or_else(bad)?.trim();
    if text == "*" {
        return Ok(None);
    }
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(bad)?;
    let (revision, of) = match text.split_once('-') {
        Some((revision, of)) => (revision, Some(of)),
        None => (text, None),
    };
    if of.is_some_and(|of| of != log.to_string()) {
        let words = "the text that this was made from was of another room of this name, which is gone; read it anew";
        return Err(Refusal::new(ErrorCode::PreconditionFailed, words));
    }
    revision.parse().map(Some).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_tag_of_another_room_of_the_same_name_is_told() {
        let log = LogId(7);
        let base = |values: &[&str]| base(&headers(header::IF_MATCH, values), log);
        assert_eq!(base(&[]), Ok(None));
        assert_eq!(base(&["*"]), Ok(None));
        assert_eq!(base(&["\"12\""]), Ok(Some(12)));
        assert_eq!(base(&[&tag(12, log)]), Ok(Some(12)));
        assert_eq!(base(&[&tag(12, LogId(8))]).unwrap_err().code, ErrorCode::PreconditionFailed);
        for bad in [&["12"][..], &["\"x\""], &["\"1\", \"2\""], &["\"-1\""], &["\"1\"", "\"2\""], &[""]] {
            assert!(base(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_that_the_client_has_is_found_in_its_list() {
        let tag = tag(12, LogId(7));
        let lists = |values: &[&str]| lists(&headers(header::IF_NONE_MATCH, values), header::IF_NONE_MATCH, &tag);
        assert!(lists(&["\"a\", W/\"12-0000000000000007\""]) && lists(&["*"]) && lists(&["\"a\"", &tag]));
        assert!(!lists(&[]) && !lists(&["\"12\""]));
    }
}
