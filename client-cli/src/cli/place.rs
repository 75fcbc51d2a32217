//! Places in a room's history, as people type them for the HTTP API.

use std::{convert::Infallible, fmt, str::FromStr};

use motet_protocol::message::At;

use super::{at, output::time_of};

/// A revision (`17`), a time (`2026-07-01T12:00:00Z`, RFC 3339), how long ago (`10m`, `2h ago`), `head`, or the name of a
/// version (`draft`; `version:17` for a name that reads as something else). Kept as the API has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(String);

impl Place {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is nothing else is a name; the server knows which there are.
impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(match at::parse(text) {
            _ if text.starts_with("version:") => text.to_owned(),
            Ok(At::Revision(revision)) => revision.to_string(),
            Ok(At::Time(ms)) => time_of(ms),
            Ok(At::Head) => "head".to_owned(),
            Err(_) => format!("version:{text}"),
        }))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix("version:") {
            Some(name) => write!(f, "version {name}"),
            None if self.0.bytes().all(|byte| byte.is_ascii_digit()) => write!(f, "revision {}", self.0),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_people_type_them_become_those_of_the_api() {
        for (typed, asked) in [
            ("17", "17"),
            ("head", "head"),
            ("2026-07-01", "2026-07-01T00:00:00.000Z"),
            ("draft", "version:draft"),
            ("version:17", "version:17"),
            ("my second draft", "version:my second draft"),
        ] {
            assert_eq!(typed.parse::<Place>().unwrap().as_str(), asked);
        }
        assert!(!"10m".parse::<Place>().unwrap().as_str().starts_with("version:"));
    }
}
