//! Times as people read them, in UTC.

use motet_protocol::ids::UnixMs;

/// `2026-07-01 12:00`.
pub(super) fn minute(time_ms: UnixMs) -> String {
    format!("{} {}", day(time_ms), clock(time_ms))
}

/// `2026-07-01`.
pub(super) fn day(time_ms: UnixMs) -> String {
    let (year, month, day) = date_of_days(time_ms / 86_400_000);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `12:00`.
pub(super) fn clock(time_ms: UnixMs) -> String {
    let minutes = time_ms / 60_000 % (24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// From one time to another, without saying the same day twice.
pub(super) fn from_to(first_ms: UnixMs, last_ms: UnixMs) -> String {
    match (minute(first_ms) == minute(last_ms), day(first_ms) == day(last_ms)) {
        (true, _) => minute(first_ms),
        (_, true) => format!("{} to {}", minute(first_ms), clock(last_ms)),
        _ => format!("{} to {}", minute(first_ms), minute(last_ms)),
    }
}

/// The date of a day since 1970-01-01 (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days`).
fn date_of_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * era + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(minute(0), "1970-01-01 00:00");
        assert_eq!(minute(951_827_696_000), "2000-02-29 12:34");
        assert_eq!(minute(1_740_787_199_999), "2025-02-28 23:59");
        assert_eq!(day(4_107_542_400_000), "2100-03-01");
        assert!(minute(UnixMs::MAX).ends_with(":25"));
    }

    #[test]
    fn a_span_of_time_says_a_day_once() {
        let noon = 951_825_600_000;
        assert_eq!(from_to(noon, noon + 59_999), "2000-02-29 12:00");
        assert_eq!(from_to(noon, noon + 3_600_000), "2000-02-29 12:00 to 13:00");
        assert_eq!(from_to(noon, noon + 86_400_000), "2000-02-29 12:00 to 2000-03-01 12:00");
    }
}
