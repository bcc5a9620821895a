//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::db;
use crate::settings::ImproperlyConfigured;

/// A failure. Never a "no": a wrong password, an unknown user or a missing permission is an answer.
///
/// `Display` carries no secret: no password, hash, key, session or token.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The database or the cache cannot be reached, or was lost on the way: 503, try again.
    Unavailable,
    /// More work waits than is taken on: 503, try again.
    Busy,
    /// Too many attempts to log in ([`rate_limit`](crate::rate_limit)): 429.
    TooManyAttempts {
        /// When the next one will be looked at; whole seconds.
        retry_after: Duration,
    },
    /// A value that the caller gave cannot be right (Django's `ValueError`, `TypeError`).
    Value,
    /// The settings or the models contradict each other (Django's `ImproperlyConfigured`).
    ImproperlyConfigured,
    /// No such row (Django's `DoesNotExist`).
    DoesNotExist,
    /// More than one row where one was asked for (Django's `MultipleObjectsReturned`).
    MultipleObjectsReturned,
    /// A value is taken already, or a row is still referred to (Django's `IntegrityError`).
    Integrity {
        /// The constraint as the database names it, where it says so.
        constraint: Option<String>,
    },
    /// The session was deleted while the request ran (Django's `SessionInterrupted`): 400.
    SessionInterrupted,
    /// The session could not be read or written for another reason.
    Session,
    /// The database's tables are not those of Django 4.2 to 6.1, or not Django's at all; the text says what is missing
    /// or in the way, and what to do.
    Schema,
    /// A message was not accepted by whatever sends mail.
    Mail,
    /// A signal's receiver failed.
    Receiver,
    /// A password hasher failed, or no thread could be started for it.
    Hashing,
    /// A backend failed.
    Backend,
    /// The database's account lacks a privilege; the text says which, where that is known.
    Denied,
    /// The database refused a statement, or answered something that cannot be read.
    Database,
}

impl Error {
    /// An error of this kind, for crates that build on this one. The text must hold no secret.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            text: text.into(),
            source: None,
        }))
    }

    /// The same with what caused it.
    pub fn caused(
        kind: ErrorKind,
        text: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let mut error = Self::new(kind, text);
        error.0.source = Some(source.into());
        error
    }

    /// [`ErrorKind::Value`].
    pub fn value(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Value, text)
    }

    /// [`ErrorKind::ImproperlyConfigured`].
    pub fn improperly_configured(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::ImproperlyConfigured, text)
    }

    /// What failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// How long a client should wait before it tries again; only for failures that pass by themselves
    /// ([`ErrorKind::Unavailable`], [`ErrorKind::Busy`] and [`ErrorKind::TooManyAttempts`]).
    #[must_use]
    pub fn try_again_after(&self) -> Option<Duration> {
        match self.0.kind {
            ErrorKind::Unavailable | ErrorKind::Busy => Some(Duration::from_secs(1)),
            ErrorKind::TooManyAttempts { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        let kind = match error.kind() {
            db::ErrorKind::Unavailable | db::ErrorKind::Closed => ErrorKind::Unavailable,
            db::ErrorKind::Busy => ErrorKind::Busy,
            db::ErrorKind::UniqueViolation { constraint } => ErrorKind::Integrity {
                constraint: constraint.clone(),
            },
            db::ErrorKind::ForeignKeyViolation | db::ErrorKind::NotNull => {
                ErrorKind::Integrity { constraint: None }
            }
            db::ErrorKind::Data => ErrorKind::Value,
            db::ErrorKind::SchemaMissing => ErrorKind::Schema,
            db::ErrorKind::Denied => ErrorKind::Denied,
            db::ErrorKind::Configuration => ErrorKind::ImproperlyConfigured,
            _ => ErrorKind::Database,
        };
        Self::caused(kind, error.to_string(), error)
    }
}

impl From<djauth_sessions::Error> for Error {
    fn from(error: djauth_sessions::Error) -> Self {
        let kind = match error.kind() {
            djauth_sessions::ErrorKind::Unavailable => ErrorKind::Unavailable,
            djauth_sessions::ErrorKind::Interrupted => ErrorKind::SessionInterrupted,
            djauth_sessions::ErrorKind::Configuration => ErrorKind::ImproperlyConfigured,
            djauth_sessions::ErrorKind::Database => ErrorKind::Database,
            _ => ErrorKind::Session,
        };
        Self::caused(kind, error.to_string(), error)
    }
}

impl From<djauth_hashers::Error> for Error {
    fn from(error: djauth_hashers::Error) -> Self {
        let kind = match error.kind() {
            djauth_hashers::ErrorKind::PasswordTooLong => ErrorKind::Value,
            _ => ErrorKind::ImproperlyConfigured,
        };
        Self::caused(kind, error.to_string(), error)
    }
}

impl From<ImproperlyConfigured> for Error {
    fn from(error: ImproperlyConfigured) -> Self {
        Self::caused(ErrorKind::ImproperlyConfigured, error.to_string(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &self.0.text)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source as &(dyn StdError + 'static))
    }
}
