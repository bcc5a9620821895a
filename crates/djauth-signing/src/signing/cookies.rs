//! Signed cookies: `HttpResponse.set_signed_cookie` and `HttpRequest.get_signed_cookie`.

use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::TimestampSigner;
use crate::{Clock, Result, SecretKeys};

/// The signer that Django signs cookies with (`django.core.signing.get_cookie_signer`): its keys
/// are `django.http.cookies` followed by each secret key.
pub fn get_cookie_signer(keys: &SecretKeys, salt: &str) -> TimestampSigner {
    let prefixed = |key: &[u8]| Zeroizing::new([b"django.http.cookies", key].concat());
    TimestampSigner::from_keys(keys.iter().map(|key| prefixed(key.as_bytes())), salt)
}

/// The salt of a signed cookie since Django 5.2's security release of June 2026. The length keeps
/// the cookie `a` with salt `bc` apart from the cookie `ab` with salt `c`.
pub fn get_signed_cookie_salt(name: &str, salt: &str) -> String {
    format!(
        "django.http.cookies.v2:{}:{salt}{name}",
        salt.chars().count()
    )
}

/// The salt of a signed cookie in older versions of Django.
pub fn get_signed_cookie_salt_legacy(name: &str, salt: &str) -> String {
    format!("{name}{salt}")
}

/// The value to store in the cookie `name` (`HttpResponse.set_signed_cookie`; `salt` is empty
/// unless the caller of Django's method gives one).
pub fn set_signed_cookie(
    name: &str,
    value: &str,
    keys: &SecretKeys,
    salt: &str,
    clock: &dyn Clock,
) -> String {
    get_cookie_signer(keys, &get_signed_cookie_salt(name, salt)).sign(value, clock)
}

/// The value of a signed cookie (`HttpRequest.get_signed_cookie`). `legacy_salt_fallback` is the
/// setting `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`: whether the salt of older versions is good too.
///
/// # Errors
/// [`BadSignature`](crate::ErrorKind::BadSignature), or
/// [`SignatureExpired`](crate::ErrorKind::SignatureExpired) when it is older than `max_age`.
pub fn unsign_cookie<'a>(
    name: &str,
    signed_value: &'a str,
    keys: &SecretKeys,
    salt: &str,
    max_age: Option<TimeDelta>,
    legacy_salt_fallback: bool,
    clock: &dyn Clock,
) -> Result<&'a str> {
    let current = get_cookie_signer(keys, &get_signed_cookie_salt(name, salt));
    match current.unsign(signed_value, max_age, clock) {
        Err(error) if legacy_salt_fallback && error.kind() == crate::ErrorKind::BadSignature => {
            get_cookie_signer(keys, &get_signed_cookie_salt_legacy(name, salt)).unsign(
                signed_value,
                max_age,
                clock,
            )
        }
        outcome => outcome,
    }
}
