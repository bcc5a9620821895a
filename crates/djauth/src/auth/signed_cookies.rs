//! Signed cookies: `HttpRequest.get_signed_cookie` and `HttpResponse.set_signed_cookie`.

use chrono::TimeDelta;
use djauth_signing::ErrorKind;
use djauth_signing::signing::{set_signed_cookie, unsign_cookie};

use super::Auth;
use crate::base_user::BaseUser;
use crate::http::{Request, SetCookie};

impl<U: BaseUser> Auth<U> {
    /// The value of a cookie that this site, or a Django with the same key, has signed; `None` if
    /// there is no such cookie, if its signature is wrong, or if it is older than `max_age`.
    ///
    /// `salt` is empty unless the cookie was set with one. Under
    /// `SIGNED_COOKIE_LEGACY_SALT_FALLBACK` a signature as of older versions of Django counts too.
    pub fn get_signed_cookie(
        &self,
        request: &Request,
        name: &str,
        salt: &str,
        max_age: Option<TimeDelta>,
    ) -> Option<String> {
        let legacy = self.settings().signed_cookie_legacy_salt_fallback;
        let signed = request.cookies().get(name)?;
        let keys = self.secret_keys();
        match unsign_cookie(name, signed, keys, salt, max_age, legacy, &**self.clock()) {
            Ok(value) => Some(value.to_owned()),
            Err(error) => {
                let expired = error.kind() == ErrorKind::SignatureExpired;
                tracing::debug!(target: "django.security", name, expired, "a signed cookie does not count");
                None
            }
        }
    }

    /// A cookie with this value, signed.
    pub fn signed_cookie(&self, name: &str, value: &str, salt: &str) -> SetCookie {
        let signed = set_signed_cookie(name, value, self.secret_keys(), salt, &**self.clock());
        SetCookie::new(name.to_owned(), signed)
    }
}
