//! `TIME_ZONE`.

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
