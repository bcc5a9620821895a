//! `TimestampSigner`: `value:timestamp:signature`.

use chrono::{DateTime, TimeDelta, Utc};

use super::signer::Signer;
use crate::{Clock, ErrorKind, Result, SecretKeys};

/// The salt of a [`TimestampSigner`] that was given none.
pub const TIMESTAMP_SIGNER_SALT: &str = "django.core.signing.TimestampSigner";

/// Signs texts together with the time of signing (`django.core.signing.TimestampSigner`).
///
/// The keys are derived once, when the signer is made: keep a signer that is used often.
#[derive(Clone, Debug)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// A signer with Django's default salt, [`TIMESTAMP_SIGNER_SALT`].
    pub fn new(keys: &SecretKeys) -> Self {
        TimestampSigner::with_salt(keys, TIMESTAMP_SIGNER_SALT)
    }

    /// A signer whose signatures are good for `salt` alone.
    pub fn with_salt(keys: &SecretKeys, salt: &str) -> Self {
        TimestampSigner(Signer::with_salt(keys, salt))
    }

    pub(super) fn from_keys(keys: impl Iterator<Item = impl AsRef<[u8]>>, salt: &str) -> Self {
        TimestampSigner(Signer::from_keys(keys, salt))
    }

    /// The same signer with another separator than `:`.
    ///
    /// # Errors
    /// As [`Signer::sep`].
    pub fn sep(self, sep: &str) -> Result<Self> {
        Ok(TimestampSigner(self.0.sep(sep)?))
    }

    /// `value`, the time in whole seconds, and the signature of both.
    pub fn sign(&self, value: &str, clock: &dyn Clock) -> String {
        let timestamp = b62_encode(clock.now().timestamp());
        self.0
            .sign(&format!("{value}{}{timestamp}", self.0.separator()))
    }

    /// The value, when its signature is good and at most `max_age` old. A time in the future is
    /// accepted, as in Django.
    ///
    /// # Errors
    /// [`ErrorKind::BadSignature`], or [`ErrorKind::SignatureExpired`] when only the age is wrong.
    pub fn unsign<'a>(
        &self,
        signed_value: &'a str,
        max_age: Option<TimeDelta>,
        clock: &dyn Clock,
    ) -> Result<&'a str> {
        let (value, signed_at) = self.unsign_timestamp(signed_value)?;
        match max_age {
            Some(max_age) if age(signed_at, clock.now()) > micros(max_age) => {
                Err(ErrorKind::SignatureExpired.into())
            }
            _ => Ok(value),
        }
    }

    /// The value and the second, counted from 1970, in which it was signed.
    ///
    /// # Errors
    /// [`ErrorKind::BadSignature`], also when the signed text holds no time.
    pub fn unsign_timestamp<'a>(&self, signed_value: &'a str) -> Result<(&'a str, i64)> {
        let (value, timestamp) = self.0.rsplit(self.0.unsign(signed_value)?)?;
        let signed_at = b62_decode(timestamp).map_err(|_| ErrorKind::BadSignature)?;
        Ok((value, signed_at))
    }
}

/// In microseconds, wide enough for any 64-bit second.
fn age(signed_at: i64, now: DateTime<Utc>) -> i128 {
    i128::from(now.timestamp_micros()) - i128::from(signed_at) * 1_000_000
}

fn micros(delta: TimeDelta) -> i128 {
    let subsec = i128::from(delta.subsec_nanos()) / 1000;
    i128::from(delta.num_seconds()) * 1_000_000 + subsec
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A number in base 62: digits, upper-case and then lower-case letters.
pub fn b62_encode(s: i64) -> String {
    let mut rest = s.unsigned_abs();
    let mut digits = Vec::with_capacity(12);
    loop {
        digits.push(BASE62[(rest % 62) as usize]);
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if s < 0 {
        digits.push(b'-');
    }
    digits
        .iter()
        .rev()
        .map(|&digit| char::from(digit))
        .collect()
}

/// The number that a base 62 text stands for.
///
/// # Errors
/// [`ErrorKind::BadEncoding`] when it is empty, holds another character, or does not fit 64 bits.
pub fn b62_decode(s: &str) -> Result<i64> {
    let (sign, digits) = s.strip_prefix('-').map_or((1, s), |rest| (-1, rest));
    if digits.is_empty() {
        return Err(ErrorKind::BadEncoding.into());
    }
    let append = |number: i64, byte| number.checked_mul(62)?.checked_add(sign * b62_digit(byte)?);
    digits
        .bytes()
        .try_fold(0i64, append)
        .ok_or(ErrorKind::BadEncoding.into())
}

fn b62_digit(byte: u8) -> Option<i64> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(i64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FixedClock, SecretKey};

    #[test]
    fn base62_takes_back_what_it_gives() {
        for number in [0, 1, -1, 61, 62, -3844, 1_767_225_600, i64::MAX, i64::MIN] {
            assert_eq!(b62_decode(&b62_encode(number)).unwrap(), number);
        }
        for text in [
            "",
            "-",
            "--1",
            "1:",
            "é",
            " 1",
            "zzzzzzzzzzzz",
            &"1".repeat(100_000),
        ] {
            assert_eq!(b62_decode(text).unwrap_err().kind(), ErrorKind::BadEncoding);
        }
    }

    #[test]
    fn the_age_counts_fractions_of_a_second_and_the_limit_itself_is_allowed() {
        let signer = TimestampSigner::new(&SecretKey::new("key").unwrap().into());
        let clock = FixedClock::new(DateTime::from_timestamp(1_767_225_600, 0).unwrap());
        let signed = signer.sign("v", &clock);
        let unsign = |max_age| signer.unsign(&signed, max_age, &clock);
        let minute = Some(TimeDelta::seconds(60));
        clock.advance(TimeDelta::seconds(60));
        assert_eq!(unsign(minute).unwrap(), "v");
        clock.advance(TimeDelta::microseconds(1));
        assert_eq!(
            unsign(minute).unwrap_err().kind(),
            ErrorKind::SignatureExpired
        );
        assert!(unsign(minute).unwrap_err().is_bad_signature());
        assert_eq!(unsign(Some(TimeDelta::milliseconds(60_001))).unwrap(), "v");
        assert_eq!(unsign(Some(TimeDelta::MAX)).unwrap(), "v");
        assert_eq!(unsign(None).unwrap(), "v");
        clock.advance(TimeDelta::days(-400));
        assert_eq!(unsign(Some(TimeDelta::zero())).unwrap(), "v");
    }

    #[test]
    fn a_good_signature_over_no_time_is_refused() {
        let keys = SecretKeys::new(SecretKey::new("key").unwrap());
        let plain = Signer::with_salt(&keys, TIMESTAMP_SIGNER_SALT);
        for value in ["v", "v:", "v:*", "v:-", "v:zzzzzzzzzzzz"] {
            let error = TimestampSigner::new(&keys)
                .unsign_timestamp(&plain.sign(value))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadSignature, "{value}");
        }
    }
}
