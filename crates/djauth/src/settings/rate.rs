//! Rates such as `30/m`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

use super::kind::{Kind, expected};

/// So many in a period: `30/m` is thirty in a minute, `10/5m` ten in five minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    seconds: u32,
}

/// The units, the longest first.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// The longest period: a year.
const LONGEST: u32 = 366 * 86_400;

impl Rate {
    /// How many.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The length of the period.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    pub(super) const fn new(count: u32, seconds: u32) -> Self {
        Self { count, seconds }
    }
}

/// The text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRate;

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a rate such as 30/m or 10/5m: a number, a slash, and s, m, h or d")
    }
}

impl std::error::Error for InvalidRate {}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (count, period) = text.split_once('/').ok_or(InvalidRate)?;
        let unit = period.chars().next_back().ok_or(InvalidRate)?;
        let (unit, length) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or(InvalidRate)?;
        let many = match &period[..period.len() - unit.len_utf8()] {
            "" => 1,
            digits => number(digits)?,
        };
        let seconds = length.checked_mul(many).ok_or(InvalidRate)?;
        if seconds > LONGEST {
            return Err(InvalidRate);
        }
        Ok(Self::new(number(count)?, seconds))
    }
}

/// A whole number, 1 or more, without a sign.
fn number(digits: &str) -> Result<u32, InvalidRate> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidRate);
    }
    let number = digits.parse().map_err(|_| InvalidRate)?;
    if number == 0 {
        return Err(InvalidRate);
    }
    Ok(number)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS
            .iter()
            .find(|(_, length)| self.seconds.is_multiple_of(*length));
        let (unit, length) = fitting.copied().unwrap_or(('s', 1));
        match self.seconds / length {
            1 => write!(f, "{}/{unit}", self.count),
            many => write!(f, "{}/{many}{unit}", self.count),
        }
    }
}

/// A rate, or the empty text for no limit.
pub(super) struct RateLimit;

impl Kind for RateLimit {
    type Value = Option<Rate>;
    const EXPECTED: &'static str =
        "a rate such as \"30/m\" or \"10/5m\" (units s, m, h, d), or \"\" for no limit";

    fn read(json: &Json) -> Result<Self::Value, String> {
        match json.as_str() {
            Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| expected::<Self>()),
            None => Err(expected::<Self>()),
        }
    }

    fn show(value: &Self::Value) -> Json {
        value.map_or(String::new(), |rate| rate.to_string()).into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        for (text, count, seconds) in [
            ("30/m", 30, 60),
            ("1/s", 1, 1),
            ("10/5m", 10, 300),
            ("100/2h", 100, 7_200),
            ("5/d", 5, 86_400),
            ("7/90s", 7, 90),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.count(), rate.seconds()), (count, seconds), "{text}");
            assert_eq!(rate.to_string(), text);
        }
        assert_eq!("60/60s".parse::<Rate>().unwrap().to_string(), "60/m");
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "30",
            "30/",
            "/m",
            "0/m",
            "30/0m",
            "-1/m",
            "+1/m",
            "30/m ",
            "30/w",
            "3.5/m",
            "30/mm",
            "30/é",
            "99999999999/m",
            "1/367d",
            "1/99999999999s",
            "30//m",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_rate_is_read_back(count in 1..=u32::MAX, seconds in 1..=LONGEST) {
            let rate = Rate::new(count, seconds);
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}") {
            let _ = text.parse::<Rate>();
        }
    }
}
