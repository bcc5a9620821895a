//! Moments as people write them: `django.forms.DateTimeField`.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
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
    match zone.from_local_datetime(&moment.ok_or_else(invalid)?) {
        LocalResult::Single(moment) => Ok(moment.to_utc()),
        _ => Err(ValidationError::of("ambiguous_timezone")),
    }
}

fn midnight(text: &str) -> Option<NaiveDateTime> {
    let date = |format| NaiveDate::parse_from_str(text, format).ok();
    date("%Y-%m-%d")
        .or_else(|| date("%m/%d/%Y"))?
        .and_hms_opt(0, 0, 0)
}
