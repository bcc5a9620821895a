//! The embedded half of `AbstractBaseUser`: password, last login, session auth hash.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use djauth_signing::SecretKeys;
use djauth_signing::crypto::salted_hmac_hex;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::{Changes, Columns, Embed, FieldInfo, FieldKind};
use crate::db;

/// The salt of [`AbstractBaseUser::get_session_auth_hash`], Django's string.
pub const SESSION_AUTH_HASH_SALT: &str =
    "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// The columns `password` and `last_login`, embedded in every user model as the field `base`.
///
/// `Debug` shows only the kind of password, never the hash.
#[derive(Clone, Default)]
pub struct AbstractBaseUser {
    /// The encoded password: algorithm, parameters, salt and digest, or `!…` when unusable.
    pub password: String,
    /// When this user last logged in.
    pub last_login: Option<DateTime<Utc>>,
    /// `user.backend`: the path of the backend that authenticated this object.
    pub(crate) backend: Option<Arc<str>>,
    /// `user._password`: what was set and not saved yet.
    pub(crate) raw: RawPassword,
}

/// A password between `set_password` and the next save, when the rules hear of it once. Copies of the
/// user share it.
#[derive(Clone, Default)]
pub(crate) struct RawPassword(Option<Arc<Mutex<Option<Zeroizing<String>>>>>);

impl RawPassword {
    pub(crate) fn new(raw: &str) -> Self {
        let raw = Zeroizing::new(raw.to_owned());
        Self(Some(Arc::new(Mutex::new(Some(raw)))))
    }

    pub(crate) fn take(&self) -> Option<Zeroizing<String>> {
        self.0.as_ref()?.lock().take()
    }
}

impl AbstractBaseUser {
    /// Whether a password can match: the stored value does not start with `!`. An empty value counts as
    /// usable, as in Django.
    #[must_use]
    pub fn has_usable_password(&self) -> bool {
        !self.password.starts_with('!')
    }

    /// The HMAC that ties a session to the present password, 64 hexadecimal digits.
    #[must_use]
    pub fn get_session_auth_hash(&self, keys: &SecretKeys) -> String {
        self.session_auth_hash_with(keys.key.as_bytes())
    }

    /// The same under each of `SECRET_KEY_FALLBACKS`, in order.
    pub fn get_session_auth_fallback_hashes(
        &self,
        keys: &SecretKeys,
    ) -> impl Iterator<Item = String> {
        keys.fallbacks
            .iter()
            .map(|key| self.session_auth_hash_with(key.as_bytes()))
    }

    fn session_auth_hash_with(&self, secret: &[u8]) -> String {
        salted_hmac_hex(SESSION_AUTH_HASH_SALT, self.password.as_bytes(), secret)
    }

    /// The path of the backend that authenticated this object, Django's `user.backend`; `None` for
    /// objects that came from elsewhere.
    #[must_use]
    pub fn backend(&self) -> Option<&str> {
        self.backend.as_deref()
    }
}

impl fmt::Debug for AbstractBaseUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = if self.has_usable_password() {
            "<set>"
        } else {
            "<unusable>"
        };
        f.debug_struct("AbstractBaseUser")
            .field("password", &format_args!("{password}"))
            .field("last_login", &self.last_login)
            .finish_non_exhaustive()
    }
}

impl Embed for AbstractBaseUser {
    const FIELDS: &'static [FieldInfo] = &[
        FieldInfo::new("password", FieldKind::Text).max_length(128),
        FieldInfo::new("last_login", FieldKind::DateTime).null(true),
    ];

    fn read(row: &mut Columns<'_>) -> db::Result<Self> {
        Ok(Self {
            password: row.get("password")?,
            last_login: row.get("last_login")?,
            backend: None,
            raw: RawPassword::default(),
        })
    }

    fn write<'a>(&'a self, row: &mut Changes<'a>) {
        row.set("password", &self.password);
        row.set("last_login", &self.last_login);
    }
}
