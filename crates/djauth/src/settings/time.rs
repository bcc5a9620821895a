//! `TIME_ZONE` and spans of time.

use std::time::Duration;

use chrono_tz::Tz;
use serde_json::Value as Json;

use super::kind::{Kind, expected};

/// A name of the time zone database.
pub(super) struct Zone;

impl Kind for Zone {
    type Value = Tz;
    const EXPECTED: &'static str = "a time zone such as \"UTC\" or \"Europe/Berlin\"";

    fn read(json: &Json) -> Result<Tz, String> {
        let name = json.as_str().ok_or_else(expected::<Self>)?;
        name.parse()
            .map_err(|_| format!("{name:?} is not known; {}", expected::<Self>()))
    }

    fn show(value: &Tz) -> Json {
        value.name().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }
}

/// How old an answer may be: seconds with fractions, at most an hour, because longer is a slip.
pub(super) struct Staleness;

const LONGEST_STALENESS: f64 = 3600.0;

impl Kind for Staleness {
    type Value = Duration;
    const EXPECTED: &'static str = "a number of seconds from 0 to 3600, such as 0 or 0.5";

    fn read(json: &Json) -> Result<Duration, String> {
        let seconds = json.as_f64().ok_or_else(expected::<Self>)?;
        if (0.0..=LONGEST_STALENESS).contains(&seconds) {
            Ok(Duration::from_secs_f64(seconds))
        } else {
            Err(expected::<Self>())
        }
    }

    fn show(value: &Duration) -> Json {
        match value.subsec_nanos() {
            0 => value.as_secs().into(),
            _ => value.as_secs_f64().into(),
        }
    }

    fn check(value: &Duration) -> Result<(), String> {
        if value.as_secs_f64() <= LONGEST_STALENESS {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}
