//! Places in a room's history, as people type them.

use std::time::{SystemTime, UNIX_EPOCH};

use motet_protocol::{ids::UnixMs, message::At};

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
    rfc3339_ms(text).map(At::Time).ok_or_else(|| {
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

/// `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)`; the time of day may be left out and is midnight in UTC then.
fn rfc3339_ms(text: &str) -> Option<UnixMs> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, "00:00:00Z"),
    };
    let mut date = date.split('-');
    let (year, month, day) = (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
    if date.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_of_date(year, month, day);
    if date_of_days(days) != (year, month, day) {
        return None;
    }
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.split(':');
    let (hour, minute, second) = (number(clock.next()?, 2)?, number(clock.next()?, 2)?, number(clock.next()?, 2)?);
    if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms = format!("{fraction:0<3}")[..3].parse::<i64>().ok()?;
    let zone_minutes = match zone {
        "Z" | "z" => 0,
        zone => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = number(hours, 2)? * 60 + number(minutes, 2)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let seconds = days * 86_400 + hour * 3_600 + (minute - zone_minutes) * 60 + second;
    u64::try_from(seconds * 1_000 + ms).ok()
}

fn number(digits: &str, length: usize) -> Option<i64> {
    (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`).
fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other way round (`civil_from_days`).
pub(crate) fn date_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
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
