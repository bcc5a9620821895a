//! Django's text form of moments on SQLite: `YYYY-MM-DD HH:MM:SS[.ffffff]`, UTC, six digits or none.
//!
//! Mirrors `adapt_datetimefield_value` and `convert_datetimefield_value` of
//! `django.db.backends.sqlite3.operations`.

use std::ops::RangeInclusive;

use crate::isoformat;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};

/// Cuts off what is finer than a microsecond, as every column would.
pub fn truncate(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment
        .with_nanosecond(moment.nanosecond() % 1_000_000_000 / 1_000 * 1_000)
        .unwrap_or(moment)
}

/// Whether Python can hold it: years 1 to 9999. Others are refused on every database alike.
pub fn in_range(moment: DateTime<Utc>) -> bool {
    (1..=9999).contains(&moment.year())
}

/// The text that Django stores.
///
/// Years outside of 0001 to 9999 do not exist in Python and give `None`: their text would not sort.
pub fn format(moment: DateTime<Utc>) -> Option<String> {
    if !in_range(moment) {
        return None;
    }
    let m = truncate(moment).naive_utc();
    let mut text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        m.year(),
        m.month(),
        m.day(),
        m.hour(),
        m.minute(),
        m.second()
    );
    let micros = m.nanosecond() / 1_000;
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    Some(text)
}

/// Reads the stored text as Django's `parse_datetime` does: what it writes itself, any form of ISO 8601
/// that Python reads, and numbers of fewer digits. Without an offset it is UTC.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    usual(text)
        .or_else(|| isoformat::parse(text))
        .or_else(|| lenient(text))
}

/// `YYYY-MM-DD[ HH:MM[:SS[.ffffff]][offset]]`, which is what is there.
fn usual(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    let year = i32::try_from(digits(bytes, 0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(
        (year > 0).then_some(year)?,
        separated(bytes, 4, b"-")?,
        separated(bytes, 7, b"-")?,
    )?;
    if bytes.len() == 10 {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc());
    }
    let hour = separated(bytes, 10, b" T")?;
    let minute = separated(bytes, 13, b":")?;
    let (second, at) = match bytes.get(16) {
        Some(b':') => (digits(bytes, 17, 2)?, 19),
        _ => (0, 16),
    };
    let (micros, at) = fraction(bytes, at)?;
    let offset = offset(bytes.get(at..)?)?;
    let naive: NaiveDateTime = date.and_hms_micro_opt(hour, minute, second, micros)?;
    naive
        .and_utc()
        .checked_sub_signed(TimeDelta::seconds(offset))
}

/// What Python refuses and Django takes all the same: one digit instead of two, blanks before the offset.
fn lenient(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut parts = date.split('-');
    let year = i32::try_from(short(parts.next()?, 4..=4)?).ok()?;
    let (month, day) = (two(parts.next()?)?, two(parts.next()?)?);
    let at = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ',')));
    let (clock, zone) = rest.split_at(at.unwrap_or(rest.len()));
    let offset = offset(zone.trim_start().as_bytes())?;
    let (whole, micros) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, lenient_fraction(fraction)?),
        None => (clock, 0),
    };
    let times: Vec<&str> = whole.split(':').collect();
    let (hour, minute, second) = match times[..] {
        [hour, minute] if micros == 0 && whole == clock => (two(hour)?, two(minute)?, 0),
        [hour, minute, second] => (two(hour)?, two(minute)?, two(second)?),
        _ => return None,
    };
    let none_left = parts.next().is_none();
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| none_left && year > 0)?;
    let naive = date.and_hms_micro_opt(hour, minute, second, micros)?;
    naive
        .and_utc()
        .checked_sub_signed(TimeDelta::seconds(offset))
}

fn short(text: &str, length: RangeInclusive<usize>) -> Option<u32> {
    let fits = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

fn two(text: &str) -> Option<u32> {
    short(text, 1..=2)
}

/// At most twelve digits, of which six count.
fn lenient_fraction(digits: &str) -> Option<u32> {
    if digits.len() > 12 {
        return None;
    }
    short(&format!("{digits:0<6.6}"), 6..=6).filter(|_| short_digits(digits))
}

fn short_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn digits(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    bytes.get(at..at + count)?.iter().try_fold(0, |sum, b| {
        b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
    })
}

/// Two digits behind one of `marks`.
fn separated(bytes: &[u8], at: usize, marks: &[u8]) -> Option<u32> {
    marks
        .contains(bytes.get(at)?)
        .then(|| digits(bytes, at + 1, 2))?
}

/// Microseconds and where they end; digits after the sixth are cut off.
fn fraction(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    if !matches!(bytes.get(at), Some(b'.' | b',')) {
        return Some((0, at));
    }
    let count = bytes[at + 1..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let kept = count.min(6);
    if count == 0 {
        return None;
    }
    let micros = digits(bytes, at + 1, kept)? * 10_u32.pow(6 - kept as u32);
    Some((micros, at + 1 + count))
}

/// Seconds east of UTC.
fn offset(rest: &[u8]) -> Option<i64> {
    let sign = match rest.first() {
        None => return Some(0),
        Some(b'Z') if rest.len() == 1 => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let hours = digits(rest, 1, 2)?;
    let minutes = match rest.len() {
        3 => 0,
        5 => digits(rest, 3, 2)?,
        6 => separated(rest, 3, b":")?,
        _ => return None,
    };
    // Python takes any two digits for minutes, as long as the whole is less than a day.
    let minutes = hours * 60 + minutes;
    (minutes < 24 * 60).then(|| sign * i64::from(minutes * 60))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn six_digits_or_none() {
        let whole = Utc.with_ymd_and_hms(2026, 11, 3, 4, 5, 6).unwrap();
        assert_eq!(format(whole).unwrap(), "2026-11-03 04:05:06");
        let micros = whole + TimeDelta::nanoseconds(678_000_999);
        assert_eq!(format(micros).unwrap(), "2026-11-03 04:05:06.678000");
        assert_eq!(
            format(whole + TimeDelta::nanoseconds(999)).unwrap(),
            "2026-11-03 04:05:06"
        );
    }

    #[test]
    fn years_that_python_does_not_have_are_refused() {
        assert_eq!(format(DateTime::<Utc>::MAX_UTC), None);
        assert_eq!(
            format(Utc.with_ymd_and_hms(0, 1, 1, 0, 0, 0).unwrap()),
            None
        );
        let first = Utc.with_ymd_and_hms(1, 1, 1, 0, 0, 0).unwrap();
        assert_eq!(format(first).unwrap(), "0001-01-01 00:00:00");
    }

    #[test]
    fn other_forms_are_read() {
        let want = Utc.with_ymd_and_hms(2026, 11, 3, 4, 5, 6).unwrap();
        for text in [
            "2026-11-03 04:05:06",
            "2026-11-03T04:05:06Z",
            "2026-11-03 06:05:06+02:00",
            "2026-11-03 06:05:06+0200",
            "2026-11-02 23:05:06-05",
            "2026-11-03 04:05:06.0000009",
        ] {
            assert_eq!(parse(text), Some(want), "{text}");
        }
        assert_eq!(
            parse("2026-11-03"),
            Utc.with_ymd_and_hms(2026, 11, 3, 0, 0, 0).single()
        );
        assert_eq!(
            parse("2026-11-03 04:05:06.5"),
            Some(want + TimeDelta::milliseconds(500))
        );
    }

    #[test]
    fn broken_text_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-3",
            "2026-02-30",
            "2026-11-03 ",
            "2026-13-03 04:05:06",
            "2026-11-03 24:05:06",
            "2026-11-03 04:05:06.",
            "2026-11-03 04:05:06+",
            "2026-11-03 04:05:06 x",
            "2026-11-03 04:05:06é",
            "+026-11-03 04:05:06",
            "2026-11-03 04:05:06+99:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(seconds in -62_135_596_800_i64..253_402_300_800, micros in 0_u32..1_000_000) {
            let moment = DateTime::from_timestamp(seconds, micros * 1_000).unwrap();
            prop_assert_eq!(parse(&format(moment).unwrap()), Some(moment));
        }

        #[test]
        fn any_text_is_safe(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
