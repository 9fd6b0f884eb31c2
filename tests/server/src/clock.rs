//! Writes the wall clock as ISO 8601.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present moment, as in `2025-11-23T01:34:05.678Z`.
pub fn iso_now() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    iso(since.as_secs(), since.subsec_millis())
}

fn iso(seconds: u64, millis: u32) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let second = seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The Gregorian date of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days` for days from then on.
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_right() {
        assert_eq!(iso(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(951_827_696, 7), "2000-02-29T12:34:56.007Z");
        assert_eq!(iso(1_735_689_599, 999), "2024-12-31T23:59:59.999Z");
        assert_eq!(iso(4_107_542_400, 0), "2100-03-01T00:00:00.000Z");
    }
}
