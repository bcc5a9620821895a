//! Moments as people write them: `django.forms.DateTimeField`.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::validators::ValidationError;

/// Django's `DATETIME_INPUT_FORMATS` for English, with and without parts of a second.
const FORMATS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
];

/// A moment; without an offset it is in the zone. A date alone is its midnight. A time that the zone's
/// clocks show twice or never is `ambiguous_timezone`.
pub(super) fn parse_datetime(text: &str, zone: Tz) -> Result<DateTime<Utc>, ValidationError> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let naive = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let moment = FORMATS.iter().find_map(naive).or_else(|| midnight(text));
    let invalid = || ValidationError::keyed("invalid", "error.invalid_datetime");
    in_zone(&moment.ok_or_else(invalid)?, zone)
}

fn in_zone(moment: &NaiveDateTime, zone: Tz) -> Result<DateTime<Utc>, ValidationError> {
    match zone.from_local_datetime(moment) {
        LocalResult::Single(moment) => Ok(moment.to_utc()),
        _ => Err(ValidationError::of("ambiguous_timezone")),
    }
}

/// A moment that came as a date and a time; `invalid_date` and `invalid_time` say which is wrong.
pub(super) fn parse_split_datetime(
    date: &str,
    time: &str,
    zone: Tz,
) -> Result<DateTime<Utc>, ValidationError> {
    let date = day(date).ok_or_else(|| ValidationError::of("invalid_date"))?;
    let read = |format: &&str| NaiveTime::parse_from_str(time, format).ok();
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(read);
    let time = time.ok_or_else(|| ValidationError::of("invalid_time"))?;
    in_zone(&date.and_time(time), zone)
}

fn day(text: &str) -> Option<NaiveDate> {
    let date = |format| NaiveDate::parse_from_str(text, format).ok();
    date("%Y-%m-%d").or_else(|| date("%m/%d/%Y"))
}

fn midnight(text: &str) -> Option<NaiveDateTime> {
    day(text)?.and_hms_opt(0, 0, 0)
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    proptest! {
        #[test]
        fn no_text_and_no_zone_panics(
            text in "\\PC{0,40}|[+-]?[0-9]{1,7}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?",
            zone in select(&TZ_VARIANTS[..]),
        ) {
            let _ = parse_datetime(&text, zone);
        }

        #[test]
        fn no_date_and_no_time_panics(
            date in "\\PC{0,20}|[+-]?[0-9]{1,7}-[0-9]{1,2}-[0-9]{1,2}",
            time in "\\PC{0,20}|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?",
            zone in select(&TZ_VARIANTS[..]),
        ) {
            let _ = parse_split_datetime(&date, &time, zone);
        }

        #[test]
        fn what_is_written_is_read(seconds in -60_000_000_000_i64..250_000_000_000) {
            let moment = DateTime::from_timestamp(seconds, 0).unwrap();
            for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M:%S"] {
                let text = moment.format(format).to_string();
                prop_assert_eq!(parse_datetime(&text, Tz::UTC).ok(), Some(moment), "{}", text);
            }
        }
    }

    /// The ends of what can be counted, where a zone leads beyond them.
    #[test]
    fn the_ends_of_time_are_refused_or_read() {
        for zone in [Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago, Tz::UTC] {
            for text in [
                "+262142-12-31 23:59:59",
                "-262143-01-01 00:00",
                "+262142-12-31",
            ] {
                let _ = parse_datetime(text, zone);
            }
        }
    }
}
