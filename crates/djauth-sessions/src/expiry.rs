//! When a session ends. All forms of Django: seconds, at browser close, an absolute time, the default.

use chrono::{DateTime, TimeDelta, Utc};
use djauth_db::isoformat;

use crate::data::SessionData;
use crate::error::Result;
use crate::python::Value;

/// The key in the session that holds the expiry when it is not the default.
pub const SESSION_EXPIRY: &str = "_session_expiry";

/// An expiry to set, the forms that Django's `set_expiry` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// The policy of the settings (`None` in Django).
    Default,
    /// When the browser closes (`0` in Django). In the store it lives for `SESSION_COOKIE_AGE`.
    AtBrowserClose,
    /// So many seconds after each save.
    Seconds(i64),
    /// At this time.
    At(DateTime<Utc>),
    /// So long after now; stored as the time that makes.
    In(TimeDelta),
}

/// The expiry that a session holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored {
    /// Absent, or a value that is false in Python and not a number.
    Unset,
    /// Zero.
    BrowserClose,
    Seconds(i64),
    /// A number with a fraction.
    Fraction(f64),
    At(DateTime<Utc>),
}

impl Stored {
    /// What Django cannot use (a list, a text that is no time) counts as unset here; Django fails.
    pub(crate) fn of(data: &SessionData) -> Self {
        match data.get_value(SESSION_EXPIRY) {
            Some(Value::Int(0) | Value::Bool(false)) => Stored::BrowserClose,
            Some(Value::Bool(true)) => Stored::Seconds(1),
            Some(Value::Int(seconds)) => Stored::Seconds(seconds),
            Some(Value::Float(0.0)) => Stored::BrowserClose,
            Some(Value::Float(seconds)) if seconds.is_finite() => Stored::Fraction(seconds),
            Some(Value::Str(text)) => text
                .as_str()
                .and_then(isoformat::parse)
                .map_or(Stored::Unset, Stored::At),
            _ => Stored::Unset,
        }
    }

    /// Whole seconds from `now` on (Django's `get_expiry_age`). Negative once an absolute time is past.
    pub(crate) fn age(self, now: DateTime<Utc>, cookie_age: i64) -> i64 {
        match self {
            Stored::Unset | Stored::BrowserClose => cookie_age,
            Stored::Seconds(seconds) => seconds,
            Stored::Fraction(_) => self
                .after(now, cookie_age)
                .map_or(cookie_age, |date| (date - now).num_seconds()),
            Stored::At(date) => floor_seconds(date - now),
        }
    }

    /// The end (Django's `get_expiry_date`), counted from `modified` where it is relative. Clamped to the
    /// years that every database can hold.
    pub(crate) fn date(self, modified: DateTime<Utc>, cookie_age: i64) -> DateTime<Utc> {
        clamp(self.after(modified, cookie_age).unwrap_or(LAST))
    }

    fn after(self, start: DateTime<Utc>, cookie_age: i64) -> Option<DateTime<Utc>> {
        let delta = match self {
            Stored::At(date) => return Some(date),
            Stored::Unset | Stored::BrowserClose => TimeDelta::try_seconds(cookie_age),
            Stored::Seconds(seconds) if seconds < 0 => {
                Some(TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MIN))
            }
            Stored::Seconds(seconds) => TimeDelta::try_seconds(seconds),
            Stored::Fraction(seconds) => fraction(seconds),
        }?;
        match start.checked_add_signed(delta) {
            None if delta < TimeDelta::zero() => Some(FIRST),
            date => date,
        }
    }

    /// Django's `get_expire_at_browser_close`.
    pub(crate) fn at_browser_close(self, default: bool) -> bool {
        match self {
            Stored::Unset => default,
            other => other == Stored::BrowserClose,
        }
    }
}

const FIRST: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// The last second of the year 9999.
const LAST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(date) => date,
    None => DateTime::<Utc>::MAX_UTC,
};

fn clamp(date: DateTime<Utc>) -> DateTime<Utc> {
    date.clamp(FIRST, LAST)
}

fn fraction(seconds: f64) -> Option<TimeDelta> {
    let micros = (seconds * 1e6).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bound is checked, and `as` saturates"
    )]
    (micros.abs() < 9e18).then(|| TimeDelta::microseconds(micros as i64))
}

fn floor_seconds(delta: TimeDelta) -> i64 {
    let seconds = delta.num_seconds();
    if delta < TimeDelta::seconds(seconds) {
        seconds - 1
    } else {
        seconds
    }
}

impl SessionData {
    /// Sets the expiry. True if that changed the session (the default of a session without expiry does not).
    ///
    /// # Errors
    /// None in practice: numbers and texts always have a JSON form.
    pub(crate) fn set_expiry(&mut self, expiry: Expiry, now: DateTime<Utc>) -> Result<bool> {
        match expiry {
            Expiry::Default => return Ok(self.remove(SESSION_EXPIRY)),
            Expiry::AtBrowserClose => self.insert(SESSION_EXPIRY, &0)?,
            Expiry::Seconds(seconds) => self.insert(SESSION_EXPIRY, &seconds)?,
            Expiry::At(date) => self.insert(SESSION_EXPIRY, &isoformat::format(date))?,
            Expiry::In(delta) => {
                let date = clamp(now.checked_add_signed(delta).unwrap_or(LAST));
                self.insert(SESSION_EXPIRY, &isoformat::format(date))?;
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_767_225_600, 250_000_000) {
        Some(now) => now,
        None => DateTime::UNIX_EPOCH,
    };

    fn stored(raw: &str) -> Stored {
        let text = format!("{{\"{SESSION_EXPIRY}\":{raw}}}");
        Stored::of(&SessionData::from_json(text.as_bytes()).unwrap())
    }

    #[test]
    fn every_form_has_its_age() {
        for (raw, age, close) in [
            ("null", 1_209_600, false),
            ("0", 1_209_600, true),
            ("false", 1_209_600, true),
            ("0.0", 1_209_600, true),
            ("\"\"", 1_209_600, false),
            ("[]", 1_209_600, false),
            ("true", 1, false),
            ("300", 300, false),
            ("-5", -5, false),
            ("300.9", 300, false),
            ("\"2026-01-01T00:01:00+00:00\"", 59, false),
            ("\"2026-01-01T00:00:00+00:00\"", -1, false),
            ("\"2026-01-01T01:01:00.250000+01:00\"", 60, false),
            ("\"soon\"", 1_209_600, false),
        ] {
            let stored = stored(raw);
            assert_eq!(
                (stored.age(NOW, 1_209_600), stored.at_browser_close(false)),
                (age, close),
                "{raw}"
            );
        }
        let unset = Stored::of(&SessionData::new());
        assert!(unset.at_browser_close(true) && !unset.at_browser_close(false));
        assert!(!stored("300").at_browser_close(true));
    }

    #[test]
    fn dates_are_clamped_and_never_overflow() {
        assert_eq!(stored("300").date(NOW, 1), NOW + TimeDelta::seconds(300));
        assert_eq!(
            stored("0.5").date(NOW, 1),
            NOW + TimeDelta::milliseconds(500)
        );
        for huge in [
            "9223372036854775807",
            "1e300",
            "1e18",
            "\"9999-12-31T23:59:59-23:59\"",
        ] {
            let stored = stored(huge);
            assert_eq!(stored.date(NOW, 1_209_600), LAST, "{huge}");
            let _ = stored.age(NOW, 1_209_600);
        }
        assert_eq!(stored("-9223372036854775808").date(NOW, 1), FIRST);
        let _ = stored("123456789012345678901234567890").age(NOW, 1);
        assert_eq!(Stored::Unset.date(NOW, i64::MAX), LAST);
    }

    #[test]
    fn set_expiry_writes_what_django_writes() {
        let mut data = SessionData::new();
        let mut set = |expiry| {
            let changed = data.set_expiry(expiry, NOW).unwrap();
            (
                changed,
                data.get_json(SESSION_EXPIRY)
                    .unwrap()
                    .map(std::borrow::Cow::into_owned),
            )
        };
        assert_eq!(set(Expiry::Default), (false, None));
        assert_eq!(set(Expiry::AtBrowserClose), (true, Some("0".into())));
        assert_eq!(set(Expiry::Seconds(-1)), (true, Some("-1".into())));
        let at = DateTime::from_timestamp(1_893_456_000, 0).unwrap();
        assert_eq!(
            set(Expiry::At(at)),
            (true, Some("\"2030-01-01T00:00:00+00:00\"".into()))
        );
        let later = Some("\"2026-01-01T00:01:00.250000+00:00\"".into());
        assert_eq!(set(Expiry::In(TimeDelta::minutes(1))), (true, later));
        assert_eq!(set(Expiry::Default), (true, None));
    }
}
