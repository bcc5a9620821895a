//! The settings of sessions, and the signed text that holds a session's data.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use djauth_signing::signing::TimestampSigner;
use djauth_signing::{Clock, ErrorKind as SigningErrorKind, SecretKeys, SystemClock};

use crate::data::SessionData;
use crate::error::Result;

/// The salt of `session_data`: made from the name of Django's store class, which `db`, `cached_db` and
/// `file` share.
pub const SESSION_SALT: &str = "django.contrib.sessions.SessionStore";

/// The salt of sessions that live in their cookie.
pub const SIGNED_COOKIES_SALT: &str = "django.contrib.sessions.backends.signed_cookies";

/// Django's `SESSION_*` settings as plain values, with the keys and the clock.
#[derive(Clone)]
pub struct SessionConfig {
    /// `SESSION_COOKIE_NAME`, `sessionid`. Also the start of the names of session files.
    pub cookie_name: String,
    /// `SESSION_COOKIE_AGE` in seconds, two weeks.
    pub cookie_age: i64,
    /// `SESSION_COOKIE_DOMAIN`, none.
    pub cookie_domain: Option<String>,
    /// `SESSION_COOKIE_SECURE`, false.
    pub cookie_secure: bool,
    /// `SESSION_COOKIE_PATH`, `/`.
    pub cookie_path: String,
    /// `SESSION_COOKIE_HTTPONLY`, true.
    pub cookie_httponly: bool,
    /// `SESSION_COOKIE_SAMESITE`, `Lax`; none leaves the attribute out.
    pub cookie_samesite: Option<String>,
    /// `SESSION_SAVE_EVERY_REQUEST`, false.
    pub save_every_request: bool,
    /// `SESSION_EXPIRE_AT_BROWSER_CLOSE`, false.
    pub expire_at_browser_close: bool,
    /// `SESSION_FILE_PATH`; none means the system's directory for temporary files.
    pub file_path: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    signer: Arc<TimestampSigner>,
    cookie_signer: Arc<TimestampSigner>,
}

impl SessionConfig {
    /// Django's defaults with these keys and the system's clock.
    pub fn new(keys: &SecretKeys) -> Self {
        SessionConfig {
            cookie_name: "sessionid".into(),
            cookie_age: 1_209_600,
            cookie_domain: None,
            cookie_secure: false,
            cookie_path: "/".into(),
            cookie_httponly: true,
            cookie_samesite: Some("Lax".into()),
            save_every_request: false,
            expire_at_browser_close: false,
            file_path: None,
            clock: Arc::new(SystemClock),
            signer: Arc::new(TimestampSigner::with_salt(keys, SESSION_SALT)),
            cookie_signer: Arc::new(TimestampSigner::with_salt(keys, SIGNED_COOKIES_SALT)),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The time by the configured clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The text for the column `session_data` (also of session files): signed, compressed where that
    /// is shorter.
    ///
    /// # Errors
    /// [`NotCarried`](crate::ErrorKind::NotCarried) if a value has no JSON form.
    pub fn encode(&self, data: &SessionData) -> Result<String> {
        Ok(self
            .signer
            .sign_bytes(data.to_json()?.as_bytes(), true, &*self.clock))
    }

    /// Reads what [`encode`](Self::encode) or Django wrote, by the key or a fallback key.
    ///
    /// As with Django a text that cannot be read is an empty session; a bad signature is logged too. The
    /// time inside the text is not looked at: the row says when a session ends.
    pub fn decode(&self, text: &str) -> SessionData {
        match self.signer.unsign_bytes(text, None, &*self.clock) {
            Ok(bytes) => SessionData::from_json(&bytes).unwrap_or_default(),
            Err(error) => {
                if error.kind() == SigningErrorKind::BadSignature {
                    tracing::warn!(target: "django.security.SuspiciousSession", "Session data does not carry a valid signature");
                }
                SessionData::default()
            }
        }
    }

    /// The cookie that is itself the session.
    pub(crate) fn encode_cookie(&self, data: &SessionData) -> Result<String> {
        Ok(self
            .cookie_signer
            .sign_bytes(data.to_json()?.as_bytes(), true, &*self.clock))
    }

    /// `None` if the cookie is forged, unreadable, or older than `SESSION_COOKIE_AGE`.
    pub(crate) fn decode_cookie(&self, cookie: &str) -> Option<SessionData> {
        let max_age = TimeDelta::try_seconds(self.cookie_age);
        let bytes = self
            .cookie_signer
            .unsign_bytes(cookie, max_age, &*self.clock)
            .ok()?;
        SessionData::from_json(&bytes)
    }
}

impl fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionConfig")
            .field("cookie_name", &self.cookie_name)
            .field("cookie_age", &self.cookie_age)
            .field("cookie_domain", &self.cookie_domain)
            .field("cookie_secure", &self.cookie_secure)
            .field("cookie_path", &self.cookie_path)
            .field("cookie_httponly", &self.cookie_httponly)
            .field("cookie_samesite", &self.cookie_samesite)
            .field("save_every_request", &self.save_every_request)
            .field("expire_at_browser_close", &self.expire_at_browser_close)
            .field("file_path", &self.file_path)
            .finish_non_exhaustive()
    }
}
