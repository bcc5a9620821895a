//! Datetimes as Python's `datetime.fromisoformat` reads and `isoformat` writes them.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc, Weekday,
};

/// Reads what Python (3.11 and newer) reads: the formats of ISO 8601 except ordinal dates, with any one
/// character between date and time. A text without an offset is
/// taken as UTC. `None` if it is anything else.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    if !text.is_ascii() {
        return parse_with_odd_separator(text);
    }
    let date_length = date_length(text)?;
    let date = parse_date(&text[..date_length])?;
    let Some(rest) = text
        .get(date_length + 1..)
        .filter(|_| text.len() > date_length)
    else {
        return (text.len() == date_length).then(|| date.and_time(NaiveTime::MIN).and_utc());
    };
    parse_time(date, rest)
}

/// Only the separator between date and time may lie outside of ASCII.
fn parse_with_odd_separator(text: &str) -> Option<DateTime<Utc>> {
    let (at, separator) = text
        .char_indices()
        .find(|(_, character)| !character.is_ascii())?;
    let rest = &text[at + separator.len_utf8()..];
    let plain = format!("{}T{rest}", &text[..at]);
    (plain.is_ascii() && date_length(&plain)? == at)
        .then(|| parse(&plain))
        .flatten()
}

/// Where the date ends: told by its form, because any character may follow.
fn date_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let dashed = bytes.get(4) == Some(&b'-');
    let week = bytes.get(if dashed { 5 } else { 4 }) == Some(&b'W');
    let digits_from = |at: usize| {
        bytes
            .iter()
            .skip(at)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let length = match (dashed, week) {
        (true, false) => 10,
        (true, true) => {
            if bytes.get(8) == Some(&b'-') && digits_from(9) > 0 {
                10
            } else {
                8
            }
        }
        (false, false) => 8,
        // YYYYWww, with a day if the digits or what follows them leave no other reading.
        (false, true) => {
            if digits_from(5) >= 3 && digits_from(5) != 4 {
                8
            } else {
                7
            }
        }
    };
    (length <= bytes.len()).then_some(length)
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let compact: String = text.chars().filter(|character| *character != '-').collect();
    let year = number(compact.get(..4)?)?.try_into().ok()?;
    if year < 1 {
        return None;
    }
    if let Some(week) = compact.get(4..)?.strip_prefix('W') {
        let day = if week.len() > 2 {
            number(week.get(2..)?)?
        } else {
            1
        };
        let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, number(week.get(..2)?)?, weekday);
    }
    let well_formed =
        compact.len() == 8 && (text.len() == 8 || text.as_bytes().get(7) == Some(&b'-'));
    well_formed.then_some(())?;
    NaiveDate::from_ymd_opt(
        year,
        number(compact.get(4..6)?)?,
        number(compact.get(6..8)?)?,
    )
}

fn parse_time(date: NaiveDate, text: &str) -> Option<DateTime<Utc>> {
    let zone_at = text.find(['+', '-', 'Z']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let (seconds, micros) = parse_clock(clock)?;
    let naive = date.and_time(NaiveTime::MIN)
        + TimeDelta::seconds(seconds)
        + TimeDelta::microseconds(micros);
    naive_at(naive, zone)
}

fn naive_at(naive: NaiveDateTime, zone: &str) -> Option<DateTime<Utc>> {
    let offset = match zone.as_bytes().first() {
        None => TimeDelta::zero(),
        Some(b'Z') => (zone.len() == 1).then(TimeDelta::zero)?,
        Some(sign) => {
            let (seconds, micros) = parse_clock(&zone[1..])?;
            let offset = TimeDelta::seconds(seconds) + TimeDelta::microseconds(micros);
            if *sign == b'-' { -offset } else { offset }
        }
    };
    Some(naive.checked_sub_signed(offset)?.and_utc())
}

/// `HH[:MM[:SS[.ffffff]]]`, with colons or without: seconds of the day, and microseconds.
fn parse_clock(text: &str) -> Option<(i64, i64)> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<&str> = if whole.contains(':') {
        whole.split(':').collect()
    } else {
        (0..whole.len())
            .step_by(2)
            .map(|at| whole.get(at..at + 2))
            .collect::<Option<_>>()?
    };
    if parts.is_empty() || parts.len() > 3 || parts.iter().any(|part| part.len() != 2) {
        return None;
    }
    let part = |index: usize| parts.get(index).map_or(Some(0), |part| number(part));
    let time = NaiveTime::from_hms_opt(part(0)?, part(1)?, part(2)?)?;
    let micros = match fraction {
        None => 0,
        // After hours or minutes too: Python reads these digits as fractions of a second all the same.
        Some(fraction) => parse_fraction(fraction)?,
    };
    Some((i64::from(time.num_seconds_from_midnight()), micros))
}

/// Microseconds; further digits are cut off.
fn parse_fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<6.6}").parse().ok()
}

fn number(digits: &str) -> Option<u32> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Writes as `datetime.isoformat()` does for an aware datetime.
pub fn format(date: DateTime<Utc>) -> String {
    let date = date.with_timezone(&FixedOffset::east_opt(0).expect("zero is an offset"));
    let pattern = if date.nanosecond() / 1000 == 0 {
        "%Y-%m-%dT%H:%M:%S%:z"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f%:z"
    };
    date.format(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Option<String> {
        parse(text).map(format)
    }

    #[test]
    fn reads_the_forms_of_iso_8601() {
        for (text, expected) in [
            ("2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00"),
            ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00+00:00"),
            ("2030-01-01 00:00", "2030-01-01T00:00:00+00:00"),
            ("2030-01-01", "2030-01-01T00:00:00+00:00"),
            ("20300101T123456.5", "2030-01-01T12:34:56.500000+00:00"),
            (
                "2030-01-01T12:34:56,1234567",
                "2030-01-01T12:34:56.123456+00:00",
            ),
            ("2030-01-01T12-0330", "2030-01-01T15:30:00+00:00"),
            (
                "2030-01-01T00:00:00+05:30:15.5",
                "2029-12-31T18:29:44.500000+00:00",
            ),
            ("2030-W01-2T01", "2030-01-01T01:00:00+00:00"),
            ("2030W012T01", "2030-01-01T01:00:00+00:00"),
            ("2030W01", "2029-12-31T00:00:00+00:00"),
            ("2030-01-01€01:02", "2030-01-01T01:02:00+00:00"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "2030",
            "2030-13-01",
            "2030-1-1",
            "2030-01-01T",
            "2030-01-01T25:00",
            "2030-01-01T1:00",
            "2030-01-01T00:00:00.",
            "2030-01-01T00:00:00+",
            "2030-01-01T00:00:00+aa:00",
            "0000-01-01",
            "2030-01-01T00:00:00ZZ",
            "tomorrow",
            "2030-W54-1",
            "2030-W01-9",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -60_000_000_000i64..250_000_000_000, micros in 0u32..1_000_000) {
            let date = DateTime::from_timestamp(seconds, micros * 1000).unwrap();
            prop_assert_eq!(parse(&format(date)), Some(date));
        }

        #[test]
        fn never_panics(text in "\\PC{0,32}", near in "[0-9W:T+Z., -]{0,32}") {
            let _ = (parse(&text), parse(&near));
        }
    }
}
