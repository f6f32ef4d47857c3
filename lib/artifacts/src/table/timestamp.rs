//! Points in time as ISO 8601 text.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

const NANOSECONDS: f64 = 1e9;
const MICROSECONDS: f64 = 1e6;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The seconds since 1970-01-01T00:00:00Z of a date `2024-05-31`, or of a date and time `2024-05-31T12:00:00.5+09:00`
/// with a `T` or a space between them. Without an offset the time is UTC. `None` for any other text.
pub(super) fn parse(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let begins = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    if !(begins && digits(0..4) && digits(5..7) && digits(8..10)) {
        return None;
    }
    if let Some(seconds) = plain(bytes) {
        return Some(seconds);
    }
    // Civil arithmetic, because a `Timestamp` ends before 9999-12-31, which many tables use for "for ever".
    let since = match bytes.get(10) {
        None => text.parse::<Date>().ok()?.at(0, 0, 0, 0).duration_since(EPOCH),
        Some(b'T' | b' ') if bytes.len() >= 16 => {
            // `DateTime` would read over an offset.
            let has_offset = bytes[16..].iter().any(|byte| matches!(byte, b'+' | b'-' | b'['));
            let local = || text.strip_suffix('Z').unwrap_or(text).parse::<DateTime>().ok();
            if has_offset { text.parse::<Timestamp>().ok()?.as_duration() } else { local()?.duration_since(EPOCH) }
        }
        Some(_) => return None,
    };
    // The parts are added as numbers, so that whole seconds are exact.
    Some(since.as_secs() as f64 + f64::from(since.subsec_nanos()) / NANOSECONDS)
}

/// The seconds of a date, or of a date and a time without fraction and offset, which is how most tables write them; `None`
/// for every other text, even if it is a point in time.
fn plain(text: &[u8]) -> Option<f64> {
    let number = |from: usize, count: usize| {
        let digits = text.get(from..from + count)?;
        let value = |sum, byte: &u8| if byte.is_ascii_digit() { Some(10 * sum + i64::from(byte - b'0')) } else { None };
        digits.iter().try_fold(0, value)
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    let (hour, minute, second) = match *text.get(10..)? {
        [] => (0, 0, 0),
        [b'T' | b' ', _, _, b':', _, _] => (number(11, 2)?, number(14, 2)?, 0),
        [b'T' | b' ', _, _, b':', _, _, b':', _, _] | [b'T' | b' ', _, _, b':', _, _, b':', _, _, b'Z'] => {
            (number(11, 2)?, number(14, 2)?, number(17, 2)?)
        }
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years that begin in March have their leap day at the end; 153 days are five months from March on.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 719_469;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) as f64)
}

/// The point in time as text that [`parse`] reads, to the microsecond, which is about what an `f64` of seconds holds in
/// our time; `None` outside the years 0 to 9999.
pub(super) fn show(seconds: f64) -> Option<String> {
    let whole = seconds.floor();
    if whole.abs() > 1e12 || !seconds.is_finite() {
        return None;
    }
    let microseconds = ((seconds - whole) * MICROSECONDS).round();
    let (whole, microseconds) = if microseconds >= MICROSECONDS { (whole + 1.0, 0.0) } else { (whole, microseconds) };
    let time = EPOCH.checked_add(SignedDuration::new(whole as i64, microseconds as i32 * 1000)).ok()?;
    (time.year() >= 0).then(|| format!("{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_seconds() {
        assert_eq!(parse("1970-01-01"), Some(0.0));
        assert_eq!(parse("1970-01-01T00:01"), Some(60.0));
        assert_eq!(parse("1970-01-01 00:00:01.5"), Some(1.5));
        assert_eq!(parse("1970-01-01T09:00:00+09:00"), Some(0.0));
        assert_eq!(parse("1969-12-31T23:59:59Z"), Some(-1.0));
        assert_eq!(parse("1970-01-01 00:00:00Z"), Some(0.0));
        assert_eq!(parse("1970-01-01T00:00-0100"), Some(3600.0));
        assert_eq!(parse("9999-12-31"), Some(253_402_214_400.0));
        assert_eq!(parse("1969-12-31T23:59:59.75"), Some(-0.25));
    }

    #[test]
    fn every_day_has_the_seconds_that_the_calendar_says() {
        let mut day = Date::constant(0, 1, 1);
        for _ in 0..10_000 * 36 {
            let text = day.to_string();
            let expected = day.at(0, 0, 0, 0).duration_since(EPOCH).as_secs() as f64;
            assert_eq!(plain(text.as_bytes()), Some(expected), "{text}");
            assert_eq!(plain(format!("{text} 13:14:15Z").as_bytes()), Some(expected + 47_655.0));
            let Ok(next) = day.checked_add(SignedDuration::from_hours(24 * 9 + 24)) else { break };
            day = next;
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-01-01T24:00",
            "2024-01-01 00:60",
        ] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_left() {
        for text in [
            "",
            "1970",
            "1970-01",
            "1970-13-01",
            "1970-02-30",
            "01-02-1970",
            "1970-01-01x",
            "1970-01-01T",
            "ü970-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_point_in_time_reads_back() {
        for seconds in [0.0, -1.0, 1.5, 1_700_000_000.123, -0.25, 253_402_300_799.0] {
            assert_eq!(parse(&show(seconds).unwrap()), Some(seconds));
        }
        assert_eq!(show(1_700_000_000.234_567).unwrap(), "2023-11-14T22:13:20.234567Z");
        assert_eq!(show(0.999_999_9).unwrap(), "1970-01-01T00:00:01Z");
        assert_eq!(show(1e15), None);
        assert_eq!(show(f64::INFINITY), None);
        assert_eq!(show(-1e11), None);
    }
}
