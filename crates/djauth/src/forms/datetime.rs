//! Moments as people write them: `django.forms.DateTimeField`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Django's `DATETIME_INPUT_FORMATS` for English, with and without parts of a second.
const FORMATS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
];

/// A moment; without an offset it is in UTC. A date alone is its midnight.
pub(super) fn parse_datetime(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    if let Some(moment) = with_offset(text) {
        return Some(moment.to_utc());
    }
    let naive = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let moment = FORMATS.iter().find_map(naive).or_else(|| midnight(text))?;
    Some(moment.and_utc())
}

fn midnight(text: &str) -> Option<NaiveDateTime> {
    let date = |format| NaiveDate::parse_from_str(text, format).ok();
    date("%Y-%m-%d")
        .or_else(|| date("%m/%d/%Y"))?
        .and_hms_opt(0, 0, 0)
}
