//! Links that work once: `django.contrib.auth.tokens`.
//!
//! A token is the moment at which it was made and a keyed hash over the user: key, stored password,
//! last login, e-mail address. Nothing is stored, and a token ends by itself when the password or the
//! address changes or the user logs in, or when [`PASSWORD_RESET_TIMEOUT`](Settings::password_reset_timeout)
//! is over. Tokens made by Django with the same `SECRET_KEY` and `TIME_ZONE` are accepted, and the other
//! way round.
//!
//! ```
//! use djauth::tokens::PasswordResetTokenGenerator;
//! use djauth::{BaseUser, SecretKey, Settings, User};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new(SecretKey::new("long, random and secret")?);
//! let generator = PasswordResetTokenGenerator::new(&settings);
//! let mut user = User { id: 1, email: "alice@example.com".into(), ..User::blank() };
//! let now = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
//! let token = generator.make_token(&user, now);
//! assert!(generator.check_token(Some(&user), &token, now));
//! user.email = "alice@example.org".into();
//! assert!(!generator.check_token(Some(&user), &token, now));
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use djauth_signing::crypto::{constant_time_compare, salted_hmac, salted_hmac_sha1};
use djauth_signing::http::{base36_to_int, int_to_base36};

use crate::base_user::BaseUser;
use crate::settings::Settings;
use crate::{SecretKey, SecretKeys};

/// The salt of [`PasswordResetTokenGenerator`], Django's string.
pub const KEY_SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";

/// The longest token that is looked at, in bytes: 13 digits, a hyphen and the longest hash.
const LONGEST: usize = 64;

/// A path as it may stand in a log: `***` in the place of each part that has the form of Django's tokens,
/// which let in whoever reads them before their owner uses them.
///
/// ```
/// use djauth::tokens::without_tokens;
///
/// let path = "/accounts/reset/Mg/diorzu-9fc095b5dc74d3db25dfdb8b697b0e9d/";
/// assert_eq!(without_tokens(path), "/accounts/reset/Mg/***/");
/// assert_eq!(without_tokens("/accounts/reset/Mg/set-password/"), "/accounts/reset/Mg/set-password/");
/// ```
#[must_use]
pub fn without_tokens(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(is_like_a_token) {
        return path.into();
    }
    let parts = path.split('/');
    let shown = parts.map(|part| if is_like_a_token(part) { "***" } else { part });
    shown.collect::<Vec<_>>().join("/").into()
}

/// Whether it holds a number, a hyphen and the digits of a hash, in whatever it is wrapped.
fn is_like_a_token(part: &str) -> bool {
    const DIGITS: usize = 20;
    part.split('-').skip(1).any(|hash| {
        let digits = hash.bytes().take_while(u8::is_ascii_hexdigit);
        digits.count() >= DIGITS
    })
}

/// What makes and judges the tokens of the reset views. Implement it for a rule of your own.
pub trait TokenGenerator<U: BaseUser>: Send + Sync {
    /// A token for this user, made at this moment.
    fn make_token(&self, user: &U, now: DateTime<Utc>) -> String;

    /// Whether the token was made for this user and still holds.
    fn check_token(&self, user: Option<&U>, token: &str, now: DateTime<Utc>) -> bool;
}

/// The hash inside a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA256, Django's default.
    #[default]
    Sha256,
    /// HMAC-SHA1, for sites whose own generator sets it.
    Sha1,
}

/// Makes and checks the tokens of reset links, Django's class of this name; what a subclass sets there
/// is set by methods here.
#[derive(Clone)]
pub struct PasswordResetTokenGenerator {
    key_salt: String,
    keys: SecretKeys,
    algorithm: Algorithm,
    timeout: u64,
    time_zone: Tz,
}

impl PasswordResetTokenGenerator {
    /// Django's `default_token_generator`: keys, time zone and timeout are those of the settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let fallbacks = settings.secret_key_fallbacks.clone();
        Self {
            key_salt: KEY_SALT.into(),
            keys: SecretKeys::with_fallbacks(settings.secret_key.clone(), fallbacks),
            algorithm: Algorithm::default(),
            timeout: settings.password_reset_timeout,
            time_zone: settings.time_zone,
        }
    }

    /// Another salt, so that tokens of one purpose are not taken for another's.
    #[must_use]
    pub fn key_salt(mut self, salt: impl Into<String>) -> Self {
        self.key_salt = salt.into();
        self
    }

    /// A key of its own in place of `SECRET_KEY`. The fallbacks stay.
    #[must_use]
    pub fn secret(mut self, secret: SecretKey) -> Self {
        self.keys.key = secret;
        self
    }

    /// Old keys of its own in place of `SECRET_KEY_FALLBACKS`.
    #[must_use]
    pub fn secret_fallbacks(mut self, fallbacks: impl Into<Vec<SecretKey>>) -> Self {
        self.keys.fallbacks = fallbacks.into();
        self
    }

    /// Another hash.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How long a token holds, in seconds.
    #[must_use]
    pub fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = seconds;
        self
    }

    /// The zone whose wall clock dates the tokens.
    #[must_use]
    pub fn time_zone(mut self, zone: Tz) -> Self {
        self.time_zone = zone;
        self
    }

    /// A token for this user.
    #[must_use]
    pub fn make_token<U: BaseUser>(&self, user: &U, now: DateTime<Utc>) -> String {
        self.make_token_with(|timestamp| hash_value(user, timestamp), now)
    }

    /// Whether the token was made for this user and still holds. Nobody has a token.
    #[must_use]
    pub fn check_token<U: BaseUser>(
        &self,
        user: Option<&U>,
        token: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(user) = user else { return false };
        self.check_token_with(|timestamp| hash_value(user, timestamp), token, now)
    }

    /// A token over a value of your own: what a Django subclass with its own `_make_hash_value` does.
    /// The value must hold the timestamp, and everything whose change should end the token.
    #[must_use]
    pub fn make_token_with(
        &self,
        hash_value: impl Fn(u64) -> String,
        now: DateTime<Utc>,
    ) -> String {
        let timestamp = u64::try_from(self.num_seconds(now)).unwrap_or(0);
        self.token(&hash_value(timestamp), timestamp, &self.keys.key)
    }

    /// Checks a token of [`PasswordResetTokenGenerator::make_token_with`].
    #[must_use]
    pub fn check_token_with(
        &self,
        hash_value: impl Fn(u64) -> String,
        token: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(timestamp) = timestamp_of(token) else {
            return false;
        };
        let value = hash_value(timestamp);
        // The whole token is compared, so that each timestamp has one spelling.
        let ours = |key: &SecretKey| {
            let expected = self.token(&value, timestamp, key);
            constant_time_compare(expected.as_bytes(), token.as_bytes())
        };
        self.keys.iter().any(ours) && self.is_fresh(timestamp, now)
    }

    /// Tokens from the future hold, as in Django: servers' clocks differ, and local time jumps back.
    fn is_fresh(&self, timestamp: u64, now: DateTime<Utc>) -> bool {
        let age = i128::from(self.num_seconds(now)) - i128::from(timestamp);
        age <= i128::from(self.timeout)
    }

    fn token(&self, value: &str, timestamp: u64, key: &SecretKey) -> String {
        let mut token = int_to_base36(timestamp);
        token.push('-');
        token.extend(self.hash(value, key).iter().map(high_digit));
        token
    }

    fn hash(&self, value: &str, key: &SecretKey) -> Vec<u8> {
        let (value, key) = (value.as_bytes(), key.as_bytes());
        match self.algorithm {
            Algorithm::Sha256 => salted_hmac(&self.key_salt, value, key).into(),
            Algorithm::Sha1 => salted_hmac_sha1(&self.key_salt, value, key).into(),
        }
    }

    /// Whole seconds of the zone's wall clock since the start of 2001.
    fn num_seconds(&self, now: DateTime<Utc>) -> i64 {
        let local = now.with_timezone(&self.time_zone).naive_local();
        local.signed_duration_since(epoch()).num_seconds()
    }
}

impl<U: BaseUser> TokenGenerator<U> for PasswordResetTokenGenerator {
    fn make_token(&self, user: &U, now: DateTime<Utc>) -> String {
        Self::make_token(self, user, now)
    }

    fn check_token(&self, user: Option<&U>, token: &str, now: DateTime<Utc>) -> bool {
        Self::check_token(self, user, token, now)
    }
}

impl fmt::Debug for PasswordResetTokenGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResetTokenGenerator")
            .field("key_salt", &self.key_salt)
            .field("timeout", &self.timeout)
            .field("time_zone", &self.time_zone)
            .finish_non_exhaustive()
    }
}

fn epoch() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2001, 1, 1)
        .unwrap_or_default()
        .into()
}

/// Every second digit of the hexadecimal form is the high half of each byte.
fn high_digit(byte: &u8) -> char {
    char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default()
}

/// The number before the only hyphen. Long ones are refused before any arithmetic.
fn timestamp_of(token: &str) -> Option<u64> {
    if token.len() > LONGEST {
        return None;
    }
    let (timestamp, hash) = token.split_once('-')?;
    if hash.contains('-') {
        return None;
    }
    base36_to_int(timestamp).ok()
}

/// What the token depends on. The last login is cut to seconds, since not every database keeps more.
fn hash_value<U: BaseUser>(user: &U, timestamp: u64) -> String {
    let base = user.base();
    let login = base
        .last_login
        .map(|login| login.format("%Y-%m-%d %H:%M:%S"));
    let login = login.map(|login| login.to_string()).unwrap_or_default();
    let email = user.get_email().unwrap_or_default();
    let (id, password) = (user.id(), &base.password);
    format!("{id}{password}{login}{timestamp}{email}")
}

#[cfg(test)]
mod tests;
