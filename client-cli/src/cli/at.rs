//! Places in a room's history, as people type them.

use std::time::{SystemTime, UNIX_EPOCH};

use motet_protocol::{ids::UnixMs, message::At, time};

/// What `--at` takes: a revision (`17`), a time (`2026-07-01T12:00:00Z`, RFC 3339), or how long ago (`10m`, `2h ago`).
pub(crate) fn parse(text: &str) -> Result<At, String> {
    let text = text.trim();
    if let Ok(revision) = text.parse() {
        return Ok(At::Revision(revision));
    }
    if text == "head" {
        return Ok(At::Head);
    }
    if let Some(ago_ms) = duration_ms(text.strip_suffix("ago").unwrap_or(text).trim_end()) {
        return Ok(At::Time(now_ms().saturating_sub(ago_ms)));
    }
    time::parse_rfc3339(text).map(At::Time).ok_or_else(|| {
        format!("{text:?} is no revision and no time; write 17, 2026-07-01T12:00:00Z or 10m (units s, m, h, d)")
    })
}

pub(crate) fn now_ms() -> UnixMs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as UnixMs)
}

pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let (number, unit_ms) = units
        .iter()
        .find_map(|(unit, ms)| Some((text.strip_suffix(unit)?.trim_end(), ms)))
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))?;
    number.parse::<u64>().ok()?.checked_mul(*unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-07-01T12:00:00+02:00", 1_782_900_000_000),
            ("2026-07-01T12:00:00.5-00:30", 1_782_909_000_500),
            ("2026-07-01", 1_782_864_000_000),
        ] {
            assert_eq!(parse(text), Ok(At::Time(ms)), "{text}");
        }
        assert_eq!(super::super::output::time_of(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(parse("17"), Ok(At::Revision(17)));
        assert_eq!(parse("head"), Ok(At::Head));
    }

    #[test]
    fn how_long_ago() {
        for (text, ago_ms) in [("10m", 600_000), ("2h ago", 7_200_000), ("3 d", 259_200_000), ("0s", 0)] {
            let Ok(At::Time(ms)) = parse(text) else { panic!("{text}") };
            assert!(now_ms() - ms - ago_ms < 1_000, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "-5",
            "2026-02-30",
            "2026-13-01",
            "2026-07-01T25:00:00Z",
            "2026-07-01T12:00:00",
            "m",
            "1.5h",
            "2026-07-01T12:00:00+2",
            "99999999999999999999d",
            "2026-07-01T12:00:00.Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
